"""Recorded logs of one factory's machines, replayed: read, translated, batched at once or at the logs' own pace."""

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
    """What became of one machine's logs."""

    machine_id: str
    dialect: str
    tally: Tally
    unused: Unused
    rows: int


def translate_machine(
    machine_id: str, paths: Sequence[Path], dialect: Dialect | None, reassert_us: int, *, readings: bool
) -> tuple[list[Row], MachineReport]:
    """One machine's rows in the order of their times. Its logs are held in memory, about 300 bytes a line.

    Raises:
        ConfigurationError: a file cannot be read, or no dialect was given and none fits.
    """
    lines, tally = read_log(paths)
    spoken = dialect or choose_dialect({key for line in lines for key, _ in line.values})
    translator = Translator(machine_id, spoken, reassert_us, readings=readings)
    rows = list(translator.rows(lines))
    return rows, MachineReport(machine_id, spoken.name, tally, translator.unused, len(rows))


def translate_factory(
    machines: Mapping[str, Sequence[Path]],
    dialect: Dialect | None,
    reassert_us: int,
    *,
    readings: bool,
) -> tuple[list[Row], list[MachineReport]]:
    """All machines' rows by time; of one time, in the machines' order. The same logs give the same rows.

    Raises:
        ConfigurationError: see ``translate_machine``.
    """
    rows: list[Row] = []
    reports = []
    for machine_id, paths in tqdm(machines.items(), desc="reading", unit="machine", disable=None):
        translated, report = translate_machine(machine_id, paths, dialect, reassert_us, readings=readings)
        rows += translated
        reports.append(report)
    rows.sort(key=lambda row: row.at_us)
    return rows, reports


def at_once(rows: list[Row], writer: RecordWriter, clock: Clock) -> Iterator[Record]:
    """The rows as full records, one after the other."""
    for start in range(0, len(rows), writer.maximum_rows):
        yield from writer.write(rows[start : start + writer.maximum_rows], clock())


def paced(
    rows: list[Row], writer: RecordWriter, clock: Clock, speed: float, sleep: Callable[[float], None] = time.sleep
) -> Iterator[Record]:
    """The rows as records of a second each by ``clock``, on which the logs' time passes ``speed`` times faster."""
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
    """For tests of what order and repetition do: each record twice, all in another order, or both."""
    if seed is None:
        for record in records:
            yield record
            if duplicate:
                yield record
        return
    everything = list(records) * (2 if duplicate else 1)
    Random(seed).shuffle(everything)
    yield from everything
