"""Fields of a line: how many follow a key, where the next key is, and whose keys they are."""

import pytest

from services.gateway.mtconnect.dialects import MAZAK
from tests.device_models import data_item, device, model, sample
from tests.shdr_cases.devices import FULL
from tests.shdr_lines import fields as read

VMC1 = model(FULL)


def observed(*texts: str) -> list[str]:
    """What fields observe on the machine of the full device model, with nothing to report."""
    found = read(*texts, model=VMC1)
    assert found.reported == []
    return found.observed


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("system|NORMAL|execution|ACTIVE", ["system NORMAL", "execution=ACTIVE"]),
        ("system|NORMAL|100|execution|ACTIVE", ["system NORMAL 100", "execution=ACTIVE"]),
        ("system|NORMAL|100||execution|ACTIVE", ["system NORMAL 100", "execution=ACTIVE"]),
        ("system|NORMAL|||||execution|ACTIVE", ["system NORMAL", "execution=ACTIVE"]),
        ("system|FAULT|7|servo|NORMAL|logic|WARNING|8", ["system FAULT 7", "servo NORMAL", "logic WARNING 8"]),
        ("system|FAULT|7|1|HIGH|door|execution|ACTIVE", ["system FAULT 7 door", "execution=ACTIVE"]),
        ("system|UNAVAILABLE|Xload|7", ["system UNAVAILABLE", "Xload=7"]),
        ("system|NORMAL|mode|UNAVAILABLE", ["system NORMAL", "mode=UNAVAILABLE"]),
        ("system|NORMAL|pcount|7", ["system NORMAL", "pcount=7"]),
        ("system|NORMAL|pcount|many", ["system NORMAL pcount"]),
        ("system|NORMAL|Xload|high", ["system NORMAL Xload"]),
        ("system|NORMAL|servo|high", ["system NORMAL servo"]),
        ("system|NORMAL|block|G1", ["system NORMAL"]),
        ("system|NORMAL|program|O1", ["system NORMAL", "program=O1"]),
        ("system|NORMAL|block|Xload|7", ["system NORMAL block", "Xload=7"]),
        ("system|FAULT", ["system FAULT"]),
        ("system|FAULT||||", ["system FAULT"]),
        # All five fields are there, so the code may be the name of a data item, unless a state follows it.
        ("system|FAULT|block|1||text|execution|ACTIVE", ["system FAULT block text", "execution=ACTIVE"]),
        ("system|FAULT|block|1||text", ["system FAULT block text"]),
        ("system|WARNING|execution|ACTIVE|mode|MANUAL", ["system WARNING", "execution=ACTIVE", "mode=MANUAL"]),
    ],
)
def test_a_condition_ends_where_the_next_data_item_begins(text: str, expected: list[str]) -> None:
    assert observed(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("msg|C1|text|execution|ACTIVE", ["execution=ACTIVE"]),
        ("msg|C1|execution|ACTIVE", ["execution=ACTIVE"]),
        ("msg|execution|READY", []),
        ("msg||UNAVAILABLE|execution|ACTIVE", ["execution=ACTIVE"]),
        ("msg|UNAVAILABLE|execution|ACTIVE", ["execution=ACTIVE"]),
        ("msg|only the text", []),
        ("alarm|A|execution|READY|ACTIVE|text|mode|MANUAL", ["mode=MANUAL"]),
        ("achg|CuttingTool|T1|mode|MANUAL", ["mode=MANUAL"]),
        ("achg|UNAVAILABLE|mode|MANUAL", ["mode=MANUAL"]),
        ("vib|UNAVAILABLE|mode|MANUAL", ["mode=MANUAL"]),
        ("vars|UNAVAILABLE|mode|MANUAL", ["mode=MANUAL"]),
        ("vars||mode|MANUAL", ["mode=MANUAL"]),
        ("pos3|unavailable|mode|MANUAL", ["mode=MANUAL"]),
    ],
)
def test_other_forms_end_after_their_fields_or_where_the_next_data_item_begins(text: str, expected: list[str]) -> None:
    assert observed(text) == expected


@pytest.mark.parametrize(
    ("text", "expected", "reported"),
    [
        ("new|5|execution|ACTIVE", ["execution=ACTIVE"], ["1:22 UNKNOWN_KEY new"]),
        ("new|execution|ACTIVE", ["execution=ACTIVE"], ["1:22 LEFTOVER new"]),
        ("new|UNAVAILABLE|mode|MANUAL", ["mode=MANUAL"], ["1:22 UNKNOWN_KEY new"]),
        # An unknown key takes one field with it, even if that is the name of a data item.
        ("new|execution|mode|MANUAL", ["mode=MANUAL"], ["1:22 UNKNOWN_KEY new"]),
        ("program|O1|x|execution|ACTIVE", ["program=O1", "execution=ACTIVE"], ["1:33 LEFTOVER x"]),
        ("program|O1|x|y|execution|ACTIVE", ["program=O1", "execution=ACTIVE"], ["1:33 UNKNOWN_KEY x"]),
        ("program|O1|x", ["program=O1"], ["1:33 LEFTOVER x"]),
        ("msg|C1|text|new|5", [], ["1:34 UNKNOWN_KEY new"]),
        ("achg|CuttingTool|T1|new|5", [], ["1:42 UNKNOWN_KEY new"]),
        ("new", [], ["1:22 CUT_OFF new"]),
        ("execution|ACTIVE|mode", ["execution=ACTIVE"], ["1:39 CUT_OFF mode"]),
        ("|execution|ACTIVE", ["execution=ACTIVE"], ["1:22 EMPTY_KEY"]),
        ("|5|execution|ACTIVE", ["execution=ACTIVE"], ["1:22 EMPTY_KEY |5"]),
        ("||execution|ACTIVE", ["execution=ACTIVE"], ["1:22 EMPTY_KEY |"]),
    ],
)
def test_the_next_key_is_found_behind_fields_that_belong_to_none(
    text: str, expected: list[str], reported: list[str]
) -> None:
    found = read(text, model=VMC1)
    assert (found.observed, found.reported) == (expected, reported)


@pytest.mark.parametrize(
    ("text", "reported"),
    [
        ("execution|RUNNING", "1:32 VALUE execution=RUNNING"),
        ("mode|AUTO", "1:27 VALUE mode=AUTO"),
    ],
)
def test_a_word_that_the_standard_does_not_know_ends_the_execution_or_mode_before(text: str, reported: str) -> None:
    found = read(text, model=VMC1)
    assert found.reported == [reported]
    assert found.observed == [reported.split(" ", 2)[2]]


@pytest.mark.parametrize(
    ("text", "reported"),
    [
        ("execution||mode|MANUAL", "1:32 VALUE execution="),
        ("estop|OPEN|mode|MANUAL", "1:28 VALUE estop=OPEN"),
        ("fmode|PLAY|mode|MANUAL", "1:28 VALUE fmode=PLAY"),
        ("avail|yes|mode|MANUAL", "1:28 VALUE avail=yes"),
    ],
)
def test_no_value_and_other_invalid_words_change_nothing(text: str, reported: str) -> None:
    found = read(text, model=VMC1)
    assert found.reported == [reported]
    assert found.observed == ["mode=MANUAL"]


@pytest.mark.parametrize(("text", "number"), [("7", 7), ("-7.5", -7.5), ("+.5", 0.5), ("7.", 7), ("1E-2", 0.01)])
def test_a_number_is_read(text: str, number: float) -> None:
    assert observed(f"Xload|{text}") == [f"Xload={number:g}"]


@pytest.mark.parametrize("text", ["7a", "1_0", "７", "nan", "inf", "1e999", "0x1F", "1,5", "--1", "1e", "."])
def test_a_text_that_is_no_number_is_reported(text: str) -> None:
    found = read(f"Xload|{text}|mode|MANUAL", model=VMC1)
    assert (found.observed, found.reported) == (["mode=MANUAL"], [f"1:28 VALUE Xload={text}"])


@pytest.mark.parametrize("text", ["", "UNAVAILABLE", "unavailable"])
def test_an_empty_or_unavailable_number_is_neither_read_nor_reported(text: str) -> None:
    assert observed(f"Xload|{text}|mode|MANUAL") == ["mode=MANUAL"]


@pytest.mark.parametrize(
    ("text", "expected", "reported"),
    [
        ("Xload|3|100|1 2 3|mode|MANUAL", ["mode=MANUAL"], ["1:22 TIME_SERIES Xload"]),
        ("Xload|3||1 2 3|mode|MANUAL", ["mode=MANUAL"], ["1:22 TIME_SERIES Xload"]),
        ("Xload|3|mode|MANUAL", ["Xload=3", "mode=MANUAL"], []),
        ("pcount|3|100|1 2 3|mode|MANUAL", ["mode=MANUAL"], ["1:22 TIME_SERIES pcount"]),
        ("program|3|100|1 2 3", ["program=3"], ["1:32 UNKNOWN_KEY 100"]),
        ("Xload|3|100|1 two 3", [], ["1:22 TIME_SERIES Xload"]),
        ("Xload|0||", [], ["1:22 TIME_SERIES Xload"]),
        ("Xload|10|100|UNAVAILABLE", [], ["1:22 TIME_SERIES Xload"]),
        ("Xload|10|100", [], ["1:22 TIME_SERIES Xload"]),
    ],
)
def test_a_time_series_where_the_model_has_one_number_is_left_out(
    text: str, expected: list[str], reported: list[str]
) -> None:
    found = read(text, model=VMC1)
    assert (found.observed, found.reported) == (expected, reported)


def test_a_total_is_checked() -> None:
    found = read("pcount|5|pcount|6:DAY|pcount|x|pcount|UNAVAILABLE|pcount|7:", model=VMC1)
    assert found.observed == ["pcount=5", "pcount=6:DAY", "pcount=UNAVAILABLE"]
    assert found.reported == ["1:51 VALUE pcount=x", "1:79 VALUE pcount=7:"]


def test_a_constant_is_not_read() -> None:
    constant = data_item("e", "EXECUTION", content="<Constraints><Value>ACTIVE</Value></Constraints>")
    found = read("e|READY|m|MANUAL", model=device(constant, data_item("m", "CONTROLLER_MODE")))
    assert (found.observed, found.reported) == (["m=MANUAL"], [])


@pytest.mark.parametrize(
    ("commands", "native_units", "number"),
    [
        ((), True, 100),
        ((), False, 212),
        (("* conversionRequired: no",), True, 212),
        (("* CONVERSIONREQUIRED:No",), True, 212),
        (("* conversionRequired: no", "* conversionRequired: yes"), True, 100),
        (("* conversionRequired: yes",), False, 212),
    ],
)
def test_numbers_are_converted_unless_they_already_are(
    commands: tuple[str, ...], native_units: bool, number: float
) -> None:
    found = read(*commands, "Stemp|212", model=VMC1, native_units=native_units)
    assert found.observed == [f"Stemp={number:g}"]


def test_a_conversion_beyond_all_numbers_is_reported() -> None:
    huge = device(sample("p", "POWER", "WATT", nativeUnits="KILOWATT"))
    assert read("p|1e307", model=huge).reported == ["1:24 VALUE p=1e307"]


def test_the_readings_of_a_ready_made_model_are_as_in_the_log() -> None:
    assert read("Srpm|12.5|Fact|3", model=MAZAK).observed == ["Srpm=12.5", "Fact=3"]


def test_details_are_cut() -> None:
    assert read(f"{'k' * 100}|1").reported == [f"1:22 UNKNOWN_KEY {'k' * 60}"]


def test_keys_that_are_unavailable_are_not_among_those_named() -> None:
    (line,) = read("Xload|UNAVAILABLE|new|UNAVAILABLE|mode|MANUAL|system|UNAVAILABLE", model=VMC1).lines
    assert line.keys == ("p1_mode",)
