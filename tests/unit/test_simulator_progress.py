"""How far a simulated fleet was sent, remembered in a file."""

from pathlib import Path

import pytest

from services.core.errors import ConfigurationError
from services.simulator.progress import Progress


def test_without_a_file_all_is_new(tmp_path: Path) -> None:
    for path in (None, tmp_path / "progress"):
        progress = Progress.read(path, "a fleet", 10, 30)
        assert (progress.begin_us, progress.history_end_us, progress.sent_us) == (10, 30, 10)
        progress.save(20, 5)
    assert (tmp_path / "progress").exists()


def test_the_next_run_goes_on_where_the_last_was(tmp_path: Path) -> None:
    path = tmp_path / "progress"
    Progress.read(path, "a fleet", 10, 30).save(20, 5)
    again = Progress.read(path, "a fleet", 12, 40)
    assert (again.begin_us, again.history_end_us, again.sent_us) == (10, 30, 20)
    again.save(40, 7)
    assert Progress.read(path, "a fleet", 0, 0).rows == 12


def test_another_fleet_or_another_file_is_not_mistaken_for_it(tmp_path: Path) -> None:
    path = tmp_path / "progress"
    Progress.read(path, "a fleet", 10, 30).save(20, 5)
    with pytest.raises(ConfigurationError, match="another fleet"):
        Progress.read(path, "two fleets", 10, 30)
    path.write_text("{}")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        Progress.read(path, "a fleet", 10, 30)


def test_a_place_that_cannot_be_written_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be written"):
        Progress.read(tmp_path / "none" / "progress", "a fleet", 10, 30).save(20, 5)
