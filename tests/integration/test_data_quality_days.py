"""Days of data quality, kept and computed, equal a naive count of what was received, at any moment."""

import datetime as dt
import json
import math
import random
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from schemas.wire.codes import Reason
from schemas.wire.columns import RowKind
from services.analytics import read_quality
from services.analytics.quality.days import CLOSES_AFTER_US, close_day, keep_quality, settle_days
from services.analytics.verification.data_quality import compare_quality
from services.analytics.verification.snapshot import Window
from services.core.database import Connection, connect
from services.core.errors import TransientError
from services.core.times import DAY_US, HOUR_US, seoul_day, seoul_midnight_us
from services.ingest.letters.dead_letters import expire_dead_letters
from services.ingest.letters.letter_quota import LetterLimits
from services.ingest.model import AuthenticRecord, BusRecord, DeadLetter, FactTable, Findings
from services.ingest.writing.writer import OffsetMove, Topic, Writer
from tests.findings import write_findings

MONDAY = dt.date(2026, 11, 23)
ORIGIN_US = seoul_midnight_us(MONDAY)
DAYS = 6
END = MONDAY + dt.timedelta(days=DAYS)
TOPIC = Topic(1, "c", "t")
KEPT = LetterLimits(1 << 30, 1 << 30, 1 << 30)
FACTORIES = 2
COMPARED = ("day", "records", "accepted", "duplicate", "late", "gaps", "lost")
FINAL = Window(ORIGIN_US, ORIGIN_US + DAYS * DAY_US)


@pytest.fixture
async def analytics(database: str, owner: Connection) -> AsyncIterator[Connection]:
    """Analytics' connection, in a database whose days are open from Monday on."""
    await owner.execute("INSERT INTO factory (factory_id) SELECT 'F' || n FROM generate_series(1, $1) AS n", FACTORIES)
    await owner.execute("INSERT INTO machine (factory, machine_id) SELECT id, 'M1' FROM factory ORDER BY id")
    await owner.execute("UPDATE quality_state SET closed_before = $1", MONDAY)
    connection = await connect(database, "jejo_analytics")
    yield connection
    await connection.close()


async def close_all(connection: Connection, before: dt.date) -> None:
    """Close the days before one, unless ingest keeps them open."""
    while await close_day(connection, before):
        pass


@dataclass(frozen=True, slots=True)
class Sent:
    """A record as received, with what is expected to become of its rows."""

    factory: int
    received_us: int
    sent_us: int
    gateway_id: str
    boot_id: str | None
    sequence: int | None
    at_us: tuple[int, ...]
    refused: tuple[Reason, ...] = ()
    whole: Reason | None = None


def source_of(record: Sent, offset: int) -> BusRecord:
    return BusRecord(0, offset, record.received_us, b"F%d" % record.factory, b"{}", ())


def add(findings: Findings, record: Sent, offset: int) -> None:
    """Add a record to a batch as the judge does."""
    source = source_of(record, offset)
    name = f"F{record.factory}"
    if record.whole is not None:
        findings.dead_letters.append(DeadLetter(source, name, True, record.whole, "m", b"{}"))
        return
    index = len(findings.records)
    facts = findings.rows[FactTable.STATE]
    for position, at_us in enumerate(record.at_us):
        facts.index.append(position)
        facts.machine.append(record.factory)
        facts.key.append("")
        facts.at_us.append(at_us)
        facts.content.append((1, 1, None))
        facts.retracted.append(False)
        facts.record.append(index)
    findings.dead_letters += [
        DeadLetter(source, name, True, reason, "m", b"{}", RowKind.states, 100 + n, index)
        for n, reason in enumerate(record.refused)
    ]
    findings.records.append(
        AuthenticRecord(
            *(source, record.factory, record.gateway_id, record.boot_id, record.sequence, record.sent_us, 0, None, 0),
            refused=len(record.refused),
        )
    )


def draw_records(chance: random.Random, count: int) -> list[Sent]:
    """Return records in the order of receipt: lossy boots that go on over days, reordered, doubled, late, refused."""
    following: dict[tuple[int, str, str | None], int] = defaultdict(lambda: chance.randrange(5))
    sent: list[Sent] = []
    for _ in range(count):
        factory = chance.randint(1, FACTORIES)
        boot: tuple[str, str | None] = (chance.choice("ab"), chance.choice(["b1", "b2", None]))
        sequence = following[factory, *boot]
        following[factory, *boot] = sequence + 1 + (chance.random() < 0.1) * chance.randint(1, 3)
        sent_us = ORIGIN_US + chance.randrange(DAYS * DAY_US)
        at = tuple(sent_us - chance.randrange(50 * HOUR_US) for _ in range(chance.randrange(1, 4)))
        refused = tuple(chance.choices(list(Reason)[4:9], k=chance.randrange(3))) if chance.random() < 0.2 else ()
        whole = chance.choice([Reason.bad_schema, Reason.over_quota]) if chance.random() < 0.1 else None
        one = Sent(factory, 0, sent_us, *boot, sequence if chance.random() < 0.9 else None, at, refused, whole)
        sent += [one] * chance.choice([1, 1, 1, 2])
    received = sorted(ORIGIN_US + chance.randrange(DAYS * DAY_US) for _ in sent)
    for _ in range(len(sent) // 2):
        here, there = chance.randrange(len(sent)), chance.randrange(len(sent))
        sent[here], sent[there] = sent[there], sent[here]
    return [replace(record, received_us=us) for record, us in zip(sent, received, strict=True)]


def nearest_rank(values: list[int], hundredths: int) -> int | None:
    return sorted(values)[math.ceil(hundredths * len(values) / 100) - 1] if values else None


def naive_days(received: list[Sent], factory: int) -> list[dict[str, Any]]:
    """Count a factory's days from all that was received, in that order."""
    days: dict[dt.date, list[Sent]] = defaultdict(list)
    for record in received:
        if record.factory == factory:
            days[seoul_day(record.received_us)].append(record)
    known: set[int] = set()
    first_days: dict[tuple[str, str], dict[int, dt.date]] = defaultdict(dict)
    found = []
    for day, records in sorted(days.items()):
        one: dict[str, Any] = {"day": day, "records": 0, "accepted": 0, "duplicate": 0, "late": 0, "gaps": 0, "lost": 0}
        refused: Counter[str] = Counter()
        delays, offsets = [], []
        for record in records:
            if record.whole is not None:
                refused[record.whole.value] += 1
                continue
            one["records"] += 1
            refused.update(reason.value for reason in record.refused)
            delays.append(record.received_us - record.sent_us)
            new = [at for at in dict.fromkeys(record.at_us) if at not in known]
            known.update(new)
            one["accepted"] += len(new)
            one["duplicate"] += len(record.at_us) - len(new)
            one["late"] += sum(record.received_us - at > 24 * HOUR_US for at in new)
            offsets += [record.sent_us - max(new)] if new else []
            if record.sequence is not None:
                first_days[record.gateway_id, record.boot_id or ""].setdefault(record.sequence, day)
        found.append(
            {
                **one,
                "refused": dict(sorted(refused.items())),
                "delay": (nearest_rank(delays, 50), nearest_rank(delays, 99)),
                "offset": (nearest_rank(offsets, 50), nearest_rank(offsets, 99)),
            }
        )
    by_day = {one["day"]: one for one in found}
    for numbers in first_days.values():
        missing = 0
        for number in range(min(numbers), max(numbers) + 1):
            if number not in numbers:
                missing += 1
            elif missing:
                by_day[numbers[number]]["gaps"] += 1
                by_day[numbers[number]]["lost"] += missing
                missing = 0
    return found


async def read_days(connection: Connection, factory: int, first: dt.date, end: dt.date) -> list[dict[str, Any]]:
    """Read days as the API does."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        days = await read_quality(connection, factory, first, end)
    return [
        {
            **{
                name: getattr(day, name) for name in ("day", "records", "accepted", "duplicate", "late", "gaps", "lost")
            },
            "refused": dict(day.refused),
            "delay": (day.receipt_delay.p50_us, day.receipt_delay.p99_us),
            "offset": (day.clock_offset.p50_us, day.clock_offset.p99_us),
        }
        for day in days
    ]


@pytest.mark.parametrize("seed", range(4))
async def test_days_are_exact_at_any_moment(
    owner: Connection, ingest: Connection, analytics: Connection, seed: int
) -> None:
    chance = random.Random(seed)
    sent = draw_records(chance, 150)
    # Some are ingested long after their receipt, as after an outage; ingest keeps the order of the partition.
    writer, written = Writer(TOPIC, KEPT), 0
    asked = 0
    while written < len(sent):
        size = chance.randint(1, 40)
        batch = Findings()
        for offset, record in enumerate(sent[written : written + size], start=written):
            add(batch, record, offset)
        reached = min(written + size, len(sent))
        await write_findings(writer, ingest, batch, OffsetMove(0, written, reached))
        written = reached
        if chance.random() < 0.5:
            await close_all(analytics, seoul_day(sent[written - 1].received_us + chance.randint(-1, 2) * DAY_US))
        if chance.random() < 0.5:
            await settle_days(analytics)
        factory = chance.randint(1, FACTORIES)
        first = MONDAY + dt.timedelta(days=chance.randrange(DAYS))
        end = first + dt.timedelta(days=chance.randint(1, DAYS))
        expected = [one for one in naive_days(sent[:written], factory) if first <= one["day"] < end]
        assert await read_days(analytics, factory, first, end) == expected
        asked += len(expected)
    assert asked > 5
    await keep_quality(analytics, seoul_midnight_us(END) + CLOSES_AFTER_US, lambda: False, 60)
    assert await owner.fetchval("SELECT count(*) FROM quality_mark") == 0
    for factory in range(1, FACTORIES + 1):
        assert await read_days(analytics, factory, MONDAY, END) == naive_days(sent, factory)
    assert await compare_quality(owner, FINAL, 0) == []
    kept = await owner.fetch(
        "SELECT day, records, rows_accepted, sequence_gaps, lost_records::bigint AS lost, rows_refused, refused "
        "FROM research.data_quality_day WHERE factory_id = 'F1' ORDER BY day"
    )
    assert [
        (
            row["day"],
            row["records"],
            row["rows_accepted"],
            row["sequence_gaps"],
            row["lost"],
            json.loads(row["refused"]),
        )
        for row in kept
    ] == [
        (one["day"], one["records"], one["accepted"], one["gaps"], one["lost"], one["refused"])
        for one in naive_days(sent, 1)
    ]
    assert [row["rows_refused"] for row in kept] == [sum(one["refused"].values()) for one in naive_days(sent, 1)]


def one_day(**changes: Any) -> Sent:
    at_us = ORIGIN_US + HOUR_US
    given = {"factory": 1, "received_us": at_us, "sent_us": at_us - 5, "gateway_id": "a", "boot_id": "b"}
    return Sent(**{**given, "sequence": 1, "at_us": (at_us - HOUR_US,), **changes})


async def test_verify_finds_what_is_wrong(owner: Connection, ingest: Connection, analytics: Connection) -> None:
    batch = Findings()
    for offset, sequence in enumerate((1, 2, 5)):
        add(batch, one_day(sequence=sequence, at_us=(ORIGIN_US + offset,)), offset)
    await write_findings(Writer(TOPIC, KEPT), ingest, batch, OffsetMove(0, 0, 3))
    await close_all(analytics, END)
    with pytest.raises(TransientError, match="still marked"):
        await compare_quality(owner, FINAL, 0)
    await settle_days(analytics)
    assert await compare_quality(owner, FINAL, 0) == []
    for wrong, place in (
        ("UPDATE quality_day SET rows_accepted = 4", "rows_accepted: stored 4, recomputed 3"),
        ("UPDATE quality_day SET delay_p99_us = NULL", "delay_p99_us: stored -1, recomputed 5"),
        ("UPDATE quality_day SET refused = '{\"bad_schema\": 1}'", "refused bad_schema: stored 1, recomputed -1"),
        ("UPDATE quality_boot SET lost_records = 3", "boot 'b' lost_records: stored 3, recomputed 2"),
        ("UPDATE quality_boot SET sequences = '{[0,3)}'", "highest: stored 3, recomputed 5"),
        ("DELETE FROM quality_day", "records: stored -1, recomputed 3"),
    ):
        async with analytics.transaction():
            await analytics.execute(wrong)
        assert any(place in str(difference) for difference in await compare_quality(owner, FINAL, 0)), wrong
        await owner.execute("INSERT INTO quality_mark VALUES (1, $1)", MONDAY)
        await settle_days(analytics)
        assert await compare_quality(owner, FINAL, 0) == []


async def test_a_day_is_closed_only_after_what_ingest_has_under_way(
    database: str, owner: Connection, ingest: Connection, analytics: Connection
) -> None:
    transaction = ingest.transaction()
    await transaction.start()
    assert await ingest.fetchval("SELECT hold_quality_days()") == MONDAY
    await analytics.execute("SET lock_timeout = '50ms'")
    await close_all(analytics, END)
    assert await owner.fetchval("SELECT closed_before FROM quality_state") == MONDAY
    await transaction.commit()
    await close_all(analytics, END)
    assert await owner.fetchval("SELECT closed_before FROM quality_state") == END


async def test_refusals_outlive_their_letters(owner: Connection, ingest: Connection, analytics: Connection) -> None:
    batch = Findings()
    add(batch, one_day(whole=Reason.bad_schema), 0)
    add(batch, one_day(refused=(Reason.unknown_machine,)), 1)
    await write_findings(Writer(TOPIC, KEPT), ingest, batch, OffsetMove(0, 0, 2))
    refused = {"bad_schema": 1, "unknown_machine": 1}
    (before,) = await read_days(analytics, 1, MONDAY, END)
    assert before["refused"] == refused
    assert await expire_dead_letters(ingest, ORIGIN_US + 10**16) == 2
    assert await read_days(analytics, 1, MONDAY, END) == [before]
    await close_all(analytics, END)
    await settle_days(analytics)
    assert await read_days(analytics, 1, MONDAY, END) == [before]
