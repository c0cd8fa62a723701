"""Public holidays as the pinned library has them, compared with days that were declared or changed by law."""

import ast
import datetime as dt
import subprocess
import sys
from pathlib import Path

import pytest

from services.api.registry.holiday_library import public_holidays

SERVICES = Path(__file__).parents[2] / "services"
HOLIDAYS = {one.day: one for one in public_holidays(2000, 2027)}


@pytest.mark.parametrize(
    ("day", "name"),
    [
        ("2002-07-01", "2002년 한일 월드컵 대표팀 4강 진출"),
        ("2015-08-14", "임시공휴일"),
        ("2017-05-09", "대통령 선거일"),
        ("2017-10-02", "임시공휴일"),
        ("2020-08-17", "임시공휴일"),
        ("2024-04-10", "국회의원 선거일"),
        ("2024-10-01", "국군의 날"),
        ("2025-01-27", "임시공휴일"),
        ("2025-06-03", "대통령 선거일"),
    ],
)
def test_one_off_holidays_are_known(day: str, name: str) -> None:
    assert HOLIDAYS[dt.date.fromisoformat(day)].name_ko == name


@pytest.mark.parametrize(
    "day", ["2017-10-06", "2021-08-16", "2022-10-10", "2023-05-29", "2025-03-03", "2025-05-06", "2025-10-08"]
)
def test_substitute_holidays_are_known(day: str) -> None:
    assert "대체 휴일" in HOLIDAYS[dt.date.fromisoformat(day)].name_ko


@pytest.mark.parametrize(
    ("is_one", "is_none"),
    [("2005-04-05", "2006-04-05"), ("2007-07-17", "2008-07-17"), ("2013-10-09", "2012-10-09")],
)
def test_a_day_is_a_holiday_while_the_law_says_so(is_one: str, is_none: str) -> None:
    assert dt.date.fromisoformat(is_one) in HOLIDAYS
    assert dt.date.fromisoformat(is_none) not in HOLIDAYS


def test_holidays_are_in_order_and_have_names_in_both_languages() -> None:
    found = public_holidays(2024, 2025)
    assert [one.day for one in found] == sorted({one.day for one in found})
    assert {one.day.year for one in found} == {2024, 2025}
    assert all(one.name_ko and one.name_en.isascii() for one in found)


def test_only_one_module_imports_the_library() -> None:
    importing = set()
    for path in SERVICES.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if any(name.partition(".")[0] == "holidays" for name in names):
                importing.add(path.name)
    assert importing == {"holiday_library.py"}


def test_the_api_runs_without_the_library() -> None:
    program = "import sys, services.api.app, services.cli; print('holidays' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False"]
