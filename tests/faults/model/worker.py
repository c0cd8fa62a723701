"""A worker without Kafka: reads the model's log, and drives ingest's own pipeline by the rule of ingest's own loop."""

from collections import Counter

from services.core.errors import TransientError
from services.ingest.model import BusRecord
from services.ingest.pipeline import Pipeline
from services.ingest.settings import IngestSettings
from services.ingest.writing.writer import OffsetMove
from tests.faults.model.database import NAME
from tests.faults.model.log import Log

ANSWER_S = 60


class ModelWorker:
    """Hands batches over, collects what became of them, and after any failure loads the stored offsets again.

    ``happened`` counts batches by what became of them.
    """

    def __init__(self, settings: IngestSettings, log: Log, partitions: frozenset[int], happened: Counter[str]) -> None:
        self._log = log
        self._partitions = partitions
        self._happened = happened
        self._pipeline = Pipeline(settings, NAME)
        self._handed: dict[int, int] | None = None

    @property
    def partitions(self) -> frozenset[int]:
        return self._partitions

    def assign(self, partitions: frozenset[int]) -> None:
        """Drop everything, and read these partitions from now on."""
        self._partitions = partitions
        self._drop()

    def hand_over(self, counts: tuple[int, ...]) -> bool:
        """Read up to so many entries of each partition into a batch and start on it; returns whether there was any."""
        if self._handed is None:
            self._handed = self._pipeline.load(self._log.bounds(self._partitions))
        records: list[BusRecord] = []
        moves: list[OffsetMove] = []
        for n, partition in enumerate(sorted(self._partitions)):
            before = self._handed[partition]
            found, position = self._log.read(partition, before, counts[n % len(counts)])
            records += found
            if position > before:
                moves.append(OffsetMove(partition, before, position))
        if moves:
            self._pipeline.submit(records, moves, 0)
            self._handed.update((move.partition, move.next) for move in moves)
        return bool(moves)

    def collect(self) -> None:
        """Wait for everything that was handed over."""
        while not self._pipeline.is_idle:
            self._pipeline.wait(ANSWER_S)
            finished = self._pipeline.next_finished()
            assert finished is not None, f"no answer within {ANSWER_S} s"
            try:
                committed = finished.written.result() is not None
            except TransientError:
                self._happened["failed batches"] += 1
                self._drop()
            else:
                self._happened["committed batches" if committed else "dropped batches"] += 1

    def close(self) -> None:
        """Die, whatever is under way."""
        self._pipeline.close()

    def _drop(self) -> None:
        self._pipeline.drop()
        self._handed = None
