"""The check of wording finds what it should, and nothing else."""

from pathlib import Path

import pytest

from tests.wording import ROOT, complaints, files, main


@pytest.mark.parametrize(
    "text",
    [
        "The topic was made anew.",
        "Hold each row against the schema.",
        "held\nagainst",
        "def see_that_tables_are_there():",
        "ValueError: it is none.",
        "felt_from_us",
        "the operator is told what to do",
        '"""See that the fleet can be made.',
        "The lock could not be had.",
        "the schema is held to the code",
    ],
)
def test_an_old_phrase_is_reported_with_its_line(text: str) -> None:
    (complaint,) = complaints("docs/x.md", f"first line\n{text}")
    assert complaint.startswith('docs/x.md:2: "')
    assert ": write " in complaint


@pytest.mark.parametrize(
    "text",
    [
        "Readers see that it has changed.",
        "Compare each row with the schema.",
        "a state holds until the next",
        "assert value is None",
        "seen that way",
    ],
)
def test_plain_english_is_not(text: str) -> None:
    assert list(complaints("docs/x.md", text)) == []


def test_code_and_documents_are_read_and_frozen_files_are_not() -> None:
    read = {str(path.relative_to(ROOT)) for path in files(ROOT)}
    assert {"README.md", "docs/architecture.md", "services/cli.py", "web/src/app.tsx", "deploy/local/setup.sh"} <= read
    assert not {"docs/glossary.md", "schemas/schema.sql", "schemas/migrations/0001_registry.sql"} & read


def test_the_exit_code_is_1_if_a_file_has_a_phrase(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "README.md").write_text("fine\n")
    assert main(tmp_path) == 0
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/x.md").write_text("made anew\n")
    assert main(tmp_path) == 1
    assert capsys.readouterr().err.startswith("docs/x.md:1: ")
