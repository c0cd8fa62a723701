"""SQL of KPI questions: figures by label and bucket, from the accounts and from the registry's spans in use.

The accounts are summed from the coarsest tables that can answer: by cohort unless factories or machines are asked for,
by day where the buckets consist of whole days. Spans that are alike (the same bounds and label) are counted together
before they are joined with the buckets: a country's machines have few different ones.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import TSTZRANGE
from sqlalchemy.sql.selectable import LateralFromClause

from schemas.figure_definitions import OnCountedDays
from services.api.instants import INSTANT
from services.api.kpis.questions import GroupBy, Question
from services.api.kpis.selection import (
    Days,
    Instants,
    Truth,
    bucket_of,
    bucket_of_day,
    bucket_table,
    conditions,
    in_window,
    instant,
    label_of,
    of_named_factory,
    registered_spans,
    scheduled_in,
    with_cohort,
)
from services.api.kpis.tables import (
    DAY_COUNTS,
    HOUR_SUMS,
    SEOUL,
    cohort,
    cohort_day,
    cohort_hour,
    factory_day,
    factory_hour,
    machine_day,
    machine_hour,
    machine_span,
)
from services.api.kpis.windows import Interval
from services.api.registry.tables import factory, machine
from services.core.times import DAY_US

Query = sa.Select[Any]


def account_sums(question: Question) -> Query:
    """Figures of the accounts. Where the buckets are whole days, also how many machine-days have counts."""
    if question.by_machine:
        return machine_sums(question)
    figures = [figure.id for figure in HOUR_SUMS]
    within: Truth
    if question.in_whole_days:
        figures += DAY_COUNTS
        table = factory_day if question.by_factory else cohort_day
        within = table.c.day.between(question.first_day, question.last_day)
        bucket = bucket_of_day(question, table.c.day)
    else:
        table = factory_hour if question.by_factory else cohort_hour
        within = in_window(question, table.c.hour)
        bucket = bucket_of(question, table.c.hour)
    chosen: list[sa.ColumnElement[Any]] = [sa.func.sum(table.c[name]).label(name) for name in figures]
    window = sa.and_(within, of_named_factory(question, table))
    return grouped(question, with_cohort(table), window, bucket, chosen)


def machine_sums(question: Question) -> Query:
    """Figures of the machines' own hours."""
    t = machine_hour.c
    day = sa.cast(sa.func.timezone(SEOUL, t.hour), sa.Date)
    source = (
        machine_hour.join(machine, of_machine(machine_hour))
        .join(factory, factory.c.id == t.factory)
        .join(cohort, cohort.c.id == t.cohort)
        .join(
            machine_day,
            sa.and_(machine_day.c.factory == t.factory, machine_day.c.machine == t.machine, machine_day.c.day == day),
        )
    )
    chosen: list[sa.ColumnElement[Any]] = []
    for figure in HOUR_SUMS:
        rule = figure.rule
        total = sum_on_counted_days(rule) if isinstance(rule, OnCountedDays) else sa.func.sum(t[figure.id])
        chosen.append(total.label(figure.id))
    window = sa.and_(in_window(question, t.hour), of_named_factory(question, machine_hour))
    return grouped(question, source, window, bucket_of(question, t.hour), chosen)


def sum_on_counted_days(rule: OnCountedDays) -> "sa.ColumnElement[Any]":
    """The sum of a machine's figures over the hours of counted machine-days."""
    first, *others = (machine_hour.c[name] for name in rule.of)
    return sa.func.coalesce(sa.func.sum(sum(others, start=first)).filter(machine_day.c.counted), 0)


def day_counts(question: Question) -> Query:
    """Machine-days with counts, of every Seoul day that a bucket touches, as a whole."""
    b = bucket_table(question)
    day: Days
    counts: list[sa.ColumnElement[Any]]
    source: sa.Join
    table = machine_day
    if question.by_machine:
        day, s = machine_day.c.day, machine_span.c
        source = (
            machine_day.join(machine, of_machine(machine_day))
            .join(factory, factory.c.id == machine_day.c.factory)
            .join(machine_span, sa.and_(s.machine == machine.c.id, s.first_day <= day, s.end_day > day))
            .join(cohort, cohort.c.id == s.cohort)
        )
        counts = [sa.func.count().filter(machine_day.c[name]) for name in DAY_COUNTS.values()]
    else:
        table = factory_day if question.by_factory else cohort_day
        day, source = table.c.day, with_cohort(table)
        counts = [sa.func.sum(table.c[name]) for name in DAY_COUNTS]
    chosen: list[sa.ColumnElement[Any]] = [label_of(question).label("label"), day.label("day")]
    chosen += [count.label(name) for count, name in zip(counts, DAY_COUNTS, strict=True)]
    by_day = (
        sa.select(*chosen)
        .select_from(source)
        .where(day.between(question.first_day, question.last_day), of_named_factory(question, table))
        .where(*conditions(question))
        .group_by(sa.text("1"), sa.text("2"))
        .subquery("by_day")
    )
    return (
        sa.select(by_day.c.label, b.c.bucket, *(sa.func.sum(by_day.c[name]).label(name) for name in DAY_COUNTS))
        .select_from(sa.join(b, by_day, by_day.c.day.between(b.c.first_day, b.c.last_day)))
        .group_by(by_day.c.label, b.c.bucket)
    )


def time_in_use(question: Question) -> Query:
    """Time in use and scheduled time, machines and machine-days in use, and how many machines at the last instant.

    A machine-day counts for the Seoul days that the bucket touches, as a whole, in the cohort whose day it is.
    """
    span = spans_in(question).subquery("span")
    names = ("label", "from_at", "to_at", "automated", "first_day", "end_day", "pattern", "seen_to")
    kinds = [span.c[name] for name in names]
    # It is read twice: to join, and for the patterns that there are.
    s = sa.select(*kinds, sa.func.count().label("n")).group_by(*kinds).cte("s")
    b = bucket_table(question)
    start, end = sa.func.greatest(s.c.from_at, b.c.bucket), sa.func.least(s.c.to_at, b.c.ends_at)
    # Numeric: a country's machines over years are more microseconds than a bigint holds.
    length = sa.func.extract("epoch", end - start) * 1_000_000
    patterns = sa.select(s.c.pattern).where(s.c.pattern.is_not(None)).distinct()
    starts, ends = zip(*((bucket.from_us, bucket.to_us) for bucket in question.buckets), strict=True)
    full = scheduled_in(sa.func.array(patterns.scalar_subquery()), starts, ends)
    covers = sa.and_(s.c.from_at <= b.c.bucket, s.c.to_at >= b.c.ends_at)
    scheduled = sa.case(
        (s.c.pattern.is_(None), length),
        (covers, sa.cast(full.c.us, sa.Numeric)),
        else_=sa.func.scheduled_us(s.c.pattern, start, end),
    )
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
            total(scheduled * s.c.n, touches).label("scheduled_us"),
            total(sa.func.greatest(days, 0) * s.c.n).label("machine_days"),
            machines.label("machines"),
            total(s.c.n, at_last).label("stock_machines"),
            total(s.c.n, at_last, s.c.automated).label("stock_automated"),
        )
        .select_from(
            sa.join(
                b, s, sa.or_(touches, sa.and_(s.c.first_day <= b.c.last_day, s.c.end_day > b.c.first_day))
            ).outerjoin(full, sa.and_(full.c.pattern == s.c.pattern, full.c.starts_at == b.c.bucket))
        )
        .group_by(s.c.label, b.c.bucket)
        .having(machines > 0)
    )


def factories_in_use(question: Question) -> Query:
    """How many factories have a machine in use."""
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
    b = bucket_table(question)
    touches = sa.and_(alike.c.from_at < b.c.ends_at, alike.c.to_at > b.c.bucket)
    is_first = sa.or_(alike.c.seen_to.is_(None), alike.c.seen_to <= b.c.bucket)
    return (
        sa.select(alike.c.label, b.c.bucket, sa.func.sum(alike.c.n).label("factories"))
        .select_from(sa.join(b, alike, sa.and_(touches, is_first)))
        .group_by(alike.c.label, b.c.bucket)
    )


def machines_connected(question: Question) -> Query:
    """How many machines in use at a bucket's last instant sent something within the bucket."""
    b, span = bucket_table(question), spans_in(question).subquery("span")
    at_last = sa.and_(span.c.from_at < b.c.ends_at, span.c.to_at >= b.c.ends_at)
    source: sa.Join
    if question.interval is Interval.DAY:
        d = machine_day.c
        source = machine_day.join(b, sa.and_(d.day == b.c.first_day, d.connected))
        source = source.join(span, sa.and_(span.c.factory == d.factory, span.c.machine == d.machine, at_last))
    else:
        source = sa.join(b, span, at_last).join(heard_of(question, span.c, b), sa.true())
    return (
        sa.select(span.c.label, b.c.bucket, sa.func.count().label("stock_connected"))
        .select_from(source)
        .group_by(span.c.label, b.c.bucket)
    )


def heard_of(question: Question, span: Any, b: sa.TableValuedAlias) -> LateralFromClause:
    """One row if a machine sent something within a bucket: the first that the index finds is enough."""
    if question.in_whole_days:
        d = machine_day.c
        during = sa.and_(d.day.between(b.c.first_day, b.c.last_day), d.connected)
        found = sa.select(sa.true()).select_from(machine_day).where(of_span(d, span), during)
    else:
        h = machine_hour.c
        during = sa.and_(h.hour >= b.c.bucket, h.hour < b.c.ends_at)
        was_heard = sa.or_(h.evidence_us > 0, h.signed_count_rows > 0)
        found = sa.select(sa.true()).select_from(machine_hour).where(of_span(h, span), during, was_heard)
    return found.limit(1).lateral("heard")


def of_machine(accounts: sa.TableClause) -> Truth:
    """Whether accounts are a machine's. They are kept by factory, so its number is what leads to them."""
    return sa.and_(machine.c.id == accounts.c.machine, machine.c.factory == accounts.c.factory)


def of_span(accounts: Any, span: Any) -> Truth:
    """The same for the machine of a span."""
    return sa.and_(accounts.machine == span.machine, accounts.factory == span.factory)


def known_labels(question: Question) -> Query:
    """How many labels there can be at most, of a kind of group, from what is quickest to read.

    Numbers of factories and machines are given out in order, so the highest is no less than how many there are.
    """
    if question.group_by in (GroupBy.FACTORY, GroupBy.MACHINE):
        things = factory if question.group_by is GroupBy.FACTORY else machine
        return sa.select(sa.func.coalesce(sa.func.max(things.c.id), 0))
    groups = sa.func.count(sa.distinct(cohort.c[str(question.group_by)]))
    return sa.select(groups).where(*(cohort.c[kind] == value for kind, value in question.scope.cohorts))


def count_labels(question: Question, most: int) -> Query:
    """How many labels have something in use within the window; no more than ``most`` are counted."""
    own = {GroupBy.FACTORY: machine_span.c.factory, GroupBy.MACHINE: machine_span.c.machine}
    label = own[question.group_by] if question.group_by in own else cohort.c[str(question.group_by)]
    found = sa.select(label).distinct().select_from(registered_spans())
    found = found.where(*spans_touching(question), *conditions(question)).limit(most)
    return sa.select(sa.func.count()).select_from(found.subquery("found"))


def labels_from(question: Question, after: str, most: int) -> Query:
    """The next labels of factories or machines, from ``after`` on, of which something is in use within the window.

    Factories are walked in order, and each looked up among the spans, until there are enough. A factory's id ends
    where the slash of a machine's label comes, so ``F1-A/M1`` comes before ``F1/M1``.
    """
    first, _, second = after.partition(":")[2].partition("/")
    by_machine = question.group_by is GroupBy.MACHINE
    span = sa.join(machine_span, cohort, cohort.c.id == machine_span.c.cohort)
    here = [machine_span.c.factory == factory.c.id, *spans_touching(question), *conditions(question)]
    if by_machine:
        owner, own = sa.collate(factory.c.factory_id + "/", "C"), sa.collate(machine.c.machine_id, "C")
        source: sa.FromClause = sa.join(factory, machine, machine.c.factory == factory.c.id)
        in_order = [owner, own]
        rest = [owner >= f"{first}/", sa.or_(owner > f"{first}/", own >= second)]
        here.append(machine_span.c.machine == machine.c.id)
    else:
        source, in_order = factory, [sa.collate(factory.c.factory_id, "C")]
        rest = [in_order[0] >= first]
        span = span.join(machine, machine.c.id == machine_span.c.machine)
    in_use = sa.select(sa.literal(1)).select_from(span).where(*here)
    in_use = in_use.correlate(factory, machine) if by_machine else in_use.correlate(factory)
    query = sa.select(label_of(question).label("label")).select_from(source)
    return query.where(*(rest if after else []), in_use.exists()).order_by(*in_order).limit(most)


def times_in_use(question: Question, after: str) -> Query:
    """When something is in use within the window, by label from ``after`` on: spans in order, with gaps between."""
    s, label = machine_span.c, sa.collate(label_of(question), "C")
    start, end = instant(question.buckets[0].from_us), instant(question.buckets[-1].to_us)
    alike = (
        sa.select(
            label.label("label"),
            sa.func.greatest(s.from_at, start).label("from_at"),
            sa.func.least(s.to_at, end).label("to_at"),
        )
        .distinct()
        .select_from(registered_spans())
        .where(*spans_touching(question), *conditions(question), *([label >= after] if after else []))
        .subquery("alike")
    )
    bounds = sa.func.tstzrange(alike.c.from_at, alike.c.to_at, type_=TSTZRANGE)
    united = (
        sa.select(alike.c.label, sa.func.unnest(sa.func.range_agg(bounds)).label("during"))
        .group_by(alike.c.label)
        .subquery("united")
    )
    begins = sa.func.lower(united.c.during, type_=INSTANT).label("from_at")
    ends = sa.func.upper(united.c.during, type_=INSTANT).label("to_at")
    return sa.select(united.c.label, begins, ends).order_by(united.c.label, begins)


def spans_touching(question: Question) -> list[Truth]:
    """The conditions on spans of which a part lies within the window."""
    start, end = instant(question.buckets[0].from_us), instant(question.buckets[-1].to_us)
    return [machine_span.c.from_at < end, machine_span.c.to_at > start]


def spans_in(question: Question) -> Query:
    """The spans in the scope about the window, with their labels.

    The last column is the end of the machine's span before, of the same label.
    """
    s, label = machine_span.c, label_of(question)
    before = sa.func.lag(s.to_at).over(partition_by=[s.machine, label], order_by=s.from_at)
    # A day belongs to one of its spans, which need not be the one that touches the bucket.
    window = [
        s.from_at < instant(question.buckets[-1].to_us + DAY_US),
        s.to_at > instant(question.buckets[0].from_us - DAY_US),
    ]
    what = (s.machine, s.factory, s.from_at, s.to_at, s.automated, s.first_day, s.end_day, s.pattern)
    return (
        sa.select(label.label("label"), *what, before.label("seen_to"))
        .select_from(registered_spans())
        .where(*window, *conditions(question))
    )


def grouped(
    question: Question, source: sa.Join, window: Truth, bucket: Instants, chosen: "list[sa.ColumnElement[Any]]"
) -> Query:
    """Sums over the window, by label and bucket."""
    return (
        sa.select(label_of(question).label("label"), bucket.label("bucket"), *chosen)
        .select_from(source)
        .where(window, *conditions(question))
        .group_by(sa.text("1"), sa.text("2"))
    )
