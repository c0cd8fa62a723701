"""Every reason code, by a real record over Kafka that leaves one dead letter and nothing else; and replays."""

import base64
import datetime as dt
import json
import signal
import subprocess
import sys
import time
from typing import Any

import pytest

from tests.stack import ROOT, Sender, Stack

AT = "2017-03-01T00:00:00Z"


def record(factory_id: str = "F1", **parts: object) -> bytes:
    envelope = {"factory_id": factory_id, "gateway_id": "gw-1", "sent_at": AT}
    return json.dumps({**envelope, **(parts or {"states": [state()]})}).encode()


def state(machine_id: str = "M1", at: str = AT) -> dict[str, object]:
    return {"machine_id": machine_id, "at": at, "state": "producing", "mode": "automatic"}


def padded(size: int) -> bytes:
    """A valid record of exactly this size in bytes."""
    bare = record(states=[state()], padding="")
    return record(states=[state()], padding="x" * (size - len(bare)))


def letters(stack: Stack) -> list[tuple[Any, ...]]:
    return stack.query("SELECT reason, row_kind, claimed_factory, raw_length FROM dead_letter ORDER BY id")


@pytest.fixture
def sender(stack: Stack) -> Sender:
    stack.start_api()
    stack.start("ingest")
    return stack.register_factory("F1", "M1")


def facts(stack: Stack) -> int:
    return int(stack.query("SELECT (SELECT count(*) FROM state_event) + (SELECT count(*) FROM count_event)")[0][0])


def sent(stack: Stack, sender: Sender, value: bytes, **changes: Any) -> None:
    sender.send(value, **changes).get(timeout=30)
    stack.wait_until_ingested()


WHOLE = {
    "bad_json": (record()[:-1], {}),
    "bad_json by NaN": (record(readings=[{"machine_id": "M1", "at": AT, "metric": "a_c", "value": float("nan")}]), {}),
    "bad_json by a key twice": (record().replace(b'"sent_at"', b'"gateway_id": "gw-1", "sent_at"'), {}),
    "bad_schema": (record(states=[]), {}),
    "bad_schema by the envelope": (record(states=[state()], revision=-1), {}),
    "too_large": (padded(1_048_577), {}),
    "key_mismatch": (record(), {"key": b"F2"}),
    "unknown_factory": (record("F9"), {"key": b"F9"}),
    "bad_signature": (record(), {"signature": bytes(64)}),
}


@pytest.mark.parametrize("name", WHOLE)
def test_a_record_is_refused_as_a_whole(stack: Stack, sender: Sender, name: str) -> None:
    value, changes = WHOLE[name]
    sent(stack, sender, value, **changes)
    ((reason, row_kind, _, length),) = letters(stack)
    assert (reason, row_kind, length) == (name.split()[0], None, len(value))
    assert facts(stack) == 0
    assert stack.query("SELECT count(*) FROM ingest_record") == [(0,)]
    assert stack.query("SELECT count(*) FROM dirty_mark WHERE from_at = to_at AND from_at < '2018-01-01'") == [(0,)]


def test_the_largest_record_is_accepted(stack: Stack, sender: Sender) -> None:
    sent(stack, sender, padded(1_048_576))
    assert letters(stack) == []
    assert facts(stack) == 1


def test_keys_of_other_factories_and_keys_outside_their_validity_are_refused(stack: Stack, sender: Sender) -> None:
    other = stack.register_factory("F2", "M1", key_id="k2")
    expired = stack.register_key("F1", "old", valid_to="2020-01-01T00:00:00Z")
    early = stack.register_key("F1", "new", valid_from="2090-01-01T00:00:00Z")
    revoked = stack.register_key("F1", "revoked", revoked_at="2020-01-01T00:00:00Z")
    value = record()
    from schemas.wire.signature import sign

    sent(stack, sender, value, key_id="k2", signature=sign(value, other.seed))
    sent(stack, sender, value, signature=sign(value, other.seed))
    for one in (expired, early, revoked):
        sent(stack, one, value)
    assert [reason for reason, *_ in letters(stack)] == ["bad_signature"] * 5
    assert facts(stack) == 0
    sent(stack, sender, value)
    assert facts(stack) == 1


@pytest.mark.parametrize(
    ("reason", "machine_id", "at"),
    [
        ("unknown_machine", "GHOST", AT),
        ("not_in_use", "M1", "2015-12-31T14:59:59Z"),
        ("implausible_time", "M1", "in 6 minutes"),
        ("beyond_horizon", "M1", "2016-02-01T00:00:00Z"),
        ("bad_schema", "M 1", AT),
    ],
)
def test_an_invalid_row_is_refused_alone(stack: Stack, sender: Sender, reason: str, machine_id: str, at: str) -> None:
    if reason == "beyond_horizon":
        stack.query("UPDATE fact_horizon SET sealed_before = '2016-03-01Z' WHERE table_name = 'state_event'")
    if at == "in 6 minutes":
        at = (dt.datetime.now(dt.UTC) + dt.timedelta(minutes=6)).isoformat()
    wrong = state(machine_id, at)
    sent(stack, sender, record(states=[state(), wrong]))
    assert letters(stack) == [(reason, "states", "F1", len(json.dumps(wrong)))]
    assert facts(stack) == 1
    assert stack.query("SELECT rows_stored, rows_refused FROM ingest_record") == [(1, 1)]


def test_four_minutes_ahead_is_plausible(stack: Stack, sender: Sender) -> None:
    at = (dt.datetime.now(dt.UTC) + dt.timedelta(minutes=4)).isoformat()
    sent(stack, sender, record(states=[state("M1", at)]))
    assert letters(stack) == []


def test_kept_bytes_are_bounded_and_forgeries_do_not_count_against_the_factory(stack: Stack) -> None:
    stack.start_api()
    limits = {"JEJO_DEAD_LETTER_BYTES_PER_HOUR": "150", "JEJO_DEAD_LETTER_SHARED_LETTERS_PER_HOUR": "3"}
    stack.start("ingest", **limits)
    sender = stack.register_factory("F1", "M1")
    for _ in range(5):
        sent(stack, sender, record(), signature=bytes(64))
    sent(stack, sender, record(states=[state(), state("GHOST"), state("GHOST-2")]))
    kept = stack.query("SELECT authentic, raw IS NOT NULL, length(raw_sha256) FROM dead_letter ORDER BY id")
    assert kept == [(False, True, 32)] * 3 + [(True, True, 32), (True, False, 32)]
    counted = stack.query("SELECT reason, letters, last_offset FROM dead_letter_count")
    assert counted == [("bad_signature", 2, 4)]
    listed = stack.run("dead-letters", "counts").stdout
    assert "bad_signature  2 letters" in listed
    assert stack.run("dead-letters", "counts", "--reason", "bad_json").stdout == ""
    shown = json.loads(stack.run("status", "--json").stdout)["dead_letters"]
    assert {one["reason"]: one["only_counted"] for one in shown if one["only_counted"]} == {"bad_signature": 2}


def test_list_and_show_tell_the_operator_what_to_do(stack: Stack, sender: Sender) -> None:
    sent(stack, sender, record(states=[state("GHOST")]))
    ((number,),) = stack.query("SELECT id FROM dead_letter")
    listed = stack.run("dead-letters", "list", "--reason", "unknown_machine")
    assert "Register machine GHOST" in listed.stdout
    shown = json.loads(stack.run("dead-letters", "show", str(number)).stdout)
    assert shown["row"] == {"kind": "states", "index": 0}
    assert json.loads(shown["raw"]) == state("GHOST")
    missing = stack.run("dead-letters", "show", "999")
    assert missing.returncode == 2
    assert "There is no dead letter 999" in missing.stderr


def ghost_rows(number: int) -> list[dict[str, object]]:
    start = dt.datetime(2017, 3, 1, tzinfo=dt.UTC)
    return [state("GHOST", (start + dt.timedelta(seconds=n)).isoformat()) for n in range(number)]


def test_replay_turns_rows_into_facts_once_and_the_kpis_follow(stack: Stack, sender: Sender) -> None:
    stack.start("analytics")
    sent(stack, sender, record(states=ghost_rows(3)))
    assert facts(stack) == 0
    still = stack.run("dead-letters", "replay")
    assert "3 dead letters judged again, 0 turned into facts" in still.stdout
    stack.register_machine("F1", "GHOST")
    done = stack.run("dead-letters", "replay")
    assert "3 turned into facts, 3 rows stored" in done.stdout, done.stderr
    assert "0 dead letters judged again" in stack.run("dead-letters", "replay").stdout
    assert facts(stack) == 3
    assert stack.query("SELECT rows_stored, rows_refused FROM ingest_record") == [(3, 0)]
    stack.wait_until_accounted()
    (item,) = stack.get(
        "/v1/kpis", scope="machine:F1/GHOST", **{"from": "2017-03-01", "to": "2017-03-02", "interval": "total"}
    )["items"]
    assert item["time_s"]["producing"] == 602


def test_a_replay_killed_and_run_again_doubles_nothing(stack: Stack, sender: Sender) -> None:
    total = 10_000
    rows = ghost_rows(total)
    for start in range(0, total, 500):
        sender.send(record(states=rows[start : start + 500]))
    sender.producer.flush()
    stack.wait_until_ingested()
    assert len(letters(stack)) == total
    stack.register_machine("F1", "GHOST")
    replay = subprocess.Popen(
        [sys.executable, "-m", "services", "dead-letters", "replay"], cwd=ROOT, env=stack.environment
    )
    deadline = time.monotonic() + 60
    while not 0 < facts(stack) < total and time.monotonic() < deadline and replay.poll() is None:
        time.sleep(0.01)
    replay.send_signal(signal.SIGKILL)
    replay.wait()
    part = facts(stack)
    assert 0 < part < total
    done = stack.run("dead-letters", "replay")
    assert done.returncode == 0, done.stderr
    assert facts(stack) == total
    assert stack.query("SELECT sum(rows_stored), sum(rows_duplicate), sum(rows_refused) FROM ingest_record") == [
        (total, 0, 0)
    ]


def test_a_whole_record_is_replayed_with_its_signature_judged_again(stack: Stack, sender: Sender) -> None:
    later = Sender("F3", "k3", sender.seed, sender.producer, sender.topic)
    sent(stack, later, record("F3"))
    forged = record("F3", states=[state("M1", "2017-03-01T00:00:07Z")])
    sent(stack, later, forged, signature=bytes(64))
    assert [row[0] for row in letters(stack)] == ["unknown_factory"] * 2
    from nacl.signing import SigningKey

    stack.put(
        "/v1/factories/F3",
        {"name": "F3", "enterprise_id": "E0001", "region": "KR-48", "sector": "C29", "level": "basic"},
    )
    stack.register_machine("F3", "M1")
    public = base64.b64encode(bytes(SigningKey(sender.seed).verify_key)).decode()
    stack.put("/v1/factories/F3/gateway-keys/k3", {"public_key": public, "valid_from": "2016-01-01T00:00:00Z"})
    done = stack.run("dead-letters", "replay")
    assert "2 dead letters judged again, 1 turned into facts, 1 rows stored" in done.stdout, done.stderr
    assert facts(stack) == 1


def test_a_letter_refused_again_has_the_present_reason(stack: Stack, sender: Sender) -> None:
    later = Sender("F3", "k3", sender.seed, sender.producer, sender.topic)
    sent(stack, later, record("F3", states=[]))
    sent(stack, sender, record(states=[state("GHOST")]))
    stack.put(
        "/v1/factories/F3",
        {"name": "F3", "enterprise_id": "E0001", "region": "KR-48", "sector": "C29", "level": "basic"},
    )
    stack.register_machine("F1", "GHOST", in_use_from="2018-01-01")
    assert "2 dead letters judged again, 0 turned" in stack.run("dead-letters", "replay").stdout
    letters = stack.query("SELECT reason, message FROM dead_letter ORDER BY id")
    assert [reason for reason, _ in letters] == ["bad_signature", "not_in_use"]
    assert stack.query("SELECT refusals FROM ingest_record") == [('{"not_in_use": 1}',)]
    assert "correct its time in use" in letters[1][1]
    stack.register_machine("F1", "GHOST", in_use_from="2017-01-01")
    assert (
        "1 dead letters judged again, 1 turned" in stack.run("dead-letters", "replay", "--reason", "not_in_use").stdout
    )
    assert stack.query("SELECT rows_stored, rows_refused, refusals, rows_late FROM ingest_record") == [(1, 0, None, 1)]
    assert stack.query("SELECT table_name, day::text FROM fact_day") == [("state_event", "2017-03-01")]


def test_concurrent_replays_beside_the_worker_turn_each_letter_once(stack: Stack, sender: Sender) -> None:
    total = 1000
    sent(stack, sender, record(states=ghost_rows(total)))
    stack.register_machine("F1", "GHOST")
    command = [sys.executable, "-m", "services", "dead-letters", "replay"]
    replays = [subprocess.Popen(command, cwd=ROOT, env=stack.environment, stderr=subprocess.PIPE) for _ in range(3)]
    for _ in range(5):
        sender.send(record(states=ghost_rows(total)))
    sender.producer.flush(timeout=60)
    for one in replays:
        _, stderr = one.communicate(timeout=60)
        assert b"Traceback" not in stderr
    done = stack.run("dead-letters", "replay")
    assert done.returncode == 0, done.stderr
    stack.wait_until_ingested()
    assert facts(stack) == total
    assert stack.query("SELECT sum(rows_stored), sum(rows_duplicate), sum(rows_refused) FROM ingest_record") == [
        (total, 5 * total, 0)
    ]
    assert stack.query("SELECT count(*) FROM dead_letter WHERE replayed_at IS NULL") == [(0,)]
