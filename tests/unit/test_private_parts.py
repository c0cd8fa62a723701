"""Nothing uses a private part of a library, but for the modules that are there for it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OURS = ("services", "schemas", "deploy", "tests")
COMPATIBILITY = (ROOT / "services/core/kafka_compatibility.py", ROOT / "services/core/kafka_batches.py")
DOCUMENTED = {
    "_replace": "of a NamedTuple, in Python's documentation",
    "_mapping": "of a row, in SQLAlchemy's documentation",
}
"""Names that begin with an underscore and are public all the same."""
WITHOUT_ALTERNATIVE = {
    "_names_to_collectors": "prometheus_client has no other way to ask for a metric's labels; used in a test",
    "_labelnames": "as above",
}
BY_NAME = ("getattr", "setattr", "hasattr", "delattr")


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__") and name != "_"


def defined(tree: ast.Module) -> set[str]:
    """Return the private names that a module defines: functions, variables, attributes set on ``self`` or ``cls``."""
    names: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                names.add(name)
            case ast.Name(id=name, ctx=ast.Store()):
                names.add(name)
            case ast.Attribute(value=ast.Name(id="self" | "cls"), attr=name, ctx=ast.Store()):
                names.add(name)
    return {name for name in names if is_private(name)}


def used(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Every private name of another object that a module uses, with its line."""
    own = defined(tree)
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=ast.Call(func=ast.Name(id="super")), attr=name):
                # What a base class of a library calls private is, although this module defines it, too.
                if is_private(name):
                    yield node.lineno, name
            case ast.Attribute(attr=name):
                if is_private(name) and name not in own:
                    yield node.lineno, name
            case ast.Call(func=ast.Name(id=function), args=[_, ast.Constant(value=str(name)), *_]):
                if function in BY_NAME and is_private(name) and name not in own:
                    yield node.lineno, name
            case ast.ImportFrom(module=str(module), names=names):
                if module.partition(".")[0] not in OURS:
                    yield from ((node.lineno, part) for part in module.split(".") if is_private(part))
                    yield from ((node.lineno, alias.name) for alias in names if is_private(alias.name))
            case ast.Import(names=names):
                yield from ((node.lineno, alias.name) for alias in names if any(map(is_private, alias.name.split("."))))


def violations(source: str) -> list[tuple[int, str]]:
    allowed = DOCUMENTED.keys() | WITHOUT_ALTERNATIVE.keys()
    return [(line, name) for line, name in used(ast.parse(source)) if name not in allowed]


@pytest.mark.parametrize("folder", OURS)
def test_no_private_part_of_a_library_is_used(folder: str) -> None:
    paths = [path for path in sorted((ROOT / folder).rglob("*.py")) if path not in COMPATIBILITY]
    assert paths
    found = [f"{path.relative_to(ROOT)}:{line} {name}" for path in paths for line, name in violations(path.read_text())]
    assert found == []


@pytest.mark.parametrize("path", COMPATIBILITY, ids=lambda path: path.name)
def test_a_compatibility_module_is_still_needed(path: Path) -> None:
    assert violations(path.read_text())


@pytest.mark.parametrize(
    "source",
    [
        "consumer._coordinator.poll()",
        "getattr(consumer, '_coordinator')",
        "import _pytest.mark",
        "from kafka._client import x",
        "from kafka import _client",
        "class A(Library):\n    def f(self): return self._buffer",
        "class A(Library):\n    def _read(self): return super()._read()",
    ],
)
def test_a_private_part_is_found(source: str) -> None:
    assert violations(source)


@pytest.mark.parametrize(
    "source",
    [
        "class A:\n    def __init__(self): self._x = 1\n    def f(self, other): return other._x",
        "class A:\n    _x: int\n    def f(self): return self._x",
        "class A:\n    def _f(self): ...\n    def g(self): self._f()",
        "row._replace(x=1)",
        "for _ in x: pass",
        "from services.core import _x",
    ],
)
def test_our_own_private_parts_are_ours(source: str) -> None:
    assert not violations(source)
