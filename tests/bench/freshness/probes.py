"""Counts whose way into the KPIs can be followed: each one is known again in its machine, its factory and the nation.

A probe's amount is a power of two in one of three figures, so what all probes on their way add to the nation's sums
tells which of them are in it. The nation's answer is asked for again and again, the other two once it has the probe.
"""

import datetime as dt
import http.client
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from services.core.clock import system_clock
from services.core.times import DAY_US, HOUR_US, SECOND_US, floor_to, rfc3339, seoul_day, seoul_midnight_us, to_us
from services.gateway.records import CountRow
from tests.bench.freshness.traffic import COUNTING, signed
from tests.bench.ingest.batches import Broker, encode_batch, partition_of
from tests.bench.ingest.records import Country
from tests.stack import Stack

FIGURES = ("good", "scrap", "rework")
BITS = 24
MOST_ON_THEIR_WAY = BITS * len(FIGURES)
APART = 7919
"""Between the factories of two probes: a prime, so that every probe has a factory of its own."""
POLL_S = 0.2
LONGEST_S = 180.0
KPIS = [("kpi", "availability"), ("kpi", "oee"), ("kpi", "coverage")]


@dataclass(frozen=True, slots=True)
class Probe:
    """One count, and when it was sent, just before the broker has it."""

    number: int
    factory: int
    machine: int
    at_us: int

    @property
    def figure(self) -> str:
        """The figure that it adds to."""
        return FIGURES[self.number // BITS % len(FIGURES)]

    @property
    def amount(self) -> int:
        """What it adds."""
        return 1 << self.number % BITS

    @property
    def scopes(self) -> tuple[str, str]:
        """Its machine and its factory, as a question names them."""
        factory_id = f"F{self.factory + 1:06d}"
        return f"machine:{factory_id}/M{self.machine:02d}", f"factory:{factory_id}"

    def row(self) -> CountRow:
        """The count."""
        good, scrap, rework = (self.amount if name == self.figure else 0 for name in FIGURES)
        return CountRow(f"M{self.machine:02d}", self.at_us, good, scrap, rework)


def new_probe(number: int, factories: int, now_us: int) -> Probe:
    """The probe of a number, of a machine that counts."""
    return Probe(number, number * APART % factories, COUNTING[number % len(COUNTING)], now_us)


def found_in(totals: Mapping[str, int], known: Mapping[str, int], waiting: Sequence[Probe]) -> list[Probe]:
    """Return the probes that are in the nation's sums, of at most MOST_ON_THEIR_WAY consecutive ones.

    Args:
        known: what the probes that were found before have added.
    """
    return [probe for probe in waiting if (totals[probe.figure] - known[probe.figure]) & probe.amount]


class Asker:
    """A reader of the API with a connection of its own, and what it knows of the probes.

    Attributes:
        sent: probes so far.
        known: what those that were found have added to the nation's figures.
    """

    def __init__(self, stack: Stack) -> None:
        """Begin with the present day, in which nothing has been made."""
        self.sent = 0
        self.known = dict.fromkeys(FIGURES, 0)
        self._headers = stack.headers
        self._from_us = seoul_midnight_us(seoul_day(system_clock()))
        self._connection = http.client.HTTPConnection(stack.api_url.removeprefix("http://"), timeout=60)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def counts(self, scope: str, interval: str, from_us: int, end_us: int) -> tuple[dict[str, int], int]:
        """What was made in a scope, and the instant until which that is accounted."""
        window = [("from", rfc3339(from_us)), ("to", rfc3339(end_us)), ("interval", interval)]
        path = f"/v1/kpis?{urlencode([('scope', scope), *window, *KPIS])}"
        # The API closes a connection that nothing comes on for a while, perhaps just now: each question has a new one.
        self._connection.close()
        self._connection.request("GET", path, headers=self._headers)
        answer = self._connection.getresponse()
        body = answer.read()
        assert answer.status == http.client.OK, body
        page: dict[str, Any] = json.loads(body)
        totals = {name: sum(item["counts"][name] for item in page["items"]) for name in FIGURES}
        return totals, to_us(dt.datetime.fromisoformat(page["accounted_until"]))

    def nation(self) -> tuple[dict[str, int], int]:
        """What all probes have made so far."""
        return self.counts("nation", "day", self._from_us, self._from_us + 2 * DAY_US)

    def has(self, scope: str, probe: Probe) -> bool:
        """Return whether an answer about the probe's machine or factory includes it."""
        hour_us = floor_to(probe.at_us, HOUR_US)
        totals, until_us = self.counts(scope, "hour", hour_us, hour_us + HOUR_US)
        return until_us > probe.at_us and totals[probe.figure] == probe.amount


def follow(asker: Asker, broker: Broker, country: Country, begins: float, apart_s: float, probes: int) -> list[float]:
    """Send probes at even distances from ``begins`` on (``time.monotonic``).

    Returns:
        Seconds of each, in their order, until machine, factory and nation have it.

    Raises:
        AssertionError: one is not there after LONGEST_S.
    """
    waiting: list[Probe] = []
    fresh: dict[int, float] = {}
    first = asker.sent
    while len(fresh) < probes:
        due = begins + (asker.sent - first) * apart_s
        is_due = asker.sent - first < probes and time.monotonic() >= due
        if is_due and (not waiting or asker.sent - waiting[0].number < MOST_ON_THEIR_WAY):
            waiting.append(send_probe(asker, broker, country))
        totals, until_us = asker.nation()
        for probe in found_in(totals, asker.known, waiting):
            if until_us > probe.at_us and all(asker.has(scope, probe) for scope in probe.scopes):
                fresh[probe.number] = (system_clock() - probe.at_us) / SECOND_US
                asker.known[probe.figure] += probe.amount
                waiting.remove(probe)
        age_s = (system_clock() - waiting[0].at_us) / SECOND_US if waiting else 0.0
        assert age_s < LONGEST_S, f"{waiting[0]} has not been accounted after {age_s:.0f} s"
        time.sleep(POLL_S)
    return [fresh[number] for number in sorted(fresh)]


def send_probe(asker: Asker, broker: Broker, country: Country) -> Probe:
    """Send the next probe, whose instant is the present one."""
    probe = new_probe(asker.sent, country.factories, system_clock())
    record = signed(country, probe.factory, [probe.row()], probe.at_us)
    broker.send([encode_batch(partition_of(record.key), [record])])
    asker.sent += 1
    return probe
