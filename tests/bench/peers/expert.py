"""What somebody writes who knows the fast libraries: confluent-kafka, orjson, and asyncpg's COPY, a batch at a time.

At least once, so a crash between the two commits ends in an error by the table's key; no signature is verified, and
nothing is validated beyond what the code trips over.
"""

import asyncio
import datetime as dt

import asyncpg
import orjson  # type: ignore[import-not-found]
from confluent_kafka import Consumer  # type: ignore[import-not-found]

from tests.bench.peers.program import COLUMNS, Numbers, arguments, load_numbers, report

RECORDS = 2000
"""In a transaction; 500 and 5,000 cost no less."""
WAIT_S = 0.1


async def main() -> None:
    """Read, decode, copy, commit."""
    given = arguments()
    numbers = await load_numbers(given.database)
    connection = await asyncpg.connect(given.database)
    consumer = Consumer(
        {
            "bootstrap.servers": given.bootstrap,
            "group.id": given.group,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
        }
    )
    consumer.subscribe([given.topic])
    report("ready")
    stored = 0
    while True:
        messages = consumer.consume(RECORDS, WAIT_S)
        rows = [row for message in messages for row in rows_of(message.value(), numbers)]
        if rows:
            # By the table's key, as the database's index likes it: what that costs here is saved there.
            rows.sort()
            await connection.copy_records_to_table("reading", records=rows, columns=COLUMNS)
            consumer.commit(asynchronous=False)
            stored += len(rows)
            report(stored)


def rows_of(value: bytes, numbers: Numbers) -> list[tuple[object, ...]]:
    """The rows of one record."""
    record = orjson.loads(value)
    factory_id = record["factory_id"]
    machines, metrics, instant = numbers.machines, numbers.metrics, dt.datetime.fromisoformat
    return [
        (machines[factory_id, row["machine_id"]], metrics[row["metric"]], instant(row["at"]), row["value"], 0, False, 0)
        for row in record["readings"]
    ]


if __name__ == "__main__":
    asyncio.run(main())
