"""Replays the recorded logs of one factory's machines: reads, translates and batches them, at once or at their pace."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tqdm import tqdm

from services.core.clock import Clock
from services.core.times import SECOND_US
from services.gateway.log_files import file_lines, read_log
from services.gateway.models import ModelSource
from services.gateway.mtconnect.lines import LineReader, Tally
from services.gateway.mtconnect.model import Role
from services.gateway.mtconnect.problems import Place, ProblemKind, Problems
from services.gateway.records import Record, RecordWriter, Row
from services.gateway.translate import SourcedRow, Translator

TICK_S = 1.0


@dataclass(frozen=True, slots=True)
class Options:
    """How logs become rows.

    Attributes:
        reassert_us: how often a state is asserted again.
        readings: whether measurements become rows, too.
        native_units: whether the logs' numbers are in the machine's own units; an agent's are in the model's.
        ideal_cycle_us: by machine, the shortest time that a piece takes; "" stands for every other machine.
    """

    reassert_us: int
    readings: bool = True
    native_units: bool = True
    ideal_cycle_us: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MachineReport:
    """What was read of one machine's logs, what could not be used, and how many rows it gave."""

    machine_id: str
    model: str
    tally: Tally
    problems: Problems
    rows: int


def translate_machine(
    machine_id: str, paths: Sequence[Path], models: ModelSource, options: Options
) -> tuple[list[SourcedRow], MachineReport]:
    """Return one machine's rows, ordered by time, and a report. Takes about 1 kB of memory per line of log.

    Raises:
        ConfigurationError: a file cannot be read, or no model fits the logs.
    """
    ignored = Problems()
    model, names = models.choose(machine_id, (text for path in paths for text in file_lines(path, ignored)))
    problems = Problems()
    for remark in model.remarks:
        problems.add(ProblemKind.MODEL, Place(model.name), remark)
    if not model.of_role(Role.EXECUTION):
        problems.add(ProblemKind.MODEL, Place(model.name), "There is no EXECUTION: every state is unknown")
    reader = LineReader(model, names, problems, native_units=options.native_units)
    lines = read_log(paths, reader, problems)
    ideal_cycle_us = options.ideal_cycle_us.get(machine_id, options.ideal_cycle_us.get(""))
    translator = Translator(
        machine_id,
        model,
        options.reassert_us,
        problems,
        readings=options.readings,
        ideal_cycle_us=ideal_cycle_us,
    )
    rows = sorted(translator.rows(lines), key=row_time)
    return rows, MachineReport(machine_id, model.name, reader.tally, problems, len(rows))


def translate_factory(
    machines: Mapping[str, Sequence[Path]], models: ModelSource, options: Options
) -> tuple[list[SourcedRow], list[MachineReport]]:
    """Return all machines' rows, ordered by time, then by the order of the machines; and a report on each machine.

    Raises:
        ConfigurationError: see ``translate_machine``.
    """
    rows: list[SourcedRow] = []
    reports = []
    for machine_id, paths in tqdm(machines.items(), desc="reading", unit="machine", disable=None):
        translated, report = translate_machine(machine_id, paths, models, options)
        rows += translated
        reports.append(report)
    rows.sort(key=row_time)
    return rows, reports


def row_time(sourced: SourcedRow) -> int:
    return sourced.row.at_us


def at_once(rows: list[Row], writer: RecordWriter, clock: Clock) -> Iterator[Record]:
    """Yield records as full as their limits allow, without pauses."""
    for start in range(0, len(rows), writer.maximum_rows):
        yield from writer.write(rows[start : start + writer.maximum_rows], clock())


def paced(
    rows: list[Row], writer: RecordWriter, clock: Clock, speed: float, sleep: Callable[[float], None] = time.sleep
) -> Iterator[Record]:
    """Yield records of the rows as they fall due, while the logs' time passes ``speed`` times as fast as ``clock``."""
    if not rows:
        return
    began_us, log_began_us = clock(), rows[0].at_us
    start = 0
    while start < len(rows):
        reached_us = log_began_us + round((clock() - began_us) * speed)
        end = start
        while end < len(rows) and rows[end].at_us <= reached_us:
            end += 1
        if end > start:
            yield from writer.write(rows[start:end], clock())
            start = end
        if start < len(rows):
            sleep(max(TICK_S, (rows[start].at_us - reached_us) / speed / SECOND_US))


def shuffled(records: Iterator[Record], seed: int | None, *, duplicate: bool) -> Iterator[Record]:
    """Yield the records in an order drawn from ``seed``, each twice, or both: to test that neither matters.

    Without a seed the order is kept.
    """
    if seed is None:
        for record in records:
            yield record
            if duplicate:
                yield record
        return
    everything = list(records) * (2 if duplicate else 1)
    Random(seed).shuffle(everything)
    yield from everything
