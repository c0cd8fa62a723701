"""Lines of one machine: observations, blocks of lines, protocol messages, and how they are counted."""

import pytest

from services.gateway.mtconnect.problems import Place
from tests.shdr_lines import TIMESTAMP, Reading


def test_a_line_has_its_instant_place_and_keys() -> None:
    (line,) = Reading(f"{TIMESTAMP}|execution|ACTIVE|mode|UNAVAILABLE|system|FAULT|7|||x|block|G1").lines
    assert (line.at_us, line.place) == (1_709_539_200_000_000, Place("log", 1, 0))
    assert line.keys == ("execution", "system|7", "block")
    assert line.is_evidence


def test_line_ends_are_no_part_of_a_value() -> None:
    assert Reading(f"{TIMESTAMP}|execution|ACTIVE\r\n").observed == ["execution=ACTIVE"]


def test_an_asset_block_without_an_end_does_not_hide_the_lines_after_it() -> None:
    read = Reading(f"{TIMESTAMP}|@ASSET@|1|Tool|--multiline--A", "<Tool>", f"{TIMESTAMP}|execution|READY")
    assert read.observed == ["execution=READY"]
    assert read.reported == ["3 ASSET_END --multiline--A"]
    assert read.tallied == (3, 0, 2, 0, 0)


def test_a_block_that_the_log_cuts_off_is_reported_at_its_last_line() -> None:
    assert Reading(f"{TIMESTAMP}|@ASSET@|1|Tool|--multiline--A", "<Tool>").reported == ["2 ASSET_END --multiline--A"]


def test_a_block_ends_at_its_own_tag() -> None:
    read = Reading(
        f"{TIMESTAMP}|@ASSET@|1|Tool|--multiline--A", "--multiline--B", "  --multiline--A ", f"{TIMESTAMP}|mode|MANUAL"
    )
    assert (read.observed, read.reported) == (["mode=MANUAL"], [])
    assert read.tallied == (4, 0, 3, 0, 0)


def test_a_new_connection_ends_a_block() -> None:
    read = Reading(f"{TIMESTAMP}|@ASSET@|1|Tool|--multiline--A")
    read.reader.begin_connection("next")
    line = read.reader.read("execution|no instant")
    assert line is None
    assert read.reported == ["next:1:1 TIMESTAMP 'execution' is no whole instant", "1 ASSET_END --multiline--A"]


def test_observations_before_an_asset_on_a_line_are_read() -> None:
    read = Reading(f"{TIMESTAMP}|execution|READY|@ASSET@|1|Tool|<Tool/>")
    assert (read.observed, read.tallied) == (["execution=READY"], (1, 0, 0, 0, 0))


@pytest.mark.parametrize("text", ["", "  ", "* PONG 10000", "  * device: VMC1", "**START;", "*"])
def test_protocol_messages_and_empty_lines_are_counted_alone(text: str) -> None:
    read = Reading(text)
    assert (read.lines, read.reported, read.tallied) == ([], [], (1, 0, 0, 1, 0))


@pytest.mark.parametrize(
    ("text", "reported"),
    [
        (TIMESTAMP, [f"1 CUT_OFF {TIMESTAMP}"]),
        (f"{TIMESTAMP}|", [f"1 CUT_OFF {TIMESTAMP}|"]),
        (f"{TIMESTAMP}||||", [f"1 CUT_OFF {TIMESTAMP}||||"]),
        (f"{TIMESTAMP}||5", ["1:22 EMPTY_KEY |5"]),
        ("execution|ACTIVE", ["1:1 TIMESTAMP 'execution' is no whole instant"]),
        (
            "2024-02-30T08:00:00Z|execution|ACTIVE",
            ["1:1 TIMESTAMP '2024-02-30T08:00:00Z': day is out of range for month"],
        ),
    ],
)
def test_a_line_of_which_nothing_is_readable_is_not_read(text: str, reported: list[str]) -> None:
    read = Reading(text)
    assert (read.lines, read.reported, read.tallied) == ([], reported, (1, 1, 0, 0, 0))


def test_a_key_without_a_value_shows_that_the_machine_was_heard() -> None:
    read = Reading(f"{TIMESTAMP}|execution")
    assert [line.observations for line in read.lines] == [()]
    assert (read.reported, read.tallied) == (["1:22 CUT_OFF execution"], (1, 0, 0, 0, 0))


def test_lines_of_other_devices_are_counted_and_not_heard() -> None:
    read = Reading(f"{TIMESTAMP}|VMC2:execution|ACTIVE", names=("VMC1",))
    assert (read.lines, read.reported) == ([], ["1:22 OTHER_DEVICE VMC2:execution"])
    assert read.tallied == (1, 0, 0, 0, 1)


def test_a_quote_without_an_end_is_reported_with_what_follows_it() -> None:
    read = Reading(f'{TIMESTAMP}|execution|ACTIVE|block|"{"x" * 100}')
    assert read.observed == ["execution=ACTIVE"]
    assert read.reported == [f'1:45 QUOTE "{"x" * 59}', "1:39 UNKNOWN_KEY block"]
