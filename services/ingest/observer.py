"""What a worker tells about itself while it works: its figures, and its log lines about batches and refusals."""

import logging
import time

from kafka import KafkaConsumer

from services.core.errors import TransientError
from services.core.logging import fields
from services.ingest.gathering import Gathered
from services.ingest.metrics import Cause, IngestMetrics, cause_of
from services.ingest.progress import LogBounds
from services.ingest.refusal_log import RefusalLog
from services.ingest.tally import FATES, Tally

log = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0


class Observer:
    """Used on the worker's own thread alone."""

    def __init__(self, metrics: IngestMetrics) -> None:
        self._metrics = metrics
        self._refusals = RefusalLog()
        self._ends: dict[int, int] = {}
        self._handed_over_s = 0.0
        self._look_at_s = 0.0

    def found(self, bounds: dict[int, LogBounds], stored: dict[int, int]) -> None:
        """Positions are known: where the logs end, and where to read on from."""
        self._ends = {partition: log_.end for partition, log_ in bounds.items()}
        log.info("reading on from %s", dict(sorted(stored.items())), extra=fields(partitions=len(stored)))

    def handed_over(self) -> None:
        """A batch is on its way to the database."""
        self._handed_over_s = time.monotonic()

    def committed(self, tally: Tally, positions: dict[int, int]) -> None:
        """A batch is in the database, with these positions."""
        now_s = time.monotonic()
        self._metrics.committed(tally, now_s - self._handed_over_s)
        self._refusals.note(tally, now_s)
        rows = {fate: tally.rows_of(fate) for fate in FATES}
        log.debug("committed", extra=fields(records=tally.records, offsets=positions, **rows))

    def failed(self, error: Exception, offsets: dict[int, int] | None) -> None:
        """Everything in hand was forgotten and is read again, from these offsets where they are known."""
        cause = cause_of(error) if isinstance(error, TransientError) else Cause.kafka_away
        self._metrics.failed(cause)
        message = str(error) if isinstance(error, TransientError) else f"Kafka could not be read ({error!r})"
        log.warning("%s", message, extra=fields(cause=cause.value, offsets=offsets or None))

    def look(self, consumer: KafkaConsumer, stored: dict[int, int] | None, gathered: Gathered) -> None:
        """Once a second: how far behind, how much in hand, and what is still to be said of refusals."""
        now_s = time.monotonic()
        if now_s < self._look_at_s:
            return
        self._look_at_s = now_s + LOOK_EVERY_S
        assigned = consumer.assignment()
        self._metrics.in_hand(gathered.size, paused=bool(assigned) and assigned == consumer.paused())
        if stored is not None or not assigned:
            # While positions are looked for, the last figures stand.
            known = stored or {}
            ends = {p.partition: max(consumer.highwater(p) or 0, self._ends.get(p.partition, 0)) for p in assigned}
            self._metrics.lags({p: max(0, end - known[p]) for p, end in ends.items() if p in known})
        self._refusals.tell(now_s)

    def close(self) -> None:
        """Say what is still to be said."""
        self._refusals.tell_all()
