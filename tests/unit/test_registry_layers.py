"""The registry's layers: what is registered needs no database, and what stores it no HTTP."""

import subprocess
import sys

import pytest

HTTP = {"fastapi", "starlette", "pydantic", "services.api.registry.models", "services.api.registry.fields"}
DATABASE = {"sqlalchemy", "asyncpg"}


@pytest.mark.parametrize(
    ("module", "excluded"),
    [
        ("things", HTTP | DATABASE),
        ("versions", HTTP | DATABASE),
        ("tables", HTTP),
        ("queries", HTTP),
        ("lists", HTTP),
        ("writes", HTTP),
    ],
)
def test_a_layer_imports_nothing_of_those_above_it(module: str, excluded: set[str]) -> None:
    program = f"import sys, services.api.registry.{module}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert excluded.isdisjoint(done.stdout.split())


def test_the_rule_sees_what_it_excludes() -> None:
    program = "import sys, services.api.registry.routes; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) >= HTTP | {"sqlalchemy"}
