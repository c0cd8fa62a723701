"""A naive reference of ingest: the facts, records and dead letters that must follow from a log.

It shares no code with ``services/ingest``: one dictionary entry per identity, one record after the other.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

Place = tuple[int, int, int]
"""Where a record is: the number of the topic (1 for the first that had the name), partition and offset."""
Identity = tuple[str, str, str, str, int]
"""Kind of row, factory, machine, key (product of a count, metric of a reading) and instant in microseconds."""
Statement = tuple[int, bool, tuple[object, ...]]
"""What a row states: revision, whether it is retracted, and its content as the database stores it."""
Span = tuple[int, int]
"""Instants from the first up to but not including the second, in microseconds."""

ALWAYS: Span = (0, 2**62)
FIVE_MINUTES_US = 300_000_000
DAY_US = 86_400_000_000
HOUR_US = 3_600_000_000
BAD_ENVELOPE = "bad_schema"


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a record. ``wrong`` is the reason for which the row alone shows that it is invalid."""

    kind: str
    index: int
    machine_id: str
    key: str
    at_us: int
    content: tuple[object, ...]
    retracted: bool = False
    wrong: str | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """A record to send, and what it is: refused as a whole for a reason, or rows signed with a factory's key.

    One with both is refused for its reason only while the key is valid.
    """

    value: bytes | None
    key: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    factory_id: str
    key_id: str = ""
    revision: int = 0
    rows: tuple[Row, ...] = ()
    refused: str | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message in the log, with its place and the broker's time of receipt in microseconds."""

    message: Message
    place: Place
    received_us: int


@dataclass(slots=True)
class Registered:
    """The registry: when each machine is in use and each key is valid, and before when each kind of fact is sealed.

    ``rows_per_hour`` is the quota of a factory in a partition and hour of receipt; a record that starts below it is
    taken whole.
    """

    machines: dict[tuple[str, str], Span] = field(default_factory=dict)
    keys: dict[tuple[str, str], Span] = field(default_factory=dict)
    sealed_before_us: int = 0
    rows_per_hour: int = 2**62


@dataclass(slots=True)
class Fates:
    """What became of an authentic record's rows: their numbers, the latest instant of those stored or clashed, reasons.

    ``late`` (received more than a day after their instant) and ``revised`` (stored beside another version) are parts of
    ``stored``.
    """

    stored: int = 0
    duplicate: int = 0
    clashed: int = 0
    refused: int = 0
    late: int = 0
    revised: int = 0
    newest_us: int | None = None
    reasons: Counter[str] = field(default_factory=Counter)

    def as_stored(self) -> tuple[object, ...]:
        """Return all of it as one value to compare."""
        counts = (self.stored, self.duplicate, self.clashed, self.refused, self.late, self.revised)
        return (*counts, self.newest_us, tuple(sorted(self.reasons.items())))


@dataclass(slots=True)
class Outcome:
    """What must be stored: facts in force with the place that they came from, all other versions, letters, records.

    ``records`` has each authentic record; ``hours`` the start of the hour of receipt of each record that was refused
    whole, in microseconds.
    """

    facts: dict[Identity, tuple[Statement, Place]] = field(default_factory=dict)
    aside: set[tuple[Identity, Statement, bool]] = field(default_factory=set)
    letters: dict[tuple[Place, str | None, int | None], str] = field(default_factory=dict)
    records: dict[Place, Fates] = field(default_factory=dict)
    hours: dict[Place, int] = field(default_factory=dict)


def outcome_of(deliveries: Iterable[Delivery], registered: Registered) -> Outcome:
    """Return what must be stored after all deliveries have been read, in the order of their places."""
    found = Outcome()
    first: dict[Identity, dict[int, tuple[Statement, Place]]] = {}
    spent: Counter[tuple[int, int, int, str]] = Counter()
    for delivery in sorted(deliveries, key=lambda delivery: delivery.place):
        message, place = delivery.message, delivery.place
        hour_us = delivery.received_us // HOUR_US * HOUR_US
        quota = (*place[:2], hour_us, message.factory_id)
        reason = refusal_of_record(delivery, registered, spent[quota])
        if reason is not None:
            found.letters[place, None, None] = reason
            found.hours[place] = hour_us
            continue
        spent[quota] += len(message.rows)
        fates = found.records[place] = Fates()
        for row in message.rows:
            wrong = row.wrong or refusal_of_row(row, delivery, registered)
            if wrong is not None:
                found.letters[place, row.kind, row.index] = wrong
                fates.refused += 1
                fates.reasons[wrong] += 1
                continue
            identity = (row.kind, message.factory_id, row.machine_id, row.key, row.at_us)
            statement = (message.revision, row.retracted, row.content)
            versions = first.setdefault(identity, {})
            if message.revision not in versions:
                fates.stored += 1
                fates.revised += bool(versions)
                fates.late += row.at_us < delivery.received_us - DAY_US
                versions[message.revision] = (statement, place)
            elif versions[message.revision][0] == statement or (identity, statement, True) in found.aside:
                fates.duplicate += 1
                continue
            else:
                found.aside.add((identity, statement, True))
                fates.clashed += 1
            fates.newest_us = max(fates.newest_us or row.at_us, row.at_us)
    for identity, versions in first.items():
        highest = max(versions)
        found.facts[identity] = versions.pop(highest)
        found.aside |= {(identity, statement, False) for statement, _ in versions.values()}
    return found


def refusal_of_record(delivery: Delivery, registered: Registered, rows_spent: int) -> str | None:
    """Return why a record is refused whole. The envelope is judged last, once the key is known to be valid.

    Args:
        rows_spent: the rows of its factory in its partition and hour of receipt before it.
    """
    message = delivery.message
    if message.refused is not None and not (message.refused == BAD_ENVELOPE and message.key_id):
        return message.refused
    start, end = registered.keys.get((message.factory_id, message.key_id), (0, 0))
    if not start <= delivery.received_us < end:
        return "bad_signature"
    return "over_quota" if rows_spent >= registered.rows_per_hour else message.refused


def refusal_of_row(row: Row, delivery: Delivery, registered: Registered) -> str | None:
    """Return why a well-formed row is refused."""
    in_use = registered.machines.get((delivery.message.factory_id, row.machine_id))
    if in_use is None:
        return "unknown_machine"
    if row.at_us > delivery.received_us + FIVE_MINUTES_US:
        return "implausible_time"
    if row.at_us < registered.sealed_before_us:
        return "beyond_horizon"
    if not in_use[0] <= row.at_us < in_use[1]:
        return "not_in_use"
    return None
