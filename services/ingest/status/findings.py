"""What was found out about the platform. A part that could not be asked is None."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Count:
    """A number of rows, which was counted no further than is quick."""

    value: int
    at_least: bool = False

    def __str__(self) -> str:
        return f"{self.value:,}{'+' if self.at_least else ''}"


@dataclass(frozen=True, slots=True)
class Log:
    """One partition of the topic as Kafka has it: the first offset, and the end of what may be read."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Bus:
    """The topic in Kafka: its id (None: there is no such topic) and its partitions."""

    topic_id: str | None
    logs: dict[int, Log]


@dataclass(frozen=True, slots=True)
class Letters:
    """Dead letters of one reason: kept in the last hour, kept at all, and not replayed since."""

    reason: str
    last_hour: Count
    total: Count
    waiting: Count


@dataclass(frozen=True, slots=True)
class Stored:
    """What the database tells; instants in microseconds since the epoch, by the database's clock.

    ``topic_id`` is that of the topic being read, ``offsets`` how far, None and empty where none was read yet.
    ``accounted_until_us`` is None where analytics never ran; ``oldest_mark_us`` where no mark waits.
    """

    now_us: int
    schema_version: int
    topic_id: str | None
    offsets: dict[int, int]
    moved_us: int | None
    records_per_s: float
    rows_per_s: float
    factories_heard: Count
    letters: tuple[Letters, ...]
    accounted_until_us: int | None
    marks: Count
    oldest_mark_us: int | None

    @property
    def fresh_until_us(self) -> int | None:
        """Everything that ingest had written by this instant is in the KPIs."""
        if self.accounted_until_us is None or self.oldest_mark_us is None:
            return self.accounted_until_us
        return min(self.accounted_until_us, self.oldest_mark_us)


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything; of what did not answer, why."""

    topic: str
    program_version: int
    bus: Bus | None
    bus_error: str | None
    stored: Stored | None
    stored_error: str | None

    @property
    def lags(self) -> dict[int, int] | None:
        """Records not yet ingested, by partition; None where one of the two sides is not known."""
        if self.bus is None or self.stored is None:
            return None
        same = self.bus.topic_id == self.stored.topic_id
        offsets = self.stored.offsets if same else {}
        return {p: max(0, log.end - offsets.get(p, log.start)) for p, log in sorted(self.bus.logs.items())}
