"""Reads flags, and closes them."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.plausibility_rules import RuleId
from services.api.access import Reader
from services.api.kpis.questions import Scope
from services.api.kpis.tables import SEOUL, cohort, machine_span
from services.api.registry.tables import Microseconds, factory, machine
from services.api.registry.visibility import visible_factories

flag = sa.table(
    "flag",
    *(sa.column(name) for name in ("id", "rule", "rule_version", "kind", "factory", "machine")),
    sa.column("days", ARRAY(sa.Date)),
    sa.column("evidence", JSONB),
    sa.column("usual", JSONB),
    sa.column("opened_at", Microseconds),
    sa.column("judged_at", Microseconds),
    sa.column("closed_at", Microseconds),
    sa.column("closed_by"),
    sa.column("closed_why"),
)
COLUMNS = [column for column in flag.c if column.name not in ("factory", "machine")]
FLAGS = flag.join(factory, factory.c.id == flag.c.factory).outerjoin(machine, machine.c.id == flag.c.machine)
HAS_DAY = sa.text(
    "EXISTS (SELECT FROM unnest(flag.days) AS day WHERE day >= CAST(:first AS date) AND day < CAST(:end AS date))"
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which flags are asked for: with a day from ``first`` to before ``end``, where these are given."""

    scope: Scope
    rule: RuleId | None
    first: dt.date | None
    end: dt.date | None


async def read_flags(connection: AsyncConnection, wanted: Wanted, after: int, most: int) -> Sequence[sa.Row[Any]]:
    """Return at most so many flags with ids greater than ``after``, by id."""
    query = chosen_flags().where(flag.c.id > after, *conditions(wanted)).order_by(flag.c.id).limit(most)
    rows: Sequence[sa.Row[Any]] = (await connection.execute(query)).all()
    return rows


def chosen_flags() -> "sa.Select[Any]":
    """Return all flags, with what an answer shows of each."""
    return sa.select(*COLUMNS, factory.c.factory_id, machine.c.machine_id).select_from(FLAGS)


def conditions(wanted: Wanted) -> list[sa.ColumnElement[bool] | sa.TextClause]:
    """Return the conditions on flags."""
    scope = wanted.scope
    found: list[sa.ColumnElement[bool] | sa.TextClause] = [sa.false()] if scope.is_empty else []
    if scope.factory_id is not None:
        found.append(factory.c.factory_id == scope.factory_id)
    if scope.machine_id is not None:
        found.append(machine.c.machine_id == scope.machine_id)
    if wanted.rule is not None:
        found.append(flag.c.rule == wanted.rule.value)
    if wanted.first is not None or wanted.end is not None:
        bounds = {"first": wanted.first or dt.date.min, "end": wanted.end or dt.date.max}
        found.append(HAS_DAY.bindparams(**bounds))
    if scope.cohorts:
        found.append(belonged_to(scope))
    return found


def belonged_to(scope: Scope) -> sa.ColumnElement[bool]:
    """Return whether the machine, or any of the factory, was in the scope's cohorts at some time of the flag's days."""
    days = flag.c.days
    begins = sa.func.timezone(SEOUL, sa.cast(days[1], sa.TIMESTAMP))
    ends = sa.func.timezone(SEOUL, sa.cast(days[sa.func.cardinality(days)] + 1, sa.TIMESTAMP))
    return sa.exists().where(
        machine_span.c.factory == flag.c.factory,
        sa.or_(flag.c.machine.is_(None), machine_span.c.machine == flag.c.machine),
        machine_span.c.from_at < ends,
        machine_span.c.to_at > begins,
        cohort.c.id == machine_span.c.cohort,
        *(cohort.c[str(kind)] == value for kind, value in scope.cohorts),
    )


async def seen_factories(connection: AsyncConnection, reader: Reader, named: Iterable[str], now_us: int) -> set[str]:
    """Return those of some factories that a reader may see."""
    own = factory.c.factory_id
    query = sa.select(own).where(own.in_(sorted(named)), *visible_factories(reader, now_us))
    return set((await connection.execute(query)).scalars())


async def read_flag(connection: AsyncConnection, number: int) -> sa.Row[Any] | None:
    """Return a flag, None if there is none of that id."""
    row: sa.Row[Any] | None = (await connection.execute(chosen_flags().where(flag.c.id == number))).first()
    return row


async def close_flag(connection: AsyncConnection, number: int, by: str, why: str, now_us: int) -> bool:
    """Close a flag; return whether it was open."""
    change = sa.update(flag).where(flag.c.id == number, flag.c.closed_at.is_(None))
    result = await connection.execute(change.values(closed_at=now_us, closed_by=by, closed_why=why))
    return bool(result.rowcount)
