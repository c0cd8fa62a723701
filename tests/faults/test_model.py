"""A model of senders, broker and crashes: ingest's own pipeline under whatever Hypothesis draws. The short form."""

from tests.faults.model.run import run_model
from tests.servers import PostgresServer

EXAMPLES = 60


def test_whatever_happens_what_was_read_is_stored_once(postgres_server: PostgresServer, database: str) -> None:
    print(run_model(postgres_server, database, examples=EXAMPLES, number=1))
