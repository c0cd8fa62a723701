"""Recorded logs of real machines: the gateway's rows, under the platform's hold rule, give the known truths.

The truths are the same by the ready-made models and by the machines' own device model, to the microsecond. No servers:
the logs are translated to rows, and a few plain lines account for these.
"""

import json
import re
from collections import Counter
from functools import cache
from typing import Any

import pytest

from schemas.wire.codes import Mode, State
from services.core.times import SECOND_US
from services.gateway.log_files import read_log
from services.gateway.models import ModelSource, read_devices
from services.gateway.mtconnect.dialects import DIALECTS
from services.gateway.mtconnect.lines import LineReader
from services.gateway.mtconnect.model import DeviceModel
from services.gateway.mtconnect.problems import ProblemKind, Problems
from services.gateway.mtconnect.tokenizer import parse_timestamp
from services.gateway.records import CountRow, ReadingRow, Row, StateRow
from services.gateway.replay import MachineReport, Options, translate_machine
from tests.recorded_logs import JEJO_REAL_DATA_DIR, needs_real_data

TTL_US = 600 * SECOND_US
MICROSECONDS = 1_000_000

pytestmark = needs_real_data


READY_MADE, OWN = "ready-made", "own"
MODELS = pytest.mark.parametrize("model", [READY_MADE, OWN])


@cache
def devices() -> list[DeviceModel]:
    return read_devices(JEJO_REAL_DATA_DIR / "nist_mtconnect" / "Devices.xml")


@cache
def translate(pattern: str, device: str = "") -> tuple[list[Row], MachineReport]:
    """Translate logs by a ready-made model, or by the model of a device."""
    paths = sorted(JEJO_REAL_DATA_DIR.glob(pattern))
    assert paths, f"{JEJO_REAL_DATA_DIR} has no {pattern}"
    models = ModelSource(devices(), names={"M01": device}) if device else ModelSource()
    rows, report = translate_machine("M01", paths, models, Options(reassert_us=60 * SECOND_US))
    return [found.row for found in rows], report


def translate_week(machine: str, model: str) -> tuple[list[Row], MachineReport]:
    return translate(f"nist_mtconnect/{machine}/*.gz", machine if model == OWN else "")


def translate_mill(log: str, model: str) -> tuple[list[Row], MachineReport]:
    """Translate a mill's logs; a device of the model is called like the mill in the file's name."""
    return translate(f"nist_hurco/{log}", re.findall(r"Hurco\d\d", log)[0] if model == OWN else "")


def kinds(report: MachineReport) -> set[ProblemKind]:
    return {problem.kind for problem in report.problems}


def truth(folder: str) -> Any:
    return json.loads((JEJO_REAL_DATA_DIR / folder / "ground_truth.json").read_text())


def held(rows: list[Row], from_us: int, to_us: int) -> dict[tuple[State, Mode, str | None], float]:
    """Return seconds in [from_us, to_us) by state, mode and reason; a state holds over [at, min(next, at + TTL))."""
    states = [row for row in rows if isinstance(row, StateRow)]
    seconds: Counter[tuple[State, Mode, str | None]] = Counter()
    for row, following in zip(states, [*states[1:], None], strict=False):
        until_us = min(row.at_us + TTL_US, to_us, following.at_us if following else to_us)
        since_us = max(row.at_us, from_us)
        if since_us < until_us and row.state is not State.unknown:
            seconds[row.state, row.mode, row.reason] += until_us - since_us
    return {status: us / MICROSECONDS for status, us in seconds.items()}


def total(seconds: dict[tuple[State, Mode, str | None], float], part: State | Mode | str) -> float:
    """Return the seconds of one state, mode or reason. Types are compared, too, since both enums are numbers."""
    return sum(time for status, time in seconds.items() if any(p == part and type(p) is type(part) for p in status))


def span(rows: list[Row]) -> tuple[int, int]:
    return rows[0].at_us, rows[-1].at_us


@MODELS
@pytest.mark.parametrize("machine", ["Mazak01", "Mazak03"])
def test_a_week_of_a_job_shop(machine: str, model: str) -> None:
    expected = truth("nist_mtconnect")["machines"][machine]
    execution, mode = expected["execution_seconds"], expected["mode_seconds"]
    from_us, to_us = parse_timestamp("2016-10-31T00:00:00Z"), parse_timestamp("2016-11-07T00:00:00Z")
    rows, report = translate_week(machine, model)
    seconds = held(rows, from_us, to_us)

    assert report.model == (machine if model == OWN else "mazak")
    assert report.tally.lines == expected["raw_lines"]
    assert (report.tally.unread, report.tally.other) == (0, 0)
    assert kinds(report) <= {ProblemKind.UNKNOWN_KEY, ProblemKind.MODEL}
    assert total(seconds, State.producing) == pytest.approx(execution["ACTIVE"], abs=1e-6)
    assert total(seconds, State.delayed) == pytest.approx(execution["INTERRUPTED"] + execution["FEED_HOLD"], abs=1e-6)
    # Faults take time from a machine that is not running, never from ACTIVE.
    standing = total(seconds, State.idle) + total(seconds, State.faulted)
    assert standing == pytest.approx(execution["READY"] + execution["STOPPED"], abs=1e-6)
    assert sum(seconds.values()) == pytest.approx(expected["connected_seconds"], abs=1e-6)
    by_hand = mode["MANUAL"] + mode.get("MANUAL_DATA_INPUT", 0.0)
    assert total(seconds, Mode.automatic) == pytest.approx(mode["AUTOMATIC"], abs=1e-6)
    assert total(seconds, Mode.manual) == pytest.approx(by_hand, abs=1e-6)
    assert total(seconds, Mode.unknown) == 0
    assert not [row for row in rows if isinstance(row, CountRow)], "the Mazaks' counters never move"


@MODELS
def test_a_weeks_faults_are_found(model: str) -> None:
    rows, _ = translate_week("Mazak01", model)
    faults = {row.reason for row in rows if isinstance(row, StateRow) and row.state is State.faulted}
    assert faults == {"system_cond 1102 INTERFERE", "path_system 149 TAILSTOCK BARRIER"}


@pytest.mark.parametrize("machine", ["Mazak01", "Mazak03"])
def test_the_states_of_a_week_are_the_same_by_both_models(machine: str) -> None:
    ready_made, own = (
        [row for row in translate_week(machine, model)[0] if isinstance(row, StateRow)] for model in (READY_MADE, OWN)
    )
    assert own == ready_made


@pytest.mark.parametrize("machine", ["Mazak01", "Mazak03"])
def test_a_device_model_gives_more_readings_than_a_ready_made_one(machine: str) -> None:
    ready_made, own = (
        {row.metric for row in translate_week(machine, model)[0] if isinstance(row, ReadingRow)}
        for model in (READY_MADE, OWN)
    )
    assert len(own) > len(ready_made) > 10


@MODELS
@pytest.mark.parametrize(
    ("log", "parts"),
    [
        ("1-31-2017-Hurco02-Clean.txt.gz", 0),
        ("1-31-2017-Hurco04-Clean.txt.gz", 0),
        ("2-1-2017-Hurco02-Clean.txt.gz", 8),
        ("2-1-2017-Hurco04-Clean.txt.gz", 10),
        ("2-17-2017-Hurco04-Clean.txt.gz", 0),
    ],
)
def test_a_mill_with_a_part_counter(log: str, parts: int, model: str) -> None:
    expected = truth("nist_hurco")
    rows, report = translate_mill(log, model)
    assert sum(row.good for row in rows if isinstance(row, CountRow)) == parts
    assert parts == expected["continuous"][log]["parts_delta"]
    assert report.tally.unread == expected["malformed_lines"].get(log, 0)
    assert kinds(report) <= {ProblemKind.TIMESTAMP, ProblemKind.UNKNOWN_KEY}
    assert {row.mode for row in rows if isinstance(row, StateRow)} == {Mode.unknown}


@MODELS
def test_the_second_of_two_logs_continues_the_counter(model: str) -> None:
    """Between the recordings the mill made 103 parts that are in no log: the increase is the count."""
    rows, _ = translate_mill("*Hurco04*.gz", model)
    made = [row for row in rows if isinstance(row, CountRow)]
    assert sum(row.good for row in made) == 10 + 103
    assert made[-1].at_us == parse_timestamp("2017-02-17T09:26:18.656250Z")


@MODELS
def test_a_mill_that_is_heard_all_the_time(model: str) -> None:
    expected = truth("nist_hurco")["continuous"]["2-1-2017-Hurco04-Clean.txt.gz"]["program_status_seconds"]
    rows, _ = translate_mill("2-1-2017-Hurco04-Clean.txt.gz", model)
    seconds = held(rows, *span(rows))
    assert total(seconds, State.producing) == pytest.approx(expected["ACTIVE"], abs=1e-6)
    assert total(seconds, "FEED_HOLD") == pytest.approx(expected["FEED_HOLD"], abs=1e-6)


@MODELS
def test_a_mill_that_goes_silent_is_unknown_after_the_hold(model: str) -> None:
    """Once it is ACTIVE for 2,595.34 s without a line: all but the first 600 s of that are unknown."""
    expected = truth("nist_hurco")["continuous"]["2-1-2017-Hurco02-Clean.txt.gz"]["program_status_seconds"]
    rows, _ = translate_mill("2-1-2017-Hurco02-Clean.txt.gz", model)
    silent = expected["ACTIVE"] - total(held(rows, *span(rows)), State.producing)
    assert silent == pytest.approx(2595.34375 - 600, abs=1e-6)


def test_sparse_rows_cover_what_a_row_for_every_line_would() -> None:
    for pattern in ("nist_hurco/2-1-2017-Hurco02-Clean.txt.gz", "okuma/okuma.txt"):
        paths = sorted(JEJO_REAL_DATA_DIR.glob(pattern))
        sparse, report = translate(pattern)
        dense = [found.row for found in translate_machine("M01", paths, ModelSource(), Options(0, readings=False))[0]]
        problems = Problems()
        reader = LineReader(DIALECTS[report.model], frozenset(), problems)
        lines = read_log(paths, reader, problems)
        reach = (0, lines[-1].at_us + TTL_US)
        assert held(sparse, *reach) == held(dense, *reach)
        assert sum(isinstance(row, StateRow) for row in sparse) < sum(isinstance(row, StateRow) for row in dense) / 5


def test_a_spliced_recording_is_ordered_by_time() -> None:
    expected = truth("okuma")
    rows, report = translate("okuma/okuma.txt")
    assert report.tally.assets + report.tally.protocol == expected["lines_skipped_assets"]
    assert report.tally.unread == 0
    made = [row.good for row in rows if isinstance(row, CountRow)]
    totals = [int(value) for _, value in expected["part_count_events"]]
    assert totals == [0, 1, 0, 1, 0, 1, 2, 3]
    # Both falls return within the hour, so they are dips and no resets.
    assert made == [1, 1, 1]
    assert report.problems.count(ProblemKind.DIP) == 2
    seconds = held(rows, *span(rows))
    # The cell is in PROCESS_DEVELOPMENT, a planned stop, also during the few seconds in which it is ACTIVE.
    developing = expected["execution_seconds"]["ACTIVE"] - total(seconds, State.producing)
    assert 0 < developing < 5
    assert total(seconds, State.planned_stop) > 1000
    completed = expected["execution_seconds"]["PROGRAM_COMPLETED"]
    assert total(seconds, "PROGRAM_COMPLETED") == pytest.approx(completed, abs=1e-5)
    assert total(seconds, Mode.automatic) == pytest.approx(sum(seconds.values()))


def test_the_same_logs_give_the_same_rows() -> None:
    rows, _ = translate("okuma/okuma.txt")
    log = JEJO_REAL_DATA_DIR / "okuma" / "okuma.txt"
    again, _ = translate_machine("M01", [log], ModelSource(), Options(60 * SECOND_US))
    assert [found.row for found in again] == rows
