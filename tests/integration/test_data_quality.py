"""Data quality through real services: sent over Kafka, doubled, reordered and refused, and answered by the API."""

import csv
import datetime as dt
import io
import json
import random
from typing import Any

import httpx
import pytest

from schemas.wire.signature import sign
from tests.api import Api
from tests.stack import WITHOUT_TLS, Sender, Stack, wait_for

NOW = dt.datetime(2017, 3, 1, tzinfo=dt.UTC)
"""The present as each test begins, which may be long after this module was imported."""
OLD = "2017-03-01T00:00:00Z"


@pytest.fixture(autouse=True)
def present(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{__name__}.NOW", dt.datetime.now(dt.UTC).replace(microsecond=0))


def window() -> dict[str, str]:
    """Some days around the present, since a test may run over midnight."""
    today = (dt.datetime.now(dt.UTC) + dt.timedelta(hours=9)).date()
    return {"from": str(today - dt.timedelta(days=2)), "to": str(today + dt.timedelta(days=2))}


def state(second: int, machine_id: str = "M1", at: str | None = None, name: str = "producing") -> dict[str, object]:
    instant = (NOW - dt.timedelta(seconds=second)).isoformat() if at is None else at
    return {"machine_id": machine_id, "at": instant, "state": name, "mode": "automatic"}


def record(factory_id: str, sequence: int | None, boot_id: str | None = "b1", **parts: object) -> bytes:
    envelope: dict[str, object] = {"factory_id": factory_id, "gateway_id": "gw-1", "boot_id": boot_id}
    sent_at = {"sequence": sequence, "sent_at": NOW.isoformat()}
    return json.dumps({**envelope, **sent_at, **(parts or {"states": [state(sequence or 0)]})}).encode()


def records_of(factory_id: str) -> list[bytes]:
    """Records of two boots with gaps; 25 have a late row as well, of which 11 have one of an unknown machine, too."""
    lost = {5, 6, 11, 30}
    values = [
        record(
            factory_id, n, states=[state(n), state(n, at=f"2017-03-01T00:{n:02}:00Z"), state(n, "GHOST")][: 1 + n % 3]
        )
        for n in range(1, 41)
        if n not in lost
    ]
    values += [record(factory_id, n, "b2", states=[state(100 + n)]) for n in (7, 8, 10)]
    return values


def summed(items: list[dict[str, Any]]) -> dict[str, Any]:
    """Add up days, of which there are two if the test runs over midnight."""
    rows = [item["rows"] for item in items]
    refused: dict[str, int] = {}
    for row in rows:
        for reason, number in row["refused"].items():
            refused[reason] = refused.get(reason, 0) + number
    return {
        **{name: sum(row[name] for row in rows) for name in ("accepted", "duplicate", "clashed", "revised")},
        **{name: sum(item[name] for item in items) for name in ("records", "sequence_gaps", "lost_records")},
        "refused": refused,
    }


@pytest.fixture
def services(stack: Stack) -> Stack:
    stack.start_api()
    stack.start("ingest")
    return stack


def quality(stack: Stack, factory_id: str) -> list[dict[str, Any]]:
    stack.wait_until_ingested()
    items: list[dict[str, Any]] = stack.get(f"/v1/factories/{factory_id}/data-quality", **window())["items"]
    return items


def send_all(sender: Sender, values: list[bytes]) -> None:
    for sent in [sender.send(value) for value in values]:
        sent.get(timeout=30)


def test_doubled_and_reordered_sending_changes_nothing_but_duplicates(services: Stack) -> None:
    orderly, shaken = (services.register_factory(name, "M1") for name in ("F1", "F2"))
    send_all(orderly, records_of("F1"))
    values = records_of("F2") * 2
    random.Random(3).shuffle(values)
    send_all(shaken, values)
    one, other = (quality(services, name) for name in ("F1", "F2"))
    sums, twice = summed(one), summed(other)
    assert sums == {
        "records": 39,
        "accepted": 36 + 25 + 3,
        "duplicate": 0,
        "clashed": 0,
        "revised": 0,
        "sequence_gaps": 4,
        "lost_records": 5,
        "refused": {"unknown_machine": 11},
    }
    assert twice == {
        **sums,
        "records": 78,
        "duplicate": sums["accepted"],
        # A row that is refused is judged as often as it is sent.
        "refused": {"unknown_machine": 22},
    }
    for items in (one, other):
        assert sum(item["late_share"] * item["rows"]["accepted"] for item in items) == pytest.approx(25)
        for item in items:
            assert 0 <= item["receipt_delay_s"]["p50"] <= item["receipt_delay_s"]["p99"] < 600
            assert 0 <= item["clock_offset_s"]["p50"] <= item["clock_offset_s"]["p99"] < 600


def test_revisions_and_clashes_are_counted_once(services: Stack) -> None:
    sender = services.register_factory("F1", "M1")
    first = record("F1", 1, states=[state(1), state(2)])
    clash = record("F1", 2, states=[state(1, name="idle")])
    revision = record("F1", 3, states=[state(2, name="idle")], revision=1)
    send_all(sender, [first, clash, revision, clash, revision])
    assert summed(quality(services, "F1")) == {
        "records": 5,
        "accepted": 3,
        "duplicate": 2,
        "clashed": 1,
        "revised": 1,
        "sequence_gaps": 0,
        "lost_records": 0,
        "refused": {},
    }


def refused_rows() -> list[dict[str, object]]:
    """Rows of an unknown machine, before its use, 15 minutes ahead, and with an invalid id."""
    return [state(0, "GHOST"), state(0, at="2015-12-31T14:59:59Z"), state(-900), state(0, "M 1")]


def test_refusals_are_counted_by_reason_and_forged_records_change_nothing(services: Stack) -> None:
    own, other = services.register_factory("F1", "M1"), services.register_factory("F2", "M1", key_id="k2")
    for sequence, row in enumerate(refused_rows(), start=1):
        own.send(record("F1", sequence, states=[state(sequence), row]))
    own.send(record("F1", 5, states=[]))
    good = record("F1", 6)
    own.send(good).get(timeout=30)
    known = quality(services, "F1")
    assert summed(known) == {
        "records": 5,
        "accepted": 5,
        "duplicate": 0,
        "clashed": 0,
        "revised": 0,
        # The record refused whole has a number that nobody read.
        "sequence_gaps": 1,
        "lost_records": 1,
        "refused": {"unknown_machine": 1, "not_in_use": 1, "implausible_time": 1, "bad_schema": 2},
    }
    forged = record("F1", 99, "b9")
    own.send(forged, signature=bytes(64))
    own.send(forged, key_id="k2", signature=sign(forged, other.seed))
    own.send(forged, signature=sign(forged, other.seed))
    own.send(forged, key=b"F2")
    own.send(record("F9", 1), key=b"F9")
    own.send(b'{"factory_id": "F1"').get(timeout=30)
    services.wait_until_ingested()
    assert services.query("SELECT count(*) FROM dead_letter WHERE NOT authentic") == [(6,)]
    assert quality(services, "F1") == known
    assert quality(services, "F2") == []


def test_a_replay_is_counted_where_it_belongs_also_when_the_day_is_closed(services: Stack) -> None:
    sender = services.register_factory("F1", "M1")
    send_all(sender, [record("F1", 1, states=[state(1), state(2, "M2")]), record("F1", 2, states=[])])
    assert summed(quality(services, "F1"))["refused"] == {"unknown_machine": 1, "bad_schema": 1}
    services.query("SELECT close_quality_days((now() AT TIME ZONE 'Asia/Seoul')::date + 1)")
    services.start("analytics")
    wait_for("the day", lambda: services.query("SELECT count(*) FROM quality_day") != [(0,)])
    before = quality(services, "F1")
    services.register_machine("F1", "M2")
    done = services.run("dead-letters", "replay")
    assert done.returncode == 0, done.stderr
    after = summed(quality(services, "F1"))
    assert after == {**summed(before), "accepted": 2, "refused": {"bad_schema": 1}}
    wait_for("the mark", lambda: services.query("SELECT count(*) FROM quality_mark") == [(0,)])
    assert summed(quality(services, "F1")) == after
    assert services.query("SELECT sum(rows_accepted) FROM quality_day") == [(2,)]
    today = str((dt.datetime.now(dt.UTC) + dt.timedelta(hours=9)).date())
    verified = services.run("verify", "--from", "2026-01-01", "--to", today, "--no-ledger")
    assert "0 differences" in verified.stdout, verified.stdout + verified.stderr


def test_the_days_as_csv(services: Stack) -> None:
    sender = services.register_factory("F1", "M1")
    send_all(
        sender, [record("F1", 1, states=[state(1), state(2, "GHOST"), state(3, at=OLD)]), record("F1", 4, states=[])]
    )
    (item,) = quality(services, "F1")
    answer = httpx.get(
        f"{services.api_url}/v1/factories/F1/data-quality",
        params=window(),
        headers={**services.headers, "Accept": "text/csv"},
        verify=WITHOUT_TLS,
    )
    (row,) = csv.DictReader(io.StringIO(answer.text))
    assert row == {
        "day": item["day"],
        "records": "1",
        "rows_accepted": "2",
        "rows_duplicate": "0",
        "rows_clashed": "0",
        "rows_revised": "0",
        "rows_refused": "2",
        "refused": "bad_schema:1 unknown_machine:1",
        "sequence_gaps": "0",
        "lost_records": "0",
        "late_share": "0.5",
        **{f"receipt_delay_{p}_s": str(item["receipt_delay_s"][p]) for p in ("p50", "p99")},
        **{f"clock_offset_{p}_s": str(item["clock_offset_s"][p]) for p in ("p50", "p99")},
    }


@pytest.mark.parametrize(
    ("role", "status"),
    [
        ("admin", 200),
        ("ministry", 200),
        ("region:KR-48", 200),
        ("factory:F1", 200),
        ("region:KR-11", 403),
        ("factory:F2", 403),
        ("researcher", 403),
        (None, 401),
    ],
)
async def test_who_may_read(api: Api, role: str | None, status: int) -> None:
    await api.register()
    answer = await api.get("/v1/factories/F1/data-quality", role, **window())
    assert answer.status_code == status
    if status == 200:
        assert answer.json() == {"items": []}


@pytest.mark.parametrize(
    ("parameters", "what"),
    [
        ({"from": "2026-11-01", "to": "2026-11-01"}, "before `to`"),
        ({"from": "2025-11-01", "to": "2026-11-03"}, "at most 366 days"),
        ({"from": "2026-11-01T00:00:00Z", "to": "2026-11-03"}, "`from=2026-11-01`"),
        ({"from": "2026-11-01"}, "to"),
        ({"from": "2026-11-01", "to": "2026-11-02", "day": "1"}, "day"),
    ],
)
async def test_a_window_is_of_whole_days(api: Api, parameters: dict[str, str], what: str) -> None:
    await api.register()
    answer = await api.get("/v1/factories/F1/data-quality", **parameters)
    assert answer.status_code == 422
    assert what in answer.text
    assert (await api.get("/v1/factories/F9/data-quality", **window())).status_code == 404
