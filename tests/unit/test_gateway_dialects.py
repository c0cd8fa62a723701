"""The model of a machine's logs: from a device model, or a ready-made one by the keys in the logs."""

import pytest

from schemas.wire.limits import METRIC
from services.core.errors import ConfigurationError
from services.gateway.models import ModelSource, choose_name
from services.gateway.mtconnect.devices import parse_devices
from services.gateway.mtconnect.dialects import DIALECTS, HURCO, MAZAK, choose_dialect
from services.gateway.mtconnect.model import PartKind, Role
from tests.shdr_cases.devices import FULL
from tests.shdr_cases.keys import TWO_DEVICES
from tests.shdr_lines import TIMESTAMP


def test_a_dialect_is_chosen_by_the_execution_key() -> None:
    assert choose_dialect({"execution", "avail", "mode"}, "M01") is DIALECTS["mazak"]
    assert choose_dialect({"Program_Status"}, "M01") is DIALECTS["hurco"]
    assert choose_dialect({"pexecution", "avail", "estop"}, "M01") is DIALECTS["okuma"]
    with pytest.raises(ConfigurationError, match="The logs of M01 have none of the keys execution"):
        choose_dialect({"avail", "p1execution"}, "M01")


def test_of_several_dialects_the_one_that_knows_most_keys_is_chosen() -> None:
    assert choose_dialect({"execution", "Program_Status", "EStop_State", "Part_Count"}, "M01") is HURCO
    assert choose_dialect({"execution", "mode", "estop", "Program_Status"}, "M01") is MAZAK


def test_every_metric_name_is_valid_and_ends_in_its_unit() -> None:
    units = ("_pct", "_rpm", "_c", "_mm_per_s")
    metrics = {item.metric for dialect in DIALECTS.values() for item in dialect.items if item.metric is not None}
    assert len(metrics) > 10
    assert all(METRIC.fullmatch(metric) and metric.endswith(units) for metric in metrics)


@pytest.mark.parametrize("name", DIALECTS)
def test_a_ready_made_model_has_one_data_item_of_each_role_it_knows(name: str) -> None:
    model = DIALECTS[name]
    assert (model.name, model.complete) == (name, False)
    roles = [item.role for item in model.items if item.role is not None]
    assert len(roles) == len(set(roles))
    assert {Role.EXECUTION, Role.AVAILABILITY, Role.EMERGENCY_STOP, Role.PART_COUNT} <= set(roles)
    assert [item.parts for item in model.of_role(Role.PART_COUNT)] == [PartKind.ALL]


def log(*texts: str) -> list[str]:
    return [text if text.startswith("*") else f"{TIMESTAMP}|{text}" for text in texts]


@pytest.mark.parametrize(
    ("texts", "names"),
    [
        (["execution|READY"], {"M01"}),
        (["VMC1:execution|READY"], {"VMC1"}),
        (["VMC1:execution|READY", "VMC1:mode|MANUAL", "VMC2:mode|MANUAL"], {"VMC1"}),
        (["M01:execution|READY", "VMC2:execution|READY"], {"M01"}),
        (["* device: VMC1", "execution|READY"], {"VMC1"}),
        (["* Device :VMC1 ", "execution|READY", "* device: VMC1"], {"VMC1"}),
        (["execution|READY", "VMC2:execution|READY"], {"M01"}),
    ],
)
def test_without_a_device_model_the_log_names_the_device(texts: list[str], names: set[str]) -> None:
    assert ModelSource().choose("M01", log(*texts)) == (MAZAK, frozenset(names))


@pytest.mark.parametrize(
    "texts",
    [
        ["A:execution|READY", "B:execution|READY"],
        ["* device: A", "execution|READY", "* device: B", "execution|ACTIVE"],
        ["* device: A", "execution|READY", "B:execution|ACTIVE"],
    ],
)
def test_of_several_devices_in_a_log_one_must_be_named(texts: list[str]) -> None:
    with pytest.raises(ConfigurationError, match="of the devices A, B: choose one with --device M01=NAME"):
        ModelSource().choose("M01", log(*texts))
    _, names = ModelSource(names={"M01": "B"}).choose("M01", log(*texts))
    assert names == {"B"}


def test_a_device_that_was_named_is_the_machines_even_if_the_log_does_not_name_it() -> None:
    assert choose_name({"execution"}, set(), "X", "M01") == "X"
    assert choose_name({"execution"}, set(), None, "M01") is None


def test_a_dialect_that_was_named_is_not_looked_for() -> None:
    assert ModelSource(dialect=HURCO).choose("M01", log("execution|READY"))[0] is HURCO


def test_a_device_model_comes_before_the_ready_made_ones() -> None:
    devices = parse_devices(FULL.encode())
    assert ModelSource(devices).choose("M01", log("execution|READY")) == (devices[0], frozenset())


@pytest.mark.parametrize(
    ("machine_id", "wanted", "texts", "chosen"),
    [
        ("M01", None, ["q1_exec|READY"], "VMC2"),
        ("M01", None, ["VMC2:execution|READY"], "VMC2"),
        ("M01", None, ["execution|READY|mode|MANUAL"], "VMC1"),
        ("M01", None, ["* device: VMC2", "execution|READY"], "VMC2"),
        ("M01", None, ["* device: U-0001", "execution|READY"], "VMC1"),
        ("VMC2", None, ["execution|READY|mode|MANUAL"], "VMC2"),
        ("VMC2", "U-0001", ["q1_exec|READY"], "VMC1"),
    ],
)
def test_the_device_of_several_in_a_model(machine_id: str, wanted: str | None, texts: list[str], chosen: str) -> None:
    names = {machine_id: wanted} if wanted else {}
    models = ModelSource(parse_devices(TWO_DEVICES.encode()), names=names)
    assert models.choose(machine_id, log(*texts))[0].name == chosen


@pytest.mark.parametrize(
    "texts",
    [
        ["execution|READY"],
        ["* device: VMC3", "execution|READY"],
        ["* device: VMC1", "execution|READY", "* device: VMC2", "execution|READY"],
    ],
)
def test_without_a_clear_choice_the_device_must_be_named(texts: list[str]) -> None:
    models = ModelSource(parse_devices(TWO_DEVICES.encode()))
    with pytest.raises(ConfigurationError, match="choose it with --device MACHINE=NAME"):
        models.choose("M01", log(*texts))
