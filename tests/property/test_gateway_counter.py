"""The part counter, compared with a reference that cleans the whole list of totals before it counts."""

from collections.abc import Iterable
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

from hypothesis import assume, example, given
from hypothesis import strategies as st

from services.gateway.mtconnect.counter import Count, Implausible, Outcome, PartCounter, Skipped

SECOND = 1_000_000
HOUR = 3_600 * SECOND


class Sent(NamedTuple):
    """A value as the reference sees it; without a total it is UNAVAILABLE."""

    at_us: int
    total: int | None
    trigger: str
    source: int

    def text(self) -> str:
        return "UNAVAILABLE" if self.total is None else f"{self.total}:{self.trigger}".removesuffix(":")


STEPS = st.sampled_from([0, 1, SECOND, 20 * SECOND, 60 * SECOND, HOUR // 2, HOUR - 1, HOUR, HOUR + 1, 30 * HOUR])
TRIGGERS = st.sampled_from(["", "", "", "", "DAY", "SHIFT"])
CYCLES = st.sampled_from([None, 1, SECOND, 60 * SECOND, HOUR])


def timed(entries: Iterable[tuple[int, int | None, str]]) -> list[Sent]:
    """Give each value, sent a while after the one before, its instant and its place as its source."""
    values: list[Sent] = []
    at_us = 0
    for step_us, total, trigger in entries:
        at_us += step_us
        values.append(Sent(at_us, total, trigger, len(values)))
    return values


def near_each_other(entries: Iterable[tuple[int, tuple[int, int] | int | None, str]]) -> list[Sent]:
    """As ``timed``; a pair stands for one of the last totals, by how far back it is, and the change since."""
    totals = [20]
    absolute: list[tuple[int, int | None, str]] = []
    for step_us, total, trigger in entries:
        if isinstance(total, tuple):
            back, change = total
            total = min(max(0, totals[-back:][0] + change), 2**31 - 1)
        if total is not None:
            totals.append(total)
        absolute.append((step_us, total, trigger))
    return timed(absolute)


NEAR = st.tuples(st.integers(1, 3), st.sampled_from([-11, -10, -1, 0, 1, 2, 10, 11, 12]))
TOTALS = st.one_of(NEAR, NEAR, NEAR, st.integers(0, 2**31 - 1), st.none())
VALUES = st.lists(st.tuples(STEPS, TOTALS, TRIGGERS), max_size=25).map(near_each_other)
"""Values whose totals are mostly near one of the last three, since those are the ones that the rules compare."""


def observed(values: Iterable[Sent], cycle_us: int | None) -> list[Outcome[int]]:
    counter = PartCounter[int](cycle_us)
    found = [outcome for value in values for outcome in counter.observe(value.at_us, value.text(), value.source)]
    return found + counter.finish()


def counts(found: Iterable[Outcome[int]]) -> list[Count[int]]:
    return [outcome for outcome in found if isinstance(outcome, Count)]


def skipped(found: Iterable[Outcome[int]]) -> dict[int, Implausible]:
    return {outcome.source: outcome.why for outcome in found if isinstance(outcome, Skipped)}


def repeats(value: Sent, earlier: Sent) -> bool:
    return value.total == earlier.total and value.trigger in ("", earlier.trigger)


def without_repeats(values: Iterable[Sent]) -> list[Sent]:
    kept: list[Sent] = []
    for value in values:
        if not kept or not repeats(value, kept[-1]):
            kept.append(value)
    return kept


def verdict_on_last(clean: list[Sent], following: Sent) -> Implausible | None:
    """Return why the last total of a list is implausible, given the one that follows."""
    if len(clean) < 2 or following.total is None:
        return None
    before, last = clean[-2:]
    if before.total is None or last.total is None or last.trigger or following.at_us - last.at_us > HOUR:
        return None
    near = range(before.total, before.total + 11)
    if last.total in near or following.total not in near:
        return None
    return Implausible.SPIKE if last.total > before.total else Implausible.DIP


def is_beyond_cycle(before: Sent, value: Sent, cycle_us: int | None) -> bool:
    if cycle_us is None or before.total is None or value.total is None or value.trigger:
        return False
    return value.total - before.total > Fraction(3 * (value.at_us - before.at_us), cycle_us)


def reference(values: list[Sent], cycle_us: int | None) -> tuple[list[Count[int]], dict[int, Implausible]]:
    """Remove the implausible totals from the whole list, then compare each total that is left with the one before."""
    clean: list[Sent] = []
    gap: list[Sent] = []
    came_again: set[int] = set()
    why: dict[int, Implausible] = {}
    for value in without_repeats(values):
        if value.total is None:
            gap = [value]
            continue
        kept, verdicts = clean, dict[int, Implausible]()
        while kept and kept[-1].source not in came_again and (verdict := verdict_on_last(kept, value)):
            verdicts[kept[-1].source] = verdict
            kept = kept[:-1]
        remaining = kept + gap
        if remaining and is_beyond_cycle(remaining[-1], value, cycle_us):
            why[value.source] = Implausible.BEYOND_CYCLE
            continue
        if verdicts and repeats(value, remaining[-1]):
            came_again.add(remaining[-1].source)
        why |= verdicts
        clean, gap = without_repeats([*remaining, value]), []
    made = []
    for earlier, value in pairwise(clean):
        if earlier.total is not None and value.total is not None:
            is_rise = value.total > earlier.total and not value.trigger
            made.append(Count(value.at_us, value.total - earlier.total if is_rise else value.total, value.source))
    return made, why


@given(VALUES, CYCLES)
@example(timed([(0, 2000, ""), (1, 2001, ""), (1, 599_999, ""), (1, 2002, "")]), None)
@example(timed([(0, 5, ""), (HOUR, 100, ""), (1, 300, ""), (1, 305, ""), (1, 6, "")]), SECOND)
@example(timed([(0, 1000, ""), (1, 995, ""), (1, 5000, ""), (1, 1001, "")]), None)
@example(timed([(0, 0, ""), (1, 12, ""), (1, 11, ""), (1, 12, ""), (1, 0, "")]), None)
@example(timed([(0, 2, ""), (1, 1, ""), (1, 0, ""), (1, 1, ""), (1, 2, "")]), None)
@example(timed([(0, 5, "DAY"), (1, 100, ""), (1, 5, "DAY"), (1, 5, "")]), None)
def test_the_counts_are_those_of_the_cleaned_list(values: list[Sent], cycle_us: int | None) -> None:
    found = observed(values, cycle_us)
    assert (counts(found), skipped(found)) == reference(values, cycle_us)


@given(VALUES, CYCLES)
def test_each_count_is_of_a_value_sent_and_not_negative(values: list[Sent], cycle_us: int | None) -> None:
    found = observed(values, cycle_us)
    assert len({outcome.source for outcome in found}) == len(found)
    for outcome in found:
        assert outcome.at_us == values[outcome.source].at_us
    assert all(0 <= count.pieces <= 2**31 - 1 for count in counts(found))


@given(VALUES, CYCLES, st.data())
def test_repeats_change_nothing(values: list[Sent], cycle_us: int | None, data: st.DataObject) -> None:
    repeated = []
    for value, following in pairwise([*values, None]):
        assert value is not None
        repeated.append(value)
        latest_us = value.at_us + 2 * HOUR if following is None else following.at_us
        for at_us in sorted(data.draw(st.lists(st.integers(value.at_us, latest_us), max_size=2))):
            trigger = data.draw(st.sampled_from(["", value.trigger]))
            repeated.append(value._replace(at_us=at_us, trigger=trigger, source=-1))
    assert observed(repeated, cycle_us) == observed(values, cycle_us)


@given(VALUES, CYCLES, st.data())
def test_settling_in_between_changes_nothing(values: list[Sent], cycle_us: int | None, data: st.DataObject) -> None:
    counter = PartCounter[int](cycle_us)
    found: list[Outcome[int]] = []
    for value, following in pairwise([*values, None]):
        assert value is not None
        found += counter.observe(value.at_us, value.text(), value.source)
        latest_us = value.at_us + 2 * HOUR if following is None else following.at_us
        for at_us in sorted(data.draw(st.lists(st.integers(value.at_us, latest_us), max_size=2))):
            found += counter.settle(at_us)
    assert found + counter.finish() == observed(values, cycle_us)


@given(VALUES, CYCLES)
def test_skipped_totals_might_as_well_not_have_been_sent(values: list[Sent], cycle_us: int | None) -> None:
    values = without_repeats(values)
    found = observed(values, cycle_us)
    why = skipped(found)
    others = [value for value in values if value.source not in why]
    # Not where a total comes again after a skipped one: it repeats what stands, or what was skipped later.
    for kept in (others, [value for value in values if why.get(value.source) is not Implausible.BEYOND_CYCLE]):
        assume(kept == without_repeats(kept))
    assert observed(others, cycle_us) == counts(found)


@given(st.integers(0, 1000), st.lists(st.integers(0, 100), max_size=30))
def test_a_counter_that_only_rises_counts_its_whole_increase(start: int, steps: list[int]) -> None:
    counter = PartCounter[None]()
    total, found = start, counter.observe(0, str(start), None)
    for at_us, step in enumerate(steps):
        total += step
        found += counter.observe(at_us, f"{total}.000000", None)
    found += counter.finish()
    assert all(isinstance(outcome, Count) for outcome in found)
    assert sum(outcome.pieces for outcome in found if isinstance(outcome, Count)) == total - start


@given(st.lists(st.one_of(st.text(max_size=8), st.from_regex(r"\s?[0-9.:]{1,12}\s?[A-Za-z]?")), max_size=10))
def test_any_text_is_a_value_or_a_value_error(texts: list[str]) -> None:
    counter, valid = PartCounter[None](), PartCounter[None]()
    for text in texts:
        try:
            found = counter.observe(0, text, None)
        except ValueError:
            continue
        assert found == valid.observe(0, text, None)
    assert counter.finish() == valid.finish()
