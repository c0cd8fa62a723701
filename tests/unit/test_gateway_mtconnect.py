"""MTConnect values: each value's meaning, and the order of the rules."""

import pytest

from schemas.wire.codes import Mode, State
from schemas.wire.limits import METRIC
from services.core.errors import ConfigurationError
from services.gateway.dialects import DIALECTS, choose_dialect
from services.gateway.mtconnect import ActiveFaults, PartCounter, Role, Signals
from services.gateway.shdr import Condition, Level


def signals(**roles: str) -> Signals:
    return Signals(values={Role[name.upper()]: value for name, value in roles.items()})


@pytest.mark.parametrize(
    ("execution", "state"),
    [
        ("ACTIVE", State.producing),
        ("active", State.producing),
        ("FEED_HOLD", State.delayed),
        ("INTERRUPTED", State.delayed),
        ("OPTIONAL_STOP", State.delayed),
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
    assert signals(execution=execution).status().state is state


def test_without_execution_the_state_is_unknown() -> None:
    assert signals(availability="AVAILABLE", emergency_stop="TRIGGERED").status().state is State.unknown


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
    assert signals(execution="ACTIVE", controller_mode=mode).status().mode is expected


def test_unavailable_overrides_everything() -> None:
    machine = signals(
        execution="ACTIVE", availability="UNAVAILABLE", emergency_stop="TRIGGERED", functional_mode="SETUP"
    )
    assert machine.status().state is State.unknown


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
    assert signals(execution="ACTIVE", functional_mode=functional_mode).status().state is active
    assert signals(execution="READY", functional_mode=functional_mode).status().state is ready


def test_an_emergency_stop_overrides_functional_mode_but_not_active() -> None:
    stopped = signals(execution="READY", emergency_stop="triggered", functional_mode="MAINTENANCE")
    assert stopped.status().state is State.faulted
    assert signals(execution="ACTIVE", emergency_stop="TRIGGERED").status().state is State.producing


def test_a_reason_is_cut_to_the_longest_string_of_the_wire() -> None:
    machine = signals(execution="READY")
    machine.faults.apply(Condition("system", Level.FAULT, "1", "x" * 500))
    reason = machine.status().reason
    assert reason is not None
    assert len(reason) == 128


def test_unavailable_and_an_empty_normal_clear_only_their_own_data_item() -> None:
    faults = ActiveFaults()
    for key in ("a", "b"):
        for code in ("1", "2"):
            faults.apply(Condition(key, Level.FAULT, code, ""))
    faults.apply(Condition("a", Level.NORMAL, "", ""))
    assert faults.first() == "b 1"
    faults.apply(Condition("b", Level.NORMAL, "1", ""))
    assert faults.first() == "b 2"
    faults.apply(Condition("b", Level.UNAVAILABLE, "", ""))
    assert not faults


@pytest.mark.parametrize("value", ["", "ten", "-1", "1.5", "1e3", "2147483648", "nan", "٣"])
def test_an_invalid_number_of_parts_does_not_change_the_counter(value: str) -> None:
    counter = PartCounter()
    counter.count("5")
    with pytest.raises(ValueError, match="not a number of parts"):
        counter.count(value)
    assert counter.count("7") == 2


def test_a_dialect_is_chosen_by_the_execution_key() -> None:
    assert choose_dialect({"execution", "avail", "mode"}) is DIALECTS["mazak"]
    assert choose_dialect({"Program_Status"}) is DIALECTS["hurco"]
    assert choose_dialect({"pexecution", "avail", "estop"}) is DIALECTS["okuma"]
    with pytest.raises(ConfigurationError, match="none of the execution keys"):
        choose_dialect({"avail", "p1execution"})


def test_every_metric_name_is_valid_and_ends_in_its_unit() -> None:
    units = ("_pct", "_rpm", "_c", "_mm_per_s")
    metrics = {metric for dialect in DIALECTS.values() for metric in dialect.readings.values()}
    assert all(METRIC.fullmatch(metric) and metric.endswith(units) for metric in metrics)
