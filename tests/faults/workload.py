"""A workload with a known result: records of many rows, some of them invalid, sent while things are killed."""

import datetime as dt
import json
import random
import time
from dataclasses import dataclass, field

from tests.stack import Sender, Stack

ORIGIN = dt.datetime(2017, 3, 1, tzinfo=dt.UTC)
ROWS = 40


@dataclass
class Expected:
    """What must be there in the end: distinct valid rows by table, and dead letters by reason."""

    states: set[tuple[str, str]] = field(default_factory=set)
    readings: set[tuple[str, str]] = field(default_factory=set)
    counts: set[tuple[str, str]] = field(default_factory=set)
    refused: dict[str, int] = field(default_factory=dict)

    def refuse(self, reason: str, number: int = 1) -> None:
        self.refused[reason] = self.refused.get(reason, 0) + number


@dataclass
class Workload:
    """Sends seeded records of several factories; every tenth is invalid in some way, every fifth is sent twice."""

    senders: list[Sender]
    seed: int
    sent: int = 0
    expected: Expected = field(default_factory=Expected)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)

    def send_one(self) -> None:
        """Send the next record."""
        n = self.sent
        self.sent += 1
        sender = self.senders[n % len(self.senders)]
        value = self.record(sender.factory_id, n)
        if n % 10 == 3:
            sender.send(value[:-1])
            self.expected.refuse("bad_json")
            return
        if n % 10 == 7:
            sender.send(value, signature=bytes(64))
            self.expected.refuse("bad_signature")
            return
        sender.send(value)
        if n % 5 == 0:
            sender.send(value)
        self.expect(sender.factory_id, n, twice=n % 5 == 0)

    def record(self, factory_id: str, n: int) -> bytes:
        at = [self.at(n, i) for i in range(ROWS)]
        states = [
            {"machine_id": "M1", "at": at[i], "state": self.random.choice(["producing", "idle", "faulted", "setup"])}
            for i in range(0, ROWS, 4)
        ]
        counts = [{"machine_id": "M1", "at": at[1], "good": self.random.randrange(9)}]
        counts.append({"machine_id": "GHOST", "at": at[2], "good": 1})
        readings = [{"machine_id": "M1", "at": a, "metric": "load_pct", "value": self.random.random()} for a in at]
        envelope = {"factory_id": factory_id, "gateway_id": "gw-1", "sent_at": at[0], "sequence": n, "boot_id": "b"}
        return json.dumps({**envelope, "states": states, "counts": counts, "readings": readings}).encode()

    def at(self, n: int, i: int) -> str:
        return (ORIGIN + dt.timedelta(seconds=60 * n + i)).isoformat()

    def expect(self, factory_id: str, n: int, *, twice: bool) -> None:
        at = [self.at(n, i) for i in range(ROWS)]
        self.expected.states |= {(factory_id, a) for a in at[::4]}
        self.expected.counts.add((factory_id, at[1]))
        self.expected.readings |= {(factory_id, a) for a in at}
        self.expected.refuse("unknown_machine", 2 if twice else 1)

    def flush(self) -> None:
        for sender in self.senders:
            sender.producer.flush(timeout=120)

    def send_for(self, seconds: float, per_second: float = 100.0) -> None:
        """Send at a steady pace for a while."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.send_one()
            time.sleep(1 / per_second)


def start_workload(stack: Stack, seed: int = 1, factories: int = 4) -> Workload:
    """Register the factories, and return the workload."""
    return Workload([stack.register_factory(f"F{n}", "M1") for n in range(factories)], seed)


def check_exactly_once(stack: Stack, expected: Expected) -> None:
    """Facts are exactly the distinct valid rows sent, dead letters exactly the rest, and accounts follow from them."""
    identities = (
        "SELECT f.factory_id, e.at FROM {} e JOIN machine m ON m.id = e.machine JOIN factory f ON f.id = m.factory"
    )
    for table, rows in (
        ("state_event", expected.states),
        ("count_event", expected.counts),
        ("reading", expected.readings),
    ):
        stored = stack.query(identities.format(table))
        wanted = {(f, int(dt.datetime.fromisoformat(a).timestamp() * 1_000_000)) for f, a in rows}
        assert len(stored) == len(wanted), table
        assert set(stored) == wanted, table
    refused = dict(stack.query("SELECT reason, count(*) FROM dead_letter GROUP BY reason"))
    assert refused == expected.refused
    assert stack.query("SELECT count(*) FROM fact_revision") == [(0,)]
    verified = stack.run("verify", "--from", "2017-03-01", "--to", "2017-03-08")
    assert verified.returncode == 0, verified.stdout + verified.stderr
