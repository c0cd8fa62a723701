"""Each plausibility rule against a naive reading of it, row by row."""

import datetime as dt

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from services.analytics.flags import rules
from services.analytics.flags.raising import month_of
from services.analytics.flags.rules import ReceiptDays
from services.analytics.flags.traits import (
    NO_HOUR,
    TRAITS,
    CountFacts,
    Traits,
    changes_of,
    hours_of_receipt,
    prints_of,
)
from services.analytics.in_force import StateRows
from services.core.times import DAY_US, HOUR_US, SECOND_US

FIRST = 20_000
"""A day's number; the instants of some days begin at its midnight in Seoul."""
FIRST_US = FIRST * DAY_US - 9 * HOUR_US

Row = dict[str, int]

rows = st.lists(
    st.fixed_dictionaries(
        {
            "machine": st.integers(1, 2),
            "day": st.integers(FIRST, FIRST + 45),
            "evidence_us": st.sampled_from([0, 94, 96, 100]),
            "scheduled_us": st.sampled_from([0, 90, 100]),
            "producing_us": st.sampled_from([0, 90, 94, 96, 100]),
            "count_rows": st.sampled_from([0, 19, 20, 30]),
            "even_pieces": st.sampled_from([-1, 0, 4]),
            "even_us": st.sampled_from([10, 20]),
            "barren": st.integers(0, 1),
            "pieces": st.sampled_from([0, 10, 15, 16]),
            "capacity": st.sampled_from([0, 10]),
            "ideal_us": st.sampled_from([0, 3 * DAY_US // 2, 3 * DAY_US // 2 + 1]),
            "rows": st.integers(0, 200),
            "hour_1": st.sampled_from([NO_HOUR, 1, 2]),
            "hour_2": st.sampled_from([NO_HOUR, 3, 4]),
        }
    ),
    max_size=60,
    unique_by=lambda row: (row["machine"], row["day"]),
).map(lambda found: sorted(found, key=lambda row: (row["machine"], row["day"])))


def traits_in(found: list[Row], **more: int) -> Traits:
    """The rows as columns; what they do not have is 0."""
    defaults = {"hour_3": NO_HOUR, "hour_4": NO_HOUR, **more}
    values = {name: [row.get(name, defaults.get(name, 0)) for row in found] for name in TRAITS}
    return Traits(**{name: np.array(column, np.int64) for name, column in values.items()})


def runs_of(found: list[Row], is_chosen: list[bool], *, same: tuple[str, ...] = ()) -> list[bool]:
    """Whether each row is in seven chosen days running of its machine, with equal values of some columns."""
    chosen = {(row["machine"], row["day"]): row for row, own in zip(found, is_chosen, strict=True) if own}
    result = []
    for row in found:
        result.append(
            any(
                all(
                    (other := chosen.get((row["machine"], day))) is not None
                    and all(other[name] == row[name] for name in same)
                    for day in range(start, start + 7)
                )
                for start in range(row["day"] - 6, row["day"] + 1)
            )
        )
    return result


def weeks_of(found: list[Row]) -> list[bool]:
    """Whether each row is in seven days running of its machine that are covered, and spent producing."""
    by_place = {(row["machine"], row["day"]): row for row in found}

    def is_flagged(machine: int, start: int) -> bool:
        week = [by_place.get((machine, day)) for day in range(start, start + 7)]
        own = [row for row in week if row is not None]
        if len(own) < 7:
            return False
        scheduled, covered, evidence, producing = (
            sum(row[name] for row in own)
            for name in ("scheduled_us", "scheduled_evidence_us", "evidence_us", "producing_us")
        )
        return scheduled > 0 and 100 * covered >= 95 * scheduled and 0 < evidence * 999 <= producing * 1000

    return [any(is_flagged(row["machine"], row["day"] - n) for n in range(7)) for row in found]


def with_scheduled(found: list[Row]) -> list[Row]:
    """The rows with as much producing and scheduled evidence as there can be."""
    for row in found:
        row["producing_us"] = min(row.get("producing_us", 0), row.get("evidence_us", 0))
        row["scheduled_evidence_us"] = min(row.get("evidence_us", 0), row["scheduled_us"])
    return found


@given(rows)
def test_never_varies(found: list[Row]) -> None:
    found = with_scheduled(found)
    alike = [row["count_rows"] >= 20 and row["even_pieces"] > 0 for row in found]
    by_counts = runs_of(found, alike, same=("even_pieces", "even_us"))
    expected = [a or b for a, b in zip(weeks_of(found), by_counts, strict=True)]
    assert rules.never_varies(traits_in(found)).tolist() == expected


@given(
    st.lists(
        st.tuples(
            st.sampled_from([0, 100, 100, 100]), st.sampled_from([88, 96, 100, 100]), st.sampled_from([95, 100, 100])
        ),
        min_size=5,
        max_size=20,
    ),
    st.integers(0, 20),
)
def test_weeks_of_nothing_but_production(values: list[tuple[int, int, int]], gap_at: int) -> None:
    found = with_scheduled(
        [
            {
                "machine": 1,
                "day": FIRST + number + (number >= gap_at),
                "scheduled_us": scheduled,
                "evidence_us": evidence,
                "producing_us": producing,
            }
            for number, (scheduled, evidence, producing) in enumerate(values)
        ]
    )
    assert rules.never_varies(traits_in(found)).tolist() == weeks_of(found)


@given(st.integers(5, 12), st.integers(0, 30), st.data())
def test_never_varies_in_long_runs(length: int, gap: int, data: st.DataObject) -> None:
    days = [FIRST + n for n in range(length)] + [FIRST + length + gap + n for n in range(length)]
    even_us = data.draw(st.lists(st.sampled_from([10, 20]), min_size=len(days), max_size=len(days)))
    found = [
        {"machine": 1, "day": day, "count_rows": 24, "even_pieces": 5, "even_us": us}
        for day, us in zip(days, even_us, strict=True)
    ]
    expected = runs_of(found, [True] * len(found), same=("even_pieces", "even_us"))
    assert rules.never_varies(traits_in(found)).tolist() == expected


@given(rows)
def test_pieces_without_production(found: list[Row]) -> None:
    def is_flagged(row: Row) -> bool:
        barren = [other["day"] for other in found if other["machine"] == row["machine"] and other["barren"]]
        starts = range(row["day"] - 30, row["day"] + 1)
        return bool(row["barren"]) and any(sum(s <= day < s + 31 for day in barren) >= 5 for s in starts)

    assert rules.pieces_without_production(traits_in(found)).tolist() == [is_flagged(row) for row in found]


@given(rows)
def test_beyond_capacity(found: list[Row]) -> None:
    expected = [row["ideal_us"] > 1.5 * DAY_US or (row["capacity"] > 0 and row["pieces"] > 15) for row in found]
    assert rules.beyond_capacity(traits_in(found)).tolist() == expected


@given(rows, st.integers(0, 3))
def test_sent_in_bulk(found: list[Row], on_time: int) -> None:
    for row in found:
        row["late_rows"] = max(row["rows"] - on_time, 0)
    traits = traits_in(found)
    bulk = rules.sent_in_bulk(traits, month_of(traits.day))
    months: dict[tuple[int, str], list[Row]] = {}
    for row in found:
        month = (dt.date(1970, 1, 1) + dt.timedelta(days=row["day"])).isoformat()[:7]
        months.setdefault((row["machine"], month), []).append(row)
    expected = []
    for own in months.values():
        total, late = sum(row["rows"] for row in own), sum(row["late_rows"] for row in own)
        hours = {row[name] for row in own for name in ("hour_1", "hour_2")} - {NO_HOUR}
        expected.append(total > 0 and 100 * late >= 99 * total and len(hours) <= 3)
    assert bulk.flagged.tolist() == expected


@given(
    st.lists(st.tuples(st.integers(0, 6), *[st.sampled_from([-61, -60, 0, 3600, 3601]) for _ in range(2)]), max_size=20)
)
def test_clock_off(found: list[tuple[int, int, int]]) -> None:
    columns = np.array(found, np.int64).reshape(-1, 3).T
    days = ReceiptDays(
        np.ones(len(found), np.int64),
        np.arange(len(found)),
        columns[0],
        columns[1] * SECOND_US,
        columns[2] * SECOND_US,
    )
    expected = [
        records > 0 and (not -60 <= delay <= 3600 or offset < -60 or (offset > 3600 and records >= 5))
        for records, delay, offset in found
    ]
    assert rules.clock_off(days).tolist() == expected


changes = st.lists(
    st.tuples(st.integers(0, 3 * 86_400), st.booleans(), st.integers(1, 2), st.integers(0, 1)),
    max_size=12,
    unique_by=lambda change: (change[0], change[1]),
).map(sorted)


def facts_in(machine: int, found: list[tuple[int, bool, int, int]]) -> tuple[StateRows, CountFacts]:
    """States and counts of a machine on three days."""
    (m, at_us, state, mode), (n, count_at_us, _, good) = (
        [np.full(len(own), machine), *np.array(own, np.int64).reshape(-1, 3).T]
        for own in (
            [(FIRST_US + at_s * SECOND_US, a, b) for at_s, kind, a, b in found if kind == is_count]
            for is_count in (False, True)
        )
    )
    nothing = np.zeros(len(n), np.int64)
    return StateRows(m, at_us, state, mode), CountFacts(n, count_at_us, good, nothing, nothing)


def naive_changes(found: list[tuple[int, bool, int, int]]) -> list[list[tuple[int, bool, int, int]]]:
    """Each day's changes: states other than the one before on the day, and counts with pieces."""
    days: list[list[tuple[int, bool, int, int]]] = [[], [], [], []]
    for number, day in enumerate(days):
        last = None
        for at_s, is_count, first, second in found:
            if at_s // 86_400 != number:
                continue
            if is_count:
                if second:
                    day.append((at_s % 86_400, True, second, 0))
            else:
                if (first, second) != last:
                    day.append((at_s % 86_400, False, first, second))
                last = (first, second)
    return days


@given(changes, changes)
def test_days_have_equal_prints_if_their_changes_are_equal(
    first: list[tuple[int, bool, int, int]], second: list[tuple[int, bool, int, int]]
) -> None:
    digests: dict[bytes, list[tuple[int, bool, int, int]]] = {}
    for machine, found in ((1, first), (2, second)):
        own = prints_of(changes_of(*facts_in(machine, found)), least=1)
        by_day = {day - FIRST: digest for day, digest in zip(own.day.tolist(), own.digest, strict=True)}
        for number, day in enumerate(naive_changes(found)):
            assert bool(day) == (number in by_day)
            if day:
                assert digests.setdefault(by_day[number], sorted(day)) == sorted(day)
    everything = [tuple(sorted(day)) for found in (first, second) for day in naive_changes(found) if day]
    assert len(digests) == len(set(everything))


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 8)), max_size=30).map(sorted))
def test_hours_of_receipt(found: list[tuple[int, int]]) -> None:
    places = np.array([place for place, _ in found], np.intp)
    received = np.array([hour * HOUR_US + 1 for _, hour in found], np.int64)
    columns = hours_of_receipt(np.arange(3), places, received)
    for place in range(3):
        hours = sorted({hour for own, hour in found if own == place})[:4]
        assert [int(columns[f"hour_{n}"][place]) for n in range(1, 5)] == hours + [NO_HOUR] * (4 - len(hours))
