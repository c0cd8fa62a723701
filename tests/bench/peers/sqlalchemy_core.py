"""aiokafka and SQLAlchemy Core on asyncpg: batches of records, in statements that insert 1,000 rows each.

At least once; no signature is verified, and nothing is validated. SQLAlchemy batches rows into statements
("insertmanyvalues", by default 1,000 at a time) if they return something. Otherwise asyncpg executes the statement once
a row, which costs twice as much in all.
"""

import asyncio
import datetime as dt

import orjson  # type: ignore[import-not-found]
from aiokafka import AIOKafkaConsumer  # type: ignore[import-not-found]
from sqlalchemy import BigInteger, Boolean, Column, DateTime, Double, Integer, MetaData, Table, insert
from sqlalchemy.ext.asyncio import create_async_engine

from tests.bench.peers.program import Numbers, arguments, load_numbers, report

RECORDS = 100
"""In a transaction; 500 cost more."""
WAIT_MS = 100

reading = Table(
    "reading",
    MetaData(),
    Column("machine", Integer),
    Column("metric", Integer),
    Column("at", DateTime(timezone=True)),
    Column("value", Double),
    Column("revision", Integer),
    Column("retracted", Boolean),
    Column("record_id", BigInteger),
)


async def main() -> None:
    """Read, decode, insert, commit."""
    given = arguments()
    numbers = await load_numbers(given.database)
    engine = create_async_engine(given.database.replace("postgresql://", "postgresql+asyncpg://"))
    consumer = AIOKafkaConsumer(
        given.topic,
        bootstrap_servers=given.bootstrap,
        group_id=given.group,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        value_deserializer=orjson.loads,
    )
    async with consumer:
        report("ready")
        stored = 0
        while True:
            polled = await consumer.getmany(timeout_ms=WAIT_MS, max_records=RECORDS)
            records = [message.value for messages in polled.values() for message in messages]
            rows = [row for record in records for row in rows_of(record, numbers)]
            if rows:
                async with engine.begin() as connection:
                    await connection.execute(insert(reading).returning(reading.c.machine), rows)
                await consumer.commit()
                stored += len(rows)
                report(stored)


def rows_of(record: dict[str, object], numbers: Numbers) -> list[dict[str, object]]:
    """The rows of one record."""
    factory_id, readings = record["factory_id"], record["readings"]
    assert isinstance(factory_id, str)
    assert isinstance(readings, list)
    return [
        {
            "machine": numbers.machines[factory_id, row["machine_id"]],
            "metric": numbers.metrics[row["metric"]],
            "at": dt.datetime.fromisoformat(row["at"]),
            "value": row["value"],
            "revision": 0,
            "retracted": False,
            "record_id": 0,
        }
        for row in readings
    ]


if __name__ == "__main__":
    asyncio.run(main())
