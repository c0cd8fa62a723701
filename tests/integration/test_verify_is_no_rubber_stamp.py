"""``jejo verify`` finds one altered second, one deleted fact, one dropped mark and one altered sum that is kept."""

import datetime as dt
import json

import pytest

from tests.stack import Sender, Stack

START = dt.datetime(2017, 3, 1, tzinfo=dt.UTC)


def send(stack: Stack, sender: Sender, first_second: int) -> None:
    states = [
        {"machine_id": "M1", "at": (START + dt.timedelta(seconds=first_second + n)).isoformat(), "state": "producing"}
        for n in range(0, 600, 60)
    ]
    envelope = {"factory_id": "F1", "gateway_id": "gw-1", "sent_at": START.isoformat()}
    sender.send(json.dumps({**envelope, "states": states}).encode()).get(timeout=30)
    stack.wait_until_ingested()


def verify(stack: Stack) -> tuple[int, str]:
    done = stack.run("verify", "--from", "2017-02-28", "--to", "2017-03-03")
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def sender(stack: Stack) -> Sender:
    stack.start_api()
    stack.start("ingest")
    analytics = stack.start("analytics")
    sender = stack.register_factory("F1", "M1")
    send(stack, sender, 0)
    stack.wait_until_accounted()
    assert verify(stack)[0] == 0
    analytics.stop()
    return sender


def test_one_altered_second(stack: Stack, sender: Sender) -> None:
    stack.query("UPDATE machine_hour_pack SET producing_us[1] = producing_us[1] - 1000000")
    code, output = verify(stack)
    assert code == 1
    assert "F1/M1" in output
    assert "2017-03-01T00:00:00" in output
    assert "producing_us" in output
    assert "1139000000" in output
    assert "1140000000" in output


def test_one_deleted_fact_even_if_it_changes_no_time(stack: Stack, sender: Sender) -> None:
    stack.query("DELETE FROM state_event WHERE at = '2017-03-01T00:02:00Z'")
    code, output = verify(stack)
    assert code == 1
    assert "F1/M1" in output
    assert "2017-03-01T00:00:00" in output
    assert "state_rows: stored 10, recomputed 9" in output


def test_one_dropped_dirty_mark(stack: Stack, sender: Sender) -> None:
    send(stack, sender, 7200)
    assert stack.query("DELETE FROM dirty_mark RETURNING machine")
    code, output = verify(stack)
    assert code == 1
    assert "F1/M1" in output
    assert "2017-03-01T02:00:00" in output
    assert "1140000000" in output


def test_one_altered_sum_of_a_region(stack: Stack, sender: Sender) -> None:
    (region,) = stack.query("SELECT value FROM group_day WHERE kind = 'region'")[0]
    stack.query(f"UPDATE group_day SET failures = failures + 1 WHERE kind = 'region' AND value = '{region}'")
    code, output = verify(stack)
    assert code == 1
    assert f"groups' day 2017-03-01 of region {region}" in output
    assert "failures: stored 1, recomputed 0" in output
    assert "1 differences" in output


def test_one_machine_too_many_in_the_nation(stack: Stack, sender: Sender) -> None:
    stack.query("UPDATE group_step SET machines_in = machines_in + 1 WHERE kind = 'nation' AND machines_in = 1")
    code, output = verify(stack)
    assert code == 1
    assert "groups' step nation -" in output
    assert "machines_in: stored 2, recomputed 1" in output
    assert "1 differences" in output
