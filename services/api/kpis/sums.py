"""The figures of a KPI question: sums of accounts by label and bucket, and the time in use beside them.

Sums come from the coarsest tables that can tell: by cohort unless factories or machines are asked for, by day where the
buckets consist of whole days.
"""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.api.kpis.in_use import factories_in_use, labels_from, machines_connected, time_in_use
from services.api.kpis.questions import Question
from services.api.kpis.scopes import GroupBy
from services.api.kpis.tables import (
    BUSY,
    COUNTED,
    DAY_COUNTS,
    PER_COUNTED_DAY,
    PIECES,
    PLAIN,
    SEOUL,
    analytics_state,
    cohort,
    cohort_day,
    cohort_hour,
    factory_day,
    factory_hour,
    machine_day,
    machine_hour,
    machine_span,
)
from services.api.registry.tables import factory, machine
from services.core.times import to_us

ACCOUNTED = (*PLAIN, *COUNTED, *DAY_COUNTS)
IN_USE = ("in_use_us", "machine_days", "stock_machines", "stock_automated")
CONNECTED = "stock_connected"
FIGURES = (*ACCOUNTED, *IN_USE, CONNECTED)

KEY_COLUMNS = ("label", "bucket")
Key = tuple[str, int]
"""Label of the scope, and the instant at which the bucket begins."""


@dataclass(slots=True)
class Sums:
    """One bucket of one scope: figures as exact integers, and how many factories and machines are in use in it."""

    figures: dict[str, int]
    factories: int
    machines: int


async def read_accounted_until(connection: AsyncConnection) -> int | None:
    """Up to which instant everything is accounted; None before anything ever was."""
    found = (await connection.execute(sa.select(analytics_state.c.accounted_until))).scalar_one_or_none()
    return None if found is None else to_us(found)


async def choose_page(connection: AsyncConnection, question: Question, after: Key | None, limit: int) -> Question:
    """The question about no more factories or machines than one page can show: each has an item at least."""
    if question.group_by not in (GroupBy.FACTORY, GroupBy.MACHINE):
        return question
    labels = await connection.execute(labels_from(question, "" if after is None else after[0], limit + 2))
    return replace(question, only=tuple(labels.scalars()))


async def read_sums(connection: AsyncConnection, question: Question, wanted: Collection[str]) -> dict[Key, Sums]:
    """The sums of every bucket in which a machine is in use.

    Args:
        wanted: which figures matter; the dear ones are read only if they are among them.
    """
    found: dict[Key, Sums] = {}
    for row in (await connection.execute(time_in_use(question))).mappings():
        figures = dict.fromkeys(FIGURES, 0) | {name: int(row[name]) for name in IN_USE}
        found[key_of(row)] = Sums(figures, 0, int(row["machines"]))
    for row in (await connection.execute(factories_in_use(question))).mappings():
        found[key_of(row)].factories = int(row["factories"])
    queries = [account_sums(question)]
    if question.by_machine or not question.in_whole_days:
        queries.append(day_counts(question))
    if CONNECTED in wanted:
        queries.append(machines_connected(question))
    for query in queries:
        for row in (await connection.execute(query)).mappings():
            if key_of(row) in found:
                found[key_of(row)].figures |= {name: int(row[name]) for name in row if name not in KEY_COLUMNS}
    return found


def key_of(row: sa.RowMapping) -> Key:
    return row["label"], to_us(row["bucket"])


def account_sums(question: Question) -> "sa.Select[Any]":
    """Figures by label and bucket; where the buckets are whole days, also how many machine-days have counts."""
    if question.by_machine:
        return machine_sums(question)
    figures = [*PLAIN, *COUNTED]
    window: sa.ColumnElement[bool]
    if question.in_whole_days:
        figures += DAY_COUNTS
        table = factory_day if question.by_factory else cohort_day
        window = table.c.day.between(question.first_day, question.last_day)
        bucket = question.bucket_of_day(table.c.day)
    else:
        table = factory_hour if question.by_factory else cohort_hour
        window = question.in_window(table.c.hour)
        bucket = question.bucket_of(table.c.hour)
    chosen: list[sa.ColumnElement[Any]] = [sa.func.sum(table.c[name]).label(name) for name in figures]
    return grouped(question, with_place(table), window, bucket, chosen)


def machine_sums(question: Question) -> "sa.Select[Any]":
    """Figures by label and bucket, from the machines' hours."""
    t = machine_hour.c
    day = sa.cast(sa.func.timezone(SEOUL, t.hour), sa.Date)
    source = (
        machine_hour.join(machine, machine.c.id == t.machine)
        .join(factory, factory.c.id == machine.c.factory)
        .join(cohort, cohort.c.id == t.cohort)
        .join(machine_day, sa.and_(machine_day.c.machine == t.machine, machine_day.c.day == day))
    )
    counted = {f"counted_{name}": t[name] for name in PER_COUNTED_DAY} | {
        "counted_busy_us": sum((t[name] for name in BUSY[1:]), t[BUSY[0]]),
        "counted_pieces": sum((t[name] for name in PIECES[1:]), t[PIECES[0]]),
    }
    chosen: list[sa.ColumnElement[Any]] = [sa.func.sum(t[name]).label(name) for name in PLAIN]
    chosen += [
        sa.func.coalesce(sa.func.sum(figure).filter(machine_day.c.counted), 0).label(name)
        for name, figure in counted.items()
    ]
    return grouped(question, source, question.in_window(t.hour), question.bucket_of(t.hour), chosen)


def with_place(table: "sa.TableClause") -> "sa.Join":
    """A table of a factory's or a cohort's sums, with what conditions and labels are about."""
    found = sa.join(table, cohort, cohort.c.id == table.c.cohort)
    return found.join(factory, factory.c.id == table.c.factory) if "factory" in table.c else found


def grouped(
    question: Question,
    source: "sa.Join",
    window: "sa.ColumnElement[bool]",
    bucket: "sa.ColumnElement[dt.datetime]",
    chosen: "list[sa.ColumnElement[Any]]",
) -> "sa.Select[Any]":
    """Sums over the window, by label and bucket."""
    return (
        sa.select(question.label.label("label"), bucket.label("bucket"), *chosen)
        .select_from(source)
        .where(window, *question.conditions())
        .group_by(sa.text("1"), sa.text("2"))
    )


def day_counts(question: Question) -> "sa.Select[Any]":
    """Machine-days with counts, by label and bucket: of the Seoul days that the bucket touches, as a whole."""
    b = question.bucket_table()
    day: sa.ColumnElement[dt.date]
    chosen: list[sa.ColumnElement[Any]]
    counts: list[sa.ColumnElement[Any]]
    source: sa.Join
    if question.by_machine:
        day, s = machine_day.c.day, machine_span.c
        source = (
            machine_day.join(machine, machine.c.id == machine_day.c.machine)
            .join(factory, factory.c.id == machine.c.factory)
            .join(machine_span, sa.and_(s.machine == machine.c.id, s.first_day <= day, s.end_day > day))
            .join(cohort, cohort.c.id == s.cohort)
        )
        counts = [sa.func.count().filter(machine_day.c[name]) for name in ("has_counts", "counted")]
    else:
        table = factory_day if question.by_factory else cohort_day
        day, source = table.c.day, with_place(table)
        counts = [sa.func.sum(table.c[name]) for name in DAY_COUNTS]
    chosen = [question.label.label("label"), day.label("day")]
    chosen += [count.label(name) for count, name in zip(counts, DAY_COUNTS, strict=True)]
    by_day = (
        sa.select(*chosen)
        .select_from(source)
        .where(day.between(question.first_day, question.last_day), *question.conditions())
        .group_by(sa.text("1"), sa.text("2"))
        .subquery("by_day")
    )
    return (
        sa.select(by_day.c.label, b.c.bucket, *(sa.func.sum(by_day.c[name]).label(name) for name in DAY_COUNTS))
        .select_from(sa.join(b, by_day, by_day.c.day.between(b.c.first_day, b.c.last_day)))
        .group_by(by_day.c.label, b.c.bucket)
    )
