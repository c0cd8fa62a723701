"""Part counters: what counts, what is skipped, and what waits for the next total."""

import pytest

from services.gateway.mtconnect.counter import Count, Implausible, Outcome, PartCounter, Skipped, parse_value

SECOND = 1_000_000
HOUR = 3_600


def outcomes(*values: str | tuple[int, str], cycle_s: int | None = None) -> list[Outcome[str]]:
    """Return the outcomes of values, each its own source. Those without an instant in seconds are a minute apart."""
    counter = PartCounter[str](None if cycle_s is None else cycle_s * SECOND)
    found: list[Outcome[str]] = []
    for place, entry in enumerate(values):
        at_s, value = (60 * place, entry) if isinstance(entry, str) else entry
        found += counter.observe(at_s * SECOND, value, value)
    return found + counter.finish()


def brief(found: list[Outcome[str]]) -> list[tuple[str, int | str]]:
    """Return the source of each outcome, with the pieces, or with the reason it was skipped for."""
    return [(each.source, each.pieces if isinstance(each, Count) else each.why.name) for each in found]


def test_a_rise_is_the_count_and_the_first_total_a_baseline() -> None:
    assert brief(outcomes("2000", "2001", "2011")) == [("2001", 1), ("2011", 10)]


def test_a_spike_is_skipped() -> None:
    found = outcomes("2000", "2001", "599999", "2002")
    assert found == [
        Count(60 * SECOND, 1, "2001"),
        Skipped(120 * SECOND, 599_999, Implausible.SPIKE, "599999"),
        Count(180 * SECOND, 1, "2002"),
    ]


def test_a_dip_is_skipped() -> None:
    assert brief(outcomes("5", "6", "0", "7")) == [("6", 1), ("0", "DIP"), ("7", 1)]


def test_a_fall_at_the_end_is_a_reset_to_the_new_total() -> None:
    assert brief(outcomes("100", "0")) == [("0", 0)]
    assert brief(outcomes("100", "40")) == [("40", 40)]


def test_a_large_rise_at_the_end_counts() -> None:
    assert brief(outcomes("100", "150")) == [("150", 50)]


@pytest.mark.parametrize(
    ("waiting", "following", "expected"),
    [
        ("111", "110", [("111", "SPIKE"), ("110", 10)]),
        ("111", "100", [("111", "SPIKE")]),
        ("111", "112", [("111", 11), ("112", 1)]),
        ("150", "111", [("150", 50), ("111", 111)]),
        ("150", "99", [("150", 50), ("99", 99)]),
        ("99", "100", [("99", "DIP")]),
        ("99", "110", [("99", "DIP"), ("110", 10)]),
        ("99", "111", [("99", 99), ("111", 12)]),
        ("90", "99", [("90", 90), ("99", 9)]),
        ("110", "105", [("110", 10), ("105", 105)]),
        ("150", "105:DAY", [("150", "SPIKE"), ("105:DAY", 105)]),
        ("150", "0:DAY", [("150", 50), ("0:DAY", 0)]),
    ],
)
def test_the_next_total_decides(waiting: str, following: str, expected: list[tuple[str, int | str]]) -> None:
    assert brief(outcomes("100", waiting, following)) == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (("1000", "995", "5000", "1001"), [("995", "DIP"), ("5000", "SPIKE"), ("1001", 1)]),
        (("5", "4", "3", "5"), [("4", "DIP"), ("3", "DIP")]),
        (("1000", "995", "5000", "996"), [("995", 995), ("5000", "SPIKE"), ("996", 1)]),
        (("1000", "995", "5000", "5001"), [("995", 995), ("5000", 4005), ("5001", 1)]),
        (("20", "15", "26", "27"), [("15", "DIP"), ("26", 6), ("27", 1)]),
    ],
)
def test_a_skipped_total_is_not_the_next_one(values: tuple[str, ...], expected: list[tuple[str, int | str]]) -> None:
    assert brief(outcomes(*values)) == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (("0", "20", "19", "20", "0"), [("20", 20), ("19", "DIP"), ("0", 0)]),
        (("20", "15", "90", "15", "20"), [("15", 15), ("90", "SPIKE"), ("20", 5)]),
    ],
)
def test_a_total_that_comes_again_stands(values: tuple[str, ...], expected: list[tuple[str, int | str]]) -> None:
    assert brief(outcomes(*values)) == expected


def test_a_total_waits_no_longer_than_it_can_be_skipped() -> None:
    counter = PartCounter[None]()
    totals = ["100", "120", "140", "100", "95", "83", "80"]
    assert [counter.observe(at_us, total, None) for at_us, total in enumerate(totals)] == [
        [],
        [],
        [Count(1, 20, None)],
        [Count(2, 20, None)],
        [Count(3, 100, None)],
        [],
        [Count(4, 95, None), Count(5, 83, None)],
    ]


def test_a_total_waits_for_an_hour_and_then_stands_at_its_own_instant() -> None:
    counter = PartCounter[None]()
    assert counter.observe(0, "100", None) == []
    assert counter.observe(SECOND, "150", None) == []
    assert counter.settle(SECOND + HOUR * SECOND) == []
    assert counter.settle(SECOND + HOUR * SECOND + 1) == [Count(SECOND, 50, None)]
    assert counter.finish() == []


def test_a_total_after_the_hour_decides_nothing() -> None:
    assert brief(outcomes((0, "100"), (60, "150"), (60 + HOUR, "101"))) == [("150", "SPIKE"), ("101", 1)]
    found = outcomes((0, "100"), (60, "150"), (120 + HOUR, "101"))
    assert found == [Count(60 * SECOND, 50, "150"), Count((120 + HOUR) * SECOND, 101, "101")]


def test_a_total_that_announces_its_reset_never_waits() -> None:
    counter = PartCounter[None]()
    assert counter.observe(0, "10", None) == []
    assert counter.observe(1, "0:DAY", None) == [Count(1, 0, None)]
    assert counter.observe(2, "1", None) == [Count(2, 1, None)]
    assert counter.observe(3, " 500.0 : shift ", None) == [Count(3, 500, None)]
    assert counter.finish() == []


def test_an_announced_reset_is_a_baseline_where_any_total_is() -> None:
    assert brief(outcomes("5:DAY", "6", "UNAVAILABLE", "3:day", "5")) == [("6", 1), ("5", 2)]


def test_an_announced_reset_to_the_same_total_counts_once() -> None:
    assert brief(outcomes("5", "5:DAY", "5:day", "5", "5:DAY", "6")) == [("5:DAY", 5), ("6", 1)]


def test_the_first_total_after_unavailable_is_a_baseline() -> None:
    assert brief(outcomes("5", "7", "Unavailable", "900", "901")) == [("7", 2), ("901", 1)]


def test_a_total_waits_through_unavailable() -> None:
    assert brief(outcomes("100", "150", "UNAVAILABLE", "101", "102")) == [("150", "SPIKE"), ("102", 1)]
    assert brief(outcomes("100", "150", "UNAVAILABLE", "900", "901")) == [("150", 50), ("901", 1)]
    assert brief(outcomes("100", "0", "UNAVAILABLE", "UNAVAILABLE", "100")) == [("0", "DIP")]
    assert brief(outcomes("100", "150", "UNAVAILABLE")) == [("150", 50)]


def test_the_same_total_after_unavailable_is_no_repeat() -> None:
    assert brief(outcomes("100", "150", "UNAVAILABLE", "150", "151")) == [("150", 50), ("151", 1)]


def test_a_repeat_does_not_decide_about_a_waiting_total() -> None:
    assert brief(outcomes("100", "150", "150", "150.0", "101")) == [("150", "SPIKE"), ("101", 1)]
    assert outcomes((0, "100"), (60, "150"), (HOUR, "150"), (61 + HOUR, "101"))[0] == Count(60 * SECOND, 50, "150")


def test_a_rise_beyond_the_ideal_cycle_is_skipped_at_once() -> None:
    counter = PartCounter[None](60 * SECOND)
    assert counter.observe(0, "100", None) == []
    assert counter.observe(60 * SECOND, "101", None) == [Count(60 * SECOND, 1, None)]
    assert counter.observe(120 * SECOND, "200", None) == [
        Skipped(120 * SECOND, 200, Implausible.BEYOND_CYCLE, None),
    ]
    assert counter.observe(180 * SECOND, "102", None) == [Count(180 * SECOND, 1, None)]


def test_three_times_the_ideal_cycle_is_allowed() -> None:
    assert brief(outcomes((0, "0"), (60, "3"), cycle_s=60)) == [("3", 3)]
    assert brief(outcomes((0, "0"), (59, "3"), cycle_s=60)) == [("3", "BEYOND_CYCLE")]


def test_the_ideal_cycle_does_not_judge_resets() -> None:
    assert brief(outcomes((0, "100"), (1, "90"), cycle_s=60)) == [("90", 90)]
    assert brief(outcomes((0, "100"), (1, "200:DAY"), cycle_s=60)) == [("200:DAY", 200)]


def test_the_time_allowed_runs_from_when_the_total_before_was_first_seen() -> None:
    assert brief(outcomes((0, "0"), (50, "0"), (60, "3"), cycle_s=60)) == [("3", 3)]
    assert brief(outcomes((0, "0"), (30, "50"), (60, "3"), cycle_s=60)) == [("50", "BEYOND_CYCLE"), ("3", 3)]


def test_a_total_that_is_skipped_for_the_cycle_does_not_decide_about_a_waiting_one() -> None:
    found = outcomes((0, "0"), (1000, "20"), (1001, "90"), (1002, "20"), (1060, "1"), cycle_s=60)
    assert brief(found) == [("90", "BEYOND_CYCLE"), ("20", "SPIKE"), ("1", 1)]
    found = outcomes((0, "100"), (10, "0"), (20, "105"), (30, "1"), cycle_s=60)
    assert brief(found) == [("105", "BEYOND_CYCLE"), ("0", 0), ("1", 1)]


def test_only_adjacent_totals_repeat() -> None:
    found = outcomes((0, "0"), (10, "90"), (20, "0"), (9000, "90"), cycle_s=60)
    assert brief(found) == [("90", "BEYOND_CYCLE"), ("90", 90)]


def test_a_repeat_of_a_skipped_total_is_not_reported_again() -> None:
    found = outcomes((0, "0"), (10, "90"), (9000, "90"), (9001, "1"), cycle_s=60)
    assert brief(found) == [("90", "BEYOND_CYCLE"), ("1", 1)]


INVALID = ["", "ten", "-1", "1.5", "1e3", "2147483648", "nan", "٣", "²", "5:", "5: ", ":DAY", "1.5:DAY", "9" * 5000]


@pytest.mark.parametrize("value", INVALID)
def test_an_invalid_value_changes_nothing(value: str) -> None:
    counter = PartCounter[None]()
    counter.observe(0, "100", None)
    counter.observe(0, "150", None)
    with pytest.raises(ValueError):
        counter.observe(2 * HOUR * SECOND, value, None)
    # The invalid value did not swallow the count either that the hour made stand.
    assert counter.observe(2 * HOUR * SECOND, "151", None) == [
        Count(0, 50, None),
        Count(2 * HOUR * SECOND, 1, None),
    ]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("12", (12, "")),
        (" 012.000000 ", (12, "")),
        ("2147483647", (2**31 - 1, "")),
        ("0:day", (0, "DAY")),
        (" 7.0 : Maintenance ", (7, "MAINTENANCE")),
    ],
)
def test_valid_values(value: str, expected: tuple[int, str]) -> None:
    assert parse_value(value) == expected
