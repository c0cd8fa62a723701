"""Turns a batch of records into columns: plain records fast, all others one by one, in the partition's order. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from schemas.wire.codes import Reason
from schemas.wire.plain import decode_plain
from schemas.wire.refusal import Refusal
from services.core.times import HOUR_US, floor_to
from services.ingest.columns import Batch, FactColumns, Texts, columns_of, joined
from services.ingest.judging.authenticate import Sender, claimed_factory
from services.ingest.judging.judge import judge, whole_letter
from services.ingest.judging.plain_rows import Known, PlainRows
from services.ingest.judging.quotas import Quotas
from services.ingest.judging.registry import Registry
from services.ingest.model import AuthenticRecord, BusRecord, DeadLetter, FactTable, Findings, Ints


@dataclass(frozen=True, slots=True)
class Decoded:
    """What was decoded of a batch, by two paths; ``numbers`` has each of the findings' records' position in the batch.

    Columns and ``plain`` name a record by its position in the batch too.
    """

    plain: Mapping[int, AuthenticRecord]
    columns: Mapping[FactTable, FactColumns]
    findings: Findings
    numbers: list[int]
    texts: Texts
    registry: Registry
    sources: int

    def batch(self, metrics: Mapping[str, int]) -> tuple[Batch, Ints]:
        """Return the batch, and the position among the sources of each of its records.

        Args:
            metrics: the ids of all metrics that the findings name.
        """
        judged = dict(zip(self.numbers, self.findings.records, strict=True))
        order = np.array(sorted([*self.plain, *judged]), np.int64)
        place = np.full(self.sources, -1, np.int64)
        place[order] = np.arange(len(order))
        tables = dict(self.columns)
        numbers = np.array(self.numbers, np.int64)
        if self.numbers:
            revisions = np.array([record.revision for record in self.findings.records], np.int64)
            for table, rows in self.findings.rows.items():
                strict = columns_of(table, rows, revisions, metrics, self.texts)
                tables[table] = joined(tables[table], strict.renumbered(numbers))
        if len(order) < self.sources:
            tables = {table: columns.renumbered(place) for table, columns in tables.items()}
        letters = [with_record(letter, place[numbers]) for letter in self.findings.dead_letters]
        records = [judged.get(n) or self.plain[n] for n in order.tolist()]
        return Batch(records, tables, self.texts, self.registry.machines, letters), order


def with_record(letter: DeadLetter, place: Ints) -> DeadLetter:
    return letter if letter.record is None else replace(letter, record=int(place[letter.record]))


def decode_batch(
    sources: Sequence[BusRecord], senders: Sequence[Sender | Refusal], registry: Registry, known: Known, quotas: Quotas
) -> Decoded:
    """Decode and judge a batch's records. ``senders`` has what ``authenticate`` returned for each.

    Args:
        known: what rows may use without being the first to.
        quotas: with the sums of the batch's hours loaded; the batch is added to them.
    """
    texts = Texts()
    plain = PlainRows(known, texts)
    findings = Findings()
    numbers: list[int] = []

    def judge_strictly(number: int, over_quota: str | None) -> int:
        rows = judge(sources[number], senders[number], registry, findings, over_quota)
        if len(findings.records) > len(numbers):
            numbers.append(number)
        return rows

    for number, (source, sender) in enumerate(zip(sources, senders, strict=True)):
        record = None if source.unreadable is not None else decode_plain(source.value or b"")
        if isinstance(sender, Refusal):
            if record is not None and record.factory_id == claimed_factory(source):
                findings.dead_letters.append(whole_letter(source, record.factory_id, sender, authentic=False))
            else:
                judge_strictly(number, None)
            continue
        quota = (source.partition, floor_to(source.received_us, HOUR_US), sender.factory.factory)
        over_quota = quotas.admit(*quota)
        rows = 0
        if record is not None and record.factory_id == sender.factory_id:
            if over_quota is not None:
                refusal = Refusal(Reason.over_quota, over_quota)
                findings.dead_letters.append(whole_letter(source, sender.factory_id, refusal, authentic=True))
                continue
            rows = plain.add(number, source, sender, record)
        rows = rows or judge_strictly(number, over_quota)
        if rows:
            quotas.spend(*quota, rows, len(source.value or b""))
    received_us = np.array([source.received_us for source in sources], np.int64)
    columns, doubtful = plain.columns(received_us, registry)
    for number in sorted(doubtful):
        judge_strictly(number, None)
    return Decoded(plain.records, columns, findings, numbers, texts, registry, len(sources))
