"""Decides who sent a record: a known factory, and a key of its own that was valid at receipt. Pure.

The factory is the one that the record key names. Whether the value names the same is judged once it is decoded.
"""

from dataclasses import dataclass

from schemas.wire.codes import Reason
from schemas.wire.decode import too_large
from schemas.wire.limits import FACTORY_ID, LOCAL_ID, MAX_VALUE_BYTES
from schemas.wire.refusal import Refusal
from schemas.wire.signature import KEY_ID_HEADER, SIGNATURE_HEADER, verify
from services.core.times import rfc3339
from services.ingest.judging.registry import Factory, KeyVersion, Registry
from services.ingest.model import BusRecord


@dataclass(frozen=True, slots=True)
class Sender:
    """An authentic record's factory, and the id of the signing key (None: unsigned, where that is allowed)."""

    factory_id: str
    factory: Factory
    gateway_key: int | None


def authenticate(source: BusRecord, registry: Registry, *, require_signatures: bool) -> Sender | Refusal:
    """Check a record's factory and signature against the registry, as of its receipt.

    A value that is too large is refused before its signature is verified, which takes as long as a hundred others.
    """
    value = source.value or b""
    if len(value) > MAX_VALUE_BYTES:
        return too_large(value)
    factory_id = claimed_factory(source)
    factory = None if factory_id is None else registry.factories.get(factory_id)
    if factory_id is None or factory is None:
        return Refusal(Reason.unknown_factory, f"Register factory {factory_id}, then replay this record.")
    key_ids = [header or b"" for name, header in source.headers if name == KEY_ID_HEADER]
    signatures = [header or b"" for name, header in source.headers if name == SIGNATURE_HEADER]
    if not key_ids and not signatures and not require_signatures:
        return Sender(factory_id, factory, None)
    if len(key_ids) != 1 or len(signatures) != 1:
        return refuse_signature(f"Send exactly one {KEY_ID_HEADER} and one {SIGNATURE_HEADER} header.")
    key_id = key_ids[0].decode("ascii", "replace")
    if not LOCAL_ID.fullmatch(key_id):
        return refuse_signature(f"Send the id of a registered key in the header {KEY_ID_HEADER}.")
    versions = factory.keys.get(key_id, ())
    if not versions:
        return refuse_signature(f"Register key {key_id} for factory {factory_id}, or sign with one of its own keys.")
    valid = key_at(versions, source.received_us)
    if valid is None:
        return refuse_signature(
            f"Key {key_id} was not valid at receipt, {rfc3339(source.received_us)}: use one that is."
        )
    if not verify(value, signatures[0], valid.public_key):
        return refuse_signature(
            f"The signature is not that of key {key_id} over the record's bytes: sign the value as sent."
        )
    return Sender(factory_id, factory, valid.gateway_key)


def claimed_factory(source: BusRecord) -> str | None:
    """Return the factory that the record key names; None if it names none."""
    key = (source.key or b"").decode("ascii", "replace")
    return key if FACTORY_ID.fullmatch(key) else None


def refuse_signature(message: str) -> Refusal:
    return Refusal(Reason.bad_signature, message)


def key_at(versions: tuple[KeyVersion, ...], received_us: int) -> KeyVersion | None:
    """Return the version of a key that is valid at the instant, if there is one."""
    return next((version for version in versions if version.is_valid_at(received_us)), None)
