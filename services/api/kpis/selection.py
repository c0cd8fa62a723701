"""The parts of a KPI question in SQL: the rows it is about, their labels, the buckets."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from services.api.instants import INSTANT
from services.api.kpis.questions import COHORTS, GroupBy, Question
from services.api.kpis.tables import SEOUL, cohort, machine_span
from services.api.kpis.windows import Interval
from services.api.registry.tables import factory, machine
from services.core.times import from_us, seoul_day

Instants = sa.ColumnElement[dt.datetime]
Days = sa.ColumnElement[dt.date]
Truth = sa.ColumnElement[bool]


NUMBERED: Mapping[GroupBy | None, sa.ColumnElement[int]] = {
    GroupBy.FACTORY: factory.c.id,
    GroupBy.MACHINE: machine.c.id,
}


def label_of(question: Question) -> "sa.ColumnElement[Any]":
    """The label of each item's scope; null where a machine belongs to no such group."""
    if question.by_number and question.group_by in NUMBERED:
        return NUMBERED[question.group_by]
    if question.group_by is None:
        return sa.literal(question.scope.label)
    if question.group_by is GroupBy.MACHINE:
        return sa.literal("machine:") + factory.c.factory_id + "/" + machine.c.machine_id
    if question.group_by is GroupBy.FACTORY:
        return sa.literal("factory:") + factory.c.factory_id
    return sa.literal(f"{question.group_by}:") + cohort.c[question.group_by]


def conditions(question: Question) -> list[Truth]:
    """The conditions on rows to be counted. A row has a cohort, and a factory or machine where one is named."""
    scope = question.scope
    found: list[Truth] = [cohort.c[kind] == value for kind, value in scope.cohorts]
    if scope.is_empty:
        found.append(sa.false())
    if scope.factory_id is not None:
        found.append(factory.c.factory_id == scope.factory_id)
    if scope.machine_id is not None:
        found.append(machine.c.machine_id == scope.machine_id)
    if question.group_by in COHORTS:
        found.append(cohort.c[str(question.group_by)].is_not(None))
    if question.only is not None and question.group_by is not None:
        found.append(is_one_of(question.group_by, question.only))
    return found


def of_named_factory(question: Question, accounts: sa.TableClause) -> Truth:
    """Whether accounts are those of the factory that the scope names, if it names one.

    A view adds the running hour up before it is joined, for all factories unless there is a condition on its own
    column: a join is none.
    """
    factory_id = question.scope.factory_id
    if factory_id is None or "factory" not in accounts.c:
        return sa.true()
    own = factory.alias("own")
    number = sa.select(own.c.id).where(own.c.factory_id == factory_id).scalar_subquery()
    named: Truth = accounts.c.factory == number
    return named


def is_one_of(group_by: GroupBy, labels: Sequence[str]) -> Truth:
    """Whether a row's label is among some. They are parameters as arrays, of which a statement has any number."""
    own = [label.partition(":")[2] for label in labels]
    if group_by is GroupBy.MACHINE:
        factories, _, machines = zip(*(name.partition("/") for name in own), strict=True) if own else ((), (), ())
        pairs = (
            sa.func.unnest(sa.literal(list(factories), ARRAY(sa.Text)), sa.literal(list(machines), ARRAY(sa.Text)))
            .table_valued("factory_id", "machine_id")
            .render_derived(name="own")
        )
        chosen = sa.select(pairs.c.factory_id, pairs.c.machine_id)
        return sa.tuple_(factory.c.factory_id, machine.c.machine_id).in_(chosen)
    column = factory.c.factory_id if group_by is GroupBy.FACTORY else cohort.c[group_by]
    return column == sa.any_(sa.literal(own, ARRAY(sa.Text)))


def bucket_of(question: Question, at: Instants) -> Instants:
    """The beginning of the bucket that contains an hour or a day."""
    if question.interval is Interval.TOTAL:
        return instant(question.buckets[0].from_us)
    if question.interval is Interval.HOUR:
        return at
    return sa.func.timezone(SEOUL, sa.func.date_trunc(question.interval.value, sa.func.timezone(SEOUL, at)))


def bucket_of_day(question: Question, day: Days) -> Instants:
    """The beginning of the bucket that contains a day."""
    midnight = sa.func.timezone(SEOUL, sa.cast(day, sa.TIMESTAMP))
    return midnight if question.interval is Interval.DAY else bucket_of(question, midnight)


def in_window(question: Question, at: Instants) -> Truth:
    """Whether an hour lies in one of the buckets."""
    return sa.and_(at >= instant(question.buckets[0].from_us), at < instant(question.buckets[-1].to_us))


def bucket_table(question: Question) -> sa.TableValuedAlias:
    """The buckets as a relation: their bounds, and the first and last Seoul day that each touches."""
    buckets = question.buckets
    bounds = [[from_us(b.from_us) for b in buckets], [from_us(b.to_us) for b in buckets]]
    days = [[seoul_day(b.from_us) for b in buckets], [seoul_day(b.to_us - 1) for b in buckets]]
    return (
        sa.func.unnest(
            *(sa.literal(values, ARRAY(INSTANT)) for values in bounds),
            *(sa.literal(values, ARRAY(sa.Date)) for values in days),
        )
        .table_valued(
            sa.column("bucket", INSTANT),
            sa.column("ends_at", INSTANT),
            sa.column("first_day", sa.Date),
            sa.column("last_day", sa.Date),
        )
        .render_derived(name="b")
    )


def scheduled_in(patterns: "sa.ColumnElement[Any]", starts: Sequence[int], ends: Sequence[int]) -> sa.TableValuedAlias:
    """How much of each window is within the shifts of each pattern, as ``pattern``, ``starts_at`` and ``us``.

    Args:
        starts, ends: of the windows, which are in order and do not overlap.
    """
    columns = sa.column("pattern", sa.Integer), sa.column("starts_at", INSTANT), sa.column("us", sa.BigInteger)
    bounds = (sa.literal([from_us(us) for us in own], ARRAY(INSTANT)) for own in (starts, ends))
    return sa.func.scheduled_in(patterns, *bounds).table_valued(*columns).render_derived(name="scheduled")


def instant(us: int) -> "sa.BindParameter[dt.datetime]":
    """An instant as a parameter."""
    return sa.literal(from_us(us), INSTANT)


def registered_spans() -> sa.Join:
    """Spans in use, with everything that conditions and labels are about."""
    return (
        sa.join(machine_span, machine, machine.c.id == machine_span.c.machine)
        .join(factory, factory.c.id == machine_span.c.factory)
        .join(cohort, cohort.c.id == machine_span.c.cohort)
    )


def with_cohort(table: sa.TableClause) -> sa.Join:
    """A table of a factory's or a cohort's sums, with what conditions and labels are about."""
    found = sa.join(table, cohort, cohort.c.id == table.c.cohort)
    return found.join(factory, factory.c.id == table.c.factory) if "factory" in table.c else found
