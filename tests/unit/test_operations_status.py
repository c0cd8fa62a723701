"""When `jejo status` reports that something is behind, and when that it cannot tell."""

import dataclasses
import re
from typing import Any

import pytest

from services.analytics import Backlog
from services.core.times import SECOND_US
from services.ingest import IngestProgress, LogBounds, OpenTransaction, TopicLogs
from services.operations.findings import (
    Bus,
    Count,
    DeadLetterCounts,
    Findings,
    Problem,
    Section,
    Stored,
    Thresholds,
    Verdict,
    find_problems,
    overall_verdict,
)
from services.operations.report import as_json, as_lines

NOW = 1_800_000_000 * SECOND_US
LIMITS = Thresholds(lag_records=100, transaction_s=30, freshness_s=60, dead_letters_per_hour=10)


UNREAD = IngestProgress("", {}, None)


def letters(last_hour: int) -> DeadLetterCounts:
    return DeadLetterCounts("bad_json", Count(last_hour), Count(20), Count(20))


STORED = Stored(
    now_us=NOW,
    schema_version=5,
    progress=IngestProgress("t1", {0: 90, 1: 10}, NOW - SECOND_US),
    records_per_s=2.0,
    rows_per_s=40.0,
    factories_heard=Count(3),
    dead_letters=(letters(0),),
    backlog=Backlog(NOW - SECOND_US, 0, False, None),
)
LOGS = TopicLogs("t1", {0: LogBounds(0, 100), 1: LogBounds(5, 10), 2: LogBounds(7, 9)})
FINE = Findings(
    topic="t",
    program_version=5,
    asked_us=NOW,
    kafka=Bus(LOGS),
    kafka_error=None,
    stored=STORED,
    stored_error=None,
)


def with_stored(**changes: Any) -> Findings:
    return dataclasses.replace(FINE, stored=dataclasses.replace(STORED, **changes))


def with_progress(**changes: Any) -> Findings:
    return with_stored(progress=dataclasses.replace(STORED.progress or UNREAD, **changes))


def with_backlog(**changes: Any) -> Findings:
    return with_stored(backlog=dataclasses.replace(STORED.backlog, **changes))


def sections(findings: Findings, limits: Thresholds = LIMITS) -> list[str]:
    return [problem.section for problem in find_problems(findings, limits)]


def test_a_platform_that_works_is_fine() -> None:
    assert find_problems(FINE, LIMITS) == []
    assert overall_verdict([]) is Verdict.FINE


def test_lag_is_counted_from_the_offset_or_else_from_the_logs_start() -> None:
    assert FINE.lags == {0: 10, 1: 0, 2: 2}


def test_offsets_of_another_topic_do_not_count() -> None:
    assert with_progress(topic_id="t0").lags == {0: 100, 1: 5, 2: 2}


@pytest.mark.parametrize(
    ("findings", "section"),
    [
        (with_progress(moved_us=NOW - 61 * SECOND_US), "ingest-lags"),
        (with_stored(progress=None), "ingest-lags"),
        (with_progress(topic_id="t0"), "topic-re-created"),
        (dataclasses.replace(FINE, kafka=Bus(TopicLogs(None, {}))), "ingest-lags"),
        (with_stored(dead_letters=(letters(11),)), "dead-letters-grow"),
        (with_backlog(accounted_until_us=NOW - 61 * SECOND_US), "analytics-behind"),
        (with_backlog(oldest_mark_us=NOW - 61 * SECOND_US, marks=1), "analytics-behind"),
        (with_backlog(accounted_until_us=None), "analytics-behind"),
        (with_stored(schema_version=4), "jejo-migrate"),
    ],
)
def test_what_is_behind_is_named(findings: Findings, section: str) -> None:
    found = find_problems(findings, dataclasses.replace(LIMITS, lag_records=1000))
    assert [problem.section for problem in found] == [section]
    assert overall_verdict(found) is Verdict.BEHIND


def test_more_lag_than_is_fine_is_named() -> None:
    assert sections(with_progress(offsets={0: 0, 1: 9, 2: 9})) == ["ingest-lags"]


def test_at_the_thresholds_everything_is_fine() -> None:
    at = with_stored(
        progress=IngestProgress("t1", {0: 2, 1: 10}, NOW - 60 * SECOND_US),
        dead_letters=(letters(10),),
        backlog=Backlog(NOW - 60 * SECOND_US, 0, False, None),
    )
    assert at.lags is not None
    assert sum(at.lags.values()) == 100
    assert sections(at) == []


def with_transaction(open_s: int, **changes: Any) -> Findings:
    held = (OpenTransaction(3, 120, 37, NOW - open_s * SECOND_US),)
    return dataclasses.replace(FINE, kafka=Bus(LOGS, held), **changes)


def test_a_transaction_left_open_is_named_with_what_to_do() -> None:
    (problem,) = find_problems(with_transaction(31), LIMITS)
    assert (problem.verdict, problem.section) == (Verdict.BEHIND, "a-transaction-left-open")
    assert problem.message.startswith("Partition 3 stands still at offset 120 since 2027-01-15T07:59:29Z:")
    assert "holds back 37 records" in problem.message
    assert "abort --topic t --partition 3 --start-offset 120" in problem.message


def test_a_transaction_that_may_still_end_is_no_problem() -> None:
    findings = with_transaction(30)
    assert find_problems(findings, LIMITS) == []
    assert as_json(findings, [], Verdict.FINE)["open_transactions"] == [
        {"partition": 3, "offset": 120, "records": 37, "since": "2027-01-15T07:59:30Z"}
    ]
    assert "37 records of partition 3, by an open transaction" in "\n".join(as_lines(findings, [], Verdict.FINE))


def test_a_transaction_left_open_is_named_without_the_database() -> None:
    findings = with_transaction(31, stored=None, stored_error="The database is away.")
    assert sections(findings) == ["the-database-is-away", "a-transaction-left-open"]


def test_nothing_stalls_while_nothing_waits() -> None:
    assert sections(with_progress(offsets={0: 100, 1: 10, 2: 9}, moved_us=NOW - 3600 * SECOND_US)) == []


def test_what_does_not_answer_leaves_the_rest_reported() -> None:
    no_kafka = dataclasses.replace(FINE, kafka=None, kafka_error="Kafka is away.")
    assert overall_verdict(find_problems(no_kafka, LIMITS)) is Verdict.CANNOT_TELL
    assert no_kafka.lags is None
    assert "40.0 rows/s" in "\n".join(as_lines(no_kafka, find_problems(no_kafka, LIMITS), Verdict.CANNOT_TELL))
    nothing = dataclasses.replace(no_kafka, stored=None, stored_error="The database is away.")
    assert [problem.message for problem in find_problems(nothing, LIMITS)] == [
        "Kafka is away.",
        "The database is away.",
    ]


def test_known_to_be_behind_outweighs_cannot_tell() -> None:
    unknown, behind = (Problem(verdict, "", Section.MIGRATE) for verdict in (Verdict.CANNOT_TELL, Verdict.BEHIND))
    assert overall_verdict([unknown, behind]) is Verdict.BEHIND


def test_table_and_json_agree() -> None:
    findings = with_stored(
        dead_letters=(DeadLetterCounts("bad_json", Count(7), Count(50_000, True), Count(3), 12_345),)
    )
    problems = find_problems(findings, LIMITS)
    text = "\n".join(as_lines(findings, problems, overall_verdict(problems)))
    assert re.search(r"(?m)^  bad_json +7 +50,000\+ +3 +12,345$", text)
    assert re.search(r"(?m)^lag +12 records$", text)
    found = as_json(findings, problems, overall_verdict(problems))
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
            "only_counted": 12_345,
        }
    ]
