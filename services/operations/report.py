"""Findings as a table for people and as JSON for programs."""

from collections.abc import Iterator

from services.core.times import SECOND_US, rfc3339
from services.operations.findings import Bus, Count, DeadLetterCounts, Findings, Problem, Stored, Verdict

VERDICTS = {Verdict.FINE: "fine", Verdict.BEHIND: "behind", Verdict.CANNOT_TELL: "cannot tell"}
Json = dict[str, object]


def as_lines(findings: Findings, problems: list[Problem], verdict: Verdict) -> Iterator[str]:
    """Yield the lines of the table."""
    stored = findings.stored
    at = "" if stored is None else f" at {rfc3339(stored.now_us)}"
    yield f"Jejo{at}: {VERDICTS[verdict]}"
    yield ""
    yield line("database", "does not answer" if stored is None else f"answers, schema {stored.schema_version}")
    yield line("Kafka", "does not answer" if findings.kafka is None else f"answers, topic {findings.topic}")
    if findings.lags is not None:
        behind = {partition: lag for partition, lag in findings.lags.items() if lag}
        yield line("lag", f"{sum(behind.values()):,} records")
        for partition, lag in behind.items():
            yield line("", f"partition {partition}: {lag:,}")
    for held in findings.kafka.open_transactions if findings.kafka is not None else ():
        yield line("held back", f"{held.records:,} records of partition {held.partition}, by an open transaction")
    if stored is not None:
        yield from stored_lines(stored)
    for problem in problems:
        yield ""
        yield f"! {problem.message}"
        yield f"  (docs/operations.md#{problem.section})"


def stored_lines(stored: Stored) -> Iterator[str]:
    """Yield the lines that need the database alone."""
    yield line(
        "ingest", f"{stored.rows_per_s:,.1f} rows/s in {stored.records_per_s:,.1f} records/s over the last minute"
    )
    yield line("last commit", ago(stored, stored.last_commit_us))
    yield line("factories", f"{stored.factories_heard} heard of in the last hour")
    yield line("accounted until", ago(stored, stored.backlog.accounted_until_us))
    yield line(
        "marks waiting",
        f"{stored.marks}"
        + (f", the oldest {ago(stored, stored.backlog.oldest_mark_us)}" if stored.marks.value else ""),
    )
    yield line("KPIs complete", f"for what was ingested up to {ago(stored, stored.fresh_until_us)}")
    found = [letters for letters in stored.dead_letters if letters.total.value or letters.counted]
    yield line(
        "dead letters", f"{'last hour':>12}{'total':>12}{'waiting':>12}{'only counted':>14}" if found else "none"
    )
    for letters in found:
        kept = f"{letters.last_hour!s:>12}{letters.total!s:>12}{letters.waiting!s:>12}"
        yield line(f"  {letters.reason}", f"{kept}{letters.counted:>14,}")


def line(name: str, text: str) -> str:
    """Return one line of the table."""
    return f"{name:<19}{text}".rstrip()


def ago(stored: Stored, us: int | None) -> str:
    """Return how long before the database's present an instant lies, in words."""
    return "never" if us is None else f"{seconds_ago(stored, us):,.1f} s ago"


def seconds_ago(stored: Stored, us: int) -> float:
    return max(0, stored.now_us - us) / SECOND_US


def as_json(findings: Findings, problems: list[Problem], verdict: Verdict) -> Json:
    """Return the object that ``--json`` prints. A count that stopped at a limit has ``at_least`` true."""
    stored = findings.stored
    return {
        "as_of": None if stored is None else rfc3339(stored.now_us),
        "verdict": VERDICTS[verdict],
        "problems": [{"verdict": VERDICTS[p.verdict], "message": p.message, "section": p.section} for p in problems],
        "kafka": {"answers": findings.kafka is not None, "topic": findings.topic},
        "database": {
            "answers": stored is not None,
            "schema_version": None if stored is None else stored.schema_version,
            "program_version": findings.program_version,
        },
        "lag": None if findings.lags is None else lag_json(findings),
        "open_transactions": None if findings.kafka is None else transactions_json(findings.kafka),
        "ingest": None if stored is None else ingest_json(stored),
        "dead_letters": None if stored is None else [letters_json(letters) for letters in stored.dead_letters],
        "analytics": None if stored is None else analytics_json(stored),
    }


def lag_json(findings: Findings) -> Json:
    lags = findings.lags or {}
    return {"records": sum(lags.values()), "partitions": [{"partition": p, "records": n} for p, n in lags.items()]}


def transactions_json(kafka: Bus) -> list[Json]:
    return [
        {"partition": t.partition, "offset": t.offset, "records": t.records, "since": rfc3339(t.since_us)}
        for t in kafka.open_transactions
    ]


def ingest_json(stored: Stored) -> Json:
    return {
        "records_per_s": round(stored.records_per_s, 3),
        "rows_per_s": round(stored.rows_per_s, 3),
        "last_commit": instant_json(stored, stored.last_commit_us),
        "factories_heard": count_json(stored.factories_heard),
    }


def analytics_json(stored: Stored) -> Json:
    return {
        "accounted_until": instant_json(stored, stored.backlog.accounted_until_us),
        "marks_waiting": count_json(stored.marks),
        "oldest_mark": instant_json(stored, stored.backlog.oldest_mark_us),
        "fresh_until": instant_json(stored, stored.fresh_until_us),
    }


def letters_json(letters: DeadLetterCounts) -> Json:
    return {
        "reason": letters.reason,
        "last_hour": count_json(letters.last_hour),
        "total": count_json(letters.total),
        "waiting": count_json(letters.waiting),
        "only_counted": letters.counted,
    }


def count_json(count: Count) -> Json:
    return {"count": count.value, "at_least": count.at_least}


def instant_json(stored: Stored, us: int | None) -> Json | None:
    return None if us is None else {"at": rfc3339(us), "seconds_ago": seconds_ago(stored, us)}
