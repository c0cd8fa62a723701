"""A flood of refusals gives few log lines, whose counts are complete."""

import logging
from collections import Counter

import pytest

from schemas.wire.codes import Reason
from schemas.wire.columns import RowKind
from services.ingest.columns import Batch, Texts
from services.ingest.judging.registry import NO_MACHINES
from services.ingest.letters.dead_letters import WrittenLetters
from services.ingest.metrics import IngestMetrics
from services.ingest.model import BusRecord, DeadLetter
from services.ingest.observer import REFUSALS_EVERY_S, RefusalLog
from services.ingest.writing.batch_counts import BatchCounts, Refusals, count_batch


def counts(reason: Reason, count: int, offset: int) -> BatchCounts:
    return BatchCounts(0, count, Counter(), (Refusals(reason, count, 3, offset, "F1", "Do this."),))


def logged(caplog: pytest.LogCaptureFixture) -> list[tuple[str, int, int]]:
    """Reason, count and first offset of every line."""
    found = [record.__dict__["fields"] for record in caplog.records]
    return [(line["reason"], line["count"], line["offset"]) for line in found]


@pytest.fixture
def caplog(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO)
    return caplog


def test_a_flood_gives_one_line_at_once_and_one_for_what_follows(caplog: pytest.LogCaptureFixture) -> None:
    log = RefusalLog()
    for second in range(1000):
        log.add(counts(Reason.bad_json, 5, second), second * REFUSALS_EVERY_S / 1000)
    assert logged(caplog) == [("bad_json", 5, 0)]
    log.log_due(REFUSALS_EVERY_S)
    assert logged(caplog)[1:] == [("bad_json", 999 * 5, 1)]
    log.log_due(3 * REFUSALS_EVERY_S)
    assert len(logged(caplog)) == 2


def test_another_reason_is_logged_at_once(caplog: pytest.LogCaptureFixture) -> None:
    log = RefusalLog()
    log.add(counts(Reason.bad_json, 1, 0), 0)
    log.add(counts(Reason.bad_signature, 1, 1), 1)
    assert logged(caplog) == [("bad_json", 1, 0), ("bad_signature", 1, 1)]


def test_pending_refusals_are_logged_at_the_end(caplog: pytest.LogCaptureFixture) -> None:
    log = RefusalLog()
    log.add(counts(Reason.bad_json, 1, 0), 0)
    log.add(counts(Reason.bad_json, 2, 1), 1)
    log.log_all()
    log.log_all()
    assert logged(caplog) == [("bad_json", 1, 0), ("bad_json", 2, 1)]


def test_a_line_names_factory_partition_offset_and_reason(caplog: pytest.LogCaptureFixture) -> None:
    RefusalLog().add(counts(Reason.too_large, 1, 42), 0)
    (record,) = caplog.records
    assert record.__dict__["fields"] == {
        "reason": "too_large",
        "count": 1,
        "factory": "F1",
        "partition": 3,
        "offset": 42,
    }
    assert record.getMessage().endswith("Do this.")


def test_a_batchs_letters_are_counted_by_reason_and_kind() -> None:
    def letter(offset: int, reason: Reason, kind: RowKind | None = None) -> DeadLetter:
        source = BusRecord(1, offset, 0, None, None, ())
        place = None if kind is None else 0
        return DeadLetter(source, None, True, reason, f"{reason} {offset}", b"", kind, place, place)

    letters = [
        letter(4, Reason.unknown_machine, RowKind.states),
        letter(5, Reason.bad_json),
        letter(6, Reason.unknown_machine, RowKind.counts),
    ]
    found = count_batch(Batch([], {}, Texts(), NO_MACHINES, letters), {}, WrittenLetters())
    assert (found.refused_records, found.rows_of("refused")) == (1, 2)
    assert [(r.reason, r.count, r.offset) for r in found.refusals] == [
        (Reason.unknown_machine, 2, 4),
        (Reason.bad_json, 1, 5),
    ]


def test_metrics_tell_letters_kept_from_letters_only_counted() -> None:
    metrics = IngestMetrics()
    letters = WrittenLetters(Counter({Reason.bad_json: 2}), Counter({Reason.bad_json: 30}))
    metrics.committed(BatchCounts(0, 32, Counter(), (), letters), 0.1)
    found = [
        metrics.registry.get_sample_value(f"jejo_ingest_dead_letters{ending}_total", {"reason": "bad_json"})
        for ending in ("", "_counted")
    ]
    assert found == [2, 30]
