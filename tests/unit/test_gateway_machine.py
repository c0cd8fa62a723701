"""A machine's state and mode: each value's meaning, the order of the rules, and several paths."""

import pytest

from schemas.wire.codes import Mode, State
from services.gateway.mtconnect.machine import UNKNOWN, Machine, Status
from services.gateway.mtconnect.model import DataItem, DeviceModel, Form, Role
from services.gateway.mtconnect.observations import Condition, Value
from services.gateway.mtconnect.vocabulary import Level

PATH_1, PATH_2 = ("d", "c", "p1"), ("d", "c", "p2")


def item(id: str, role: Role, scope: tuple[str, ...] = (), **known: str) -> DataItem:
    return DataItem(id, (id,), scope=scope, role=role, constant=known.get("constant"), initial=known.get("initial"))


def machine(*items: DataItem) -> Machine:
    return Machine(DeviceModel("M", frozenset(), items))


def apply(target: Machine, model: tuple[DataItem, ...], **values: str) -> Status:
    for item_id, value in values.items():
        (item,) = [item for item in model if item.id == item_id]
        target.apply(Value(item, value))
    return target.status()


ONE = tuple(item(role.name.lower(), role) for role in Role if role is not Role.PART_COUNT)


def status(**values: str) -> Status:
    return apply(machine(*ONE), ONE, **values)


@pytest.mark.parametrize(
    ("execution", "state"),
    [
        ("ACTIVE", State.producing),
        ("active", State.producing),
        ("FEED_HOLD", State.delayed),
        ("INTERRUPTED", State.delayed),
        ("OPTIONAL_STOP", State.delayed),
        ("PROGRAM_OPTIONAL_STOP", State.delayed),
        ("PROGRAM_STOPPED", State.delayed),
        ("WAIT", State.delayed),
        ("READY", State.idle),
        ("STOPPED", State.idle),
        ("PROGRAM_COMPLETED", State.idle),
        ("UNAVAILABLE", State.unknown),
        ("Unavailable", State.unknown),
        ("", State.unknown),
        ("DANCING", State.unknown),
    ],
)
def test_the_state_of_each_execution_value(execution: str, state: State) -> None:
    assert status(execution=execution).state is state


def test_without_execution_the_state_is_unknown() -> None:
    assert status(availability="AVAILABLE", emergency_stop="TRIGGERED") == UNKNOWN
    assert machine(item("a", Role.AVAILABILITY)).status() == UNKNOWN


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("AUTOMATIC", Mode.automatic),
        ("SEMI_AUTOMATIC", Mode.semi_automatic),
        ("MANUAL", Mode.manual),
        ("MANUAL_DATA_INPUT", Mode.manual),
        ("EDIT", Mode.unknown),
        ("UNAVAILABLE", Mode.unknown),
    ],
)
def test_the_mode_of_each_controller_mode_value(mode: str, expected: Mode) -> None:
    assert status(execution="ACTIVE", controller_mode=mode).mode is expected


def test_unavailable_overrides_everything() -> None:
    assert (
        status(execution="ACTIVE", availability="UNAVAILABLE", emergency_stop="TRIGGERED", functional_mode="SETUP")
        == UNKNOWN
    )


def test_availability_is_not_needed() -> None:
    assert status(execution="ACTIVE", availability="").state is State.producing


def test_a_device_is_available_if_one_of_its_parts_is() -> None:
    model = (item("e", Role.EXECUTION), item("a", Role.AVAILABILITY), item("b", Role.AVAILABILITY))
    target = machine(*model)
    assert apply(target, model, e="ACTIVE", a="UNAVAILABLE", b="AVAILABLE").state is State.producing
    assert apply(target, model, b="UNAVAILABLE") == UNKNOWN


@pytest.mark.parametrize(
    ("functional_mode", "active", "ready"),
    [
        ("PRODUCTION", State.producing, State.idle),
        ("SETUP", State.setup, State.setup),
        ("TEARDOWN", State.setup, State.setup),
        ("MAINTENANCE", State.planned_stop, State.planned_stop),
        ("PROCESS_DEVELOPMENT", State.planned_stop, State.planned_stop),
        ("UNAVAILABLE", State.producing, State.idle),
    ],
)
def test_the_state_of_each_functional_mode_value(functional_mode: str, active: State, ready: State) -> None:
    assert status(execution="ACTIVE", functional_mode=functional_mode).state is active
    assert status(execution="READY", functional_mode=functional_mode).state is ready


def test_an_emergency_stop_overrides_functional_mode_but_not_active() -> None:
    stopped = status(execution="READY", emergency_stop="triggered", functional_mode="MAINTENANCE")
    assert stopped == Status(State.faulted, Mode.unknown, "EMERGENCY_STOP")
    assert status(execution="ACTIVE", emergency_stop="TRIGGERED").state is State.producing


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"execution": "ACTIVE"}, None),
        ({"execution": "active", "functional_mode": "setup"}, "SETUP"),
        ({"execution": "ready"}, "READY"),
        ({"execution": "READY", "functional_mode": "MAINTENANCE"}, "MAINTENANCE"),
        ({"execution": "UNAVAILABLE"}, None),
    ],
)
def test_the_reason_is_the_machines_own_word(values: dict[str, str], reason: str | None) -> None:
    assert status(**values).reason == reason


# --- several paths ---

TWO = (
    item("e1", Role.EXECUTION, PATH_1),
    item("e2", Role.EXECUTION, PATH_2),
    item("m1", Role.CONTROLLER_MODE, PATH_1),
    item("m2", Role.CONTROLLER_MODE, PATH_2),
    item("f1", Role.FUNCTIONAL_MODE, PATH_1),
    item("f2", Role.FUNCTIONAL_MODE, PATH_2),
    item("stop", Role.EMERGENCY_STOP, ("d", "c")),
)


@pytest.mark.parametrize(
    ("values", "state", "reason"),
    [
        ({"e1": "READY", "e2": "ACTIVE"}, State.producing, None),
        ({"e1": "READY", "e2": "ACTIVE", "stop": "TRIGGERED"}, State.producing, None),
        ({"e1": "READY", "e2": "INTERRUPTED"}, State.delayed, "INTERRUPTED"),
        ({"e1": "READY", "e2": "STOPPED"}, State.idle, "READY"),
        ({"e1": "UNAVAILABLE", "e2": "STOPPED"}, State.idle, "STOPPED"),
        ({"e2": "STOPPED"}, State.idle, "STOPPED"),
        ({"e1": "UNAVAILABLE", "e2": "UNAVAILABLE"}, State.unknown, None),
        ({"e1": "DANCING", "e2": "READY"}, State.idle, "READY"),
        ({"e1": "READY", "e2": "INTERRUPTED", "stop": "TRIGGERED"}, State.faulted, "EMERGENCY_STOP"),
        ({"e1": "ACTIVE", "f1": "SETUP", "e2": "ACTIVE"}, State.producing, None),
        ({"e1": "ACTIVE", "f1": "SETUP", "e2": "READY"}, State.setup, "SETUP"),
        ({"e1": "ACTIVE", "f1": "SETUP", "e2": "ACTIVE", "f2": "MAINTENANCE"}, State.setup, "SETUP"),
        ({"e1": "READY", "e2": "READY", "f2": "MAINTENANCE"}, State.planned_stop, "MAINTENANCE"),
        # What a path is for says nothing as long as the path itself is not known.
        ({"e1": "READY", "e2": "UNAVAILABLE", "f2": "MAINTENANCE"}, State.idle, "READY"),
        ({"e1": "ACTIVE", "e2": "READY", "f2": "MAINTENANCE"}, State.producing, None),
    ],
)
def test_several_paths_make_one_state(values: dict[str, str], state: State, reason: str | None) -> None:
    assert apply(machine(*TWO), TWO, **values) == Status(state, Mode.unknown, reason)


@pytest.mark.parametrize(
    ("values", "mode"),
    [
        ({"e1": "ACTIVE", "m1": "AUTOMATIC", "e2": "READY", "m2": "MANUAL"}, Mode.automatic),
        ({"e1": "ACTIVE", "m1": "AUTOMATIC", "e2": "ACTIVE", "m2": "MANUAL"}, Mode.manual),
        ({"e1": "ACTIVE", "m1": "AUTOMATIC", "e2": "ACTIVE", "m2": "SEMI_AUTOMATIC"}, Mode.semi_automatic),
        ({"e1": "READY", "m1": "MANUAL", "e2": "INTERRUPTED", "m2": "AUTOMATIC"}, Mode.automatic),
        ({"e1": "READY", "m1": "AUTOMATIC", "e2": "STOPPED", "m2": "MANUAL"}, Mode.manual),
        ({"e1": "ACTIVE", "m1": "AUTOMATIC", "f1": "SETUP", "e2": "ACTIVE", "m2": "MANUAL"}, Mode.manual),
        ({"e1": "READY", "m1": "AUTOMATIC", "e2": "READY", "m2": "MANUAL", "stop": "TRIGGERED"}, Mode.manual),
        ({"e1": "READY", "m1": "AUTOMATIC", "f1": "SETUP", "e2": "READY", "m2": "MANUAL"}, Mode.automatic),
        (
            {"e1": "ACTIVE", "m1": "AUTOMATIC", "f1": "SETUP", "e2": "ACTIVE", "m2": "MANUAL", "f2": "TEARDOWN"},
            Mode.automatic,
        ),
    ],
)
def test_the_mode_is_that_of_the_paths_that_decide(values: dict[str, str], mode: Mode) -> None:
    assert apply(machine(*TWO), TWO, **values).mode is mode


@pytest.mark.parametrize(
    ("scopes", "chosen"),
    [
        ([PATH_1, ("d", "c")], 0),
        ([("d",), ("d", "c")], 1),
        ([PATH_2, ("d",)], 1),
        ([PATH_2], 0),
        ([(*PATH_1, "spindle"), ("d",)], 1),
        ([(*PATH_1, "spindle"), PATH_2], 0),
        ([PATH_2, ("d", "c", "p3")], None),
    ],
)
def test_a_path_has_the_mode_of_the_nearest_component(scopes: list[tuple[str, ...]], chosen: int | None) -> None:
    modes = tuple(item(f"m{number}", Role.CONTROLLER_MODE, scope) for number, scope in enumerate(scopes))
    model = (item("e", Role.EXECUTION, PATH_1), *modes)
    for number in range(len(modes)):
        found = apply(machine(*model), model, e="ACTIVE", **{f"m{number}": "AUTOMATIC"})
        assert found.mode is (Mode.automatic if number == chosen else Mode.unknown)


def test_a_path_has_the_program_of_the_nearest_component() -> None:
    counter = item("n", Role.PART_COUNT, PATH_1)
    model = (counter, item("p1", Role.PROGRAM, PATH_1), item("p2", Role.PROGRAM, PATH_2))
    target = machine(*model)
    apply(target, model, p1=" O1\x07 ", p2="O2")
    assert target.program(counter) == "O1"
    apply(target, model, p1="Unavailable")
    assert target.program(counter) == ""
    apply(target, model, p1="x" * 500)
    assert target.program(counter) == "x" * 128


# --- constants ---


def test_constants_and_initial_values_are_known_from_the_beginning() -> None:
    model = (
        item("e", Role.EXECUTION, initial="READY"),
        item("m", Role.CONTROLLER_MODE, constant="AUTOMATIC"),
        item("a", Role.AVAILABILITY, constant="AVAILABLE"),
    )
    target = machine(*model)
    assert target.status() == Status(State.idle, Mode.automatic, "READY")
    assert apply(target, model, e="ACTIVE") == Status(State.producing, Mode.automatic, None)


def test_a_reason_is_cut_to_the_longest_string_of_the_wire() -> None:
    target = machine(*ONE)
    apply(target, ONE, execution="READY")
    system = DataItem("system", ("system",), Form.CONDITION)
    target.apply(Condition(system, Level.FAULT, "1", "1", "x" * 500))
    reason = target.status().reason
    assert reason is not None
    assert len(reason) == 128
