"""What is in use in a group, from its steps, equals what counting machines one by one finds, over moves and gaps."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import astuple
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from services.analytics.verification.days import day_of
from services.analytics.verification.group_steps import Group, Place, Site, Steps, groups_of
from services.analytics.verification.reference import Cohort
from services.analytics.verification.registered import Span
from services.api.kpis import kept_sums
from services.api.kpis.kept_sums import bounds_of, in_use
from services.api.kpis.windows import Bucket, Interval, buckets
from services.core.times import DAY_US, HOUR_US, seoul_midnight_us

ORIGIN_US = seoul_midnight_us(day_of(1_488_326_400_000_000))
QUARTERS = 40
"""Quarters of days: moves happen at midnight as well as within a day."""
COHORTS: tuple[Cohort, ...] = (
    ("KR-11", "C25", None, None, "basic", None),
    ("KR-11", "C29", "Z1", None, "basic", None),
    ("KR-48", "C25", None, None, "none", "1-9"),
    (None,) * 6,
)


@st.composite
def machines(draw: st.DrawFn) -> list[Span]:
    """Spans of one machine, one after the other, some with gaps between."""
    cuts = draw(st.lists(st.integers(0, QUARTERS), min_size=2, max_size=7, unique=True).map(sorted))
    stretches = [
        (ORIGIN_US + start * DAY_US // 4, ORIGIN_US + end * DAY_US // 4, draw(st.booleans()), draw(cohorts))
        for start, end in pairwise(cuts)
        if draw(st.integers(0, 3))
    ]
    spans: list[Span] = []
    for n, (start, end, automated, cohort) in enumerate(stretches):
        following = [day_of(other[0]) for other in stretches[n + 1 : n + 2]]
        end_day = min([day_of(end + DAY_US - 1), *following])
        spans.append(Span(start, end, automated, cohort, day_of(start), max(end_day, day_of(start))))
    return spans


cohorts = st.sampled_from(COHORTS)
countries = st.lists(st.lists(machines(), min_size=1, max_size=3), min_size=1, max_size=3)


def steps_by_slot(
    changes: dict[Place, dict[str, int]], group: Group, bounds: Sequence[int]
) -> dict[int, kept_sums.Steps]:
    """Return what the API's query returns for a group, by number of bounds before or at."""
    found: dict[int, list[int]] = defaultdict(lambda: [0] * 8)
    for (own, at, seen_to), change in changes.items():
        if own != group or at >= bounds[-1]:
            continue
        slot = sum(bound <= at for bound in bounds)
        machines = change["machines_in"] - change["machines_out"]
        sums = [machines, change["factories_in"] - change["factories_out"], change["automated"], change["days"]]
        begun = slot and (seen_to is None or seen_to <= bounds[slot - 1])
        ended = slot and at == bounds[slot - 1]
        for of in ("machines", "factories"):
            sums.append(bool(begun) * change[f"{of}_in"] - bool(ended) * change[f"{of}_out"])
        sums += [machines * at, change["days"] * kept_sums.day_number(at)]
        found[slot] = [a + b for a, b in zip(found[slot], sums, strict=True)]
    return {slot: kept_sums.Steps(*sums) for slot, sums in found.items()}


def counted(country: list[list[list[Span]]], group: Group, bucket: Bucket) -> tuple[int, ...]:
    """Count one by one: machines, factories, time, machine-days, and machines (automated ones) at the last instant."""
    own = [[[span for span in spans if group in groups_of(span.cohort)] for spans in factory] for factory in country]
    touching = [[any(touch(span, bucket) for span in spans) for spans in factory] for factory in own]
    all_spans = [span for factory in own for spans in factory for span in spans]
    last = [span for span in all_spans if span.from_us < bucket.to_us <= span.to_us]
    days = {day_of(us) for us in range(bucket.from_us, bucket.to_us, HOUR_US)}
    return (
        sum(map(sum, touching)),
        sum(map(any, touching)),
        sum(max(0, min(s.to_us, bucket.to_us) - max(s.from_us, bucket.from_us)) for s in all_spans),
        sum(s.first_day <= day < s.end_day for s in all_spans for day in days),
        len(last),
        sum(span.automated for span in last),
    )


def touch(span: Span, bucket: Bucket) -> bool:
    return span.from_us < bucket.to_us and span.to_us > bucket.from_us


def found_in(changes: dict[Place, dict[str, int]], group: Group, asked: Sequence[Bucket]) -> Iterator[tuple[int, ...]]:
    """Yield, for buckets in order, what steps say; zeros where nothing is in use."""
    bounds = bounds_of(asked)
    by_start = {bucket.from_us: sums for bucket, sums in in_use(steps_by_slot(changes, group, bounds), bounds, asked)}
    for bucket in asked:
        sums = by_start.get(bucket.from_us)
        names = ("in_use_us", "machine_days", "stock_machines", "stock_automated")
        yield (0,) * 6 if sums is None else (sums.machines, sums.factories, *(sums.figures[name] for name in names))


@given(countries, st.integers(0, 9), st.integers(1, 10), st.sampled_from([Interval.DAY, Interval.TOTAL]), st.data())
def test_steps_give_what_counting_gives(
    country: list[list[list[Span]]], first: int, days: int, interval: Interval, data: st.DataObject
) -> None:
    steps = Steps()
    for number, factory in enumerate(country):
        steps.add_site(Site(number, dict(enumerate(factory)), {}, []))
    whole = list(buckets(ORIGIN_US + first * DAY_US, ORIGIN_US + (first + days) * DAY_US, interval))
    asked = [bucket for bucket in whole if data.draw(st.integers(0, 3))] or whole
    for group in {group for cohort in COHORTS for group in groups_of(cohort)}:
        found = list(found_in(steps.with_effect(), group, asked))
        for bucket, sums in zip(asked, found, strict=True):
            expected = counted(country, group, bucket)
            assert sums == (expected if expected[0] else (0,) * 6), (group, astuple(bucket))
