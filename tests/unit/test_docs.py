"""The documents match the code, both ways: settings, metrics, reason codes, commands, links, tables.

If a test fails here after a change: add (or remove) a heading ``### `name` `` in the right section of
docs/operations.md, with a description below it and a line that begins with an arrow and says what to do.
"""

import importlib
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from prometheus_client import CollectorRegistry
from pydantic_settings import BaseSettings

from schemas.wire.codes import Mode, Reason, State
from services.cli import jejo
from services.core.settings import Settings
from services.operations.findings import Section

ROOT = Path(__file__).parents[2]
DOCUMENTS = [
    *sorted(ROOT.glob("*.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "schemas").rglob("*.md")),
]
OPERATIONS = (ROOT / "docs/operations.md").read_text()


def modules(name: str) -> list[Any]:
    """Import every module of the services with this file name."""
    paths = sorted((ROOT / "services").rglob(name))
    return [importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts)) for path in paths]


def kinds_of(base: type[BaseSettings]) -> Iterator[type[BaseSettings]]:
    yield base
    for kind in base.__subclasses__():
        yield from kinds_of(kind)


def settings() -> dict[str, str]:
    """Return every setting of every service, with its default as the document writes it."""
    assert modules("settings.py")
    fields = {name: field for kind in kinds_of(Settings) for name, field in kind.model_fields.items()}
    return {f"JEJO_{name.upper()}": in_words(field.default) for name, field in fields.items()}


def in_words(default: object) -> str:
    if default is None:
        return "none"
    return str(default).lower() if isinstance(default, bool) else str(default)


def other_variables() -> set[str]:
    """Return the environment variables that are read without a settings object."""
    sources = [path for folder in ("services", "deploy") for path in (ROOT / folder).rglob("*.py")]
    return {name for path in sources for name in re.findall(r'"(JEJO_[A-Z0-9_]+)"', path.read_text())}


def metrics() -> dict[str, tuple[str, ...]]:
    """Return the labels of every metric of every service, by the metric's name in queries."""
    found: dict[str, tuple[str, ...]] = {}
    for module in modules("metrics.py"):
        for name, kind in vars(module).items():
            if name.endswith("Metrics") and kind.__module__ == module.__name__:
                registry: CollectorRegistry = kind().registry
                for family in registry.collect():
                    labels = getattr(registry._names_to_collectors[family.name], "_labelnames", ())
                    found[f"{family.name}_total" if family.type == "counter" else family.name] = tuple(labels)
    return found


def section(document: str, heading: str) -> str:
    return document.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]


def entries(heading: str) -> dict[str, str]:
    """Return the text below each heading that is a name in a section of docs/operations.md."""
    parts = re.split(r"(?m)^### `(.+)`$", section(OPERATIONS, heading))[1:]
    names, texts = parts[::2], parts[1::2]
    assert len(set(names)) == len(names), "a heading is repeated"
    return dict(zip(names, texts, strict=True))


def anchors(document: str) -> set[str]:
    """Return the anchors that GitHub generates from a document's headings."""
    headings = re.findall(r"(?m)^#+ (.+)$", document)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def table(document: str, heading: str) -> dict[str, list[str]]:
    """Return the rows of the table below a heading: the other cells by the code in the first."""
    lines = section(document, heading).splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line[:2] == "| "]
    return {first.strip("`"): rest for first, *rest in rows if first.startswith("`")}


def test_every_setting_has_its_heading_and_default() -> None:
    documented, known = entries("Settings"), settings()
    assert set(documented) == set(known) | other_variables()
    for name, text in documented.items():
        assert text.startswith(f"\n\nDefault `{known.get(name, 'none')}`. "), name


def test_every_metric_has_its_heading_and_labels() -> None:
    documented, known = entries("Metrics"), metrics()
    assert set(documented) == set(known)
    for name, text in documented.items():
        labels = re.match(r"\n\n(?:Counter|Gauge|Histogram)(?: by ([^.]+))?\. ", text)
        assert labels is not None, name
        assert tuple(re.findall(r"`(\w+)`", labels[1] or "")) == known[name], name


def test_every_reason_code_has_its_heading() -> None:
    assert set(entries("Reason codes")) == {str(reason) for reason in Reason}


def test_every_command_has_its_heading() -> None:
    assert set(entries("Commands")) == {f"jejo {' '.join(path)}" for path in commands(jejo)}


@pytest.mark.parametrize("heading", ["Settings", "Metrics", "Reason codes", "Commands"])
def test_every_heading_has_a_description_and_an_action(heading: str) -> None:
    for name, text in entries(heading).items():
        meaning, arrow, action = text.partition("\n→ ")
        assert arrow, name
        assert len(meaning.split()) >= 4, name
        assert len(action.split()) >= 2, name


def test_problems_that_status_reports_link_to_sections() -> None:
    assert set(Section) <= anchors(OPERATIONS)


def commands(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield every command that is not a group, as the words that call it."""
    if not isinstance(command, click.Group):
        yield path
        return
    for name, child in command.commands.items():
        yield from commands(child, (*path, name))


def test_every_command_is_in_the_readme_and_has_help() -> None:
    readme = (ROOT / "README.md").read_text()
    for path in commands(jejo):
        group, action = " ".join(path[:-1]), path[-1]
        pattern = f"`jejo {' '.join(path)}[` ]" if not group else f"`jejo {group} .*\\b{action}\\b"
        assert re.search(pattern, readme), path


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_are_not_broken(document: Path) -> None:
    for target, anchor in re.findall(r"\]\(([^)#]*)#?([^)]*)\)", document.read_text()):
        if target.startswith("https://"):
            continue
        path = document.parent / target if target else document
        assert path.exists(), target
        if anchor:
            assert anchor in anchors(path.read_text()), (target, anchor)


def test_the_glossary_has_every_state_and_mode() -> None:
    glossary = (ROOT / "docs/glossary.md").read_text()
    assert set(table(glossary, "States")) == {state.name for state in State}
    assert Mode.automatic.name in glossary


def test_the_makefile_documents_every_target() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"(?m)^([a-z-]+):(?! *=)", makefile))
    assert targets == set(re.findall(r"(?m)^([a-z-]+):.*## ", makefile))


def named_in(document: Path) -> list[str]:
    """Return what a document has as inline code."""
    text = re.sub(r"^```.*?^```$", "", document.read_text(), flags=re.DOTALL | re.MULTILINE)
    return re.findall(r"`([^`]+)`", text)


@pytest.mark.parametrize(("name", "least"), [("CONTRIBUTING.md", 40), ("docs/architecture.md", 15)])
def test_paths_named_in_guides_exist(name: str, least: int) -> None:
    # web/dist is built.
    paths = {path for path in named_in(ROOT / name) if re.fullmatch(r"[\w.-]+(/[\w.-]+)*/?", path) and "/" in path}
    paths -= {"web/dist"}
    assert len(paths) >= least
    # Parts of the dashboard and of the API are named within their section.
    assert {
        path for path in paths if not any((ROOT / base / path).exists() for base in ("", "web/src", "services/api"))
    } == set()


def test_contributing_names_targets_that_exist() -> None:
    targets = {name[5:] for name in named_in(ROOT / "CONTRIBUTING.md") if re.fullmatch(r"make [a-z-]+", name)}
    assert len(targets) > 5
    assert targets <= set(re.findall(r"(?m)^([a-z-]+):(?! *=)", (ROOT / "Makefile").read_text()))


DECISIONS = sorted((ROOT / "docs/decisions").glob("*.md"))


@pytest.mark.parametrize("decision", DECISIONS, ids=lambda path: str(path.stem))
def test_every_decision_follows_the_template(decision: Path) -> None:
    number = decision.name[:4]
    title, status, date, *headings = re.findall(r"(?m)^(?:#+|- (?:Status|Date):) .+$", decision.read_text())
    assert re.fullmatch(rf"# {number}\. [A-Z].*[^.]", title)
    assert re.fullmatch(r"- Status: (accepted|proposed|superseded by \[.+)", status) or number == "0000"
    assert re.fullmatch(r"- Date: \d{4}-\d\d-\d\d", date) or number == "0000"
    assert headings == ["## Context", "## Decision", "## Consequences"]


def test_decisions_are_numbered_without_gap_or_repeat() -> None:
    assert [int(path.name[:4]) for path in DECISIONS] == list(range(len(DECISIONS)))


def test_the_changelog_begins_with_what_is_unreleased_and_has_this_version() -> None:
    headings = re.findall(r"(?m)^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text())
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert headings[:2] == ["Unreleased", version]


PROSE_PATH = re.compile(r"``?((?:docs|schemas|services|deploy|tests|web)/[\w./-]+\.\w+)``?")


def test_files_that_the_code_refers_to_exist() -> None:
    sources = [path for folder in ("schemas", "services", "deploy", "tests") for path in (ROOT / folder).rglob("*.py")]
    named = {(path.name, name) for path in sources for name in PROSE_PATH.findall(path.read_text())}
    assert named
    assert [(source, name) for source, name in sorted(named) if not (ROOT / name).exists()] == []
