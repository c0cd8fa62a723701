"""The file for the registry's import, read by the import itself."""

import csv
import datetime as dt
from pathlib import Path

import pytest

from services.api.registry.csv_file import read_lines, read_text
from services.api.registry.importing import COLUMNS, THING, parse_lines
from services.core.errors import ConfigurationError
from services.core.times import DAY_US, seoul_midnight_us
from services.simulator.cohorts import draw_changes
from services.simulator.fleet import make_fleet
from services.simulator.registration import fleet_entries, write_import_file

MONDAY = dt.date(2024, 3, 4)
START_US = seoul_midnight_us(MONDAY)
FLEET = make_fleet(1, 60)
CHANGES = draw_changes(1, FLEET, START_US, START_US + 90 * DAY_US, 1)


def test_the_import_reads_every_line_as_the_put_of_its_entry(tmp_path: Path) -> None:
    path = tmp_path / "fleet.csv"
    write_import_file(path, 1, FLEET, MONDAY, CHANGES)
    lines = parse_lines(read_lines(read_text(path), THING, COLUMNS), None)
    assert lines.bad == []
    expected = list(fleet_entries(1, FLEET, MONDAY, CHANGES))
    assert len(lines.registrations) == len(expected)
    for change, (url, body) in zip(lines.registrations, expected, strict=True):
        named = f"/{change.identifier}/calendar" if url.endswith("/calendar") else f"/{change.identifier}"
        assert url.endswith(named)
        assert change.factory_id is None or f"/{change.factory_id}/" in url
        assert (change.effective_from_us is None) == ("effective_from" not in body)


def test_null_is_an_empty_cell(tmp_path: Path) -> None:
    path = tmp_path / "fleet.csv"
    write_import_file(path, 1, FLEET, MONDAY, CHANGES)
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    outside = next(row for row in rows if row["thing"] == "factory" and row["factory_id"] == "F000001")
    assert outside["zone"] == ""
    assert outside["region"] == FLEET[0].region
    machine = next(row for row in rows if row["thing"] == "machine")
    assert (machine["factory_id"], machine["machine_id"]) == ("F000001", "M01")
    assert machine["state_ttl_s"] == "3600"


def test_a_file_that_cannot_be_written_is_a_configuration_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be written"):
        write_import_file(tmp_path / "none" / "fleet.csv", 1, FLEET, MONDAY, CHANGES)
