"""Packed rows survive PostgreSQL: what COPY stored is what is selected, and what is read in bytes."""

from collections.abc import AsyncIterator, Iterable
from itertools import chain
from typing import Any

import numpy as np
import pytest

from services.analytics.packing import Kind, Packs, copy_packs, copy_rows, elements, numbers
from services.core.database import Connection, connect

TYPES = {
    Kind.BOOLEAN: "boolean",
    Kind.SMALLINT: "smallint",
    Kind.INTEGER: "integer",
    Kind.BIGINT: "bigint",
    Kind.INSTANT: "timestamptz",
    Kind.DAY: "date",
    Kind.NUMERIC: "numeric",
}
SEND = {
    Kind.SMALLINT: "int2send",
    Kind.INTEGER: "int4send",
    Kind.BIGINT: "int8send",
    Kind.INSTANT: "timestamptz_send",
    Kind.DAY: "date_send",
}
SIZES = (3, 1, 2, 3)
VALUES: dict[Kind, list[Any]] = {
    Kind.BOOLEAN: [1, 0, 0, 1, 1, 0, 1, 0, 1],
    Kind.SMALLINT: [0, 7, -3, 1, 2, 3, 4, 2**15 - 1, -(2**15)],
    Kind.INTEGER: [0, 1, 2, 3, 4, 5, 6, 2**31 - 1, -(2**31)],
    Kind.BIGINT: [0, 1, 2, 3, 4, 5, 6, 2**63 - 1, -(2**63)],
    Kind.INSTANT: [0, 1_488_326_400_000_000, 1, 2, 3, 4, 5, 946_684_800_000_000, 4 * 10**15],
    Kind.DAY: [0, 17_226, 1, 2, 3, 4, 5, 10_957, 2_000_000],
    Kind.NUMERIC: [0, 1, 9_999, 10_000, 2**63 - 1, 2**63, 2**64 + 1, 10**40, 10**20 - 1],
}


@pytest.fixture
async def connection(database: str) -> AsyncIterator[Connection]:
    found = await connect(database)
    columns = ", ".join(f"{kind.name} {TYPES[kind]}[]" for kind in Kind)
    await found.execute(f"CREATE TEMPORARY TABLE packed (number integer, {columns})")
    plain = ", ".join(f"{kind.name} {TYPES[kind]}" for kind in Kind if kind is not Kind.BOOLEAN)
    await found.execute(f"CREATE TEMPORARY TABLE plain ({plain})")
    yield found
    await found.close()


async def sent(parts: Iterable[bytes]) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


def column(kind: Kind) -> Any:
    return np.array(VALUES[kind], object if kind is Kind.NUMERIC else np.int64)


async def test_packs_come_back_as_they_were(connection: Connection) -> None:
    packs = Packs([(Kind.INTEGER, np.arange(len(SIZES)))], [(kind, column(kind)) for kind in Kind], np.array(SIZES))
    names = ["number", *(kind.name.lower() for kind in Kind)]
    await connection.copy_to_table("packed", source=sent(copy_packs(packs)), columns=names, format="binary")

    for kind in Kind:
        selected = await connection.fetchval(
            f"SELECT array_to_string(array_agg(u.value ORDER BY p.number, u.place), ',') "
            f"FROM packed p, unnest(p.{kind.name}) WITH ORDINALITY AS u(value, place)"
        )
        expected = await connection.fetchval(
            f"SELECT array_to_string(array_agg(v ORDER BY place), ',') FROM ({typed(kind)}) AS w(v, place)"
        )
        assert selected == expected, kind


def typed(kind: Kind) -> str:
    """Return a query for the values of a kind with their places, written out."""
    to_type = {
        Kind.BOOLEAN: "(v::text = '1')",
        Kind.INSTANT: "timestamptz '1970-01-01Z' + v::bigint / 1000000 * interval '1 s' "
        "+ v::bigint % 1000000 * interval '1 us'",
        Kind.DAY: "date '1970-01-01' + v::integer",
    }.get(kind, f"v::{TYPES[kind]}")
    texts = ", ".join(f"'{number}'" for number in VALUES[kind])
    return f"SELECT {to_type}, place FROM unnest(ARRAY[{texts}]) WITH ORDINALITY AS w(v, place)"


async def test_bytes_are_read_as_they_were_written(connection: Connection) -> None:
    packs = Packs([(Kind.INTEGER, np.arange(len(SIZES)))], [(kind, column(kind)) for kind in Kind], np.array(SIZES))
    names = ["number", *(kind.name.lower() for kind in Kind)]
    await connection.copy_to_table("packed", source=sent(copy_packs(packs)), columns=names, format="binary")
    starts = np.cumsum(SIZES) - SIZES
    for kind in (*SEND, Kind.BOOLEAN):
        for size in sorted(set(SIZES)):
            read = await connection.fetchval(
                f"SELECT string_agg(array_send({kind.name}), ''::bytea ORDER BY number) FROM packed "
                "WHERE cardinality(bigint) = $1",
                size,
            )
            expected = [VALUES[kind][s : s + n] for s, n in zip(starts.tolist(), SIZES, strict=True) if n == size]
            assert elements(kind, read, size).tolist() == list(chain.from_iterable(expected)), (kind, size)


async def test_plain_rows_come_back_as_they_were(connection: Connection) -> None:
    kinds = [kind for kind in Kind if kind is not Kind.BOOLEAN]
    rows = copy_rows([(kind, column(kind)) for kind in kinds])
    names = [kind.name.lower() for kind in kinds]
    await connection.copy_to_table("plain", source=sent(rows), columns=names, format="binary")
    for kind, send in SEND.items():
        read = await connection.fetchval(f"SELECT string_agg({send}({kind.name}), ''::bytea ORDER BY ctid) FROM plain")
        assert numbers(kind, read).tolist() == VALUES[kind]
    found = await connection.fetch("SELECT numeric FROM plain ORDER BY ctid")
    assert [int(row[0]) for row in found] == VALUES[Kind.NUMERIC]
