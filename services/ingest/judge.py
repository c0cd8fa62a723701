"""Decides which rows of a record are facts and which are dead letters. Pure: no clock, no settings, no I/O.

The order is the contract's: size, JSON, factory id, record key, known factory, key and signature, envelope, rows. Up to
the envelope a record is refused as a whole; an invalid row is refused alone.
"""

from dataclasses import dataclass, replace
from typing import TypeAlias

from schemas.wire.codes import Reason
from schemas.wire.columns import CountRows, ReadingRows, RowKind, StateRows
from schemas.wire.decode import Body, decode_record
from schemas.wire.limits import FACTORY_ID, LOCAL_ID
from schemas.wire.refusal import Refusal
from schemas.wire.rows import raw_rows
from schemas.wire.signature import KEY_ID_HEADER, SIGNATURE_HEADER, verify
from services.core.times import MINUTE_US, rfc3339
from services.ingest.model import AuthenticRecord, Batch, BusRecord, Content, DeadLetter, FactTable, Unreadable
from services.ingest.registry import KeyVersion, Machine, Registry

FUTURE_US = 5 * MINUTE_US
"""How far after receipt a row's instant may lie, since a gateway's clock may be ahead."""

TABLES = {RowKind.states: FactTable.STATE, RowKind.counts: FactTable.COUNT, RowKind.readings: FactTable.READING}

Rows: TypeAlias = StateRows | CountRows | ReadingRows


@dataclass(frozen=True, slots=True)
class Authentication:
    """The sender of a record: the ids of the factory and of the signing key (None: unsigned, where that is allowed)."""

    factory: int
    gateway_key: int | None


def judge(source: BusRecord, registry: Registry, batch: Batch, *, require_signatures: bool) -> None:
    """Add a record's facts and dead letters to a batch."""
    if source.unreadable is not None:
        batch.dead_letters.append(unreadable_batch(source, source.unreadable))
        return
    value = source.value or b""
    claim = decode_record(value)
    if isinstance(claim, Refusal):
        batch.dead_letters.append(DeadLetter(source, claimed_by_key(source), False, claim.reason, claim.message, value))
        return
    factory_id = claim.factory_id
    sender = authenticate(source, factory_id, registry, require_signatures=require_signatures)
    if isinstance(sender, Refusal):
        batch.dead_letters.append(DeadLetter(source, factory_id, False, sender.reason, sender.message, value))
        return
    if isinstance(claim.body, Refusal):
        refusal = claim.body
        batch.dead_letters.append(DeadLetter(source, factory_id, True, refusal.reason, refusal.message, value))
        return
    judge_body(source, factory_id, sender, claim.body, registry, batch)


def unreadable_batch(source: BusRecord, unreadable: Unreadable) -> DeadLetter:
    """Return the one letter of a record batch that cannot be read, at the batch's first offset."""
    first, last = unreadable.first_offset, unreadable.last_offset
    message = (
        f"The batch of offsets {first} to {last} {unreadable.why}: find its producer by the broker's log and its "
        "neighbours here, correct its settings, and have these records sent again."
    )
    at_first = replace(source, offset=first)
    return DeadLetter(at_first, None, False, Reason.unreadable_batch, message, source.value or b"")


def claimed_by_key(source: BusRecord) -> str | None:
    """Return the factory that the record key names, for a record whose value cannot be read; None if it names none."""
    key = (source.key or b"").decode("ascii", "replace")
    return key if FACTORY_ID.fullmatch(key) else None


def authenticate(
    source: BusRecord, factory_id: str, registry: Registry, *, require_signatures: bool
) -> Authentication | Refusal:
    """Check record key, factory and signature against the registry, as of the record's receipt."""
    if source.key != factory_id.encode():
        return Refusal(Reason.key_mismatch, f"Set the Kafka record key to the factory_id, {factory_id}.")
    factory = registry.factories.get(factory_id)
    if factory is None:
        return Refusal(Reason.unknown_factory, f"Register factory {factory_id}, then replay this record.")
    key_ids = [value or b"" for name, value in source.headers if name == KEY_ID_HEADER]
    signatures = [value or b"" for name, value in source.headers if name == SIGNATURE_HEADER]
    if not key_ids and not signatures and not require_signatures:
        return Authentication(factory, None)
    if len(key_ids) != 1 or len(signatures) != 1:
        return refuse_signature(f"Send exactly one {KEY_ID_HEADER} and one {SIGNATURE_HEADER} header.")
    key_id = key_ids[0].decode("ascii", "replace")
    if not LOCAL_ID.fullmatch(key_id):
        return refuse_signature(f"Send the id of a registered key in the header {KEY_ID_HEADER}.")
    versions = registry.keys.get((factory_id, key_id), ())
    if not versions:
        return refuse_signature(f"Register key {key_id} for factory {factory_id}, or sign with one of its own keys.")
    valid = key_at(versions, source.received_us)
    if valid is None:
        return refuse_signature(
            f"Key {key_id} was not valid at receipt, {rfc3339(source.received_us)}: use one that is."
        )
    if not verify(source.value or b"", signatures[0], valid.public_key):
        return refuse_signature(
            f"The signature is not that of key {key_id} over the record's bytes: sign the value as sent."
        )
    return Authentication(factory, valid.gateway_key)


def refuse_signature(message: str) -> Refusal:
    return Refusal(Reason.bad_signature, message)


def key_at(versions: tuple[KeyVersion, ...], received_us: int) -> KeyVersion | None:
    """Return the version of a key that is valid at the instant, if there is one."""
    return next((version for version in versions if version.is_valid_at(received_us)), None)


def judge_body(
    source: BusRecord, factory_id: str, sender: Authentication, body: Body, registry: Registry, batch: Batch
) -> None:
    """Add an authentic record to the batch: valid rows as facts, each invalid one as a dead letter."""
    record = len(batch.records)
    refused = [(wrong.kind, wrong.index, wrong.refusal) for wrong in body.refused]
    for kind, rows in rows_by_kind(body):
        misplaced = place_rows(source, factory_id, record, kind, rows, registry, batch)
        refused += [(kind, rows.index[position], refusal) for position, refusal in misplaced]
    if refused:
        raw = raw_rows(source.value or b"")
        batch.dead_letters += [
            row_letter(source, factory_id, record, kind, index, raw.bytes_of(kind, index), refusal)
            for kind, index, refusal in refused
        ]
    batch.records.append(
        AuthenticRecord(
            source=source,
            factory=sender.factory,
            gateway_id=body.gateway_id,
            boot_id=body.boot_id,
            sequence=body.sequence,
            sent_us=body.sent_at_us,
            revision=body.revision,
            gateway_key=sender.gateway_key,
            signed=sender.gateway_key is not None,
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
    source: BusRecord, factory_id: str, record: int, kind: RowKind, rows: Rows, registry: Registry, batch: Batch
) -> list[tuple[int, Refusal]]:
    """Add the rows that can be facts to the batch.

    Returns:
        (position in ``rows``, refusal) of each of the others.
    """
    refused: list[tuple[int, Refusal]] = []
    table = TABLES[kind]
    facts = batch.rows[table]
    sealed_before = registry.sealed_before_us[table]
    keys, contents = keys_and_contents(rows)
    for position, (machine_id, at_us, retracted) in enumerate(
        zip(rows.machine_id, rows.at_us, rows.retracted, strict=True)
    ):
        machine = registry.machines.get((factory_id, machine_id))
        refusal = judge_place(machine_id, machine, at_us, source.received_us, sealed_before)
        if refusal is not None or machine is None:
            refused.append((position, refusal or unknown_machine(machine_id)))
            continue
        facts.machine.append(machine.machine)
        facts.shard.append(machine.shard)
        facts.key.append(keys[position])
        facts.at_us.append(at_us)
        facts.content.append(contents[position])
        facts.retracted.append(retracted)
        facts.record.append(record)
    return refused


def unknown_machine(machine_id: str) -> Refusal:
    return Refusal(Reason.unknown_machine, f"Register machine {machine_id} of this factory, then replay this row.")


def judge_place(
    machine_id: str, machine: Machine | None, at_us: int, received_us: int, sealed_before_us: int
) -> Refusal | None:
    """Return why a row of this machine and instant is refused; None if it is not."""
    if machine is None:
        return unknown_machine(machine_id)
    if at_us > received_us + FUTURE_US:
        late = (at_us - received_us) // 1_000_000
        return Refusal(Reason.implausible_time, f"Set the gateway's clock: the row is {late} s after its receipt.")
    if at_us < sealed_before_us:
        return Refusal(
            Reason.beyond_horizon, f"Facts before {rfc3339(sealed_before_us)} are sealed: do not send this row."
        )
    if not machine.is_in_use_at(at_us):
        return Refusal(
            Reason.not_in_use,
            f"Machine {machine_id} is not in use at {rfc3339(at_us)}: correct its time in use, then replay this row.",
        )
    return None


def keys_and_contents(rows: Rows) -> tuple[list[str], list[Content]]:
    """Return each row's key (see ``FactRows``) and content, which the decoder has normalised for retracted rows."""
    if isinstance(rows, StateRows):
        return [""] * len(rows.at_us), list(zip(rows.state, rows.mode, rows.reason, strict=True))
    if isinstance(rows, CountRows):
        return rows.product, list(zip(rows.good, rows.scrap, rows.rework, strict=True))
    return rows.metric, [(value,) for value in rows.value]
