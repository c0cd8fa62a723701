"""The law of the faults: facts are exactly the distinct valid rows sent, once, and dead letters exactly the rest.

Records, their counts, other versions of facts, offsets and accounts follow from the same log.
"""

import datetime as dt
import json
from collections import Counter
from collections.abc import Iterable
from typing import Any, Protocol, TypeVar

from kafka import KafkaConsumer, TopicPartition

from tests.faults.messages import EPOCH, SEALED_BEFORE_US
from tests.faults.reference import Identity, Outcome, Place, Statement
from tests.stack import Stack

T = TypeVar("T")


class Query(Protocol):
    """Runs a query on the database and returns its rows, with instants in microseconds."""

    def __call__(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]: ...


TOPICS = "SELECT id FROM ingest_topic ORDER BY id"
RECORDS = """
SELECT id, topic, partition, record_offset, refusals, rows_stored, rows_duplicate, rows_clashed, rows_refused,
       rows_late, rows_revised, newest_at
FROM ingest_record
"""
FACTS = """
SELECT 'states', f.factory_id, m.machine_id, '', e.at, e.revision, e.retracted, e.record_id,
       e.state::bigint, e.mode::bigint, e.reason, NULL::bigint, NULL::double precision
FROM state_event e JOIN machine m ON m.id = e.machine JOIN factory f ON f.id = m.factory
UNION ALL
SELECT 'counts', f.factory_id, m.machine_id, e.product, e.at, e.revision, e.retracted, e.record_id,
       e.good, e.scrap, NULL, e.rework, NULL
FROM count_event e JOIN machine m ON m.id = e.machine JOIN factory f ON f.id = m.factory
UNION ALL
SELECT 'readings', f.factory_id, m.machine_id, x.name, e.at, e.revision, e.retracted, e.record_id,
       NULL, NULL, NULL, NULL, e.value
FROM reading e JOIN machine m ON m.id = e.machine JOIN factory f ON f.id = m.factory JOIN metric x ON x.id = e.metric
"""
ASIDE = """
SELECT r.kind || 's', f.factory_id, m.machine_id, COALESCE(x.name, r.product, ''), r.at, r.revision, r.retracted,
       r.clash, COALESCE(r.state, r.good)::bigint, COALESCE(r.mode, r.scrap)::bigint, r.reason, r.rework::bigint,
       r.value
FROM fact_revision r JOIN machine m ON m.id = r.machine JOIN factory f ON f.id = m.factory
LEFT JOIN metric x ON x.id = r.metric
"""
LETTERS = (
    "SELECT topic, partition, record_offset, row_kind, row_index, reason FROM dead_letter WHERE replayed_at IS NULL"
)
COUNTERS_EXIST = "SELECT to_regclass('dead_letter_count') IS NOT NULL"
COUNTERS = "SELECT topic, partition, hour, reason, letters FROM dead_letter_count"
OFFSETS = """
SELECT o.partition, o.next_offset FROM ingest_offset o JOIN ingest_topic t USING (cluster_id, topic_id)
WHERE t.topic = $1 AND t.retired_at IS NULL
"""


def check_law(stack: Stack, expected: Outcome, *, accounts: bool = True) -> None:
    """Compare everything that is stored with what must be; ``accounts`` says whether time accounts are compared, too.

    Raises:
        AssertionError: they differ; the message has what is missing and what is too much.
    """
    check_offsets(stack)
    check_stored(stack.query, expected)
    if accounts:
        check_accounts(stack, expected)


def check_stored(query: Query, expected: Outcome) -> None:
    """Compare records, facts and dead letters with what must be.

    Raises:
        AssertionError: they differ.
    """
    numbers = {row[0]: n for n, row in enumerate(query(TOPICS), 1)}
    place_of: dict[int, Place] = {}
    records: list[tuple[Place, tuple[object, ...]]] = []
    for record_id, topic, partition, offset, refusals, *fates in query(RECORDS):
        place_of[record_id] = (numbers[topic], partition, offset)
        reasons = tuple(sorted(json.loads(refusals or "{}").items()))
        records.append((place_of[record_id], (*fates, reasons)))
    compare("records", records, ((place, fates.as_stored()) for place, fates in expected.records.items()))
    compare("facts", stored_facts(query, place_of), ((i, s, p) for i, (s, p) in expected.facts.items()))
    compare("other versions", stored_aside(query), expected.aside)
    check_letters(query, expected, numbers)


def check_letters(query: Query, expected: Outcome, numbers: dict[int, int]) -> None:
    """Each refusal is a dead letter, or counted by reason where nobody authenticated the record; none is both."""
    letters = [((numbers[t], p, o), kind, index, why) for t, p, o, kind, index, why in query(LETTERS)]
    wanted = [(*key, reason) for key, reason in expected.letters.items()]
    counted: Counter[tuple[int, int, int, str]] = Counter()
    if query(COUNTERS_EXIST)[0][0]:
        counted += Counter({(numbers[t], p, hour, why): n for t, p, hour, why, n in query(COUNTERS)})
    kept = set(letters)
    not_kept = [letter for letter in wanted if letter not in kept and letter[1] is None] if counted else []
    compare("dead letters", letters + not_kept, wanted)
    hours = Counter((*place[:2], expected.hours[place], reason) for place, _, _, reason in not_kept)
    compare("counted refusals", counted.elements(), hours.elements())


def compare(what: str, stored: Iterable[T], expected: Iterable[T]) -> None:
    """Compare two collections as multisets: nothing lost, nothing doubled."""
    found, wanted = Counter(stored), Counter(expected)
    missing, extra = list((wanted - found).items()), list((found - wanted).items())
    assert not missing, f"{what}: {len(missing)} missing, as {missing[:3]}; {len(extra)} too many, as {extra[:3]}"
    assert not extra, f"{what}: {len(extra)} too many, as {extra[:3]}"


def stored_facts(query: Query, place_of: dict[int, Place]) -> list[tuple[Identity, Statement, Place]]:
    """Return the facts in force, each with the place of the record that it names as its origin."""
    return [
        ((kind, factory, machine, key, at), (revision, retracted, content_of(kind, *content)), place_of[record_id])
        for kind, factory, machine, key, at, revision, retracted, record_id, *content in query(FACTS)
    ]


def stored_aside(query: Query) -> list[tuple[Identity, Statement, bool]]:
    """Return the versions that are not in force, and whether they clash."""
    return [
        ((kind, factory, machine, key, at), (revision, retracted, content_of(kind, *content)), clash)
        for kind, factory, machine, key, at, revision, retracted, clash, *content in query(ASIDE)
    ]


def content_of(
    kind: str, first: int | None, second: int | None, reason: str | None, rework: int | None, value: float | None
) -> tuple[object, ...]:
    """Return a row's content as the reference writes it, from the columns that all kinds share."""
    if kind == "states":
        return (first, second, reason)
    return (first, second, rework) if kind == "counts" else (value,)


def check_offsets(stack: Stack) -> None:
    """Stored offsets are at the ends of the logs."""
    consumer = KafkaConsumer(bootstrap_servers=stack.kafka.bootstrap, isolation_level="read_committed")
    try:
        partitions = [TopicPartition(stack.topic, p) for p in consumer.partitions_for_topic(stack.topic) or ()]
        ends = {partition.partition: end for partition, end in consumer.end_offsets(partitions).items()}
    finally:
        consumer.close()
    assert partitions
    stored = dict(stack.query(OFFSETS, stack.topic))
    assert {p: stored.get(p, 0) for p in ends} == ends


def check_accounts(stack: Stack, expected: Outcome) -> None:
    """The accounts of all days with states or counts are those that a second implementation computes of the facts."""
    days = {at for kind, *_, at in expected.facts if kind != "readings" and at >= SEALED_BEFORE_US}
    if not days:
        return
    first, last = (EPOCH + dt.timedelta(microseconds=at) for at in (min(days), max(days)))
    window = [f"{day:%Y-%m-%d}" for day in (first - dt.timedelta(1), last + dt.timedelta(3))]
    verified = stack.run("verify", "--from", window[0], "--to", window[1])
    assert verified.returncode == 0, verified.stdout[-3000:] + verified.stderr[-3000:]
