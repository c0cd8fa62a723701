"""Records of every kind that a gateway, or anybody else, may send: each with what it is, for the reference."""

import datetime as dt
import json
import os
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum, auto
from typing import Any

from schemas.wire.codes import Mode, State
from schemas.wire.limits import MAX_VALUE_BYTES
from schemas.wire.signature import KEY_ID_HEADER, SIGNATURE_HEADER, sign
from tests.faults.reference import Message, Row

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
MINUTE_US = 60_000_000
HOUR_US = 60 * MINUTE_US
ORIGIN_US = 1_488_326_400_000_000
"""2017-03-01T00:00:00Z: record number n has the instants of the nth minute since."""
SEALED_BEFORE_US = 1_456_790_400_000_000
"""2016-03-01T00:00:00Z: the horizon of all facts. Machine M1 is in use since January."""
BEYOND_US = SEALED_BEFORE_US - 24 * HOUR_US
BEFORE_USE_US = ORIGIN_US - 1000 * HOUR_US
"""An instant within the horizon at which machine NEW is not in use yet."""
ROWS = 40
STATES: dict[object, str] = {int(state): state.name for state in State}
MODES: dict[object, str | None] = {int(mode): mode.name if mode else None for mode in Mode}
RETRACTED: dict[str, tuple[object, ...]] = {"states": (0, 0, None), "counts": (0, 0, 0), "readings": (0.0,)}


class Kind(StrEnum):
    """What is special about a record."""

    plain = auto()
    repeated = auto()
    revised = auto()
    clashing = auto()
    retracted = auto()
    clock_off = auto()
    decades = auto()
    largest = auto()
    too_large = auto()
    bad_json = auto()
    tombstone = auto()
    bad_envelope = auto()
    bad_row = auto()
    key_mismatch = auto()
    unknown_factory = auto()
    forged = auto()
    unsigned = auto()
    foreign_key = auto()
    unknown_machine = auto()
    not_in_use = auto()
    implausible_time = auto()
    beyond_horizon = auto()


RARE = frozenset({Kind.decades, Kind.largest, Kind.too_large})
"""Records that cost more than others, sent a tenth as often."""
CHANGING = frozenset({Kind.repeated, Kind.revised, Kind.clashing, Kind.retracted})
"""Records with rows of an earlier record's identities."""
WEIGHTS = {kind: 1 if kind in RARE else 10 for kind in Kind} | {Kind.plain: 200, Kind.repeated: 40}


@dataclass(frozen=True, slots=True)
class Gateway:
    """A factory's gateway and its key."""

    factory_id: str
    key_id: str
    seed: bytes


def now_us() -> int:
    return int(dt.datetime.now(dt.UTC).timestamp() * 1_000_000)


def text_of(at_us: int) -> str:
    return (EPOCH + dt.timedelta(microseconds=at_us)).isoformat()


def fields_of(row: Row) -> dict[str, Any]:
    """Return a row as it is written in JSON."""
    fields: dict[str, Any] = {"machine_id": row.machine_id, "at": text_of(row.at_us)}
    if row.kind == "counts":
        fields["product"] = row.key
    if row.kind == "readings":
        fields["metric"] = row.key
    if row.wrong is not None:
        return {**fields, "state": "working", "good": -1, "value": None}
    if row.retracted:
        return {**fields, "retracted": True}
    if row.kind == "states":
        state, mode, reason = row.content
        fields |= {"state": STATES[state], "mode": MODES[mode], "reason": reason}
    elif row.kind == "counts":
        fields |= dict(zip(("good", "scrap", "rework"), row.content, strict=True))
    else:
        fields["value"] = row.content[0]
    return fields


def bytes_of(factory_id: str, sent_at_us: int, revision: int, rows: Iterable[Row], **more: object) -> bytes:
    """Return a record as JSON in UTF-8; rows of a kind stand in the order of their index."""
    envelope = {"factory_id": factory_id, "gateway_id": "gw-1", "sent_at": text_of(sent_at_us), "boot_id": "b"}
    lists: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        lists.setdefault(row.kind, []).append(fields_of(row))
    return json.dumps({**envelope, "revision": revision, **lists, **more}).encode()


def signed(gateway: Gateway, value: bytes, **more: Any) -> Message:
    """Return a message with the gateway's signature."""
    headers = ((KEY_ID_HEADER, gateway.key_id.encode()), (SIGNATURE_HEADER, sign(value, gateway.seed)))
    own = {"key": gateway.factory_id.encode(), "headers": headers, "key_id": gateway.key_id, **more}
    return Message(value, factory_id=gateway.factory_id, **own)


class Composer:
    """Composes records of all kinds, reproducibly by its seed, except that implausible instants follow the clock.

    A record has a reading for each of ``rows`` seconds, a state for each fourth of them, and a count.

    Every gateway's factory has machine M1, in use since 2016, and NEW, in use since the origin; none has GHOST.
    """

    def __init__(self, seed: int, rows: int = ROWS, clock: Callable[[], int] = now_us) -> None:
        self.random = random.Random(seed)
        self._rows = rows
        self._clock = clock
        self._number = 0
        self._accepted: dict[str, list[Message]] = {}

    def any_kind(self) -> Kind:
        return self.random.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]

    def compose(self, kind: Kind, gateway: Gateway, earlier: int | None = None) -> Message:
        """Return the next record of a gateway. Kinds that change earlier records need one: else it is a plain one.

        Args:
            earlier: which of the earlier records such a kind changes, counted from the latest and around; None for any.
        """
        n = self._number
        self._number += 1
        if kind in CHANGING:
            known = self._accepted.get(gateway.factory_id)
            if not known:
                return self.plain(gateway, n)
            chosen = self.random.choice(known) if earlier is None else known[-1 - earlier % len(known)]
            return self.changed(kind, gateway, chosen)
        makers: dict[Kind, Callable[[Gateway, int], Message]] = {
            Kind.plain: self.plain,
            Kind.clock_off: self.clock_off,
            Kind.decades: self.decades,
        }
        if kind in makers:
            return makers[kind](gateway, n)
        if kind in (Kind.largest, Kind.too_large):
            return self.padded(kind, gateway, n)
        if kind in (Kind.bad_row, Kind.unknown_machine, Kind.not_in_use, Kind.implausible_time, Kind.beyond_horizon):
            return self.with_wrong_row(kind, gateway, n)
        return self.refused(kind, gateway, n)

    def rows(self, n: int, machine_id: str = "M1") -> tuple[Row, ...]:
        """Return the nth minute's rows: states, a count and readings."""
        chance = self.random
        at = [ORIGIN_US + n * MINUTE_US + i * 1_000_000 for i in range(self._rows)]
        states = [
            Row("states", i, machine_id, "", a, (chance.randrange(8), chance.randrange(4), chance.choice([None, "왜"])))
            for i, a in enumerate(at[::4])
        ]
        count = Row("counts", 0, machine_id, "P-1", at[1], (chance.randrange(9), chance.randrange(2), 0))
        readings = [Row("readings", i, machine_id, "load_pct", a, (chance.random(),)) for i, a in enumerate(at)]
        return (*states, count, *readings)

    def plain(self, gateway: Gateway, n: int) -> Message:
        return self.accepted(gateway, 0, self.rows(n), ORIGIN_US + n * MINUTE_US)

    def of_machine(self, gateway: Gateway, machine_id: str) -> Message:
        """Return a plain record of another machine than M1."""
        n = self._number
        self._number += 1
        return self.accepted(gateway, 0, self.rows(n, machine_id), ORIGIN_US + n * MINUTE_US)

    def accepted(
        self, gateway: Gateway, revision: int, rows: tuple[Row, ...], sent_at_us: int, **more: object
    ) -> Message:
        value = bytes_of(gateway.factory_id, sent_at_us, revision, rows, **more)
        message = signed(gateway, value, revision=revision, rows=rows)
        self._accepted.setdefault(gateway.factory_id, []).append(message)
        return message

    def changed(self, kind: Kind, gateway: Gateway, earlier: Message) -> Message:
        """Return an earlier record again, as it was, or some of its rows with another revision or content."""
        if kind is Kind.repeated:
            return earlier
        some = [row for row in earlier.rows if row.wrong is None and self.random.random() < 0.4] or [earlier.rows[0]]
        indices: dict[str, int] = {}
        rows = []
        for row in some:
            index = indices[row.kind] = indices.get(row.kind, -1) + 1
            content = RETRACTED[row.kind] if kind is Kind.retracted else self.other_content(row)
            rows.append(replace(row, index=index, content=content, retracted=kind is Kind.retracted))
        # Revisions come in any order: the highest is in force.
        revision = earlier.revision if kind is Kind.clashing else self.random.randrange(1, 6)
        return self.accepted(gateway, revision, tuple(rows), ORIGIN_US)

    def other_content(self, row: Row) -> tuple[object, ...]:
        if row.kind == "states":
            return (self.random.randrange(8), self.random.randrange(4), None)
        return (self.random.randrange(9), 0, 0) if row.kind == "counts" else (self.random.random(),)

    def clock_off(self, gateway: Gateway, n: int) -> Message:
        """The gateway's clock is hours off, in either direction: only ``sent_at`` shows it."""
        return self.accepted(gateway, 0, self.rows(n), self._clock() + self.random.randrange(-9, 10) * HOUR_US)

    def decades(self, gateway: Gateway, n: int) -> Message:
        """One record with rows of every month since the horizon, at an instant of its own in each."""
        start, step = SEALED_BEFORE_US + n * 1_000_000, 30 * 24 * HOUR_US
        at = range(start, self._clock(), step)
        rows = [Row(kind, i, "M1", key, a, content) for kind, key, content in DECADES for i, a in enumerate(at)]
        return self.accepted(gateway, 0, tuple(rows), ORIGIN_US)

    def padded(self, kind: Kind, gateway: Gateway, n: int) -> Message:
        """A record of exactly the largest size, or of one byte more."""
        size = MAX_VALUE_BYTES + (kind is Kind.too_large)
        rows = self.rows(n)
        bare = bytes_of(gateway.factory_id, ORIGIN_US, 0, rows, padding="")
        padding = "x" * (size - len(bare))
        if kind is Kind.largest:
            return self.accepted(gateway, 0, rows, ORIGIN_US, padding=padding)
        value = bytes_of(gateway.factory_id, ORIGIN_US, 0, rows, padding=padding)
        return signed(gateway, value, refused="too_large")

    def with_wrong_row(self, kind: Kind, gateway: Gateway, n: int) -> Message:
        """A record of which some rows, in the midst of valid ones, are refused alone."""
        rows = list(self.rows(n))
        for position in self.random.sample(range(len(rows)), 3):
            row = rows[position]
            rows[position] = {
                Kind.bad_row: replace(row, wrong="bad_schema"),
                Kind.unknown_machine: replace(row, machine_id="GHOST"),
                Kind.not_in_use: replace(row, machine_id="NEW", at_us=BEFORE_USE_US + position),
                Kind.implausible_time: replace(row, at_us=self._clock() + 3 * HOUR_US + position),
                Kind.beyond_horizon: replace(row, at_us=BEYOND_US + position),
            }[kind]
        return self.accepted(gateway, 0, tuple(rows), ORIGIN_US)

    def refused(self, kind: Kind, gateway: Gateway, n: int) -> Message:
        """A record that is refused as a whole."""
        rows = self.rows(n)
        value = bytes_of(gateway.factory_id, ORIGIN_US, 0, rows)
        whole = signed(gateway, value)
        no_signature = whole.headers[:1]
        changes: dict[Kind, Callable[[], Message]] = {
            Kind.bad_json: lambda: signed(gateway, value[:-1], refused="bad_json"),
            Kind.tombstone: lambda: replace(whole, value=None, headers=(), refused="bad_json"),
            Kind.bad_envelope: lambda: signed(
                gateway, bytes_of(gateway.factory_id, ORIGIN_US, -1, rows), refused="bad_schema"
            ),
            Kind.key_mismatch: lambda: replace(whole, key=b"F-OTHER", refused="key_mismatch"),
            Kind.unknown_factory: lambda: self.from_nowhere(rows),
            Kind.forged: lambda: replace(
                whole, headers=(*no_signature, (SIGNATURE_HEADER, self.random.randbytes(64))), refused="bad_signature"
            ),
            Kind.unsigned: lambda: replace(whole, headers=(), refused="bad_signature"),
            Kind.foreign_key: lambda: replace(
                whole, headers=(*no_signature, (SIGNATURE_HEADER, sign(value, os.urandom(32)))), refused="bad_signature"
            ),
        }
        return changes[kind]()

    def from_nowhere(self, rows: tuple[Row, ...]) -> Message:
        nowhere = Gateway(f"X{self.random.randrange(1000)}", "k1", self.random.randbytes(32))
        return signed(nowhere, bytes_of(nowhere.factory_id, ORIGIN_US, 0, rows), refused="unknown_factory")


DECADES: tuple[tuple[str, str, tuple[object, ...]], ...] = (
    ("states", "", (1, 1, None)),
    ("counts", "P-1", (1, 0, 0)),
    ("readings", "load_pct", (1.5,)),
)
