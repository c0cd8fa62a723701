"""The SQL of KPIs: figures of the accounts, added up over a scope by bucket, and the time in use beside them.

Sums come from the coarsest table that can tell: days of factories where the buckets consist of whole days, else hours
of factories; hours of machines where machines are asked for.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from services.api.kpis.scopes import GroupBy, Scope
from services.api.kpis.windows import Bucket, Interval, floor
from services.api.registry.tables import INSTANT, factory, machine, machine_in_use
from services.core.times import MICROSECOND, from_us, seoul_day, to_us

PLAIN = (
    *("producing_us", "setup_us", "delayed_us", "faulted_us", "idle_us", "planned_stop_us", "off_shift_us"),
    *("producing_automatic_us", "producing_semi_automatic_us", "producing_manual_us", "evidence_us"),
    *("good", "scrap", "rework"),
)
PER_COUNTED_DAY = ("cycle_producing_us", "cycle_busy_us", "ideal_pq_us", "ideal_good_us")
COUNTED = tuple(f"counted_{name}" for name in PER_COUNTED_DAY)
DAY_COUNTS = ("count_days", "counted_days")
FIGURES = (*PLAIN, *COUNTED, *DAY_COUNTS)
SEOUL = "Asia/Seoul"


def columns(*names: str) -> "list[sa.ColumnClause[int]]":
    return [sa.column(name, sa.BigInteger) for name in names]


analytics_state = sa.table("analytics_state", sa.column("accounted_until", INSTANT))
machine_hour = sa.table("machine_hour", *columns("machine", *PLAIN, *PER_COUNTED_DAY), sa.column("hour", INSTANT))
machine_day = sa.table("machine_day", *columns("machine"), sa.column("day", sa.Date), sa.column("counted", sa.Boolean))
factory_hour = sa.table("factory_hour", *columns("factory", *PLAIN, *COUNTED), sa.column("hour", INSTANT))
factory_day = sa.table("factory_day", *columns("factory", *PLAIN, *COUNTED, *DAY_COUNTS), sa.column("day", sa.Date))

Key = tuple[str, int]
"""Label of the scope, and the instant at which the bucket begins."""


@dataclass(slots=True)
class Sums:
    """One bucket of one scope: figures as exact integers, and how many factories and machines are in use in it."""

    figures: dict[str, int]
    factories: int
    machines: int


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked for. ``buckets`` are in order and end where the window does."""

    scope: Scope
    group_by: GroupBy | None
    interval: Interval
    buckets: Sequence[Bucket]

    @property
    def by_machine(self) -> bool:
        return self.scope.machine_id is not None or self.group_by is GroupBy.MACHINE

    @property
    def in_whole_days(self) -> bool:
        window = (self.buckets[0].from_us, self.buckets[-1].to_us)
        return self.interval is not Interval.HOUR and all(floor(us, Interval.DAY) == us for us in window)


async def read_accounted_until(connection: AsyncConnection) -> int | None:
    """Up to which instant everything is accounted; None before anything ever was."""
    found = (await connection.execute(sa.select(analytics_state.c.accounted_until))).scalar_one_or_none()
    return None if found is None else to_us(found)


async def read_sums(connection: AsyncConnection, question: Question, until_us: int) -> dict[Key, Sums]:
    """The sums of every bucket in which a machine is in use before ``until_us``."""
    begun = [Bucket(b.from_us, min(b.to_us, until_us)) for b in question.buckets if b.from_us < until_us]
    if not begun:
        return {}
    found: dict[Key, Sums] = {}
    for row in (await connection.execute(time_in_use(question, begun))).mappings():
        figures = dict.fromkeys(FIGURES, 0)
        figures |= {"in_use_us": int(row["in_use_us"]), "machine_days": int(row["machine_days"])}
        found[key_of(row)] = Sums(figures, row["factories"], row["machines"])
    queries = [account_sums(question)]
    if question.by_machine or not question.in_whole_days:
        queries.append(day_counts(question, begun))
    for query in queries:
        for row in (await connection.execute(query)).mappings():
            figures = found[key_of(row)].figures
            figures.update({name: int(row[name]) for name in FIGURES if name in row})
    return found


def key_of(row: sa.RowMapping) -> Key:
    return row["label"], to_us(row["bucket"])


def label_of(question: Question) -> "sa.ColumnElement[str]":
    """The label of each item's scope."""
    if question.group_by is GroupBy.MACHINE:
        return sa.literal("machine:") + factory.c.factory_id + "/" + machine.c.machine_id
    if question.group_by is GroupBy.FACTORY:
        return sa.literal("factory:") + factory.c.factory_id
    return sa.literal(question.scope.label)


def within(scope: Scope) -> "list[sa.ColumnElement[bool]]":
    """The conditions of a scope."""
    if scope.is_empty:
        return [sa.false()]
    conditions: list[sa.ColumnElement[bool]] = []
    if scope.factory_id is not None:
        conditions.append(factory.c.factory_id == scope.factory_id)
    if scope.machine_id is not None:
        conditions.append(machine.c.machine_id == scope.machine_id)
    return conditions


def account_sums(question: Question) -> "sa.Select[Any]":
    """Figures by label and bucket."""
    at: sa.ColumnElement[dt.datetime]
    if question.by_machine:
        day = sa.cast(sa.func.timezone(SEOUL, machine_hour.c.hour), sa.Date)
        counted = sa.and_(machine_day.c.machine == machine_hour.c.machine, machine_day.c.day == day)
        source = (
            machine_hour.join(machine, machine.c.id == machine_hour.c.machine)
            .join(factory, factory.c.id == machine.c.factory)
            .outerjoin(machine_day, counted)
        )
        at = machine_hour.c.hour
        figures = [sa.func.sum(machine_hour.c[name]).label(name) for name in PLAIN] + [
            sa.func.coalesce(sa.func.sum(machine_hour.c[name]).filter(machine_day.c.counted), 0).label(
                f"counted_{name}"
            )
            for name in PER_COUNTED_DAY
        ]
    elif question.in_whole_days:
        source = factory_day.join(factory, factory.c.id == factory_day.c.factory)
        at = sa.func.timezone(SEOUL, sa.cast(factory_day.c.day, sa.TIMESTAMP))
        figures = [sa.func.sum(factory_day.c[name]).label(name) for name in FIGURES]
    else:
        source = factory_hour.join(factory, factory.c.id == factory_hour.c.factory)
        at = factory_hour.c.hour
        figures = [sa.func.sum(factory_hour.c[name]).label(name) for name in (*PLAIN, *COUNTED)]
    label, bucket = label_of(question).label("label"), bucket_of(question, at).label("bucket")
    window = [at >= instant(question.buckets[0].from_us), at < instant(question.buckets[-1].to_us)]
    chosen: list[sa.ColumnElement[Any]] = [label, bucket, *figures]
    return (
        sa.select(*chosen)
        .select_from(source)
        .where(*window, *within(question.scope))
        .group_by(sa.text("1"), sa.text("2"))
    )


def instant(us: int) -> "sa.BindParameter[dt.datetime]":
    return sa.literal(from_us(us), INSTANT)


def bucket_of(question: Question, at: "sa.ColumnElement[dt.datetime]") -> "sa.ColumnElement[dt.datetime]":
    """The beginning of the bucket that an hour or a day lies in."""
    if question.interval is Interval.TOTAL:
        return instant(question.buckets[0].from_us)
    if question.interval is Interval.HOUR:
        return at
    return sa.func.timezone(SEOUL, sa.func.date_trunc(question.interval.value, sa.func.timezone(SEOUL, at)))


def bucket_table(buckets: Sequence[Bucket]) -> sa.TableValuedAlias:
    """The buckets as a relation: bounds, and the first and last of Seoul's days that they touch."""
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


def time_in_use(question: Question, begun: Sequence[Bucket]) -> "sa.Select[Any]":
    """In-use time, machines, factories and machine-days in use, by label and bucket."""
    b, u = bucket_table(begun), machine_in_use
    start, end = sa.func.greatest(u.c.from_at, b.c.bucket), sa.func.least(u.c.to_at, b.c.ends_at)
    length = sa.cast(sa.func.extract("epoch", end - start) * 1_000_000, sa.BigInteger)
    first = sa.cast(sa.func.timezone(SEOUL, start), sa.Date)
    last = sa.cast(sa.func.timezone(SEOUL, end - sa.literal(MICROSECOND, sa.Interval)), sa.Date)
    source = (
        sa.join(b, u, sa.and_(u.c.from_at < b.c.ends_at, u.c.to_at > b.c.bucket))
        .join(machine, machine.c.id == u.c.machine)
        .join(factory, factory.c.id == machine.c.factory)
    )
    return (
        sa.select(
            label_of(question).label("label"),
            b.c.bucket,
            sa.func.sum(length).label("in_use_us"),
            sa.func.sum(last - first + 1).label("machine_days"),
            sa.func.count(sa.distinct(u.c.machine)).label("machines"),
            sa.func.count(sa.distinct(machine.c.factory)).label("factories"),
        )
        .select_from(source)
        .where(*within(question.scope))
        .group_by(sa.text("1"), sa.text("2"))
    )


def day_counts(question: Question, begun: Sequence[Bucket]) -> "sa.Select[Any]":
    """Machine-days with counts, by label and bucket that they touch."""
    b = bucket_table(begun)
    source = (
        sa.join(b, machine_day, machine_day.c.day.between(b.c.first_day, b.c.last_day))
        .join(machine, machine.c.id == machine_day.c.machine)
        .join(factory, factory.c.id == machine.c.factory)
    )
    return (
        sa.select(
            label_of(question).label("label"),
            b.c.bucket,
            sa.func.count().label("count_days"),
            sa.func.count().filter(machine_day.c.counted).label("counted_days"),
        )
        .select_from(source)
        .where(*within(question.scope))
        .group_by(sa.text("1"), sa.text("2"))
    )
