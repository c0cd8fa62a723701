"""Our typed stubs declare only what the installed versions have, with the same parameters."""

import ast
import importlib
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaConsumer, KafkaProducer
from kafka.admin import KafkaAdminClient

STUBS = Path(__file__).parents[2] / "typings"
CONFIGURED: dict[str, Any] = {
    "_ConsumerConfig": KafkaConsumer,
    "_ProducerConfig": KafkaProducer,
    "_AdminConfig": KafkaAdminClient,
}
INSTANCE_ATTRIBUTES = {"_buffer", "_cluster", "_coordinator", "rejoining"}
"""Set by a constructor, so that the class does not have them; the code that uses them is tested."""


def declared() -> Iterator[tuple[str, ast.ClassDef]]:
    """Every class of the stubs, with the name of its module."""
    for path in sorted(STUBS.rglob("*.pyi")):
        parts = path.relative_to(STUBS).with_suffix("").parts
        module = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef):
                yield module, node


CLASSES = [(module, node) for module, node in declared() if not node.name.startswith("_")]


@pytest.mark.parametrize(("module", "node"), CLASSES, ids=[f"{module}.{node.name}" for module, node in CLASSES])
def test_a_declared_class_is_there_with_its_members(module: str, node: ast.ClassDef) -> None:
    found = getattr(importlib.import_module(module), node.name)
    assert {base.id for base in node.bases if isinstance(base, ast.Name)} <= {c.__name__ for c in found.__mro__} | {
        "NamedTuple"
    }
    for member in node.body:
        if isinstance(member, ast.AnnAssign) and isinstance(member.target, ast.Name):
            assert member.target.id in INSTANCE_ATTRIBUTES or hasattr(found, member.target.id), member.target.id
        elif isinstance(member, ast.FunctionDef):
            method = inspect.getattr_static(found, member.name)
            if not isinstance(method, property):
                assert_parameters(member, inspect.signature(getattr(found, member.name)))


def assert_parameters(member: ast.FunctionDef, signature: inspect.Signature) -> None:
    """Every declared parameter is there, optional where it was declared optional."""
    arguments = member.args.args
    optional = (
        {a.arg for a in arguments[len(arguments) - len(member.args.defaults) :]} if member.args.defaults else set()
    )
    for argument in arguments:
        parameter = signature.parameters[argument.arg]
        is_optional = parameter.default is not inspect.Parameter.empty
        assert is_optional or argument.arg not in optional, f"{member.name}({argument.arg})"


@pytest.mark.parametrize("name", CONFIGURED)
def test_a_declared_setting_is_there(name: str) -> None:
    (node,) = [node for _, node in declared() if node.name == name]
    keys = {
        entry.target.id
        for entry in node.body
        if isinstance(entry, ast.AnnAssign) and isinstance(entry.target, ast.Name)
    }
    assert keys
    assert keys <= set(CONFIGURED[name].DEFAULT_CONFIG)
