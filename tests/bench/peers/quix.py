"""Quix Streams with its PostgreSQL sink: the framework's own way from a topic of JSON to a table.

At least once: the sink writes when the framework commits, and ignores rows that are there already. No signature is
verified, and nothing is validated.
"""

import asyncio
import datetime as dt
from typing import Any
from urllib.parse import urlsplit

from quixstreams import Application  # type: ignore[import-not-found]
from quixstreams.sinks.community.postgresql import PostgreSQLSink  # type: ignore[import-not-found]

from tests.bench.peers.program import Numbers, arguments, load_numbers, report

COMMIT_EVERY = 2000
"""Records in a transaction; 500, and those of five seconds, which is the default, cost more."""


class ReportingSink(PostgreSQLSink):  # type: ignore[misc]
    """The sink, which also reports what it has stored."""

    stored = 0

    def write(self, batch: Any) -> None:
        """Write a batch of rows."""
        super().write(batch)
        self.stored += batch.size
        report(self.stored)


def main() -> None:
    """Run the framework until it is stopped."""
    given = arguments()
    numbers = asyncio.run(load_numbers(given.database))
    database = urlsplit(given.database)
    sink = ReportingSink(
        host=database.hostname,
        port=database.port,
        dbname=database.path.strip("/"),
        user=database.username,
        # From libpq's password file.
        password="",
        table_name="reading",
        schema_auto_update=False,
        include_metadata=False,
        on_conflict_do_nothing=True,
    )
    application = Application(
        broker_address=given.bootstrap,
        consumer_group=given.group,
        auto_offset_reset="earliest",
        commit_every=COMMIT_EVERY,
        loglevel="WARNING",
    )
    topic = application.topic(given.topic, value_deserializer="json")
    frame = application.dataframe(topic)
    frame.apply(lambda record: rows_of(record, numbers), expand=True).sink(sink)
    report("ready")
    application.run()


def rows_of(record: dict[str, Any], numbers: Numbers) -> list[dict[str, object]]:
    """The rows of one record."""
    factory_id = record["factory_id"]
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
        for row in record["readings"]
    ]


if __name__ == "__main__":
    main()
