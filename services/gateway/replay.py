"""Replays the recorded logs of one factory's machines: reads, translates and batches them, at once or at their pace."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tqdm import tqdm

from services.core.clock import Clock
from services.core.times import SECOND_US
from services.gateway.dialects import Dialect, choose_dialect
from services.gateway.records import Record, RecordWriter, Row
from services.gateway.shdr import Tally, read_log
from services.gateway.translate import Translator, Unused

TICK_S = 1.0


@dataclass(frozen=True, slots=True)
class MachineReport:
    """What was read of one machine's logs, and how many rows it gave."""

    machine_id: str
    dialect: str
    tally: Tally
    unused: Unused
    rows: int


def translate_machine(
    machine_id: str, paths: Sequence[Path], dialect: Dialect | None, reassert_us: int, *, readings: bool
) -> tuple[list[Row], MachineReport]:
    """Return one machine's rows, ordered by time, and a report. Takes about 300 bytes of memory per line of log.

    Args:
        dialect: None: chosen by the keys in the logs.

    Raises:
        ConfigurationError: a file cannot be read, or no dialect fits the logs.
    """
    lines, tally = read_log(paths)
    dialect = dialect or choose_dialect({key for line in lines for key, _ in line.values})
    translator = Translator(machine_id, dialect, reassert_us, readings=readings)
    rows = sorted(translator.rows(lines), key=row_time)
    return rows, MachineReport(machine_id, dialect.name, tally, translator.unused, len(rows))


def translate_factory(
    machines: Mapping[str, Sequence[Path]],
    dialect: Dialect | None,
    reassert_us: int,
    *,
    readings: bool,
) -> tuple[list[Row], list[MachineReport]]:
    """Return all machines' rows, ordered by time, then by the order of the machines; and a report on each machine.

    Raises:
        ConfigurationError: see ``translate_machine``.
    """
    rows: list[Row] = []
    reports = []
    for machine_id, paths in tqdm(machines.items(), desc="reading", unit="machine", disable=None):
        translated, report = translate_machine(machine_id, paths, dialect, reassert_us, readings=readings)
        rows += translated
        reports.append(report)
    rows.sort(key=row_time)
    return rows, reports


def row_time(row: Row) -> int:
    return row.at_us


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
