"""SQL of KPI questions about groups whose sums are kept: by day, and as steps of what is in use."""

import datetime as dt
from collections.abc import Collection, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by

from services.api.instants import INSTANT
from services.api.kpis.groups import Groups
from services.api.kpis.questions import GroupBy, Question
from services.api.kpis.selection import Truth, scheduled_in
from services.api.kpis.tables import SEOUL, group_day, group_step, schedule_step
from services.api.kpis.windows import Interval
from services.api.registry.tables import registry_version
from services.core.times import from_us

Query = sa.Select[*tuple[Any, ...]]
DAY_ZERO = dt.date(1970, 1, 1)
REGISTRY_VERSION = sa.select(registry_version.c.version)


def label_in(question: Question, groups: Groups, table: sa.TableClause) -> "sa.ColumnElement[str]":
    """The label of each row's scope."""
    if question.group_by is None:
        return sa.literal(question.scope.label)
    own = table.c.value if question.group_by == groups.kind else table.c.within
    return sa.literal(f"{question.group_by}:") + own


def rows_of(question: Question, groups: Groups, table: sa.TableClause) -> list[Truth]:
    """The conditions on the rows of the question's groups."""
    t = table.c
    within = t.within != "" if groups.within is None else t.within == groups.within
    found: list[Truth] = [t.kind == groups.kind, within]
    if groups.value is not None:
        found.append(t.value == groups.value)
    elif groups.kind == GroupBy.REGION:
        found.append(t.value != "")
    if question.only is not None and question.group_by is not None:
        own = t.value if question.group_by == groups.kind else t.within
        names = [label.partition(":")[2] for label in question.only]
        found.append(own == sa.any_(sa.literal(names, ARRAY(sa.Text))))
    return found


def day_sums(question: Question, groups: Groups, figures: Collection[str]) -> Query:
    """Figures by label and first day of the bucket. A group has one row a day, so days need no adding up."""
    d = group_day.c
    label = label_in(question, groups, group_day).label("label")
    where = [*rows_of(question, groups, group_day), d.day.between(question.first_day, question.last_day)]
    if question.interval is Interval.DAY:
        return sa.select(label, d.day, *(d[name] for name in figures)).where(*where)
    day: sa.ColumnElement[Any] = sa.literal(question.first_day, sa.Date)
    if question.interval is Interval.MONTH:
        day = sa.cast(sa.func.date_trunc("month", d.day), sa.Date)
    sums = (sa.func.sum(d[name]).label(name) for name in figures)
    return sa.select(label, day.label("day"), *sums).where(*where).group_by(sa.text("1"), sa.text("2"))


def steps_between(question: Question, groups: Groups, bounds: Sequence[int]) -> Query:
    """What begins and ends in the groups, by label and by the bounds between which it does: after which of them.

    Args:
        bounds: instants in order; what is before the first is summed up as after none.
    """
    s = group_step.c
    instants = sa.select(sa.literal([from_us(us) for us in bounds], ARRAY(INSTANT)).label("all")).subquery("b")
    steps = (
        sa.select(
            label_in(question, groups, group_step).label("label"),
            sa.func.width_bucket(s.at, instants.c.all).label("slot"),
            instants.c.all,
            *(s[name] for name in ("at", "seen_to", "machines_in", "machines_out", "factories_in", "factories_out")),
            s.automated,
            sa.cast(s.days, sa.BigInteger).label("days"),
        )
        .select_from(sa.join(group_step, instants, sa.true()))
        .where(*rows_of(question, groups, group_step), s.at < from_us(bounds[-1]))
        .subquery("s")
    )
    c = steps.c
    start = c.all[c.slot]
    machines, factories = c.machines_in - c.machines_out, c.factories_in - c.factories_out
    day = sa.cast(sa.func.timezone(SEOUL, c.at), sa.Date) - sa.literal(DAY_ZERO, sa.Date)

    def total(amount: Any, *conditions: Any) -> Any:
        return sa.func.coalesce(sa.func.sum(amount).filter(*conditions), 0)

    return sa.select(
        c.label,
        c.slot,
        sa.func.sum(machines),
        sa.func.sum(factories),
        sa.func.sum(c.automated),
        sa.func.sum(c.days),
        total(c.machines_in, c.seen_to <= start) - total(c.machines_out, c.at == start),
        total(c.factories_in, c.seen_to <= start) - total(c.factories_out, c.at == start),
        sa.func.sum(machines * sa.func.extract("epoch", c.at) * 1_000_000),
        sa.func.sum(c.days * day),
    ).group_by(c.label, c.slot)


def schedule_steps(question: Question, groups: Groups) -> Query:
    """By how many the machines that have a pattern of shifts become more, by label, pattern and instant, in order.

    What comes before the window is summed up at its beginning. The last column is how much of the instant's day before
    it is within shifts, in microseconds.
    """
    s = schedule_step.c
    start, end = from_us(question.buckets[0].from_us), from_us(question.buckets[-1].to_us)
    label = label_in(question, groups, schedule_step).label("label")
    at = sa.func.greatest(s.at, sa.literal(start, INSTANT)).label("at")
    steps = (
        sa.select(label, s.pattern, at, sa.func.sum(s.machines).label("machines"))
        .where(*rows_of(question, groups, schedule_step), s.at < end)
        .group_by(sa.text("1"), sa.text("2"), sa.text("3"))
        .having(sa.func.sum(s.machines) != 0)
        .subquery("s")
    )
    c = steps.c
    midnight = sa.func.timezone(SEOUL, sa.func.date_trunc("day", sa.func.timezone(SEOUL, c.at)))
    before = sa.case((c.at == midnight, 0), else_=sa.func.scheduled_us(c.pattern, midnight, c.at))
    return sa.select(c.label, c.pattern, c.at, c.machines, before).order_by(c.label, c.pattern, c.at)


def scheduled_by_day(patterns: Sequence[int], bounds: Sequence[int]) -> Query:
    """How much of each day is within the shifts of each pattern: an array for each pattern.

    Args:
        bounds: of the days, in order.
    """
    t = scheduled_in(sa.literal(list(patterns), ARRAY(sa.Integer)), bounds[:-1], bounds[1:]).c
    us = sa.func.array_agg(aggregate_order_by(t.us, t.starts_at), type_=ARRAY(sa.BigInteger))
    return sa.select(t.pattern, us.label("us")).group_by(t.pattern)


def times_in_use(question: Question, groups: Groups, after: str) -> Query:
    """When something begins or ceases to be in use in each group, by label from ``after`` on, in order."""
    s = group_step.c
    label = sa.collate(label_in(question, groups, group_step), "C").label("label")
    machines = sa.func.sum(s.machines_in - s.machines_out).label("change")
    changes = sa.select(label, s.at, machines).where(*rows_of(question, groups, group_step))
    changes = changes.where(s.at < from_us(question.buckets[-1].to_us)).group_by(label, s.at)
    if after:
        changes = changes.where(label >= after)
    c = changes.subquery("c").c
    in_use = sa.func.sum(c.change).over(partition_by=c.label, order_by=c.at)
    steps = sa.select(c.label, c.at, in_use.label("in_use"), c.change).subquery("steps")
    t = steps.c
    crosses = sa.or_(t.in_use == 0, t.in_use == t.change)
    return sa.select(t.label, t.at, t.in_use > 0).where(crosses).order_by(t.label, t.at)
