"""Rows of ``ingest_record``: what is kept of each authentic record, with what became of its rows. Pure."""

import json
from collections import Counter
from collections.abc import Mapping

import numpy as np

from services.ingest.columns import Batch
from services.ingest.model import FactTable, Ints
from services.ingest.writing.facts import TableResult
from services.ingest.writing.record_tallies import RecordTallies

RECORD_COLUMNS = [
    *("id", "topic", "partition", "record_offset", "received_at", "sent_at", "factory", "gateway_id", "boot_id"),
    *("sequence", "gateway_key", "signed", "revision", "unknown_fields", "value_bytes", "rows_refused", "refusals"),
    *("metrics_added", "days_added"),
    *("rows_stored", "rows_duplicate", "rows_clashed", "rows_late", "rows_revised", "newest_at"),
]


def tally(batch: Batch, results: Mapping[FactTable, TableResult]) -> RecordTallies:
    """Count what became of the rows of each record."""
    tallies = RecordTallies(np.array([record.source.received_us for record in batch.records], np.int64))
    for table, result in results.items():
        columns = batch.tables[table]
        tallies.add(
            columns.record,
            columns.at_us,
            **{fate: result.positions(fate) for fate in ("stored", "duplicate", "clashed", "revised")},
        )
    return tallies


def record_rows(batch: Batch, topic: int, ids: Ints, tallies: RecordTallies) -> list[tuple[object, ...]]:
    """Return a row for each record that is not stored yet, in the order of RECORD_COLUMNS."""
    refusals = refusals_by_record(batch)
    return [
        (
            *(record_id, topic, record.source.partition, record.source.offset, record.source.received_us),
            *(record.sent_us, record.factory, record.gateway_id, record.boot_id, record.sequence, record.gateway_key),
            *(record.gateway_key is not None, record.revision, record.unknown_fields, len(record.source.value or b"")),
            *(record.refused, refusals.get(index), record.metrics_added, record.days_added),
            *counts,
        )
        for index, (record, record_id, counts) in enumerate(
            zip(batch.records, ids.tolist(), tallies.rows(), strict=True)
        )
        if record.record_id is None
    ]


def refusals_by_record(batch: Batch) -> dict[int, str]:
    """Return the refused rows of records by reason, as JSON for ``ingest_record.refusals``."""
    counts: dict[int, Counter[str]] = {}
    for letter in batch.dead_letters:
        if letter.record is not None:
            counts.setdefault(letter.record, Counter())[letter.reason.value] += 1
    return {record: json.dumps(reasons) for record, reasons in counts.items()}


def credit_rows(batch: Batch, ids: Ints, tallies: RecordTallies) -> list[tuple[object, ...]]:
    """Return the changes of counts for each record that is stored already, in the order of CREDIT_RECORDS."""
    return [
        (
            *(record_id, record.source.received_us, stored, duplicate, clashed, -(stored + duplicate + clashed)),
            *(late, revised, record.metrics_added, record.days_added, newest_us),
        )
        for record, record_id, (stored, duplicate, clashed, late, revised, newest_us) in zip(
            batch.records, ids.tolist(), tallies.rows(), strict=True
        )
        if record.record_id is not None
    ]
