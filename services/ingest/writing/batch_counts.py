"""Counts of what became of a batch's records and rows."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from schemas.wire.codes import Reason
from schemas.wire.columns import RowKind
from services.ingest.columns import Batch
from services.ingest.letters.dead_letters import WrittenLetters
from services.ingest.model import DeadLetter, FactTable
from services.ingest.writing.facts import TableResult

KINDS = {FactTable.STATE: RowKind.states, FactTable.COUNT: RowKind.counts, FactTable.READING: RowKind.readings}
FATES = ("stored", "duplicate", "clashed", "refused")
"""What can become of a row of an authentic record."""


@dataclass(frozen=True, slots=True)
class Refusals:
    """The dead letters of one reason: how many, and the first one's place, claimed factory and message."""

    reason: Reason
    count: int
    partition: int
    offset: int
    factory: str | None
    message: str


@dataclass(frozen=True, slots=True)
class BatchCounts:
    """One batch: authentic records, records refused whole, rows by kind and fate, and refusals by reason.

    ``letters`` has how many of the refusals were kept and how many only counted.
    """

    records: int
    refused_records: int
    rows: Counter[tuple[RowKind, str]]
    refusals: tuple[Refusals, ...]
    letters: WrittenLetters = field(default_factory=WrittenLetters)

    def rows_of(self, fate: str) -> int:
        """Return the number of rows of all kinds with this fate."""
        return sum(count for (_, own), count in self.rows.items() if own == fate)


def count_batch(batch: Batch, results: Mapping[FactTable, TableResult], letters: WrittenLetters) -> BatchCounts:
    """Count a batch, given what became of the rows of each table."""
    rows: Counter[tuple[RowKind, str]] = Counter()
    for table, result in results.items():
        for fate in FATES[:3]:
            rows[KINDS[table], fate] += result.count(fate)
    whole = 0
    for letter in batch.dead_letters:
        if letter.row_kind is None:
            whole += 1
        else:
            rows[letter.row_kind, "refused"] += 1
    return BatchCounts(len(batch.records), whole, rows, refusals_of(batch.dead_letters), letters)


def refusals_of(letters: Iterable[DeadLetter]) -> tuple[Refusals, ...]:
    """Group dead letters by reason, in the order in which the reasons first occur."""
    counts = Counter[Reason]()
    first: dict[Reason, DeadLetter] = {}
    for letter in letters:
        counts[letter.reason] += 1
        first.setdefault(letter.reason, letter)
    return tuple(
        Refusals(reason, counts[reason], one.source.partition, one.source.offset, one.claimed_factory, one.message)
        for reason, one in first.items()
    )
