"""A country registered in SQL, with as many factories and machines as a benchmark needs, and its facts in bulk."""

import asyncio
import datetime as dt

from services.core.database import Connection, connect
from services.core.times import HOUR_US

ORIGIN_US = 1_772_290_800_000_000
"""2026-03-01 00:00 in Seoul, where the facts begin."""

REGISTER = """
UPDATE registry_version SET version = 1;
INSERT INTO enterprise (enterprise_id) SELECT 'E' || n FROM generate_series(1, {factories}) AS n;
INSERT INTO factory (factory_id) SELECT 'F' || lpad(n::text, 6, '0') FROM generate_series(1, {factories}) AS n;
INSERT INTO enterprise_version (enterprise, effective_from, effective_to, name, employees, changed_in)
SELECT id, '1999-12-31 15:00Z', '9999-12-31Z', enterprise_id, (ARRAY[7, 7, 24, 24, 24, 120, 800])[1 + id % 7], 1
FROM enterprise;
INSERT INTO factory_version (factory, effective_from, effective_to, name, enterprise, region, sector, level,
    established_on, changed_in)
SELECT f.id, '1999-12-31 15:00Z', '9999-12-31Z', f.factory_id, e.id,
       (ARRAY['KR-11', 'KR-26', 'KR-27', 'KR-28', 'KR-29', 'KR-30', 'KR-31', 'KR-41', 'KR-42',
              'KR-43', 'KR-44', 'KR-45', 'KR-46', 'KR-47', 'KR-48', 'KR-49', 'KR-50'])[1 + f.id % 17],
       'C' || 10 + f.id / 17 % 24, (ARRAY['basic', 'basic', 'basic', 'intermediate_1'])[1 + f.id / 5 % 4],
       '2020-01-01', 1
FROM factory f JOIN enterprise e ON e.id = f.id;
INSERT INTO machine (factory, machine_id)
SELECT f.id, 'M' || lpad(n::text, 2, '0') FROM factory f, generate_series(1, {machines_each}) AS n ORDER BY f.id, n;
INSERT INTO machine_version (machine, effective_from, effective_to, name, kind, automation, state_ttl_us,
    ideal_cycle_us, in_use_from, in_use_to, changed_in)
SELECT id, '1999-12-31 15:00Z', '9999-12-31Z', machine_id, 'mill',
       (ARRAY['manual', 'semi_automatic', 'automatic', 'automatic', 'robot'])[1 + id % 5],
       {state_ttl_us}, CASE WHEN id % 2 = 0 THEN 10000000 END, '2016-01-01', NULL, 1
FROM machine;
ANALYZE enterprise, enterprise_version, factory, factory_version, machine, machine_version;
SELECT count(refresh_machine_spans(own.machines))
FROM (SELECT array_agg(id) AS machines FROM machine GROUP BY factory / 1000) AS own;
ANALYZE;
"""

ADD_KEYS = """
WITH added AS (INSERT INTO gateway_key (factory, key_id) SELECT id, 'k1' FROM factory RETURNING id)
INSERT INTO gateway_key_version (gateway_key, effective_from, effective_to, public_key, valid_from, changed_in)
SELECT id, '1999-12-31 15:00Z', '9999-12-31Z', $1, '2016-01-01', 1 FROM added
"""

# Changes of state are spread about evenly over the window; three quarters of the machines also count.
ADD_STATES = """
INSERT INTO state_event (machine, at, state, mode, revision, retracted, record_id)
SELECT m.id, s.at, 1 + (hashint8(m.id * 1000003::bigint + s.n) & 1023) % 7, hashint8(s.n * 7919 + m.id) & 3, 0, false, 1
FROM machine m CROSS JOIN LATERAL (
    SELECT n, $1::timestamptz + n * $2::interval + m.id % 97 * $2::interval / 100 AS at
    FROM generate_series($3::integer, $4::integer) AS n
) AS s
ORDER BY m.id, s.at
"""

ADD_COUNTS = """
INSERT INTO count_event (machine, at, product, good, scrap, rework, revision, retracted, record_id)
SELECT m.id, s.at, '', 20 + m.id % 50, m.id % 3, 0, 0, false, 1
FROM machine m CROSS JOIN LATERAL (
    SELECT $1::timestamptz + n * $2::interval + m.id % 89 * $2::interval / 100 AS at
    FROM generate_series($3::integer, $4::integer) AS n
) AS s
WHERE m.id % 4 > 0
ORDER BY m.id, s.at
"""

ADD_MARKS = """
INSERT INTO dirty_mark (shard, machine, from_at, to_at)
SELECT m.shard, m.id, min(e.at), max(e.at) FROM machine m JOIN state_event e ON e.machine = m.id
WHERE e.at >= $1 AND e.at < $2 GROUP BY m.shard, m.id
"""


async def register(owner: Connection, factories: int, machines_each: str, state_ttl_us: int) -> None:
    """Register factories F000001.. with machines M01.., in use since 2016.

    Args:
        machines_each: machines per factory, as an SQL expression in which ``f.id`` is the factory's number.
    """
    await owner.execute(REGISTER.format(factories=factories, machines_each=machines_each, state_ttl_us=state_ttl_us))


async def add_facts(owner: Connection, from_us: int, to_us: int, states_an_hour: int, counts_an_hour: int) -> None:
    """Add facts of every machine in a window of whole hours, without dirty marks."""
    for statement, an_hour in ((ADD_STATES, states_an_hour), (ADD_COUNTS, counts_an_hour)):
        step_us = HOUR_US // an_hour
        step, steps = dt.timedelta(microseconds=step_us), (to_us - from_us) // step_us
        await owner.execute(statement, from_us, step, 0, steps - 1)
    await owner.execute("ANALYZE state_event; ANALYZE count_event")


async def add_facts_by_time(url: str, from_us: int, to_us: int, states_an_hour: int, counts_an_hour: int) -> None:
    """Add the same facts step after step, so that they lie in their tables in the order of time, as ingest stores them.

    States and counts are added on a connection each.
    """
    await asyncio.gather(
        add_by_time(url, ADD_STATES, from_us, to_us, HOUR_US // states_an_hour),
        add_by_time(url, ADD_COUNTS, from_us, to_us, HOUR_US // counts_an_hour),
    )


async def add_by_time(url: str, statement: str, from_us: int, to_us: int, step_us: int) -> None:
    """Add the facts of one table, a step of all machines at a time."""
    owner = await connect(url)
    try:
        for step in range((to_us - from_us) // step_us):
            await owner.execute(statement, from_us, dt.timedelta(microseconds=step_us), step, step)
    finally:
        await owner.close()


async def add_marks(owner: Connection, from_us: int, to_us: int) -> None:
    """Add a dirty mark for every machine over its states in the window, as ingest would."""
    await owner.execute(ADD_MARKS, from_us, to_us)
