"""A simulated fleet through Kafka, ingest and analytics: every figure that the API serves equals the truth.

The simulator computes the truth from what it sent, by code that shares nothing with analytics. The fleet has every kind
of mishap, several times as often as usual.
"""

import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.core.times import rfc3339, seoul_midnight_us, to_us
from services.ingest.stream.topic import open_topic
from tests.servers import KafkaServer
from tests.stack import Stack

FACTORIES, DAYS, SEED, TROUBLE = 16, 3, 5, 10
GROUPS = ("factory", "region", "sector", "zone", "sponsor", "level", "size")
HOURS = {"mtbf_h": "numerator", "mttr_h": "numerator", "throughput_per_h": "denominator"}
"""KPIs of which the API serves one sum in hours, as a floating-point number; the truth has exact seconds."""
MICROSECOND = Decimal("0.000001")


@dataclass
class Simulated:
    """A stack that has ingested a fleet, and the truth about it."""

    stack: Stack
    truth: dict[str, Any]

    def items(self, **parameters: str) -> list[dict[str, Any]]:
        """Return the API's items over the truth's window, with exact numbers."""
        window = {"from": self.truth["from"], "to": self.truth["to"], "interval": "total", **parameters}
        answer = httpx.get(f"{self.stack.api_url}/v1/kpis", params=window, headers=self.stack.headers, timeout=60)
        assert answer.status_code == 200, answer.text
        found = json.loads(answer.text, parse_float=Decimal, parse_int=Decimal)
        assert found["next_cursor"] is None
        return list(found["items"])


@pytest.fixture(scope="module")
def simulated(
    module_database: str, kafka_server: KafkaServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Simulated]:
    folder = tmp_path_factory.mktemp("simulated")
    topic = "telemetry-simulated-truth"
    open_topic(kafka_server.bootstrap, topic)
    stack = Stack(module_database, kafka_server, topic, folder)
    try:
        yield Simulated(stack, simulate(stack, folder / "truth.json"))
    finally:
        stack.stop()


def simulate(stack: Stack, file: Path) -> dict[str, Any]:
    """Run everything over three days that end at a Seoul midnight, and wait until it is accounted."""
    stack.start_api()
    stack.start("ingest")
    stack.start("analytics")
    today = (dt.datetime.now(dt.UTC) + dt.timedelta(hours=9)).date()
    until = rfc3339(seoul_midnight_us(today))
    fleet = ("--factories", str(FACTORIES), "--seed", str(SEED), "--trouble", str(TROUBLE))
    registry = ("--api-url", stack.api_url, "--api-key", stack.admin_key)
    course = ("--backfill-days", str(DAYS), "--until", until, "--truth", str(file))
    done = stack.run("gateway", "simulate", *fleet, *registry, *course)
    assert done.returncode == 0, done.stdout + done.stderr
    stack.wait_until_ingested()
    stack.wait_until_accounted()
    truth: dict[str, Any] = json.loads(file.read_text(), parse_float=Decimal, parse_int=Decimal)
    assert to_us(dt.datetime.fromisoformat(truth["to"])) == seoul_midnight_us(today)
    assert to_us(dt.datetime.fromisoformat(truth["from"])) == seoul_midnight_us(today - dt.timedelta(days=DAYS))
    return truth


def test_every_mishap_happened(simulated: Simulated) -> None:
    """Without every kind of mishap the other tests would prove little."""
    (sums,) = simulated.stack.query(
        "SELECT sum(rows_stored), sum(rows_duplicate), sum(rows_clashed), sum(rows_refused) FROM ingest_record"
    )
    stored, duplicate, clashed, refused = (int(n) for n in sums)
    assert stored > 5000
    assert duplicate > 20
    assert clashed > 0
    assert refused == 0
    for table in ("state_event", "count_event"):
        rows = simulated.stack.query(f"SELECT count(*) FILTER (WHERE retracted), max(revision) FROM {table}")
        assert rows[0][0] > 0
        assert rows[0][1] >= 1
    assert simulated.stack.query("SELECT count(*) FROM fact_revision WHERE NOT clash")[0][0] > 5
    assert simulated.stack.query("SELECT count(*) FROM state_event WHERE state = 0")[0][0] > 0
    assert simulated.stack.query("SELECT count(*) FROM dead_letter")[0][0] == 0
    factories = {name: item for name, item in simulated.truth["scopes"].items() if name.startswith("factory:")}
    assert len(factories) == FACTORIES
    silent = [item for item in factories.values() if item["kpis"]["auto_collected_share"]["numerator"] == 0]
    counting = [item for item in factories.values() if item["counts"]["good"] and not item["time_s"]["producing"]]
    assert silent
    assert counting


def test_the_nation(simulated: Simulated) -> None:
    (item,) = simulated.items(scope="nation")
    compare("nation", item, simulated.truth["scopes"]["nation"])


def test_the_nation_by_day(simulated: Simulated) -> None:
    days = simulated.truth["days"]
    items = simulated.items(scope="nation", interval="day")
    assert len(items) == len(days) == DAYS
    for item in items:
        day = (dt.datetime.fromisoformat(item["from"]) + dt.timedelta(hours=9)).date().isoformat()
        compare(day, item, days[day])


@pytest.mark.parametrize("group", GROUPS)
def test_every_group(simulated: Simulated, group: str) -> None:
    expected = {name: item for name, item in simulated.truth["scopes"].items() if name.startswith(f"{group}:")}
    assert expected
    items = {item["scope"]: item for item in simulated.items(group_by=group)}
    assert items.keys() == expected.keys()
    for name, item in items.items():
        compare(name, item, expected[name])


def compare(name: str, item: dict[str, Any], truth: dict[str, Any]) -> None:
    """Compare every figure of the truth with the API's."""
    for part in ("factories", "machines", "time_s", "producing_by_mode_s", "counts"):
        assert item[part] == truth[part], f"{name}: {part}"
    assert item["partial"] is False
    for kpi, expected in truth["kpis"].items():
        where = f"{name}: {kpi}"
        if kpi == "coverage":
            assert_same(where, item["coverage"], expected["value"])
            continue
        served = item["kpis"][kpi]
        assert_same(where, served["value"], expected["value"])
        if kpi == "nee":
            # A product of two ratios: the definition may choose other sums for it.
            continue
        for side in ("numerator", "denominator"):
            found = served[side]
            if HOURS.get(kpi) == side:
                found = (found * 3600).quantize(MICROSECOND)
            assert found == expected[side], f"{where}: {side}"


def assert_same(where: str, served: Decimal | None, expected: Decimal | None) -> None:
    """Compare two quotients, which either side has divided in floating point; or both are missing."""
    if served is None or expected is None:
        assert served is expected, where
    else:
        assert abs(served - expected) <= abs(expected) * Decimal("1e-12"), where
