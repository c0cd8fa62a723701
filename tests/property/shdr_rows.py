"""Translates the log files of a device, and compares their rows with what must follow from its history."""

import math
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from services.core.times import SECOND_US
from services.gateway.models import ModelSource
from services.gateway.mtconnect.devices import parse_devices
from services.gateway.mtconnect.problems import ProblemKind, Problems
from services.gateway.records import CountRow, ReadingRow, StateRow
from services.gateway.replay import MachineReport, Options, translate_machine
from services.gateway.translate import SourcedRow
from tests.property.shdr_devices import Device, to_xml
from tests.property.shdr_reference import UNKNOWN, History, Status

REASSERT_US = 60 * SECOND_US


def translate(device: Device | None, files: Sequence[bytes]) -> tuple[list[SourcedRow], MachineReport]:
    """Translate files by the device's model; without a device by a ready-made one."""
    models = ModelSource(parse_devices(to_xml(device)) if device else ())
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"log{number}" for number in range(len(files))]
        for path, content in zip(paths, files, strict=True):
            path.write_bytes(content)
        return translate_machine("M1", paths, models, Options(REASSERT_US))


def counted(problems: Problems) -> Counter[ProblemKind]:
    """Return how often each kind of problem of the log itself was reported."""
    return Counter({problem.kind: problem.count for problem in problems if problem.kind is not ProblemKind.MODEL})


def assert_rows(device: Device, rows: Sequence[SourcedRow], history: History) -> None:
    """Check that rows say what follows from a history, and nothing else."""
    assert_statuses(rows, history.statuses)
    assert_pieces_and_readings(device, rows, history)


def assert_statuses(rows: Sequence[SourcedRow], statuses: dict[int, Status]) -> None:
    """Check that rows hold what an assertion at every moment would hold: shortly, and for ten minutes."""
    asserted = {
        sourced.row.at_us: (sourced.row.state, sourced.row.mode, sourced.row.reason)
        for sourced in rows
        if isinstance(sourced.row, StateRow)
    }
    for hold_us in (REASSERT_US, 10 * REASSERT_US):
        # Both change only when something is asserted, or a hold ends.
        for at_us in sorted({start_us + hold for start_us in statuses | asserted for hold in (0, hold_us)}):
            assert held(asserted, at_us, hold_us) == held(statuses, at_us, hold_us), at_us


def held(statuses: dict[int, Status], at_us: int, hold_us: int) -> Status:
    last_us = max((start_us for start_us in statuses if start_us <= at_us), default=None)
    return UNKNOWN if last_us is None or at_us - last_us >= hold_us else statuses[last_us]


def assert_pieces_and_readings(device: Device, rows: Sequence[SourcedRow], history: History) -> None:
    counts = [sourced.row for sourced in rows if isinstance(sourced.row, CountRow)]
    assert {(row.at_us, row.product): (row.good, row.scrap) for row in counts} == history.pieces
    assert len(counts) == len(history.pieces)
    (model,) = parse_devices(to_xml(device))
    ids = {item.metric: item.id for item in model.items if item.metric}
    measured = [sourced.row for sourced in rows if isinstance(sourced.row, ReadingRow)]
    found = {(row.at_us, ids[row.metric]): row.value for row in measured}
    assert found.keys() == history.readings.keys()
    assert len(measured) == len(found)
    assert all(math.isclose(found[key], number, rel_tol=1e-9, abs_tol=1e-9) for key, number in history.readings.items())
