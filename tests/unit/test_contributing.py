"""The KPI that CONTRIBUTING.md adds as an example needs its one entry and nothing else."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.contributed import Copy, copy_to, example

KPI = json.loads(example("Adding a KPI", "json"))

ANSWERED = f"""
import json
from pathlib import Path
from schemas import kpi_definitions
from schemas.kpi_definitions import publish, read_definitions, read_versions
from services.analytics import compute_kpis
from services.api.kpis.items import csv_columns
from services.api.kpis.tables import SERVED

assert Path(kpi_definitions.__file__).is_relative_to(Path.cwd())
definitions = read_definitions()
figures = dict.fromkeys(SERVED, 0) | {{"machine_days": 1, "count_days": 1}}
some = figures | {{"good": 70, "scrap": 10, "rework": 20}}
found = [compute_kpis(definitions, given, [{KPI["id"]!r}])[{KPI["id"]!r}] for given in (some, figures)]
published = publish(definitions, definitions.meanings, read_versions())
print(json.dumps({{
    "values": [kpi.value for kpi in found],
    "reasons": [kpi.reason for kpi in found],
    "columns": csv_columns([{KPI["id"]!r}]),
    "published": kpi_definitions.msgspec.to_builtins(published.kpis[-1]),
}}))
"""


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    copy = copy_to(tmp_path_factory.mktemp("copy"))
    copy.append("schemas/kpis.json", example("Adding a KPI", "json"))
    return copy


def test_the_copys_own_checks_pass(copied: Copy) -> None:
    checks = ["tests/unit/test_kpis.py", "tests/unit/test_figures.py", "tests/contract/test_openapi.py"]
    copied.run("-m", "pytest", "-q", "-p", "no:cacheprovider", *checks)


def test_arithmetic_answers_and_names_follow(copied: Copy) -> None:
    answered: dict[str, Any] = json.loads(copied.run("-c", ANSWERED))
    assert answered["values"] == [0.2, None]
    assert answered["reasons"] == [None, "no_counts"]
    assert {"rework_ratio", "rework_ratio_numerator", "rework_ratio_reason"} <= set(answered["columns"])
    assert answered["published"] == KPI


def test_nothing_but_the_list_was_changed(copied: Copy) -> None:
    root = Path(__file__).parents[2]
    differing = [
        path.relative_to(copied.root)
        for path in copied.root.rglob("*")
        if path.is_file()
        and "__pycache__" not in path.parts
        and path.read_bytes() != (root / path.relative_to(copied.root)).read_bytes()
    ]
    assert differing == [Path("schemas/kpis.json")]
