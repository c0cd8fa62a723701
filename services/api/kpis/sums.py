"""Reads the figures of a KPI question: sums of the accounts by label and bucket, with the time in use beside them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.api.kpis import queries
from services.api.kpis.questions import Question
from services.api.kpis.tables import CONNECTED, IN_USE, SERVED, analytics_state
from services.api.turns import Turn
from services.core.times import to_us

ACCOUNTED_UNTIL = sa.select(analytics_state.c.accounted_until)
KEY_COLUMNS = ("label", "bucket")
Key = tuple[str, int]
"""Label of the scope, and the instant at which the bucket begins."""
Times = Iterable[tuple[str, int, int]]
"""Labels with the beginning and end of time in use, in order."""


@dataclass(slots=True)
class Sums:
    """One bucket of one scope: figures as exact integers, and how many factories and machines are in use in it."""

    figures: dict[str, int]
    factories: int
    machines: int


async def read_accounted_until(connection: AsyncConnection) -> int | None:
    """Return the instant up to which everything is accounted; None before accounting began."""
    found = (await connection.execute(ACCOUNTED_UNTIL)).scalar_one_or_none()
    return None if found is None else to_us(found)


async def read_sums(connection: AsyncConnection, question: Question) -> dict[Key, Sums]:
    """Return the sums of every bucket in which a machine is in use."""
    found: dict[Key, Sums] = {}
    turn = Turn()
    for row in (await connection.execute(queries.time_in_use(question))).mappings():
        figures = dict.fromkeys(SERVED, 0) | {name: int(row[name]) for name in IN_USE}
        found[key_of(row)] = Sums(figures, 0, int(row["machines"]))
        await turn.end_if_long()
    for row in (await connection.execute(queries.factories_in_use(question))).mappings():
        found[key_of(row)].factories = int(row["factories"])
    selects = [queries.account_sums(question)]
    if question.by_machine or not question.in_whole_days:
        selects.append(queries.day_counts(question))
    for select in selects:
        for row in (await connection.execute(select)).mappings():
            if key_of(row) in found:
                found[key_of(row)].figures |= {name: int(row[name]) for name in row if name not in KEY_COLUMNS}
            await turn.end_if_long()
    return found


async def add_connected(connection: AsyncConnection, question: Question, found: Mapping[Key, Sums]) -> None:
    """Add to the sums of every bucket how many machines sent something within it."""
    for row in (await connection.execute(queries.machines_connected(question))).mappings():
        if key_of(row) in found:
            found[key_of(row)].figures[CONNECTED] = int(row[CONNECTED])


def key_of(row: sa.RowMapping) -> Key:
    """Return the key of a row of any of the queries."""
    return row["label"], to_us(row["bucket"])
