"""Ghosts of the simulator through Kafka, ingest, analytics and the API: each is flagged, and no honest factory is.

All is received now. So what is about receipt cannot be seen here: what is sent in bulk looks like the history of a new
factory, and old records say nothing of a clock. ``tests/unit/test_plausibility_rules.py`` has these.
"""

import datetime as dt
import json
from pathlib import Path

from schemas.plausibility_rules import RuleId
from services.core.times import rfc3339, seoul_midnight_us
from services.ingest.stream.topic import open_topic
from tests.servers import KafkaServer
from tests.stack import Stack

FACTORIES, DAYS = 6, 10
BY_RECEIPT = {RuleId.sent_in_bulk, RuleId.clock_off}


def test_each_ghost_is_flagged_and_no_honest_factory(database: str, kafka_server: KafkaServer, tmp_path: Path) -> None:
    open_topic(kafka_server.bootstrap, "telemetry-ghosts")
    stack = Stack(database, kafka_server, "telemetry-ghosts", tmp_path)
    try:
        stack.start_api()
        stack.start("ingest")
        stack.start("analytics")
        today = (dt.datetime.now(dt.UTC) + dt.timedelta(hours=9)).date()
        truth = tmp_path / "truth.json"
        done = stack.run(
            *("gateway", "simulate", "--factories", str(FACTORIES), "--machines", "2", "--ghosts"),
            *("--api-url", stack.api_url, "--api-key", stack.admin_key, "--truth", str(truth)),
            *("--backfill-days", str(DAYS), "--until", rfc3339(seoul_midnight_us(today))),
        )
        assert done.returncode == 0, done.stdout + done.stderr
        stack.wait_until_ingested()
        stack.wait_until_accounted()
        stack.wait_until_judged()
        ghosts = json.loads(truth.read_text())["ghosts"]
        assert set(ghosts) == set(RuleId)
        flags = stack.get("/v1/flags", limit="1000")["items"]
        found = {(flag["rule"], flag["factory_id"]) for flag in flags}
        assert {(rule, ghosts[rule]) for rule in set(RuleId) - BY_RECEIPT} <= found
        assert {flag["factory_id"] for flag in flags} <= set(ghosts.values())
        assert stack.run("verify", "--from", str(today - dt.timedelta(days=3)), "--to", str(today)).returncode == 0
    finally:
        stack.stop()
