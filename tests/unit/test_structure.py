"""Imports point one way, as docs/architecture.md says."""

import ast
import graphlib
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
COMPOSITION = {"services.cli", "services.__main__"}
ALLOWED = {
    "schemas": {"schemas"},
    "services.core": {"services.core", "schemas"},
    "services.gateway": {"services.gateway", "services.core", "schemas"},
    "services.simulator": {"services.simulator", "services.core", "schemas"},
    "services.ingest": {"services.ingest", "services.core", "schemas"},
    "services.analytics": {"services.analytics", "services.core", "schemas"},
    "services.api": {"services.api", "services.core", "schemas"},
    "services.operations": {"services.operations", "services.core", "schemas"},
    "deploy": {"deploy"},
}
FACADES = {
    "services.api": {"services.analytics"},
    "services.simulator": {"services.gateway"},
    "services.operations": {"services.ingest", "services.analytics"},
}
"""The other services of which a part may import what their packages export (``__all__``), and nothing below."""


def modules() -> Iterator[tuple[str, Path]]:
    for package in ("schemas", "services", "deploy"):
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def imported(path: Path) -> Iterator[tuple[str, str | None]]:
    """Yield every import of a module: the module, and the name taken from it (None: the module itself)."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from ((node.module, alias.name) for alias in node.names)


def part_of(module: str) -> str | None:
    """Return the part of the code base that a module belongs to, or None for other modules."""
    return next((part for part in ALLOWED if module == part or module.startswith(part + ".")), None)


@pytest.mark.parametrize(
    ("module", "path"), list(modules()), ids=lambda value: str(value) if isinstance(value, str) else ""
)
def test_imports_point_one_way(module: str, path: Path) -> None:
    part = part_of(module)
    if part is None:
        assert module in COMPOSITION | {"services"}
        return
    for source, name in imported(path):
        other = part_of(source)
        exported = source in FACADES.get(part, ()) and name in importlib.import_module(source).__all__
        assert other is None or other in ALLOWED[part] or exported, f"{module} imports {name} from {source}"


def test_no_modules_import_each_other_in_a_circle() -> None:
    known = {module for module, _ in modules()}
    graph: dict[str, set[str]] = {}
    for module, path in modules():
        # ``from package import module`` imports the module.
        targets = {f"{source}.{name}" if f"{source}.{name}" in known else source for source, name in imported(path)}
        graph[module] = (targets & known) - {module}
    assert any(graph.values())
    graphlib.TopologicalSorter(graph).prepare()


def test_the_rule_covers_every_part() -> None:
    assert {part_of(module) for module, _ in modules()} >= set(ALLOWED)


SQL = re.compile(
    r"\s*(?:--[^\n]*\n\s*)*"
    r"(?:SELECT|INSERT INTO|UPDATE(?! \d)|DELETE FROM|MERGE INTO|WITH|TRUNCATE|COPY|LOCK"
    r"|CREATE|ALTER|DROP|GRANT|REVOKE|EXPLAIN|VACUUM|ANALYZE)\s"
)
"""How a statement begins. ``UPDATE 1`` is a server's answer; ``SET`` configures a connection where that is opened."""
PLACES_OF_SQL = re.compile(r"([a-z]+_)?(queries|tables)\.py")
ADMINISTRATION = {"services.core.bootstrap", "services.core.database", "services.core.migrations"}
"""What prepares the database itself; its statements are few, and make sense only where they stand."""


def statements(path: Path) -> Iterator[str]:
    """Every string of a module that begins as an SQL statement does."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and SQL.match(node.value):
            yield f"line {node.lineno}: {' '.join(node.value.split())[:60]}"


@pytest.mark.parametrize(
    ("module", "path"),
    [(module, path) for module, path in modules() if module.startswith("services.")],
    ids=lambda value: str(value) if isinstance(value, str) else "",
)
def test_sql_is_in_its_places(module: str, path: Path) -> None:
    """Statements are in a service's ``queries`` (or ``tables``, or ``..._queries``), or in .sql files."""
    if not PLACES_OF_SQL.fullmatch(path.name) and module not in ADMINISTRATION:
        assert list(statements(path)) == []


def test_the_rule_about_sql_sees_statements() -> None:
    assert any(list(statements(path)) for _, path in modules() if path.name == "queries.py")
    assert all(SQL.match(text) for text in ("SELECT 1", "\nWITH a AS (", "-- why\nUPDATE t SET a = 1"))
    assert not any(SQL.match(text) for text in ("UPDATE 1", "Select a file", "SELECTED", "settings"))


@pytest.mark.parametrize("part", ["access", "flags", "kpis", "programme", "quality", "registry", "timelines"])
def test_parts_of_the_api_have_the_same_modules(part: str) -> None:
    found = {path.name for path in (ROOT / "services/api" / part).glob("*.py")}
    assert {"__init__.py", "routes.py", "models.py", "queries.py"} <= found


def test_the_api_has_no_other_parts() -> None:
    assert {path.parent.name for path in (ROOT / "services/api").glob("*/routes.py")} == {
        path.name for path in (ROOT / "services/api").iterdir() if (path / "__init__.py").is_file()
    }
