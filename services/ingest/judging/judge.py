"""Judges one record after the other by the whole contract, and says why what is refused is. Pure: no clock, no I/O.

The order is the contract's: size, JSON, factory id, record key, known factory, key and signature, envelope, rows. Up to
the envelope a record is refused as a whole; an invalid row is refused alone.
"""

from dataclasses import replace
from typing import TypeAlias

from schemas.wire.codes import Reason
from schemas.wire.columns import CountRows, ReadingRows, RowKind, StateRows
from schemas.wire.decode import Body, decode_body, open_record
from schemas.wire.refusal import Refusal
from schemas.wire.rows import raw_rows
from services.core.times import MINUTE_US, rfc3339
from services.ingest.judging.authenticate import Sender, claimed_factory
from services.ingest.judging.registry import Registry
from services.ingest.model import AuthenticRecord, BusRecord, Content, DeadLetter, FactTable, Findings, Unreadable

FUTURE_US = 5 * MINUTE_US
"""How far after receipt a row's instant may lie, since a gateway's clock may be ahead."""

TABLES = {RowKind.states: FactTable.STATE, RowKind.counts: FactTable.COUNT, RowKind.readings: FactTable.READING}

Rows: TypeAlias = StateRows | CountRows | ReadingRows


def judge(
    source: BusRecord,
    sender: Sender | Refusal,
    registry: Registry,
    findings: Findings,
    over_quota: str | None = None,
) -> int:
    """Add a record's facts and dead letters to the findings.

    Args:
        sender: what ``authenticate`` returned.
        over_quota: why an authentic record is refused unread.

    Returns:
        The number of the record's rows, valid or not; 0 if it is refused whole.
    """
    if source.unreadable is not None:
        findings.dead_letters.append(unreadable_batch(source, source.unreadable))
        return 0
    value = source.value or b""
    opened = open_record(value)
    if isinstance(opened, Refusal):
        findings.dead_letters.append(whole_letter(source, claimed_factory(source), opened, authentic=False))
        return 0
    if source.key != opened.factory_id.encode():
        sender = Refusal(Reason.key_mismatch, f"Set the Kafka record key to the factory_id, {opened.factory_id}.")
    if isinstance(sender, Refusal):
        findings.dead_letters.append(whole_letter(source, opened.factory_id, sender, authentic=False))
        return 0
    body = decode_body(opened) if over_quota is None else Refusal(Reason.over_quota, over_quota)
    if isinstance(body, Refusal):
        findings.dead_letters.append(whole_letter(source, opened.factory_id, body, authentic=True))
        return 0
    judge_body(source, sender, body, registry, findings)
    return sum(len(rows.at_us) for _, rows in rows_by_kind(body)) + len(body.refused)


def unreadable_batch(source: BusRecord, unreadable: Unreadable) -> DeadLetter:
    """Return the one letter of a record batch that cannot be read, at the batch's first offset."""
    first, last = unreadable.first_offset, unreadable.last_offset
    message = (
        f"The batch of offsets {first} to {last} {unreadable.why}: find its producer by the broker's log and its "
        "neighbours here, correct its settings, and have these records sent again."
    )
    at_first = replace(source, offset=first)
    return DeadLetter(at_first, None, False, Reason.unreadable_batch, message, source.value or b"")


def whole_letter(source: BusRecord, factory_id: str | None, refusal: Refusal, *, authentic: bool) -> DeadLetter:
    return DeadLetter(source, factory_id, authentic, refusal.reason, refusal.message, source.value or b"")


def judge_body(source: BusRecord, sender: Sender, body: Body, registry: Registry, findings: Findings) -> None:
    """Add an authentic record to the findings: valid rows as facts, each invalid one as a dead letter."""
    record = len(findings.records)
    refused = [(wrong.kind, wrong.index, wrong.refusal) for wrong in body.refused]
    for kind, rows in rows_by_kind(body):
        misplaced = place_rows(source, sender, record, kind, rows, registry, findings)
        refused += [(kind, rows.index[position], refusal) for position, refusal in misplaced]
    if refused:
        raw = raw_rows(source.value or b"")
        findings.dead_letters += [
            row_letter(source, sender.factory_id, record, kind, index, raw.bytes_of(kind, index), refusal)
            for kind, index, refusal in refused
        ]
    findings.records.append(
        AuthenticRecord(
            source=source,
            factory=sender.factory.factory,
            gateway_id=body.gateway_id,
            boot_id=body.boot_id,
            sequence=body.sequence,
            sent_us=body.sent_at_us,
            revision=body.revision,
            gateway_key=sender.gateway_key,
            unknown_fields=body.unknown_fields,
            refused=len(refused),
        )
    )


def rows_by_kind(body: Body) -> tuple[tuple[RowKind, Rows], ...]:
    return (RowKind.states, body.states), (RowKind.counts, body.counts), (RowKind.readings, body.readings)


def row_letter(
    source: BusRecord, factory_id: str, record: int, kind: RowKind, index: int, raw: bytes, refusal: Refusal
) -> DeadLetter:
    return DeadLetter(source, factory_id, True, refusal.reason, refusal.message, raw, kind, index, record)


def place_rows(
    source: BusRecord, sender: Sender, record: int, kind: RowKind, rows: Rows, registry: Registry, findings: Findings
) -> list[tuple[int, Refusal]]:
    """Add the rows that can be facts to the findings.

    Returns:
        (position in ``rows``, refusal) of each of the others.
    """
    refused: list[tuple[int, Refusal]] = []
    facts = findings.rows[TABLES[kind]]
    keys, contents = keys_and_contents(rows)
    for position, (machine_id, at_us, retracted) in enumerate(
        zip(rows.machine_id, rows.at_us, rows.retracted, strict=True)
    ):
        machine = sender.factory.machines.get(machine_id)
        refusal = judge_place(machine_id, machine, at_us, source.received_us, TABLES[kind], registry)
        if refusal is not None or machine is None:
            refused.append((position, refusal or unknown_machine(machine_id)))
            continue
        facts.index.append(rows.index[position])
        facts.machine.append(machine)
        facts.key.append(keys[position])
        facts.at_us.append(at_us)
        facts.content.append(contents[position])
        facts.retracted.append(retracted)
        facts.record.append(record)
    return refused


def unknown_machine(machine_id: str) -> Refusal:
    return Refusal(Reason.unknown_machine, f"Register machine {machine_id} of this factory, then replay this row.")


def judge_place(
    machine_id: str, machine: int | None, at_us: int, received_us: int, table: FactTable, registry: Registry
) -> Refusal | None:
    """Return why a row of this machine and instant is refused; None if it is not."""
    if machine is None:
        return unknown_machine(machine_id)
    if at_us > received_us + FUTURE_US:
        late = (at_us - received_us) // 1_000_000
        return Refusal(Reason.implausible_time, f"Set the gateway's clock: the row is {late} s after its receipt.")
    sealed_before_us = registry.sealed_before_us[table]
    if at_us < sealed_before_us:
        return Refusal(
            Reason.beyond_horizon, f"Facts before {rfc3339(sealed_before_us)} are sealed: do not send this row."
        )
    if not registry.machines.is_in_use_at(machine, at_us):
        return Refusal(
            Reason.not_in_use,
            f"Machine {machine_id} is not in use at {rfc3339(at_us)}: correct its time in use, then replay this row.",
        )
    return None


def keys_and_contents(rows: Rows) -> tuple[list[str], list[Content]]:
    """Return each row's key within its machine and instant, and its content."""
    if isinstance(rows, StateRows):
        return [""] * len(rows.state), list(zip(map(int, rows.state), map(int, rows.mode), rows.reason, strict=True))
    if isinstance(rows, CountRows):
        return rows.product, list(zip(rows.good, rows.scrap, rows.rework, strict=True))
    return rows.metric, [(value,) for value in rows.value]
