"""Lines of adapters: fields, their columns, and timestamps."""

import pytest

from services.gateway.mtconnect.tokenizer import (
    located_fields,
    open_quotes,
    parse_timestamp,
    protocol_message,
    split_fields,
)

EIGHT_US = 1_709_539_200_000_000


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("", [""]),
        ("a", ["a"]),
        ("a|b", ["a", "b"]),
        (" a |\tb\t| ", ["a", "b", ""]),
        ("a||b|", ["a", "", "b", ""]),
        (r'a|"b \| c"|d', ["a", "b | c", "d"]),
        (r'a|"\|b\|"', ["a", "|b|"]),
        (r'a|"say \"stop\""|d', ["a", 'say "stop"', "d"]),
        ('a| "b" |d', ["a", "b", "d"]),
        ('"a"|b', ["a", "b"]),
        ('a|""|d', ["a", "", "d"]),
        # What is not quoted as a whole is text as it stands.
        ('a|b "c"|d', ["a", 'b "c"', "d"]),
        ('a|"b" c|d', ["a", '"b" c', "d"]),
        ('a|"b|c', ["a", '"b', "c"]),
        ('a|"b|c"', ["a", '"b', 'c"']),
        (r"a|b\|c", ["a", "b\\", "c"]),
        ('a|"b\\"|c', ["a", '"b\\"', "c"]),
        ('a|"b\\', ["a", '"b\\']),
    ],
)
def test_fields_are_separated_by_bars(text: str, fields: list[str]) -> None:
    assert split_fields(text) == fields


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("a|b|c", [1, 3, 5]),
        ("a| b |c", [1, 4, 7]),
        ('a|"b \\| c"|d', [1, 3, 12]),
        ("a||", [1, 3, 4]),
    ],
)
def test_the_column_of_a_field_is_that_of_its_first_character(text: str, columns: list[int]) -> None:
    assert [column for _, column in located_fields(text)] == columns


@pytest.mark.parametrize(
    ("text", "columns"), [('a|"b|c', [3]), ('a|"b" c| "d', [3, 10]), ('a|"b"|c', []), ('a|b"|c', [])]
)
def test_quotes_without_an_end_are_found(text: str, columns: list[int]) -> None:
    assert list(open_quotes(text)) == columns


@pytest.mark.parametrize(
    ("text", "microseconds"),
    [
        ("2024-03-04T08:00:00Z", 0),
        ("2024-03-04T08:00:00z", 0),
        ("2024-03-04T08:00:00", 0),
        ("2024-03-04T08:00:00.5", 500_000),
        ("2024-03-04T08:00:00,25Z", 250_000),
        ("2024-03-04T08:00:00.0468750Z", 46_875),
        ("2024-03-04T08:00:00.123456999Z", 123_456),
        ("2024-03-04T17:00:00+09:00", 0),
        ("2024-03-04T17:00:00+09", 0),
        ("2024-03-03T22:30:00-0930", 0),
        ("2024-03-04T08:00:00Z@540.0", 0),
        ("2024-03-04T08:00:00 @540", 0),
    ],
)
def test_an_instant_is_utc_unless_it_has_an_offset(text: str, microseconds: int) -> None:
    assert parse_timestamp(text) - EIGHT_US == microseconds


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "'' is no whole instant$"),
        ("2024-03-04", "is no whole instant$"),
        ("2024-03-04T08:00Z", "is no whole instant$"),
        ("2024-03-04 08:00:00Z", "is no whole instant$"),
        ("2024-03-04T08:00:00.Z", "is no whole instant$"),
        ("2024-03-04T08:00:00Zulu", "is no whole instant$"),
        ("２024-03-04T08:00:00Z", "is no whole instant$"),
        ("5000", "counts from an unknown start$"),
        ("12.5@3", "counts from an unknown start$"),
        ("2024-02-30T08:00:00Z", "day is out of range for month"),
        ("2024-13-04T08:00:00Z", "month must be in"),
        ("2024-03-04T24:00:00Z", "hour must be in"),
        ("2024-03-04T08:00:00+24:00", "offset"),
        ("1999-12-31T00:00:00Z", "it is before 2000$"),
        ("0001-01-01T00:00:00+14:00", "it is before 2000$"),
        ("9999-12-31T00:00:00Z", "it is after 9999$"),
        ("9999-12-31T23:59:59-14:00", "it is after 9999$"),
    ],
)
def test_an_invalid_timestamp_is_rejected_with_the_reason(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_timestamp(text)


def test_seven_digits_are_floored() -> None:
    assert parse_timestamp("2024-03-04T08:00:00.9999999Z") == parse_timestamp("2024-03-04T08:00:00.999999Z")


def test_a_long_invalid_timestamp_is_cut_in_the_message() -> None:
    with pytest.raises(ValueError, match=f"^'{'x' * 40}' is no whole instant$"):
        parse_timestamp("x" * 100)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("* device: VMC1", ("device", "VMC1")),
        ("*Device:VMC1", ("device", "VMC1")),
        ("  * conversionRequired : no ", ("conversionrequired", "no")),
        ("* uuid: a:b", ("uuid", "a:b")),
        ("* device:", ("device", "")),
        ("* PONG 10000", None),
        ("**START;", None),
        ("*", None),
        ("", None),
        ("2024-03-04T08:00:00Z|program|* device: VMC1", None),
    ],
)
def test_a_protocol_message_is_a_command_and_a_value(text: str, message: tuple[str, str] | None) -> None:
    assert protocol_message(text) == message
