"""The documents are held to the code: settings, commands, reason codes, links, migrations' tables."""

import argparse
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic_settings import BaseSettings

from schemas.wire.codes import Mode, Reason, State
from services.analytics.settings import AnalyticsSettings
from services.api.settings import ApiSettings
from services.cli import build_parser
from services.ingest.settings import IngestSettings

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), *sorted((ROOT / "schemas").rglob("*.md"))]
OPERATIONS = (ROOT / "docs/operations.md").read_text()
ALL_SETTINGS: tuple[type[BaseSettings], ...] = (IngestSettings, AnalyticsSettings, ApiSettings)


def table(document: str, heading: str) -> dict[str, list[str]]:
    """A table's rows below a heading: the first cell's code, and the other cells."""
    section = document.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line[:2] == "| "]
    return {first.strip("`"): rest for first, *rest in rows if first.startswith("`")}


def test_every_setting_is_documented_with_its_default() -> None:
    settings = {f"JEJO_{name.upper()}": field for kind in ALL_SETTINGS for name, field in kind.model_fields.items()}
    documented = table(OPERATIONS, "Settings")
    assert set(documented) == set(settings)
    for name, field in settings.items():
        default = documented[name][0].strip("`")
        assert default == ("none" if field.default is None else str(field.default).replace("True", "true")), name


def test_every_reason_code_says_what_to_do() -> None:
    assert set(table(OPERATIONS, "Dead letters")) == {str(reason) for reason in Reason}


def commands(parser: argparse.ArgumentParser, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every command that does something, as the words that call it."""
    groups = [a for a in parser._actions if isinstance(a, argparse._SubParsersAction)]
    if not groups:
        yield path
    for group in groups:
        for name, sub in group.choices.items():
            yield from commands(sub, (*path, name))


def test_every_command_is_in_the_readme_and_has_help() -> None:
    readme = (ROOT / "README.md").read_text()
    for path in commands(build_parser()):
        group, action = " ".join(path[:-1]), path[-1]
        pattern = f"`jejo {' '.join(path)}[` ]" if not group else f"`jejo {group} .*\\b{action}\\b"
        assert re.search(pattern, readme), path


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", document.read_text()):
        assert (document.parent / target).exists(), target


def test_the_glossary_has_every_state_and_mode() -> None:
    glossary = (ROOT / "docs/glossary.md").read_text()
    assert set(table(glossary, "States")) == {state.name for state in State}
    assert Mode.automatic.name in glossary


def test_the_makefile_documents_every_target() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"(?m)^([a-z-]+):(?! *=)", makefile))
    assert targets == set(re.findall(r"(?m)^([a-z-]+):.*## ", makefile))
