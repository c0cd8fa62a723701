"""Metrics of an analytics worker, for Prometheus; docs/operations.md explains each."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from services.analytics.backlog import read_backlog
from services.analytics.cohort_sums import Done
from services.core.database import Connection
from services.core.times import SECOND_US

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
COUNT_EVERY_S = 10.0


class TransactionKind(StrEnum):
    """The kinds of transaction of analytics."""

    settle = "settle"
    roll_up = "roll_up"
    advance = "advance"


class AnalyticsMetrics:
    """The worker's metrics. All but the instants are exported from the start, at zero."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        own = self.registry
        self._seconds = Histogram(
            "jejo_analytics_transaction_seconds", "One transaction.", ["work"], buckets=BUCKETS, registry=own
        )
        self._hours = Counter("jejo_analytics_hours_accounted", "Hours of machines accounted.", registry=own)
        self._sums = Counter("jejo_analytics_sums_rolled_up", "Hours and days of cohorts summed.", registry=own)
        self._failures = Counter("jejo_analytics_failures", "Times the database failed a cycle.", registry=own)
        self._until = Gauge(
            "jejo_analytics_accounted_until_timestamp_seconds", "Accounts are complete up to then.", registry=own
        )
        self._marks = Gauge("jejo_analytics_marks_waiting", "Dirty marks of the past.", registry=own)
        self._oldest = Gauge("jejo_analytics_oldest_mark_age_seconds", "Age of the oldest of them.", registry=own)
        self._count_at_s = 0.0
        for work in TransactionKind:
            self._seconds.labels(work)

    @contextmanager
    def transaction(self, work: TransactionKind) -> Iterator[Done]:
        """Time a transaction and count what it did, if it was committed."""
        began = time.perf_counter()
        done = Done()
        yield done
        self._seconds.labels(work).observe(time.perf_counter() - began)
        self._hours.inc(done.hours)
        self._sums.inc(done.sums)

    def accounted_until(self, us: int) -> None:
        self._until.set(us / SECOND_US)

    def failed(self) -> None:
        """Count a cycle that failed in the database and will be repeated."""
        self._failures.inc()

    async def count_marks(self, connection: Connection, now_us: int) -> None:
        """Count what waits, though not more often than every ten seconds, nor further than is quick."""
        if time.monotonic() < self._count_at_s:
            return
        self._count_at_s = time.monotonic() + COUNT_EVERY_S
        backlog = await read_backlog(connection)
        self._marks.set(backlog.marks)
        oldest_us = backlog.oldest_mark_us
        self._oldest.set(0 if oldest_us is None else max(0, now_us - oldest_us) / SECOND_US)
