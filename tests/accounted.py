"""A registered fleet on a real database, with facts and marks written as ingest and the registry write them."""

import datetime as dt
import json
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import astuple, dataclass

import numpy as np

from services.analytics.cohort_sums import roll_up
from services.analytics.engine import settle, shards_with_work
from services.analytics.verification.run import verify
from services.analytics.verification.snapshot import Window
from services.api.registry.versions import Version, revise
from services.core.database import Connection, connect
from services.core.times import DAY_US, FIRST_INSTANT_US, LAST_INSTANT_US, seoul_day, seoul_midnight_us
from services.ingest.writing.plan import dirty_spans

MACHINES_A_FACTORY = 3
IN_USE_FROM = dt.date(2016, 1, 1)

REGISTER = """
INSERT INTO enterprise (enterprise_id) VALUES ('E1');
INSERT INTO factory (factory_id) SELECT 'F' || n FROM generate_series(1, {factories}) AS n;
INSERT INTO enterprise_version (enterprise, effective_from, effective_to, name, employees, changed_in)
VALUES (1, '1999-12-31 15:00Z', '9999-12-31Z', 'E', 42, 1);
INSERT INTO factory_version (factory, effective_from, effective_to, name, enterprise, region, sector, level, changed_in)
SELECT n, '1999-12-31 15:00Z', '9999-12-31Z', 'F', 1, 'KR-48', 'C29', 'basic', 1
FROM generate_series(1, {factories}) AS n;
INSERT INTO machine (factory, machine_id)
SELECT f, 'M' || n FROM generate_series(1, {factories}) AS f, generate_series(1, {each}) AS n ORDER BY f, n;
"""

ADD_STATES = """
INSERT INTO state_event (machine, at, state, mode, revision, retracted, record_id)
SELECT machine, at, state, mode, 0, retracted, 1
FROM unnest($1::integer[], $2::timestamptz[], $3::smallint[], $4::smallint[], $5::boolean[])
    AS w(machine, at, state, mode, retracted)
ON CONFLICT (machine, at) DO UPDATE SET state = EXCLUDED.state, mode = EXCLUDED.mode, retracted = EXCLUDED.retracted
"""

ADD_COUNTS = """
INSERT INTO count_event (machine, at, product, good, scrap, rework, revision, retracted, record_id)
SELECT machine, at, '', good, 1, 2, 0, retracted, 1
FROM unnest($1::integer[], $2::timestamptz[], $3::integer[], $4::boolean[]) AS w(machine, at, good, retracted)
ON CONFLICT (machine, at, product) DO UPDATE SET good = EXCLUDED.good, retracted = EXCLUDED.retracted
"""

ADD_VERSION = """
INSERT INTO machine_version (machine, effective_from, effective_to, name, kind, automation, state_ttl_us,
    ideal_cycle_us, in_use_from, in_use_to, changed_in)
VALUES ($1, $2, $3, 'M', 'mill', 'automatic', $4, $5, $6, $7, 1)
"""

RETIRE_VERSIONS = """
UPDATE machine_version SET retired_at = now()
WHERE machine = $1 AND effective_from = ANY($2::timestamptz[]) AND retired_at IS NULL
"""

VERSIONS = """
SELECT effective_from, effective_to, state_ttl_us, ideal_cycle_us, in_use_from, in_use_to
FROM machine_version WHERE machine = $1 AND retired_at IS NULL ORDER BY effective_from
"""

REFRESH = "SELECT refresh_machine_spans(ARRAY(SELECT id FROM machine WHERE factory = $1))"

MOVE = {
    "factory": (
        (
            "SELECT effective_from, effective_to, enterprise, region, sector, zone, level FROM factory_version "
            "WHERE factory = $1 AND retired_at IS NULL ORDER BY effective_from"
        ),
        (
            "UPDATE factory_version SET retired_at = now() "
            "WHERE factory = $1 AND effective_from = ANY($2::timestamptz[]) AND retired_at IS NULL"
        ),
        (
            "INSERT INTO factory_version (factory, effective_from, effective_to, enterprise, region, sector, zone, "
            "level, name, changed_in) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'F', 1)"
        ),
    ),
    "enterprise": (
        (
            "SELECT effective_from, effective_to, employees FROM enterprise_version "
            "WHERE enterprise = $1 AND retired_at IS NULL ORDER BY effective_from"
        ),
        (
            "UPDATE enterprise_version SET retired_at = now() "
            "WHERE enterprise = $1 AND effective_from = ANY($2::timestamptz[]) AND retired_at IS NULL"
        ),
        (
            "INSERT INTO enterprise_version (enterprise, effective_from, effective_to, employees, name, changed_in) "
            "VALUES ($1, $2, $3, $4, 'E', 1)"
        ),
    ),
}
"""How to read, retire and add versions, by kind of thing."""

READ_CALENDARS = """
SELECT effective_from, effective_to, calendar FROM calendar_version
WHERE factory = $1 AND retired_at IS NULL ORDER BY effective_from
"""

RETIRE_CALENDARS = """
UPDATE calendar_version SET retired_at = now()
WHERE factory = $1 AND effective_from = ANY($2::timestamptz[]) AND retired_at IS NULL
"""

ADD_CALENDAR_VERSION = """
INSERT INTO calendar_version (factory, effective_from, effective_to, calendar, changed_in) VALUES ($1, $2, $3, $4, 1)
"""

ADD_CALENDAR = """
WITH added AS (
    INSERT INTO calendar (content) VALUES ($1::text::jsonb) ON CONFLICT DO NOTHING RETURNING id
)
SELECT id FROM added UNION ALL SELECT id FROM calendar WHERE content = $1::text::jsonb
"""

MARK = "INSERT INTO dirty_mark (shard, machine, from_at, to_at) VALUES ($1, $2, $3, $4)"


@dataclass(frozen=True, slots=True)
class State:
    """One state row."""

    machine: int
    at_us: int
    state: int
    mode: int = 0
    retracted: bool = False


@dataclass(frozen=True, slots=True)
class Count:
    """One count row."""

    machine: int
    at_us: int
    good: int
    retracted: bool = False


def shard_of(machine: int) -> int:
    return ((machine - 1) // MACHINES_A_FACTORY + 1) % 64


@dataclass
class Fleet:
    """Factories F1, F2 and so on with three machines each, numbered from 1 throughout."""

    url: str
    machines: range
    owner: Connection
    analytics: Connection

    async def add(self, rows: Iterable[State | Count], connection: Connection | None = None) -> None:
        """Write rows and their marks, in one transaction."""
        connection = connection or self.owner
        async with connection.transaction():
            await write_rows(connection, list(rows))

    async def register(
        self, machine: int, from_us: int | None, connection: Connection | None = None, **content: object
    ) -> None:
        """Change a machine's registration, as a PUT would."""
        connection = connection or self.owner
        async with connection.transaction():
            await connection.execute("UPDATE registry_version SET version = version + 1")
            known = [
                Version(row["effective_from"], row["effective_to"], dict(list(row.items())[2:]))
                for row in await connection.fetch(VERSIONS, machine)
            ]
            whole = {
                "state_ttl_us": 600_000_000,
                "ideal_cycle_us": 10_000_000,
                "in_use_from": IN_USE_FROM,
                "in_use_to": None,
                **content,
            }
            revision = revise(known, whole, from_us, FIRST_INSTANT_US)
            if revision.retired:
                await connection.execute(RETIRE_VERSIONS, machine, [v.from_us for v in revision.retired])
            for version in revision.added:
                await connection.execute(
                    ADD_VERSION, machine, version.from_us, version.to_us, *version.content.values()
                )
            await connection.execute(REFRESH, (machine - 1) // MACHINES_A_FACTORY + 1)
            if revision.added and known:
                await connection.execute(
                    MARK, shard_of(machine), machine, revision.affected_from_us, revision.version.to_us
                )

    async def move(
        self, kind: str, number: int, from_us: int | None, connection: Connection | None = None, **content: object
    ) -> None:
        """Change a factory's or the enterprise's registration, as a PUT would; machines change their cohort."""
        connection = connection or self.owner
        read, retire, add = MOVE[kind]
        async with connection.transaction():
            await connection.execute("UPDATE registry_version SET version = version + 1")
            rows = [list(row.items()) for row in await connection.fetch(read, number)]
            known = [Version(row[0][1], row[1][1], dict(row[2:])) for row in rows]
            revision = revise(known, {**known[-1].content, **content}, from_us, FIRST_INSTANT_US)
            await connection.execute(retire, number, [v.from_us for v in revision.retired])
            for version in revision.added:
                await connection.execute(add, number, version.from_us, version.to_us, *version.content.values())
            machines = [m for m in self.machines if kind == "enterprise" or (m - 1) // MACHINES_A_FACTORY + 1 == number]
            for factory in {(m - 1) // MACHINES_A_FACTORY + 1 for m in machines}:
                await connection.execute(REFRESH, factory)
            for machine in machines if revision.added else []:
                await connection.execute(
                    MARK, shard_of(machine), machine, revision.affected_from_us, revision.version.to_us
                )

    async def schedule(
        self, factory: int, from_us: int | None, content: object, connection: Connection | None = None
    ) -> None:
        """Give a factory a calendar from a midnight on, as a PUT would; None: it has no calendar."""
        connection = connection or self.owner
        async with connection.transaction():
            await connection.execute("UPDATE registry_version SET version = version + 1")
            number = None if content is None else await connection.fetchval(ADD_CALENDAR, json.dumps(content))
            known = [Version(row[0], row[1], row[2]) for row in await connection.fetch(READ_CALENDARS, factory)]
            revision = revise(known, number, from_us, FIRST_INSTANT_US)
            await connection.execute(RETIRE_CALENDARS, factory, [v.from_us for v in revision.retired])
            for version in revision.added:
                await connection.execute(ADD_CALENDAR_VERSION, factory, version.from_us, version.to_us, version.content)
            await connection.execute(REFRESH, factory)
            end_us = min(revision.version.to_us + DAY_US, LAST_INSTANT_US)
            for machine in self.machines if revision.added else []:
                if (machine - 1) // MACHINES_A_FACTORY + 1 == factory:
                    await connection.execute(MARK, shard_of(machine), machine, revision.version.from_us, end_us)

    async def settle_all(self) -> None:
        """Settle until nothing is left."""
        for shard in await shards_with_work(self.analytics):
            while await settle(self.analytics, shard):
                pass
        while await roll_up(self.analytics):
            pass

    async def verify(self, from_us: int, to_us: int) -> int:
        """Return the exit code of ``jejo verify`` for the whole days around a window; differences go to stdout."""
        first, last = (seoul_midnight_us(seoul_day(us)) for us in (from_us, to_us))
        return await verify(self.url, Window(first, last + DAY_US), None, 0, ledger=False)


async def write_rows(connection: Connection, rows: list[State | Count]) -> None:
    states: Sequence[State | Count] = sorted(
        (r for r in rows if isinstance(r, State)), key=lambda r: (r.machine, r.at_us)
    )
    counts: Sequence[State | Count] = sorted(
        (r for r in rows if isinstance(r, Count)), key=lambda r: (r.machine, r.at_us)
    )
    for statement, kind in ((ADD_STATES, states), (ADD_COUNTS, counts)):
        if kind:
            columns = zip(*(astuple(row) for row in kind), strict=True)
            await connection.execute(statement, *[list(column) for column in columns])
    machine = np.array([r.machine for r in rows], np.int64)
    shard = np.array([shard_of(r.machine) for r in rows], np.int64)
    marks = dirty_spans(machine, shard, np.array([r.at_us for r in rows], np.int64))
    await connection.executemany(MARK, marks)


@asynccontextmanager
async def registered_fleet(url: str, factories: int) -> AsyncIterator[Fleet]:
    """Yield a fleet in use since 2016, with a TTL of 600 s and an ideal cycle of 10 s."""
    async with AsyncExitStack() as stack:
        connections = []
        for role in (None, "jejo_analytics"):
            connections.append(await connect(url, role))
            stack.push_async_callback(connections[-1].close)
        owner, analytics = connections
        await owner.execute(REGISTER.format(factories=factories, each=MACHINES_A_FACTORY))
        machines = range(1, factories * MACHINES_A_FACTORY + 1)
        for machine in machines:
            version = (FIRST_INSTANT_US, LAST_INSTANT_US, 600_000_000, 10_000_000, IN_USE_FROM, None)
            await owner.execute(ADD_VERSION, machine, *version)
        await owner.execute("SELECT refresh_machine_spans(ARRAY(SELECT id FROM machine))")
        yield Fleet(url, machines, owner, analytics)
