"""Prometheus metrics of an ingest worker; docs/operations.md describes each."""

from collections.abc import Mapping
from enum import StrEnum

import asyncpg
from kafka.errors import KafkaError
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from schemas.wire.codes import Reason
from schemas.wire.columns import RowKind
from services.core.database import CONTENTION, SHORTAGE
from services.core.errors import TransientError
from services.ingest.writing.batch_counts import FATES, BatchCounts

BATCH_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


class Cause(StrEnum):
    """Why a batch was dropped, to be read again."""

    offset_moved = "offset_moved"
    contention = "contention"
    shortage = "shortage"
    database_away = "database_away"
    kafka_away = "kafka_away"


def cause_of(error: TransientError) -> Cause:
    """Classify an error by its cause. Without one, another worker has moved the offset first."""
    match error.__cause__:
        case None:
            return Cause.offset_moved
        case cause if isinstance(cause, (*CONTENTION, asyncpg.UniqueViolationError)):
            return Cause.contention
        case cause if isinstance(cause, SHORTAGE):
            return Cause.shortage
        case cause if isinstance(cause, (KafkaError, KeyError)):
            return Cause.kafka_away
        case _:
            return Cause.database_away


class IngestMetrics:
    """The metrics of one worker. All series exist from the start, at zero, so that the first increase shows as one."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        own = self.registry
        self._records = Counter("jejo_ingest_records", "Records ingested, by fate.", ["fate"], registry=own)
        self._rows = Counter("jejo_ingest_rows", "Rows of authentic records.", ["kind", "fate"], registry=own)
        self._letters = Counter("jejo_ingest_dead_letters", "Dead letters kept.", ["reason"], registry=own)
        self._counted = Counter(
            "jejo_ingest_dead_letters_counted", "Dead letters counted and not kept.", ["reason"], registry=own
        )
        self._failures = Counter(
            "jejo_ingest_failures", "Times everything in hand was dropped.", ["cause"], registry=own
        )
        self._batch = Histogram(
            "jejo_ingest_batch_seconds", "From handing a batch over to its commit.", buckets=BATCH_BUCKETS, registry=own
        )
        self._lag = Gauge("jejo_ingest_lag_records", "Records not committed yet.", ["partition"], registry=own)
        self._paused = Gauge("jejo_ingest_paused", "1 while nothing is fetched.", registry=own)
        self._bytes = Gauge("jejo_ingest_buffered_bytes", "Records polled and not written yet.", registry=own)
        self._committed = Gauge(
            "jejo_ingest_last_commit_timestamp_seconds", "When a batch was committed.", registry=own
        )
        for fate in ("authentic", "refused"):
            self._records.labels(fate)
        for kind in RowKind:
            for fate in FATES:
                self._rows.labels(kind, fate)
        for reason in Reason:
            self._letters.labels(reason)
            self._counted.labels(reason)
        for cause in Cause:
            self._failures.labels(cause)

    def committed(self, counts: BatchCounts, seconds: float) -> None:
        """Count a batch that was committed, ``seconds`` after it was handed over."""
        self._records.labels("authentic").inc(counts.records)
        self._records.labels("refused").inc(counts.refused_records)
        for (kind, fate), count in counts.rows.items():
            self._rows.labels(kind, fate).inc(count)
        for metric, letters in ((self._letters, counts.letters.kept), (self._counted, counts.letters.counted)):
            for reason, count in letters.items():
                metric.labels(reason).inc(count)
        self._batch.observe(seconds)
        self._committed.set_to_current_time()

    def failed(self, cause: Cause) -> None:
        """Count that everything in hand was dropped, to be read again."""
        self._failures.labels(cause).inc()

    def buffered(self, size: int, *, paused: bool) -> None:
        """Set the bytes polled and not written yet, and whether fetching is paused."""
        self._bytes.set(size)
        self._paused.set(paused)

    def lags(self, records: Mapping[int, int]) -> None:
        """Set the lag of each assigned partition, and drop all others."""
        self._lag.clear()
        for partition, lag in records.items():
            self._lag.labels(str(partition)).set(lag)
