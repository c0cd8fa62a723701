"""Writes what a replay sends, and what it read, as lines of text."""

from collections.abc import Iterator

from schemas.wire.codes import Mode
from services.core.times import rfc3339
from services.gateway.mtconnect.machine import printable
from services.gateway.mtconnect.problems import Problem
from services.gateway.records import CountRow, ReadingRow, StateRow
from services.gateway.replay import MachineReport
from services.gateway.translate import SourcedRow


def row_line(sourced: SourcedRow) -> str:
    """Write a row with the place in the log that it comes from: ``FILE:LINE: MACHINE INSTANT KIND ...``."""
    row = sourced.row
    match row:
        case StateRow():
            words = ["state", row.state.name]
            words += [f"mode={row.mode.name}"] if row.mode is not Mode.unknown else []
            words += [f"reason={row.reason}"] if row.reason else []
        case CountRow():
            words = ["count", f"good={row.good}", f"scrap={row.scrap}"]
            words += [f"product={row.product}"] if row.product else []
        case ReadingRow():
            words = ["reading", row.metric, repr(row.value)]
    return f"{sourced.place}: {row.machine_id} {rfc3339(row.at_us)} {' '.join(words)}"


def summary(report: MachineReport) -> str:
    """Write what was read of one machine, in one line."""
    tally = report.tally
    return (
        f"{report.machine_id}: {report.model}, {tally.lines} lines ({tally.unread} not read, {tally.assets} of assets, "
        f"{tally.protocol} of protocol, {tally.other} of other devices), {report.rows} rows"
    )


def problem_lines(report: MachineReport) -> Iterator[str]:
    """Yield one line for each kind of problem: how often it occurred, its first places, and what to do."""
    for problem in report.problems:
        yield f"{report.machine_id}: {problem.kind.title} ({times(problem)}): {places(problem)}. {problem.kind.advice}"


def times(problem: Problem) -> str:
    return "once" if problem.count == 1 else f"{problem.count} times"


def places(problem: Problem) -> str:
    first = (f"{place}: {printable(detail)}" if detail else str(place) for place, detail in problem.first)
    return "; ".join(first).rstrip(".")
