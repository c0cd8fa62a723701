"""Merged migrations are frozen: the list of their checksums only ever grows."""

from pathlib import Path

import pytest

from schemas.migration_checksums import FOLDER, LIST, main, read_list


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / LIST).touch()
    (tmp_path / "0001_first.sql").write_text("SELECT 1;\n")
    (tmp_path / "0002_second.sql").write_text("SELECT 2;\n")
    assert main([], tmp_path) == 0
    return tmp_path


def test_the_repositorys_migrations_are_those_listed() -> None:
    assert main(["--check"]) == 0
    assert len(read_list(FOLDER)) == len(list(FOLDER.glob("*.sql"))) > 10


def test_new_migrations_must_be_listed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--check"], folder) == 0
    (folder / "0003_third.sql").write_text("SELECT 3;\n")
    assert main(["--check"], folder) == 1
    assert "0003_third.sql is not in SHA256SUMS: run `make schema`" in capsys.readouterr().err
    assert main([], folder) == 0
    assert main(["--check"], folder) == 0
    assert list(read_list(folder)) == ["0001_first.sql", "0002_second.sql", "0003_third.sql"]


@pytest.mark.parametrize("arguments", [[], ["--check"]])
def test_a_listed_migration_that_changed_or_went_is_reported_and_stays_listed(
    folder: Path, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    before = read_list(folder)
    (folder / "0001_first.sql").write_text("-- a comment\nSELECT 1;\n")
    (folder / "0002_second.sql").unlink()
    assert main(arguments, folder) == 1
    reported = capsys.readouterr().err.splitlines()
    assert "0001_first.sql was changed" in reported[0]
    assert "0002_second.sql is missing" in reported[1]
    assert read_list(folder) == before
