"""Whose data item a key means: the machine's, or another device's."""

import pytest

from services.gateway.mtconnect.observations import Measurement
from tests.device_models import model
from tests.shdr_cases.devices import FULL
from tests.shdr_lines import fields as read

VMC1 = model(FULL)


@pytest.mark.parametrize(
    "key", ["execution", "p1_exec", "VMC1:execution", "U-0001:p1_exec", "d1:p1_exec", "x:execution"]
)
def test_a_key_may_have_its_device_before_it(key: str) -> None:
    found = read(f"{key}|ACTIVE", model=VMC1, names=("x",))
    assert (found.observed, found.reported) == (["execution=ACTIVE"], [])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("VMC2:execution|ACTIVE", []),
        ("VMC2:execution|ACTIVE|execution|READY", ["execution=READY"]),
        ("VMC2:system|FAULT|100|||door|VMC1:execution|READY", ["execution=READY"]),
        ("VMC2:system|NORMAL|VMC1:system|FAULT|7", ["system FAULT 7"]),
        ("VMC2:msg|C|text|execution|READY", ["execution=READY"]),
    ],
)
def test_keys_of_another_device_are_skipped_with_their_fields(text: str, expected: list[str]) -> None:
    found = read(text, model=VMC1)
    assert found.observed == expected
    assert found.reported == [f"1:22 OTHER_DEVICE {text.partition('|')[0]}"]


def test_the_conditions_of_another_device_are_not_learnt() -> None:
    found = read("VMC2:c|FAULT|7|||x", "VMC1:d|FAULT|7|||x", names=("VMC1",))
    assert found.observed == ["d FAULT 7 x"]


def test_keys_follow_the_device_named_last() -> None:
    found = read(
        "execution|READY",
        "* device: VMC2",
        "execution|ACTIVE",
        "VMC1:execution|INTERRUPTED",
        "* Device:VMC1",
        "execution|STOPPED",
        model=VMC1,
    )
    assert found.observed == ["execution=READY", "execution=INTERRUPTED", "execution=STOPPED"]
    assert found.reported == ["3:22 OTHER_DEVICE execution"]


def test_a_device_may_get_a_new_uuid() -> None:
    found = read("* uuid: NEW", "NEW:execution|READY", "* device: NEW", "execution|ACTIVE", model=VMC1)
    assert (found.observed, found.reported) == (["execution=READY", "execution=ACTIVE"], [])


def test_the_uuid_of_another_device_is_not_the_machines() -> None:
    found = read("* device: VMC2", "* uuid: NEW", "NEW:execution|READY", model=VMC1)
    assert found.observed == []


def test_a_new_connection_begins_with_the_machine_and_its_own_units() -> None:
    found = read("* device: VMC2", "* conversionRequired: no", model=VMC1)
    found.reader.begin_connection("next")
    line = found.reader.read("2024-03-04T08:00:00Z|Stemp|212")
    assert line is not None
    assert [found.number for found in line.observations if isinstance(found, Measurement)] == [100]
