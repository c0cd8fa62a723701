"""Faults begin and end: codes, levels, and the conditions of other data items."""

from services.gateway.mtconnect.machine import ActiveFaults
from services.gateway.mtconnect.model import DataItem, Form
from services.gateway.mtconnect.observations import Condition
from services.gateway.mtconnect.vocabulary import Level


def condition(label: str, level: Level, code: str = "", text: str = "", condition_id: str | None = None) -> Condition:
    return Condition(DataItem(label, (label,), Form.CONDITION), level, code, condition_id or code, text)


def test_unavailable_and_an_empty_normal_clear_only_their_own_data_item() -> None:
    faults = ActiveFaults()
    for key in ("a", "b"):
        for code in ("1", "2"):
            faults.apply(condition(key, Level.FAULT, code))
    faults.apply(condition("a", Level.NORMAL))
    assert faults.first() == "b 1"
    faults.apply(condition("b", Level.NORMAL, "1"))
    assert faults.first() == "b 2"
    faults.apply(condition("b", Level.UNAVAILABLE))
    assert not faults


def test_a_normal_with_a_code_that_no_fault_has_clears_a_fault_without_one() -> None:
    faults = ActiveFaults()
    faults.apply(condition("a", Level.FAULT))
    faults.apply(condition("a", Level.FAULT, "1", "one"))
    faults.apply(condition("a", Level.NORMAL, "9"))
    assert faults.first() == "a 1 one"
    faults.apply(condition("a", Level.NORMAL, "9"))
    assert faults.first() == "a 1 one"


def test_a_warning_clears_only_the_fault_of_its_code() -> None:
    faults = ActiveFaults()
    faults.apply(condition("a", Level.FAULT, "1"))
    faults.apply(condition("a", Level.WARNING))
    faults.apply(condition("a", Level.WARNING, "2"))
    assert faults
    faults.apply(condition("a", Level.WARNING, "1"))
    assert not faults


def test_a_fault_without_a_code_is_not_cleared_by_a_warning_of_a_code() -> None:
    faults = ActiveFaults()
    faults.apply(condition("a", Level.FAULT))
    faults.apply(condition("a", Level.WARNING, "1"))
    assert faults


def test_faults_of_one_code_are_told_apart_by_id_and_cleared_together_by_the_code() -> None:
    faults = ActiveFaults()
    faults.apply(condition("a", Level.FAULT, "1", "x", "x"))
    faults.apply(condition("a", Level.FAULT, "1", "y", "y"))
    faults.apply(condition("a", Level.NORMAL, "1", condition_id="x"))
    assert faults.first() == "a 1 y"
    faults.apply(condition("a", Level.FAULT, "1", "x", "x"))
    faults.apply(condition("a", Level.NORMAL, "1"))
    assert not faults


def test_a_fault_that_comes_again_keeps_its_place_and_has_its_new_text() -> None:
    faults = ActiveFaults()
    faults.apply(condition("a", Level.FAULT, "1", "door"))
    faults.apply(condition("a", Level.FAULT, "2"))
    faults.apply(condition("a", Level.FAULT, "1", "door\n open\x00"))
    assert faults.first() == "a 1 door open"
