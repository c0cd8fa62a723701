"""Introduces the metrics and days that records are the first to use; rows beyond the quotas become dead letters."""

from collections.abc import Mapping
from dataclasses import replace

from schemas.wire.columns import RowKind
from schemas.wire.refusal import Refusal
from schemas.wire.rows import raw_rows
from services.core.database import Connection
from services.core.times import DAY_US
from services.ingest.judging.introductions import (
    FactDay,
    Introduced,
    Introductions,
    Request,
    Unknown,
    refuse_day,
    refuse_metric,
)
from services.ingest.judging.judge import row_letter
from services.ingest.judging.quotas import FactoryLimits
from services.ingest.model import FactRows, FactTable, Findings

KINDS = {FactTable.STATE: RowKind.states, FactTable.COUNT: RowKind.counts, FactTable.READING: RowKind.readings}


async def introduce_new(
    connection: Connection,
    introductions: Introductions,
    findings: Findings,
    firsts: Mapping[int, int],
    limits: FactoryLimits | None,
) -> None:
    """Make sure that every metric and day of the findings exists, and refuse the rows whose record may add no more.

    Args:
        firsts: the batch's partitions, with the offset of their first record in it.
        limits: None for a replay, which an operator answers for.
    """
    names = set(findings.rows[FactTable.READING].key)
    days = {FactDay(table, at_us // DAY_US) for table, rows in findings.rows.items() for at_us in rows.at_us}
    unknown = await introductions.look_up(connection, firsts, names, days)
    if not unknown.metrics and not unknown.days:
        return
    requests = requests_of(findings, unknown)
    order = sorted(requests, key=lambda n: (requests[n].partition, requests[n].offset))
    done = await introductions.introduce(connection, [requests[n] for n in order], limits)
    for position, record in enumerate(order):
        findings.records[record] = replace(
            findings.records[record],
            metrics_added=done.metrics_added[position],
            days_added=done.days_added[position],
        )
    if limits is not None:
        refuse_rows(findings, order, done, limits)


def requests_of(findings: Findings, unknown: Unknown) -> dict[int, Request]:
    """Return what each record would introduce, by the record's position among the findings."""
    metrics: dict[int, set[str]] = {}
    days: dict[int, set[FactDay]] = {}
    for table, rows in findings.rows.items():
        for record, name, at_us in zip(rows.record, rows.key, rows.at_us, strict=True):
            day = FactDay(table, at_us // DAY_US)
            if day in unknown.days:
                days.setdefault(record, set()).add(day)
            if table is FactTable.READING and name in unknown.metrics:
                metrics.setdefault(record, set()).add(name)
    found: dict[int, Request] = {}
    for record in metrics.keys() | days.keys():
        own = findings.records[record]
        place = (own.source.partition, own.source.offset, own.source.received_us, own.factory)
        found[record] = Request(*place, tuple(metrics.get(record, ())), tuple(days.get(record, ())))
    return found


def refuse_rows(findings: Findings, order: list[int], done: Introduced, limits: FactoryLimits) -> None:
    """Turn the rows of metrics and days that were refused to their records into dead letters."""
    no_metrics = {(order[position], name) for position, name in done.refused_metrics}
    no_days = {(order[position], day) for position, day in done.refused_days}
    if not no_metrics and not no_days:
        return
    for table, rows in findings.rows.items():
        kept: list[int] = []
        for n, (record, name, at_us) in enumerate(zip(rows.record, rows.key, rows.at_us, strict=True)):
            day = FactDay(table, at_us // DAY_US)
            if (record, day) in no_days:
                refuse_row(findings, table, n, refuse_day(day, limits))
            elif table is FactTable.READING and (record, name) in no_metrics:
                refuse_row(findings, table, n, refuse_metric(name, limits))
            else:
                kept.append(n)
        findings.rows[table] = rows_at(rows, kept)


def refuse_row(findings: Findings, table: FactTable, position: int, refusal: Refusal) -> None:
    """Add the dead letter of one row, and count it for its record."""
    rows = findings.rows[table]
    number = rows.record[position]
    record = findings.records[number]
    raw = raw_rows(record.source.value or b"").bytes_of(KINDS[table], rows.index[position])
    factory_id = (record.source.key or b"").decode()
    letter = row_letter(record.source, factory_id, number, KINDS[table], rows.index[position], raw, refusal)
    findings.dead_letters.append(letter)
    findings.records[number] = replace(record, refused=record.refused + 1)


def rows_at(rows: FactRows, positions: list[int]) -> FactRows:
    """Return the rows at these positions."""
    return FactRows(
        [rows.index[n] for n in positions],
        [rows.machine[n] for n in positions],
        [rows.key[n] for n in positions],
        [rows.at_us[n] for n in positions],
        [rows.content[n] for n in positions],
        [rows.retracted[n] for n in positions],
        [rows.record[n] for n in positions],
    )
