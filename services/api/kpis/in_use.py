"""Time in use, and how many machines and factories are: from the registry's spans, by label and bucket.

Spans that are alike (the same bounds and label) are counted together before they meet the buckets: a country's machines
have few different ones.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import TSTZRANGE
from sqlalchemy.sql.selectable import LateralFromClause

from services.api.kpis.questions import Question, instant
from services.api.kpis.tables import cohort, machine_day, machine_hour, machine_span
from services.api.kpis.windows import Interval
from services.api.registry.tables import factory, machine
from services.core.times import DAY_US


def of_registry() -> "sa.Join":
    """Spans with everything that conditions and labels are about."""
    return (
        sa.join(machine_span, machine, machine.c.id == machine_span.c.machine)
        .join(factory, factory.c.id == machine_span.c.factory)
        .join(cohort, cohort.c.id == machine_span.c.cohort)
    )


def spans_in(question: Question) -> "sa.Select[Any]":
    """The spans in the scope about the window, with their labels.

    The last column is the end of the machine's span before, of the same label.
    """
    s, label = machine_span.c, question.label
    before = sa.func.lag(s.to_at).over(partition_by=[s.machine, label], order_by=s.from_at)
    # A day belongs to one of its spans, which need not be the one that touches the bucket.
    window = [
        s.from_at < instant(question.buckets[-1].to_us + DAY_US),
        s.to_at > instant(question.buckets[0].from_us - DAY_US),
    ]
    what = (s.machine, s.factory, s.from_at, s.to_at, s.automated, s.first_day, s.end_day)
    return (
        sa.select(label.label("label"), *what, before.label("seen_to"))
        .select_from(of_registry())
        .where(*window, *question.conditions())
    )


def time_in_use(question: Question) -> "sa.Select[Any]":
    """By label and bucket: time, machines and machine-days in use, and how many machines are at the last instant.

    A machine-day counts for the Seoul days that the bucket touches, as a whole, in the cohort whose day it is.
    """
    span = spans_in(question).subquery("span")
    kinds = [span.c[name] for name in ("label", "from_at", "to_at", "automated", "first_day", "end_day", "seen_to")]
    s = sa.select(*kinds, sa.func.count().label("n")).group_by(*kinds).subquery("s")
    b = question.bucket_table()
    start, end = sa.func.greatest(s.c.from_at, b.c.bucket), sa.func.least(s.c.to_at, b.c.ends_at)
    # Numeric: a country's machines over years are more microseconds than a bigint holds.
    length = sa.func.extract("epoch", end - start) * 1_000_000
    days = sa.func.least(s.c.end_day, b.c.last_day + 1) - sa.func.greatest(s.c.first_day, b.c.first_day)
    touches = sa.and_(s.c.from_at < b.c.ends_at, s.c.to_at > b.c.bucket)
    is_first = sa.or_(s.c.seen_to.is_(None), s.c.seen_to <= b.c.bucket)
    at_last = sa.and_(s.c.from_at < b.c.ends_at, s.c.to_at >= b.c.ends_at)

    def total(amount: Any, *conditions: Any) -> Any:
        return sa.func.coalesce(sa.func.sum(amount).filter(*conditions), 0)

    machines = total(s.c.n, touches, is_first)
    return (
        sa.select(
            s.c.label,
            b.c.bucket,
            total(length * s.c.n, touches).label("in_use_us"),
            total(sa.func.greatest(days, 0) * s.c.n).label("machine_days"),
            machines.label("machines"),
            total(s.c.n, at_last).label("stock_machines"),
            total(s.c.n, at_last, s.c.automated).label("stock_automated"),
        )
        .select_from(
            sa.join(b, s, sa.or_(touches, sa.and_(s.c.first_day <= b.c.last_day, s.c.end_day > b.c.first_day)))
        )
        .group_by(s.c.label, b.c.bucket)
        .having(machines > 0)
    )


def factories_in_use(question: Question) -> "sa.Select[Any]":
    """How many factories have a machine in use, by label and bucket."""
    span = spans_in(question).subquery("span")
    bounds = sa.func.tstzrange(span.c.from_at, span.c.to_at, type_=TSTZRANGE)
    united = (
        sa.select(span.c.label, span.c.factory, sa.func.unnest(sa.func.range_agg(bounds)).label("during"))
        .group_by(span.c.label, span.c.factory)
        .subquery("united")
    )
    start, end = sa.func.lower(united.c.during), sa.func.upper(united.c.during)
    before = sa.func.lag(end).over(partition_by=[united.c.label, united.c.factory], order_by=start)
    one = sa.select(united.c.label, start.label("from_at"), end.label("to_at"), before.label("seen_to")).subquery("one")
    alike = sa.select(*one.c, sa.func.count().label("n")).group_by(*one.c).subquery("alike")
    b = question.bucket_table()
    touches = sa.and_(alike.c.from_at < b.c.ends_at, alike.c.to_at > b.c.bucket)
    is_first = sa.or_(alike.c.seen_to.is_(None), alike.c.seen_to <= b.c.bucket)
    return (
        sa.select(alike.c.label, b.c.bucket, sa.func.sum(alike.c.n).label("factories"))
        .select_from(sa.join(b, alike, sa.and_(touches, is_first)))
        .group_by(alike.c.label, b.c.bucket)
    )


def machines_connected(question: Question) -> "sa.Select[Any]":
    """How many machines in use at a bucket's last instant were heard of within it, by label and bucket."""
    b, span = question.bucket_table(), spans_in(question).subquery("span")
    at_last = sa.and_(span.c.from_at < b.c.ends_at, span.c.to_at >= b.c.ends_at)
    source: sa.Join
    if question.interval is Interval.DAY:
        d = machine_day.c
        source = machine_day.join(b, sa.and_(d.day == b.c.first_day, d.connected))
        source = source.join(span, sa.and_(span.c.machine == d.machine, at_last))
    else:
        source = sa.join(b, span, at_last).join(heard_of(question, span.c.machine, b), sa.true())
    return (
        sa.select(span.c.label, b.c.bucket, sa.func.count().label("stock_connected"))
        .select_from(source)
        .group_by(span.c.label, b.c.bucket)
    )


def heard_of(question: Question, machine: "sa.ColumnElement[int]", b: sa.TableValuedAlias) -> LateralFromClause:
    """One row if a machine was heard of within a bucket: the first such that the index leads to settles it."""
    if question.in_whole_days:
        d = machine_day.c
        during = sa.and_(d.day.between(b.c.first_day, b.c.last_day), d.connected)
        found = sa.select(sa.true()).select_from(machine_day).where(d.machine == machine, during)
    else:
        h = machine_hour.c
        during = sa.and_(h.hour >= b.c.bucket, h.hour < b.c.ends_at)
        was_heard = sa.or_(h.evidence_us > 0, h.signed_count_rows > 0)
        found = sa.select(sa.true()).select_from(machine_hour).where(h.machine == machine, during, was_heard)
    return found.limit(1).lateral("heard")


def labels_from(question: Question, after: str, most: int) -> "sa.Select[Any]":
    """The next labels of factories or machines, from ``after`` on, of which something is in use within the window."""
    label = sa.collate(question.label, "C")
    window = [
        machine_span.c.from_at < instant(question.buckets[-1].to_us),
        machine_span.c.to_at > instant(question.buckets[0].from_us),
    ]
    return (
        sa.select(label.label("label"))
        .distinct()
        .select_from(of_registry())
        .where(*window, *question.conditions(), label >= after)
        .order_by(label)
        .limit(most)
    )
