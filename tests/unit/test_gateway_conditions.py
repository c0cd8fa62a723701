"""Conditions: their codes and levels, and how they are recognised without a device model."""

import pytest

from services.gateway.mtconnect.observations import Condition
from tests.device_models import model
from tests.shdr_cases.devices import FULL, one_path
from tests.shdr_lines import fields as read

VMC1 = model(FULL)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("c|FAULT|12|HIGH|LOW|oh", "c FAULT 12 oh"),
        ("c|normal||||", "c NORMAL"),
        ("c|Unavailable||||", "c UNAVAILABLE"),
        ("c|FAULT|12|HIGH|LOW|oh|execution|ACTIVE", "c FAULT 12 oh"),
        ("c|FAULT|12", "c FAULT 12"),
        ("c|WARNING|12|HIGH", "c WARNING 12"),
        ("c|FAULT|E12|HIGH|LOW", "c FAULT E12"),
    ],
)
def test_a_condition_is_recognised_by_its_shape(text: str, expected: str) -> None:
    found = read(text)
    assert found.observed[0] == expected
    assert found.reported == []


@pytest.mark.parametrize(
    "text",
    [
        "c|NORMAL",
        "c|UNAVAILABLE",
        "c|NORMAL|1|2|3",
        "c|UNAVAILABLE|a|1|b|2",
        "c|FAULT",
        "c|FAULT|a|1",
        "c|OTHER|1|2|3|4",
    ],
)
def test_what_may_be_pairs_is_no_condition(text: str) -> None:
    found = read(text)
    assert found.observed == []
    assert {problem.split()[1] for problem in found.reported} <= {"UNKNOWN_KEY", "LEFTOVER"}


def test_a_condition_once_recognised_stays_one() -> None:
    found = read("c|FAULT|12|HIGH|LOW|oh", "c|normal", "c|WARNING", "c|UNAVAILABLE|execution|ACTIVE")
    assert found.observed == ["c FAULT 12 oh", "c NORMAL", "c WARNING", "c UNAVAILABLE", "execution=ACTIVE"]
    assert found.reported == []


def test_what_has_a_value_that_is_no_level_only_looked_like_a_condition() -> None:
    found = read("status|FAULT|speed|12|load|5", "status|OK|speed|12", "status|FAULT")
    assert found.observed == ["status FAULT speed 5", "status UNAVAILABLE"]
    assert "2:29 LEVEL status=OK" in found.reported
    assert "3:22 UNKNOWN_KEY status" in found.reported


def test_an_unknown_pair_behind_a_condition_that_is_over_is_no_code() -> None:
    found = read("c|FAULT|12|||oh", "c|NORMAL|tool|T5|execution|ACTIVE")
    assert found.observed == ["c FAULT 12 oh", "c NORMAL", "execution=ACTIVE"]
    assert found.reported == ["2:31 UNKNOWN_KEY tool"]


def test_an_unknown_condition_ends_the_fields_before_it() -> None:
    found = read("block|G1|c|FAULT|12|||oh|d|NORMAL||||")
    assert found.observed == ["c FAULT 12 oh", "d NORMAL"]
    assert found.reported == ["1:22 UNKNOWN_KEY block"]


def test_a_device_model_knows_all_conditions() -> None:
    found = read("c|FAULT|12|||oh", model=VMC1)
    assert found.observed == []
    assert "1:22 UNKNOWN_KEY c" in found.reported


def test_an_invalid_level_is_reported_and_the_fields_behind_it_are_skipped() -> None:
    found = read("system|CLEARED|execution|ACTIVE", model=VMC1)
    assert (found.observed, found.reported) == (["execution=ACTIVE"], ["1:29 LEVEL system=CLEARED"])


@pytest.mark.parametrize(
    ("version", "identity"), [("2.2", ("100:a", "100:a")), ("2.3", ("100", "a")), ("10.0", ("100", "a"))]
)
def test_a_code_has_a_condition_id_behind_it_from_version_2_3_on(version: str, identity: tuple[str, str]) -> None:
    (line,) = read("system|FAULT|100:a", model=model(one_path(version=version))).lines
    assert [(found.code, found.condition_id) for found in line.observations if isinstance(found, Condition)] == [
        identity
    ]
