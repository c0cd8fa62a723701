"""The old values at the beginning of a connection, which hold from then on but are no evidence."""

from services.gateway.mtconnect.head import length_of_head, settle_heads
from services.gateway.mtconnect.observations import Line, Value
from services.gateway.mtconnect.tokenizer import parse_timestamp
from tests.shdr_lines import Reading, describe

DAY = "2024-03-04"


def lines(*texts: str) -> list[Line]:
    """Read lines; ``08:00:00|`` at the beginning of one is of 4 March."""
    return Reading(*(text if text[4:5] == "-" else f"{DAY}T{text.replace('|', 'Z|', 1)}" for text in texts)).lines


def settled(*texts: str) -> list[str]:
    """Settle lines; ``TIME WHAT``, and ``(old)`` behind what is no evidence."""
    return [
        f"{time(line.at_us)} {' '.join(map(describe, line.observations))}{'' if line.is_evidence else ' (old)'}"
        for line in settle_heads(lines(*texts))
    ]


def time(at_us: int) -> str:
    seconds = (at_us - parse_timestamp(f"{DAY}T00:00:00Z")) // 1_000_000
    if seconds < 0:
        return f"{-(seconds // 86_400)} days before"
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def test_lines_in_order_within_a_day_are_as_they_are() -> None:
    texts = "07:00:00|execution|READY", "07:30:00|mode|MANUAL", "08:00:00|execution|ACTIVE"
    assert settled(*texts) == ["07:00:00 execution=READY", "07:30:00 mode=MANUAL", "08:00:00 execution=ACTIVE"]


def test_lines_more_than_a_day_older_than_the_first_live_one_are_old() -> None:
    texts = "2024-02-28T08:00:00Z|execution|READY", "07:30:00|mode|MANUAL", "08:00:00|mode|AUTOMATIC"
    assert settled(*texts) == [
        "5 days before execution=READY (old)",
        "07:30:00 execution=READY",
        "07:30:00 mode=MANUAL",
        "08:00:00 mode=AUTOMATIC",
    ]


def test_a_day_is_not_more_than_a_day() -> None:
    texts = "2024-03-03T08:00:00Z|execution|READY", "08:00:00|mode|MANUAL", "08:00:00|mode|AUTOMATIC"
    assert "(old)" not in " ".join(settled(*texts))


def test_a_line_of_the_head_that_a_newer_one_precedes_is_old() -> None:
    texts = "07:50:00|execution|READY", "07:48:59|mode|MANUAL", "08:00:00|execution|ACTIVE"
    assert settled(*texts) == [
        "07:50:00 execution=READY",
        "07:48:59 mode=MANUAL (old)",
        "07:50:00 mode=MANUAL",
        "08:00:00 execution=ACTIVE",
    ]


def test_clocks_may_differ_by_a_minute() -> None:
    texts = "07:50:00|execution|READY", "07:49:00|mode|MANUAL", "08:00:00|execution|ACTIVE"
    assert "(old)" not in " ".join(settled(*texts))


def test_values_older_than_the_unavailable_lines_that_a_log_begins_with_are_old_however_little() -> None:
    texts = "08:00:00|execution|UNAVAILABLE", "07:59:59|execution|READY", "08:00:05|execution|ACTIVE"
    assert settled(*texts) == [
        "08:00:00 execution=UNAVAILABLE",
        "07:59:59 execution=READY (old)",
        "08:00:00 execution=READY",
        "08:00:05 execution=ACTIVE",
    ]


def test_old_measurements_and_pieces_do_not_hold() -> None:
    texts = "2024-02-28T08:00:00Z|Srpm|5|execution|READY", "08:00:00|mode|MANUAL", "08:00:00|mode|AUTOMATIC"
    assert settled(*texts)[:2] == ["5 days before execution=READY (old)", "08:00:00 execution=READY"]


def test_an_old_unavailable_of_availability_does_not_hold() -> None:
    old = "2024-02-28T08:00:00Z|avail|UNAVAILABLE|execution|READY"
    _, restated, *_ = settle_heads(lines(old, "08:00:00|mode|MANUAL", "08:00:00|mode|AUTOMATIC"))
    assert [found.text for found in restated.observations if isinstance(found, Value)] == ["", "READY"]


def test_a_value_older_than_the_loss_of_its_item_holds_from_the_connection_on() -> None:
    texts = (
        "08:00:00|execution|ACTIVE",
        "08:01:00|execution|ACTIVE",
        "08:05:00|execution|UNAVAILABLE",
        "08:04:30|execution|ACTIVE",
        "08:06:00|Srpm|1",
    )
    assert settled(*texts)[2:] == [
        "08:05:00 execution=UNAVAILABLE",
        "08:04:30 execution=ACTIVE (old)",
        "08:05:00 execution=ACTIVE",
        "08:06:00 Srpm=1",
    ]


def test_the_clocks_of_adapter_and_agent_may_differ_by_a_few_seconds() -> None:
    texts = "08:00:00|execution|ACTIVE", "08:01:00|execution|ACTIVE", "08:05:00|execution|UNAVAILABLE"
    assert settled(*texts, "08:04:59|execution|READY")[3:] == ["08:04:59 execution=READY"]


def test_samples_between_the_values_of_a_snapshot_do_not_end_it() -> None:
    texts = (
        "08:00:00|execution|UNAVAILABLE",
        "08:00:01|Srpm|1",
        "08:00:02|Srpm|2",
        "06:00:00|execution|ACTIVE",
        "08:30:00|Srpm|3",
    )
    assert settled(*texts)[3:] == ["06:00:00 execution=ACTIVE (old)", "08:00:02 execution=ACTIVE", "08:30:00 Srpm=3"]


def test_an_availability_that_is_never_reported_does_not_hold_once_execution_is() -> None:
    texts = "08:00:00|avail|UNAVAILABLE", "08:00:00|execution|UNAVAILABLE", "06:00:00|execution|ACTIVE"
    assert settled(*texts, "08:10:00|Srpm|1")[3] == "08:00:00 avail= execution=ACTIVE"
    unanswered = "08:00:00|avail|UNAVAILABLE", "08:00:01|execution|ACTIVE"
    assert settled(*unanswered) == ["08:00:00 avail=UNAVAILABLE", "08:00:01 execution=ACTIVE"]


def test_recordings_spliced_behind_a_loss_are_not_old() -> None:
    texts = (
        "12:00:00|execution|ACTIVE",
        "12:01:00|execution|READY",
        "12:02:00|execution|UNAVAILABLE",
        "07:00:00|execution|READY",
        "07:01:00|execution|ACTIVE",
    )
    assert "(old)" not in " ".join(settled(*texts))
    assert settled(*texts)[3:] == ["07:00:00 execution=READY", "07:01:00 execution=ACTIVE"]


def test_the_head_ends_where_something_is_named_again() -> None:
    read = lines("08:00:00|mode|UNAVAILABLE", "08:00:00|mode|MANUAL", "08:00:01|Srpm|1", "08:00:02|Srpm|1")
    assert length_of_head(read) == 3
    assert length_of_head(read[:3]) == 3
    assert length_of_head([]) == 0


def test_conditions_of_different_codes_are_different_names() -> None:
    read = lines("08:00:00|c|FAULT|1|||x", "08:00:00|c|FAULT|2|||x", "08:00:00|c|FAULT|1|||x")
    assert length_of_head(read) == 2


def test_a_spliced_recording_has_no_beginning_after_what_follows_it() -> None:
    texts = "12:00:00|execution|READY", "07:00:00|mode|MANUAL", "07:00:05|mode|AUTOMATIC"
    assert "(old)" not in " ".join(settled(*texts))


def test_no_lines_are_no_connection() -> None:
    assert list(settle_heads([])) == []
