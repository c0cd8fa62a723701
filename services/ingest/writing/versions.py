"""The rules for a fact that is sent more than once. Pure.

At each revision the first row in the partition's order is the version; a different one at the same revision is a
clash, counted once; the version of the highest revision is in force. So the outcome does not depend on how rows were
batched, how often they were sent, or in which order revisions arrived.
"""

from dataclasses import dataclass
from enum import Enum, auto

from services.ingest.model import Content


class Outcome(Enum):
    """What became of a row, as ``ingest_record`` counts it."""

    STORED = auto()
    DUPLICATE = auto()
    CLASHED = auto()


@dataclass(frozen=True, slots=True)
class FactVersion:
    """One version of a fact, and the id of the record that it came in."""

    revision: int
    retracted: bool
    content: Content
    record_id: int


@dataclass(frozen=True, slots=True)
class Known:
    """What is stored of an identity: the version in force (None: the identity is new), and all others."""

    current: FactVersion | None
    superseded: tuple[FactVersion, ...]
    clashes: tuple[FactVersion, ...]


@dataclass(frozen=True, slots=True)
class FactChange:
    """What to write for an identity: the version in force if it changed, and the versions to keep beside it."""

    outcomes: tuple[Outcome, ...]
    current: FactVersion | None
    superseded: tuple[FactVersion, ...]
    clashes: tuple[FactVersion, ...]


NOTHING_KNOWN = Known(None, (), ())


def merge(known: Known, incoming: list[FactVersion]) -> FactChange:
    """Merge rows of one identity, in the partition's order, into what is stored of it.

    Returns:
        One outcome per row, and the differences from ``known``.
    """
    winners = {version.revision: version for version in known.superseded}
    if known.current is not None:
        winners[known.current.revision] = known.current
    clashing = {(v.revision, v.retracted, v.content) for v in known.clashes}
    outcomes: list[Outcome] = []
    stored: list[FactVersion] = []
    clashes: list[FactVersion] = []
    for row in incoming:
        winner = winners.get(row.revision)
        statement = (row.revision, row.retracted, row.content)
        if winner is None:
            winners[row.revision] = row
            stored.append(row)
            outcomes.append(Outcome.STORED)
        elif (winner.retracted, winner.content) == (row.retracted, row.content) or statement in clashing:
            outcomes.append(Outcome.DUPLICATE)
        else:
            clashing.add(statement)
            clashes.append(row)
            outcomes.append(Outcome.CLASHED)
    current = winners[max(winners)]
    superseded = [version for version in stored if version is not current]
    if known.current is not None and current is not known.current:
        superseded.append(known.current)
    changed = None if current is known.current else current
    return FactChange(tuple(outcomes), changed, tuple(superseded), tuple(clashes))
