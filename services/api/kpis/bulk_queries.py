"""SQL of bulk answers: rows of one length, which are copied from the server in binary and decoded as arrays."""

import asyncio
from collections.abc import Collection, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from services.api.kpis.queries import Query, spans_touching
from services.api.kpis.questions import Question
from services.api.kpis.selection import conditions, label_of, registered_spans

SPLIT_AT = 10**18
"""A wide number is two columns: how many of these, and the rest."""


def labels_in_use(question: Question) -> Query:
    """The labels of which something is in use within the window, in order. For groups of which there are few."""
    label = sa.collate(label_of(question), "C").label("label")
    found = sa.select(label).distinct().select_from(registered_spans())
    return found.where(*spans_touching(question), *conditions(question)).order_by(label)


def placed(query: Query, labels: Sequence[str], names: Sequence[str], wide: Collection[str]) -> Query:
    """Some columns of a query by label and bucket, with the label's place among some labels, from 1, instead of itself.

    Args:
        names: the columns, which are never null; each becomes a ``bigint``.
        wide: those of them that become two, since they may not fit into one.
    """
    found = query.subquery("found")
    place = (
        sa.func.unnest(sa.literal(list(labels), ARRAY(sa.Text)))
        .table_valued(sa.column("label", sa.Text), with_ordinality="place")
        .render_derived(name="own")
    )
    chosen: list[sa.ColumnElement[Any]] = [place.c.place, found.c.bucket]
    for name in names:
        column = sa.cast(found.c[name], sa.Numeric)
        parts = (sa.func.div(column, SPLIT_AT), sa.func.mod(column, SPLIT_AT)) if name in wide else (found.c[name],)
        chosen += [sa.cast(part, sa.BigInteger) for part in parts]
    return sa.select(*chosen).select_from(sa.join(found, place, place.c.label == found.c.label))


async def copy_rows(connection: AsyncConnection, query: Query) -> list[bytes]:
    """Return a query's rows as the server copies them out in binary, in pieces.

    Raises:
        asyncpg.PostgresError: the server refuses it, or ends it.
        asyncio.CancelledError: the task was ended; the connection is closed.
    """
    compiled = query.compile(dialect=connection.dialect)
    parameters = compiled.construct_params()
    values = [parameters[name] for name in compiled.positiontup or ()]
    pieces: list[bytes] = []

    async def keep(piece: bytes) -> None:
        pieces.append(piece)

    raw = await connection.get_raw_connection()
    driver = raw.driver_connection
    assert driver is not None
    try:
        await driver.copy_from_query(str(compiled), *values, output=keep, format="binary")
    except asyncio.CancelledError:
        # A copy that is under way stands in the way of the rollback, whose error would hide why it was ended.
        driver.terminate()
        await connection.invalidate()
        raise
    return pieces
