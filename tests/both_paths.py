"""Ingest's two paths side by side: whatever the fast one takes, the strict one must find the same."""

from collections.abc import Mapping, Sequence

from schemas.wire.codes import Reason
from schemas.wire.refusal import Refusal
from services.core.times import HOUR_US, floor_to
from services.ingest.columns import batch_of
from services.ingest.judging.authenticate import Sender
from services.ingest.judging.decode import decode_batch
from services.ingest.judging.introductions import FactDay
from services.ingest.judging.judge import judge
from services.ingest.judging.plain_rows import Known
from services.ingest.judging.quotas import FactoryLimits, PartitionHour, Quotas
from services.ingest.judging.registry import Registry
from services.ingest.model import BusRecord, DeadLetter, Findings
from tests.columns import rows_of
from tests.registries import registry_of

RECEIVED_US = 1_772_290_800_000_000
METRICS = {"load_pct": 7, "temp_c": 9}
SPANS = [(0, RECEIVED_US // 2), (RECEIVED_US // 2 + 1, 2 * RECEIVED_US)]
REGISTRY: Registry = registry_of(
    {"F1": {"M1": [(0, 2 * RECEIVED_US)], "M2": SPANS, "M3": []}, "F2": {"M1": [(0, RECEIVED_US)]}}
)
SENDER = Sender("F1", REGISTRY.factories["F1"], 3)
NO_SENDER = Refusal(Reason.bad_signature, "Sign it.")


class AllDays(frozenset[FactDay]):
    """Every day."""

    def __contains__(self, day: object) -> bool:
        return True


def all_known(metrics: Mapping[str, int]) -> Known:
    """Return metrics and every day as known."""
    return Known(metrics, AllDays())


def unlimited(*sources: BusRecord) -> Quotas:
    """Return quotas that no record exhausts, with the sums of these records' hours loaded."""
    quotas = Quotas(FactoryLimits(1 << 62, 1 << 62, 1 << 62, 1 << 62))
    quotas.learn({PartitionHour(s.partition, floor_to(s.received_us, HOUR_US)) for s in sources}, ())
    return quotas


def by_offset(letter: DeadLetter) -> int:
    """Return a letter's offset, to sort letters as the strict path finds them."""
    return letter.source.offset


def assert_both_paths_agree(values: Sequence[bytes], senders: Sequence[Sender | Refusal], key: bytes = b"F1") -> int:
    """Judge records as one batch by both paths, and compare everything that they find.

    Returns:
        How many of the records the fast path took.
    """
    sources = [BusRecord(0, n, RECEIVED_US, key, value, ()) for n, value in enumerate(values)]
    strict = Findings()
    for source, sender in zip(sources, senders, strict=True):
        judge(source, sender, REGISTRY, strict)
    decoded = decode_batch(sources, senders, REGISTRY, all_known(METRICS), unlimited(*sources))
    names = {name for found in (strict, decoded.findings) for rows in found.rows.values() for name in rows.key}
    metrics = METRICS | {name: 100 + n for n, name in enumerate(sorted(names - METRICS.keys()))}
    batch, positions = decoded.batch(metrics)
    assert rows_of(batch) == rows_of(batch_of(strict, REGISTRY.machines, metrics))
    assert batch.records == strict.records
    assert sorted(batch.dead_letters, key=by_offset) == strict.dead_letters
    assert [sources[n] for n in positions.tolist()] == [record.source for record in strict.records]
    return len(decoded.plain)
