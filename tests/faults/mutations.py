"""Mutated records through the real path: ``python -m tests.faults.mutations`` sends a million, and compares all.

The expected outcome comes from the contract's strict decoder and from the naive reference; nothing of ingest is asked.
"""

import argparse
import json
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from schemas.wire.codes import Reason
from schemas.wire.decode import Body, Claim, decode_record
from schemas.wire.limits import MAX_VALUE_BYTES
from schemas.wire.refusal import Refusal
from schemas.wire.signature import KEY_ID_HEADER, SIGNATURE_HEADER, sign
from schemas.wire.strict_json import read_json
from tests.faults.law import check_law
from tests.faults.messages import BEFORE_USE_US, BEYOND_US, MINUTE_US, ORIGIN_US, Gateway, now_us, text_of
from tests.faults.reference import Message, Outcome, Row
from tests.faults.workload import Workload, start_workload
from tests.stack import Service, Stack, wait_for

MILLION = 1_000_000
TOO_LARGE_EVERY = 4_000
FACTORIES = 8
EXPECTED_REASONS = {str(reason) for reason in Reason} - {"over_quota", "unreadable_batch"}
"""A quota is not reached by a few records, and an unreadable batch is no record; both have tests of their own."""

EDGES: tuple[Any, ...] = (
    *(None, True, False, 0, -0.0, 1, -1, 3.0, 3.5, 2**31 - 1, 2**31, 2**63 - 1, 2**63, 10**30, 1e308),
    *("", "M1", "NEW", "GHOST", "F0", "F1", "f1", "F-9", "x" * 128, "x" * 129, "producing", "PRODUCING", "왜", "😀"),
    *("a\x00b", "automatic", "load_pct", "Load", "2017-03-01T00:00:00Z", "2017-03-01T09:00:00.5+09:00", "2017-03-01"),
    *("2017-02-29T00:00:00Z", "2017-03-01T23:59:60Z", "0000-01-01T00:00:00Z", "9999-12-31T23:59:59Z"),
    *(1_488_326_400_000, 1_488_326_400_000.0, 1_488_326_400_000.5, [], {}, [[]], [{}], ["M1"], {"a": 1}),
)
"""Values on both sides of the contract's bounds. Few are new instants or metrics, so that no quota is reached."""


PIECES = (b'"', b"{", b"]", b",", b"9", b"0", b"NaN", b"\\ud800", b" ")
"""What is put in between or in place of other bytes."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A mutated record as it is sent, and whether its signature is the gateway's over its bytes."""

    value: bytes
    key: bytes
    signed: bool = True


@dataclass
class Mutator:
    """Writes records of one gateway, most of them damaged; reproducible by its seed but for instants in the future."""

    factory_id: str
    random: random.Random
    number: int = 0

    def next(self) -> Letter:
        """Return the next record."""
        self.number += 1
        if self.number % TOO_LARGE_EVERY == 7:
            return self.plain(json.dumps(self.document()).encode().ljust(MAX_VALUE_BYTES + 1))
        ways: dict[Callable[[], Letter], int] = {
            self.intact: 8,
            self.other_field: 32,
            self.wrong_place: 12,
            self.other_bytes: 38,
            self.wrong_sender: 10,
        }
        return self.random.choices(list(ways), list(ways.values()))[0]()

    def plain(self, value: bytes) -> Letter:
        return Letter(value, self.factory_id.encode())

    def document(self) -> dict[str, Any]:
        """Return a valid record of a few rows, at instants of its own."""
        chance, start = self.random, ORIGIN_US + self.number * 20_000
        at = [text_of(start + i * 1000) for i in range(4)]
        modes = chance.choice(["automatic", "manual", None])
        return {
            "factory_id": self.factory_id,
            "gateway_id": "gw-1",
            "sent_at": at[0],
            "boot_id": "b",
            "sequence": self.number,
            "revision": chance.choice([0, 0, 0, 1]),
            "states": [{"machine_id": "M1", "at": a, "state": "idle", "mode": modes, "reason": "왜"} for a in at[:2]],
            "counts": [{"machine_id": "M1", "at": at[0], "good": 3, "scrap": 0, "rework": 1, "product": "P-1"}],
            "readings": [
                {"machine_id": "M1", "at": a, "metric": chance.choice(["load_pct", "temp_c"]), "value": 0.5} for a in at
            ],
        }

    def intact(self) -> Letter:
        return self.plain(json.dumps(self.document(), ensure_ascii=self.random.random() < 0.5).encode())

    def other_field(self) -> Letter:
        """A field gets another value, goes, comes twice, or is one that the contract does not know."""
        document = self.document()
        places = [document, *document["states"], *document["counts"], *document["readings"]]
        for _ in range(self.random.choice([1, 1, 1, 2, 4])):
            place = self.random.choice(places)
            name = self.random.choice([*place, "retracted", "unknown"])
            if self.random.random() < 0.15:
                place.pop(name, None)
            else:
                place[name] = self.random.choice(EDGES)
        value = json.dumps(document).encode()
        if self.random.random() < 0.05:
            value = value.replace(b'"at"', b'"at": 1, "at"', 1)
        return self.plain(value)

    def wrong_place(self) -> Letter:
        """A well-formed row is of a machine or an instant for which it cannot be a fact."""
        document = self.document()
        row = self.random.choice([*document["states"], *document["counts"], *document["readings"]])
        row |= self.random.choice(
            [
                {"machine_id": "GHOST"},
                {"machine_id": "NEW", "at": text_of(BEFORE_USE_US + self.number)},
                {"at": text_of(now_us() + 60 * MINUTE_US)},
                {"at": text_of(BEYOND_US + self.number)},
            ]
        )
        return self.plain(json.dumps(document).encode())

    def other_bytes(self) -> Letter:
        """Bytes are flipped, cut out, repeated or put in."""
        value = bytearray(json.dumps(self.document()).encode())
        for _ in range(self.random.choice([1, 1, 2, 3])):
            start = self.random.randrange(len(value))
            length = self.random.choice([1, 1, 2, 8, 100])
            part = value[start : start + length]
            value[start : start + length] = self.random.choice([b"", part + part, self.random.randbytes(1), *PIECES])
        return self.plain(bytes(value))

    def wrong_sender(self) -> Letter:
        """A valid record claims another factory or has another key or signature."""
        document = self.document()
        claimed = self.random.choice([self.factory_id, "F0", "X9"])
        key = self.random.choice([claimed, claimed, self.factory_id, "F1"]).encode()
        value = json.dumps({**document, "factory_id": claimed}).encode()
        return Letter(value, key, signed=self.random.random() < 0.3)


def message_of(letter: Letter, gateway: Gateway, factories: set[str]) -> Message:
    """Return the message to send, with the outcome that the contract demands."""
    signature = sign(letter.value, gateway.seed) if letter.signed else bytes(64)
    headers = ((KEY_ID_HEADER, gateway.key_id.encode()), (SIGNATURE_HEADER, signature))
    claim = decode_record(letter.value)

    def refused(reason: str) -> Message:
        return Message(letter.value, letter.key, headers, gateway.factory_id, refused=reason)

    if isinstance(claim, Refusal):
        return refused(claim.reason.value)
    if letter.key != claim.factory_id.encode():
        return refused("key_mismatch")
    if claim.factory_id not in factories:
        return refused("unknown_factory")
    if not letter.signed or claim.factory_id != gateway.factory_id:
        return refused("bad_signature")
    if isinstance(claim.body, Refusal):
        return refused(claim.body.reason.value)
    return Message(
        letter.value,
        letter.key,
        headers,
        claim.factory_id,
        gateway.key_id,
        claim.body.revision,
        rows_of(claim.body),
    )


def rows_of(body: Body) -> tuple[Row, ...]:
    """Return the decoder's rows as the reference takes them."""
    s, c, r = body.states, body.counts, body.readings
    states = zip(s.index, s.machine_id, s.at_us, s.state, s.mode, s.reason, s.retracted, strict=True)
    counts = zip(c.index, c.machine_id, c.product, c.at_us, c.good, c.scrap, c.rework, c.retracted, strict=True)
    readings = zip(r.index, r.machine_id, r.metric, r.at_us, r.value, r.retracted, strict=True)
    return (
        *(Row("states", i, m, "", at, (int(st), int(mode), why), gone) for i, m, at, st, mode, why, gone in states),
        *(Row("counts", i, m, p, at, (g, sc, rw), gone) for i, m, p, at, g, sc, rw, gone in counts),
        *(Row("readings", i, m, metric, at, (value,), gone) for i, m, metric, at, value, gone in readings),
        *(Row(str(w.kind), w.index, "", "", 0, (), wrong=w.refusal.reason.value) for w in body.refused),
    )


@dataclass
class Shares:
    """How many records there were, how many parse as JSON, and how many break the contract in no row."""

    records: int = 0
    parsed: int = 0
    valid: int = 0

    def count(self, value: bytes) -> None:
        self.records += 1
        try:
            read_json(value)
        except ValueError:
            return
        self.parsed += 1
        claim = decode_record(value)
        self.valid += isinstance(claim, Claim) and isinstance(claim.body, Body) and not claim.body.refused

    def check(self) -> None:
        assert self.parsed >= 0.30 * self.records, self
        assert self.valid >= 0.05 * self.records, self


@dataclass
class Run:
    """Sends mutated records to a worker and watches its memory."""

    stack: Stack
    worker: Service
    workload: Workload
    seed: int
    shares: Shares = field(default_factory=Shares)
    resident_mb: list[float] = field(default_factory=list)

    def send(self, records: int) -> None:
        """Send so many records, from all gateways in turn."""
        chance = random.Random(f"{self.seed} {self.shares.records}")
        gateways = self.workload.gateways
        factories = {gateway.factory_id for gateway in gateways}
        mutators = [Mutator(gateway.factory_id, chance, self.shares.records) for gateway in gateways]
        for n in range(records):
            mutator = mutators[n % len(gateways)]
            # Each record has a number of its own, and so instants of its own.
            mutator.number = self.shares.records
            letter = mutator.next()
            self.shares.count(letter.value)
            self.workload.send(message_of(letter, gateways[n % len(gateways)], factories))

    def settle(self, seconds: float) -> None:
        """Wait until all is ingested, and note how much memory the worker has."""
        self.workload.flush()
        self.stack.wait_until_ingested(seconds)
        assert self.worker.process.poll() is None, self.worker.output[-3000:]
        self.resident_mb.append(resident_mb(self.worker))

    def check(self, least: int) -> Counter[str]:
        """Check the law, the shares, and that every reason occurred; returns how often each did."""
        outcome: Outcome = self.workload.outcome()
        check_law(self.stack, outcome, accounts=False)
        assert "Traceback" not in self.worker.output, self.worker.output[-3000:]
        self.shares.check()
        reasons = Counter(outcome.letters.values())
        rare = {reason: reasons[reason] for reason in EXPECTED_REASONS if reasons[reason] < least}
        assert not rare, rare
        return reasons


def resident_mb(service: Service) -> float:
    """Return a process's resident memory in MB, as Linux counts it."""
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{service.process.pid}/status").read_text())
    assert found is not None
    return int(found[1]) / 1000


def start_run(stack: Stack, seed: int) -> Run:
    """Start API and worker on a stack, and register the factories."""
    stack.start_api()
    worker = stack.start("ingest")
    run = Run(stack, worker, start_workload(stack, seed, FACTORIES), seed)
    wait_for("ingest to read", worker.is_ready)
    return run


def main() -> int:
    """Send records in parts, print what they came to, and compare all outcomes at the end."""
    from tests.faults.__main__ import own_passwords
    from tests.faults.world import running_servers, running_stack

    parser = argparse.ArgumentParser(prog="python -m tests.faults.mutations", description=__doc__)
    parser.add_argument("--records", type=int, default=MILLION, help=f"default: {MILLION}")
    parser.add_argument("--seed", type=int, default=1, help="default: 1")
    options = parser.parse_args()
    with own_passwords(), running_servers() as servers, running_stack(servers, "mutations") as stack:
        run, start = start_run(stack, options.seed), time.monotonic()
        while run.shares.records < options.records:
            run.send(min(20_000, options.records - run.shares.records))
            run.settle(1200)
            seconds = time.monotonic() - start
            print(f"{run.shares.records} records, {seconds:.0f} s, worker {run.resident_mb[-1]:.0f} MB", flush=True)
        reasons = run.check(least=100 if options.records >= MILLION else 1)
    shares = run.shares
    print(f"{shares.parsed / shares.records:.1%} parse, {shares.valid / shares.records:.1%} break the contract nowhere")
    print("\n".join(f"{reason:<18} {count}" for reason, count in sorted(reasons.items())))
    settled, highest = run.resident_mb[len(run.resident_mb) // 5], max(run.resident_mb)
    print(f"worker's memory: {settled:.0f} MB after a fifth, {highest:.0f} MB at most")
    assert highest <= 1.25 * settled + 20, run.resident_mb
    return 0


if __name__ == "__main__":
    sys.exit(main())
