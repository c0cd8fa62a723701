"""What the strict path found, written to a database as a worker and a replay write it."""

import numpy as np

from services.core.database import Connection
from services.ingest.columns import batch_of
from services.ingest.judging.introductions import Introductions
from services.ingest.judging.novelty import introduce_new
from services.ingest.judging.registry import Machines
from services.ingest.letters.replay import first_offsets, record_ids
from services.ingest.model import Findings
from services.ingest.writing.batch_counts import BatchCounts
from services.ingest.writing.writer import OffsetMove, Writer, plan_batch

MOST_MACHINES = 1000
MACHINES = Machines(
    np.zeros(MOST_MACHINES, np.int64), np.zeros(MOST_MACHINES, np.int64), np.arange(MOST_MACHINES, dtype=np.int16)
)
"""Machines whose shards are their numbers."""


async def write_findings(
    writer: Writer, connection: Connection, findings: Findings, *moves: OffsetMove, replayed: tuple[int, ...] = ()
) -> BatchCounts:
    """Introduce the metrics and days of findings, without quotas, and write them as one batch."""
    introductions = Introductions(writer.topic.number)
    await introduce_new(connection, introductions, findings, first_offsets(findings), None)
    batch = batch_of(findings, MACHINES, introductions.metrics)
    plan = plan_batch(batch, await record_ids(connection, findings), writer.latest)
    return await writer.write(connection, plan, list(moves), replayed)
