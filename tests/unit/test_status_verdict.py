"""When `jejo status` says that something is behind, and when that it cannot tell."""

import dataclasses
import re

import pytest

from services.core.times import SECOND_US
from services.ingest.status.findings import Bus, Count, Findings, Letters, Log, Stored
from services.ingest.status.presentation import as_json, as_lines
from services.ingest.status.verdict import Problem, Thresholds, Verdict, overall, problems_of

NOW = 1_800_000_000 * SECOND_US
MOST = Thresholds(lag_records=100, freshness_s=60, dead_letters_per_hour=10)


def letters(last_hour: int) -> Letters:
    return Letters("bad_json", Count(last_hour), Count(20), Count(20))


STORED = Stored(
    now_us=NOW,
    schema_version=5,
    topic_id="t1",
    offsets={0: 90, 1: 10},
    moved_us=NOW - SECOND_US,
    records_per_s=2.0,
    rows_per_s=40.0,
    factories_heard=Count(3),
    letters=(letters(0),),
    accounted_until_us=NOW - SECOND_US,
    marks=Count(0),
    oldest_mark_us=None,
)
BUS = Bus("t1", {0: Log(0, 100), 1: Log(5, 10), 2: Log(7, 9)})
FINE = Findings(topic="t", program_version=5, bus=BUS, bus_error=None, stored=STORED, stored_error=None)


def with_stored(**changes: object) -> Findings:
    return dataclasses.replace(FINE, stored=dataclasses.replace(STORED, **changes))  # type: ignore[arg-type]


def sections(findings: Findings, most: Thresholds = MOST) -> list[str]:
    return [problem.section for problem in problems_of(findings, most)]


def test_all_is_well() -> None:
    assert problems_of(FINE, MOST) == []
    assert overall([]) is Verdict.FINE


def test_lag_is_counted_from_the_offset_or_else_from_the_logs_start() -> None:
    assert FINE.lags == {0: 10, 1: 0, 2: 2}


def test_offsets_of_another_topic_do_not_count() -> None:
    assert with_stored(topic_id="t0").lags == {0: 100, 1: 5, 2: 2}


@pytest.mark.parametrize(
    ("findings", "section"),
    [
        (with_stored(moved_us=NOW - 61 * SECOND_US), "ingest-lags"),
        (with_stored(topic_id=None), "ingest-lags"),
        (with_stored(topic_id="t0"), "topic-re-created"),
        (dataclasses.replace(FINE, bus=Bus(None, {})), "ingest-lags"),
        (with_stored(letters=(letters(11),)), "dead-letters-grow"),
        (with_stored(accounted_until_us=NOW - 61 * SECOND_US), "analytics-behind"),
        (with_stored(oldest_mark_us=NOW - 61 * SECOND_US, marks=Count(1)), "analytics-behind"),
        (with_stored(accounted_until_us=None), "analytics-behind"),
        (with_stored(schema_version=4), "jejo-migrate"),
    ],
)
def test_what_is_behind_is_named(findings: Findings, section: str) -> None:
    found = problems_of(findings, dataclasses.replace(MOST, lag_records=1000))
    assert [problem.section for problem in found] == [section]
    assert overall(found) is Verdict.BEHIND


def test_more_lag_than_is_fine_is_named() -> None:
    assert sections(with_stored(offsets={0: 0, 1: 9, 2: 9})) == ["ingest-lags"]


def test_at_the_threshold_all_is_well() -> None:
    at = with_stored(
        offsets={0: 2, 1: 10},
        letters=(letters(10),),
        accounted_until_us=NOW - 60 * SECOND_US,
        moved_us=NOW - 60 * SECOND_US,
    )
    assert at.lags is not None
    assert sum(at.lags.values()) == 100
    assert sections(at) == []


def test_nothing_stalls_while_nothing_waits() -> None:
    assert sections(with_stored(offsets={0: 100, 1: 10, 2: 9}, moved_us=NOW - 3600 * SECOND_US)) == []


def test_what_does_not_answer_leaves_the_rest_told() -> None:
    no_kafka = dataclasses.replace(FINE, bus=None, bus_error="Kafka is away.")
    assert overall(problems_of(no_kafka, MOST)) is Verdict.CANNOT_TELL
    assert no_kafka.lags is None
    assert "40.0 rows/s" in "\n".join(as_lines(no_kafka, problems_of(no_kafka, MOST), Verdict.CANNOT_TELL))
    nothing = dataclasses.replace(no_kafka, stored=None, stored_error="The database is away.")
    assert [problem.message for problem in problems_of(nothing, MOST)] == ["Kafka is away.", "The database is away."]


def test_known_to_be_behind_outweighs_cannot_tell() -> None:
    unknown, behind = Problem(Verdict.CANNOT_TELL, "", ""), Problem(Verdict.BEHIND, "", "")
    assert overall([unknown, behind]) is Verdict.BEHIND


def test_table_and_json_say_the_same() -> None:
    findings = with_stored(letters=(Letters("bad_json", Count(7), Count(50_000, True), Count(3)),))
    problems = problems_of(findings, MOST)
    text = "\n".join(as_lines(findings, problems, overall(problems)))
    assert re.search(r"(?m)^  bad_json +7 +50,000\+ +3$", text)
    assert re.search(r"(?m)^lag +12 records$", text)
    found = as_json(findings, problems, overall(problems))
    assert found["verdict"] == "fine"
    assert found["lag"] == {
        "records": 12,
        "partitions": [{"partition": 0, "records": 10}, {"partition": 1, "records": 0}, {"partition": 2, "records": 2}],
    }
    assert found["dead_letters"] == [
        {
            "reason": "bad_json",
            "last_hour": {"count": 7, "at_least": False},
            "total": {"count": 50_000, "at_least": True},
            "waiting": {"count": 3, "at_least": False},
        }
    ]
