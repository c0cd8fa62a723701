"""Is it fine? Pure: findings and thresholds in, verdicts and sentences out."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from services.core.times import SECOND_US
from services.ingest.status.findings import Bus, Findings, Stored

STALLED_S = 60
"""How long ago the last commit may be while records wait."""


class Verdict(IntEnum):
    """The exit code of ``jejo status``."""

    FINE = 0
    BEHIND = 1
    CANNOT_TELL = 2


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is not as it should be, and what to do. ``section`` is where docs/operations.md has more."""

    verdict: Verdict
    message: str
    section: str


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The most that is fine; see the settings ``JEJO_STATUS_...``."""

    lag_records: int
    freshness_s: float
    dead_letters_per_hour: int


def overall(problems: list[Problem]) -> Verdict:
    """Something known to be behind outweighs something that cannot be told."""
    verdicts = {problem.verdict for problem in problems}
    return next((v for v in (Verdict.BEHIND, Verdict.CANNOT_TELL) if v in verdicts), Verdict.FINE)


def problems_of(findings: Findings, most: Thresholds) -> list[Problem]:
    """Everything that is not fine, in the order of the data's way."""
    found = []
    if findings.bus_error is not None:
        found.append(Problem(Verdict.CANNOT_TELL, findings.bus_error, "kafka-is-away"))
    if findings.stored_error is not None:
        found.append(Problem(Verdict.CANNOT_TELL, findings.stored_error, "the-database-is-away"))
    if findings.stored is not None:
        found += schema_problems(findings.stored, findings.program_version)
    if findings.bus is not None and findings.stored is not None:
        found += topic_problems(findings.bus, findings.stored, findings.topic)
        found += lag_problems(findings.stored, sum((findings.lags or {}).values()), most)
    if findings.stored is not None:
        found += letter_problems(findings.stored, most)
        found += freshness_problems(findings.stored, most)
    return found


def schema_problems(stored: Stored, program_version: int) -> Iterator[Problem]:
    if stored.schema_version != program_version:
        yield Problem(
            Verdict.BEHIND,
            f"The schema is at {stored.schema_version}, this program's is {program_version}: run `jejo migrate`, or a "
            "newer program.",
            "jejo-migrate",
        )


def topic_problems(bus: Bus, stored: Stored, topic: str) -> Iterator[Problem]:
    """Whether the topic of that name is the one being read."""
    if bus.topic_id is None:
        yield Problem(Verdict.BEHIND, f"Kafka has no topic {topic}: ingest makes it when it starts.", "ingest-lags")
    elif stored.topic_id is None:
        yield Problem(Verdict.BEHIND, f"Topic {topic} was never read: start ingest.", "ingest-lags")
    elif bus.topic_id != stored.topic_id:
        yield Problem(
            Verdict.BEHIND,
            f"Topic {topic} was made anew and is not read: decide, then run `jejo offsets adopt`.",
            "topic-re-created",
        )


def lag_problems(stored: Stored, lag: int, most: Thresholds) -> Iterator[Problem]:
    if lag > most.lag_records:
        yield Problem(
            Verdict.BEHIND, f"Ingest is {lag:,} records behind, more than {most.lag_records:,}.", "ingest-lags"
        )
    quiet_s = None if stored.moved_us is None else (stored.now_us - stored.moved_us) // SECOND_US
    if lag and quiet_s is not None and quiet_s > STALLED_S:
        yield Problem(
            Verdict.BEHIND, f"Records wait, and ingest wrote none for {quiet_s} s: see its log.", "ingest-lags"
        )


def letter_problems(stored: Stored, most: Thresholds) -> Iterator[Problem]:
    last_hour = sum(letters.last_hour.value for letters in stored.letters)
    if last_hour > most.dead_letters_per_hour:
        most_of = max(stored.letters, key=lambda letters: letters.last_hour.value).reason
        yield Problem(
            Verdict.BEHIND,
            f"The last hour brought {last_hour:,} dead letters or more, most of them {most_of}: "
            f"`jejo dead-letters list --reason {most_of}` says what to do.",
            "dead-letters-grow",
        )


def freshness_problems(stored: Stored, most: Thresholds) -> Iterator[Problem]:
    fresh_until_us = stored.fresh_until_us
    if fresh_until_us is None:
        yield Problem(Verdict.BEHIND, "Nothing was ever accounted: start analytics.", "analytics-behind")
        return
    behind_s = (stored.now_us - fresh_until_us) / SECOND_US
    if behind_s > most.freshness_s:
        yield Problem(
            Verdict.BEHIND, f"KPIs are {behind_s:.0f} s behind, more than {most.freshness_s:.0f} s.", "analytics-behind"
        )
