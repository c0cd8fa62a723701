"""The progress file of a simulated fleet."""

from pathlib import Path

import pytest

from services.core.errors import ConfigurationError
from services.simulator.progress import Progress


def test_without_a_file_a_world_begins(tmp_path: Path) -> None:
    for path in (None, tmp_path / "progress"):
        progress = Progress.read(path, "a fleet", 10, 30)
        assert (progress.begin_us, progress.history_end_us, progress.sent_us) == (10, 30, 10)
        progress.save(20, 5)
    assert (tmp_path / "progress").exists()


def test_the_next_run_continues_where_the_last_one_ended(tmp_path: Path) -> None:
    path = tmp_path / "progress"
    Progress.read(path, "a fleet", 10, 30).save(20, 5)
    again = Progress.read(path, "a fleet", 12, 40)
    assert (again.begin_us, again.history_end_us, again.sent_us) == (10, 30, 20)
    again.save(40, 7)
    assert Progress.read(path, "a fleet", 0, 0).rows == 12


def test_a_file_about_another_fleet_and_an_invalid_file_are_rejected(tmp_path: Path) -> None:
    path = tmp_path / "progress"
    Progress.read(path, "a fleet", 10, 30).save(20, 5)
    with pytest.raises(ConfigurationError, match="another fleet"):
        Progress.read(path, "two fleets", 10, 30)
    path.write_text("{}")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        Progress.read(path, "a fleet", 10, 30)


def test_a_file_that_cannot_be_written_is_a_configuration_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be written"):
        Progress.read(tmp_path / "none" / "progress", "a fleet", 10, 30).save(20, 5)
