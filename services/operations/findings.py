"""The findings of ``jejo status``, and the problems in them. Pure: no I/O, no clock, no settings."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum, StrEnum

from services.analytics import Backlog
from services.core.times import SECOND_US, rfc3339
from services.ingest import IngestProgress, OpenTransaction, TopicLogs

STALLED_S = 60
"""How long ago the last commit may be while records wait."""


@dataclass(frozen=True, slots=True)
class Count:
    """A number of rows; ``at_least`` if counting stopped at a limit."""

    value: int
    at_least: bool = False

    def __str__(self) -> str:
        return f"{self.value:,}{'+' if self.at_least else ''}"


@dataclass(frozen=True, slots=True)
class DeadLetterCounts:
    """Numbers of dead letters of one reason: in the last hour, in all, not replayed yet, and counted but not kept."""

    reason: str
    last_hour: Count
    total: Count
    waiting: Count
    counted: int = 0


@dataclass(frozen=True, slots=True)
class Stored:
    """The state of the database. Instants are microseconds since the epoch, by the database's clock.

    ``progress`` is None if the topic was never read. Rates are those of the last minute.
    """

    now_us: int
    schema_version: int
    progress: IngestProgress | None
    records_per_s: float
    rows_per_s: float
    factories_heard: Count
    dead_letters: tuple[DeadLetterCounts, ...]
    backlog: Backlog

    @property
    def last_commit_us(self) -> int | None:
        """When ingest last committed; None if it never did."""
        return None if self.progress is None else self.progress.moved_us

    @property
    def marks(self) -> Count:
        """Dirty marks waiting for analytics."""
        return Count(self.backlog.marks, self.backlog.at_least)

    @property
    def fresh_until_us(self) -> int | None:
        """The instant up to which everything ingested is in the KPIs; None if analytics never ran."""
        accounted_us, oldest_us = self.backlog.accounted_until_us, self.backlog.oldest_mark_us
        return accounted_us if accounted_us is None or oldest_us is None else min(accounted_us, oldest_us)


@dataclass(frozen=True, slots=True)
class Bus:
    """The state of the topic in Kafka: its logs, as far as they are committed, and what holds them back."""

    logs: TopicLogs
    open_transactions: tuple[OpenTransaction, ...] = ()


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything that was found. Of Kafka and the database, each is either there or has an error.

    ``asked_us`` is when Kafka was asked, by this machine's clock.
    """

    topic: str
    program_version: int
    asked_us: int
    kafka: Bus | None
    kafka_error: str | None
    stored: Stored | None
    stored_error: str | None

    @property
    def lags(self) -> dict[int, int] | None:
        """Records not ingested yet, by partition; None if Kafka or the database did not answer."""
        if self.kafka is None or self.stored is None:
            return None
        progress, logs = self.stored.progress, self.kafka.logs
        same_topic = progress is not None and progress.topic_id == logs.topic_id
        offsets = progress.offsets if progress is not None and same_topic else {}
        return {p: max(0, log.end - offsets.get(p, log.start)) for p, log in sorted(logs.partitions.items())}


class Verdict(IntEnum):
    """The exit code of ``jejo status``."""

    FINE = 0
    BEHIND = 1
    CANNOT_TELL = 2


class Section(StrEnum):
    """The section of docs/operations.md with the steps to take, as a link's anchor."""

    INGEST_LAGS = "ingest-lags"
    TRANSACTION_LEFT_OPEN = "a-transaction-left-open"
    DEAD_LETTERS_GROW = "dead-letters-grow"
    ANALYTICS_BEHIND = "analytics-behind"
    KAFKA_IS_AWAY = "kafka-is-away"
    DATABASE_IS_AWAY = "the-database-is-away"
    TOPIC_RECREATED = "topic-re-created"
    MIGRATE = "jejo-migrate"


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is wrong, with a sentence that says what to do."""

    verdict: Verdict
    message: str
    section: Section


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The most that is fine; see the settings ``JEJO_STATUS_...``."""

    lag_records: int
    transaction_s: float
    freshness_s: float
    dead_letters_per_hour: int


def overall_verdict(problems: list[Problem]) -> Verdict:
    """Return the gravest verdict: being behind for certain is graver than not knowing."""
    verdicts = {problem.verdict for problem in problems}
    return next((v for v in (Verdict.BEHIND, Verdict.CANNOT_TELL) if v in verdicts), Verdict.FINE)


def find_problems(findings: Findings, limits: Thresholds) -> list[Problem]:
    """Return everything that is not fine, in the order in which data flow."""
    kafka, stored = findings.kafka, findings.stored
    problems = []
    if findings.kafka_error is not None:
        problems.append(Problem(Verdict.CANNOT_TELL, findings.kafka_error, Section.KAFKA_IS_AWAY))
    if findings.stored_error is not None:
        problems.append(Problem(Verdict.CANNOT_TELL, findings.stored_error, Section.DATABASE_IS_AWAY))
    if stored is not None:
        problems += schema_problems(stored, findings.program_version)
    if kafka is not None and stored is not None:
        problems += topic_problems(kafka.logs, stored, findings.topic)
        problems += lag_problems(stored, sum((findings.lags or {}).values()), limits)
    if kafka is not None:
        problems += transaction_problems(kafka, findings.topic, findings.asked_us, limits)
    if stored is not None:
        problems += dead_letter_problems(stored, limits)
        problems += freshness_problems(stored, limits)
    return problems


def schema_problems(stored: Stored, program_version: int) -> Iterator[Problem]:
    if stored.schema_version != program_version:
        yield Problem(
            Verdict.BEHIND,
            f"The schema is at {stored.schema_version}, this program's is {program_version}: run `jejo migrate`, or a "
            "newer program.",
            Section.MIGRATE,
        )


def topic_problems(kafka: TopicLogs, stored: Stored, topic: str) -> Iterator[Problem]:
    """Yield a problem unless Kafka's topic of this name is the one that ingest reads."""
    if kafka.topic_id is None:
        yield Problem(
            Verdict.BEHIND, f"Kafka has no topic {topic}: ingest creates it when it starts.", Section.INGEST_LAGS
        )
    elif stored.progress is None:
        yield Problem(Verdict.BEHIND, f"Topic {topic} was never read: start ingest.", Section.INGEST_LAGS)
    elif kafka.topic_id != stored.progress.topic_id:
        yield Problem(
            Verdict.BEHIND,
            f"Topic {topic} was recreated and is not read: decide, then run `jejo offsets adopt`.",
            Section.TOPIC_RECREATED,
        )


def lag_problems(stored: Stored, lag: int, limits: Thresholds) -> Iterator[Problem]:
    if lag > limits.lag_records:
        yield Problem(
            Verdict.BEHIND, f"Ingest is {lag:,} records behind, more than {limits.lag_records:,}.", Section.INGEST_LAGS
        )
    quiet_s = None if stored.last_commit_us is None else (stored.now_us - stored.last_commit_us) // SECOND_US
    if lag and quiet_s is not None and quiet_s > STALLED_S:
        yield Problem(
            Verdict.BEHIND,
            f"Records are waiting, and ingest has committed none for {quiet_s} s: see its log.",
            Section.INGEST_LAGS,
        )


def transaction_problems(kafka: Bus, topic: str, asked_us: int, limits: Thresholds) -> Iterator[Problem]:
    """Yield a problem for each partition that a transaction has held up for too long."""
    for held in kafka.open_transactions:
        open_s = (asked_us - held.since_us) / SECOND_US
        if open_s > limits.transaction_s:
            place = f"--topic {topic} --partition {held.partition}"
            yield Problem(
                Verdict.BEHIND,
                f"Partition {held.partition} stands still at offset {held.offset} since {rfc3339(held.since_us)}: a "
                f"transaction left open holds back {held.records:,} records. `kafka-transactions.sh --bootstrap-server "
                f"HOST:PORT describe-producers {place}` names its producer; `kafka-transactions.sh --bootstrap-server "
                f"HOST:PORT abort {place} --start-offset {held.offset}` ends it.",
                Section.TRANSACTION_LEFT_OPEN,
            )


def dead_letter_problems(stored: Stored, limits: Thresholds) -> Iterator[Problem]:
    last_hour = sum(letters.last_hour.value for letters in stored.dead_letters)
    if last_hour > limits.dead_letters_per_hour:
        commonest = max(stored.dead_letters, key=lambda letters: letters.last_hour.value).reason
        yield Problem(
            Verdict.BEHIND,
            f"The last hour brought {last_hour:,} dead letters or more, most often {commonest}: "
            f"`jejo dead-letters list --reason {commonest}` says what to do.",
            Section.DEAD_LETTERS_GROW,
        )


def freshness_problems(stored: Stored, limits: Thresholds) -> Iterator[Problem]:
    fresh_until_us = stored.fresh_until_us
    if fresh_until_us is None:
        yield Problem(Verdict.BEHIND, "Analytics has never run: start it.", Section.ANALYTICS_BEHIND)
        return
    behind_s = (stored.now_us - fresh_until_us) / SECOND_US
    if behind_s > limits.freshness_s:
        yield Problem(
            Verdict.BEHIND,
            f"KPIs are {behind_s:.0f} s behind, more than {limits.freshness_s:.0f} s.",
            Section.ANALYTICS_BEHIND,
        )
