"""Quotas decide the same of each record however the log is cut into batches, crashed upon, and read again."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.wire.codes import Reason
from services.core.times import HOUR_US
from services.ingest.judging import quotas as quotas_module
from services.ingest.judging.introductions import Place, Request, decide
from services.ingest.judging.quotas import FactoryLimits, FactorySum, PartitionHour, Quotas
from services.ingest.letters.letter_bytes import kept_bytes
from services.ingest.letters.letter_quota import (
    SHARED,
    CountKey,
    LetterLimits,
    LetterQuota,
    Spent,
    plan_letters,
    quota_of,
)
from services.ingest.model import BusRecord, DeadLetter

LIMITS = FactoryLimits(rows=10, size=100, metrics=3, days=2)
PARTITIONS = 3
MOST_IN_FLIGHT = 4
HOURS = st.integers(0, 2).map(lambda hour: hour * HOUR_US)


@dataclass(frozen=True)
class Sent:
    """An authentic record. Hours need not be in the log's order, since a broker's clock may be set back."""

    partition: int
    offset: int
    hour_us: int
    factory: int
    rows: int
    size: int

    @property
    def place(self) -> PartitionHour:
        return PartitionHour(self.partition, self.hour_us)


@st.composite
def logs(draw: st.DrawFn) -> list[Sent]:
    """Records in the order in which one worker polls them: each partition's by offset, partitions interleaved."""
    offsets = Counter[int]()
    log = []
    for _ in range(draw(st.integers(1, 60))):
        partition = draw(st.integers(0, PARTITIONS - 1))
        # Gaps, as aborted records leave them.
        offsets[partition] += draw(st.integers(1, 2))
        sent = (draw(HOURS), draw(st.integers(1, 3)), draw(st.integers(1, 6)), draw(st.integers(1, 60)))
        log.append(Sent(partition, offsets[partition], *sent))
    return log


def one_by_one(log: list[Sent]) -> dict[tuple[int, int], bool]:
    """The reference: whether each record is taken, by partition and offset."""
    rows, size = Counter[tuple[PartitionHour, int]](), Counter[tuple[PartitionHour, int]]()
    taken = {}
    for sent in log:
        own = (sent.place, sent.factory)
        taken[sent.partition, sent.offset] = rows[own] < LIMITS.rows and size[own] < LIMITS.size
        if taken[sent.partition, sent.offset]:
            rows[own] += sent.rows
            size[own] += sent.size
    return taken


@dataclass
class Platform:
    """What is stored: records taken, decisions, next offsets. Batches in flight are committed later, or lost."""

    quotas: Quotas = field(default_factory=lambda: Quotas(LIMITS))
    stored: dict[tuple[int, int], Sent] = field(default_factory=dict)
    decisions: dict[tuple[int, int], bool] = field(default_factory=dict)
    next_offsets: Counter[int] = field(default_factory=Counter)
    in_flight: list[list[tuple[Sent, bool]]] = field(default_factory=list)

    def load(self, missing: dict[PartitionHour, int]) -> Iterator[FactorySum]:
        """What the query returns: the sums over stored records below the offsets."""
        sums: defaultdict[tuple[PartitionHour, int], list[Sent]] = defaultdict(list)
        for sent in self.stored.values():
            if sent.offset < missing.get(sent.place, 0):
                sums[sent.place, sent.factory].append(sent)
        for (place, factory), own in sums.items():
            yield FactorySum(place, factory, sum(s.rows for s in own), sum(s.size for s in own))

    def judge(self, batch: list[Sent]) -> None:
        firsts: dict[PartitionHour, int] = {}
        for sent in batch:
            firsts.setdefault(sent.place, sent.offset)
        missing = self.quotas.missing(firsts)
        self.quotas.learn(missing, self.load(missing))
        decided = []
        for sent in batch:
            taken = self.quotas.admit(sent.partition, sent.hour_us, sent.factory) is None
            if taken:
                self.quotas.spend(sent.partition, sent.hour_us, sent.factory, sent.rows, sent.size)
            decided.append((sent, taken))
        self.quotas.close_batch({sent.partition: sent.offset + 1 for sent in batch})
        self.in_flight.append(decided)

    def commit(self) -> None:
        for sent, taken in self.in_flight.pop(0):
            place = (sent.partition, sent.offset)
            # What was judged before stands.
            assert self.decisions.setdefault(place, taken) == taken
            if taken:
                self.stored[place] = sent
            self.next_offsets[sent.partition] = sent.offset + 1

    def fail(self) -> None:
        self.quotas = Quotas(self.quotas.limits)
        self.in_flight.clear()


@given(logs(), st.data())
def test_a_record_is_taken_or_refused_whatever_the_batches_crashes_and_moves(
    log: list[Sent], data: st.DataObject
) -> None:
    platform = Platform()
    with pytest.MonkeyPatch.context() as patch:
        # Hours are dropped and loaded again, too.
        patch.setattr(quotas_module, "MOST_SUMS", data.draw(st.sampled_from([0, 3, 1000])))
        mishaps_left = 10
        while (waiting := left(log, platform)) or platform.in_flight:
            events = ["judge", "commit", "fail", "move back"] if mishaps_left else ["judge", "commit"]
            event = data.draw(st.sampled_from(events))
            if event in ("fail", "move back"):
                mishaps_left -= 1
                platform.fail()
            if event == "move back":
                partition = data.draw(st.integers(0, PARTITIONS - 1))
                platform.next_offsets[partition] = data.draw(st.integers(0, platform.next_offsets[partition]))
            elif event == "judge" and waiting and len(platform.in_flight) < MOST_IN_FLIGHT:
                platform.judge(waiting[: data.draw(st.integers(1, 20))])
            elif event != "fail" and platform.in_flight:
                platform.commit()
    assert platform.decisions == one_by_one(log)


def left(log: list[Sent], platform: Platform) -> list[Sent]:
    """What the consumer has not polled yet, in order."""
    positions = Counter(platform.next_offsets)
    for batch in platform.in_flight:
        for sent, _ in batch:
            positions[sent.partition] = max(positions[sent.partition], sent.offset + 1)
    return [sent for sent in log if sent.offset >= positions[sent.partition]]


LETTER_LIMITS = LetterLimits(factory_bytes=60, shared_letters=5, shared_bytes=80)


@st.composite
def letter_logs(draw: st.DrawFn) -> list[DeadLetter]:
    """One partition's letters, by offset: whole records of two factories, half of them not authenticated."""
    return [
        DeadLetter(
            BusRecord(0, offset, draw(HOURS), b"k", b"", ()),
            draw(st.sampled_from(["F1", "F2"])),
            draw(st.booleans()),
            draw(st.sampled_from([Reason.bad_json, Reason.bad_signature])),
            "m",
            b"x" * draw(st.integers(0, 40)),
        )
        for offset in range(draw(st.integers(1, 40)))
    ]


def letters_one_by_one(log: list[DeadLetter]) -> tuple[dict[int, bool], Counter[CountKey]]:
    """The reference: offsets kept, with or without bytes, and the numbers counted."""
    letters, size = Counter[LetterQuota](), Counter[LetterQuota]()
    kept: dict[int, bool] = {}
    counted = Counter[CountKey]()
    for letter in log:
        quota = quota_of(letter)
        own = kept_bytes(letter).size
        if letter.authentic:
            fits = size[quota] + own <= LETTER_LIMITS.factory_bytes
            kept[letter.source.offset] = fits
        else:
            fits = letters[quota] < LETTER_LIMITS.shared_letters and size[quota] + own <= LETTER_LIMITS.shared_bytes
            if fits:
                kept[letter.source.offset] = True
            else:
                counted[CountKey(quota.partition, quota.hour_us, letter.reason)] += 1
        letters[quota] += fits
        size[quota] += own * fits
    return kept, counted


@given(letter_logs(), st.data())
def test_a_letter_is_kept_or_counted_once_whatever_the_batches_and_moves(
    log: list[DeadLetter], data: st.DataObject
) -> None:
    spent: dict[LetterQuota, Spent] = {}
    counted: dict[CountKey, Spent] = {}
    kept: dict[int, bool] = {}
    moves_left = 5
    position = 0
    while position < len(log):
        batch = log[position : position + data.draw(st.integers(1, 10))]
        # Reread leaves out what is kept already.
        plan = plan_letters([one for one in batch if one.source.offset not in kept], spent, LETTER_LIMITS)
        if data.draw(st.booleans()):
            continue  # A crash: nothing of it was committed.
        for letter, parts in plan.kept:
            assert letter.source.offset not in kept
            kept[letter.source.offset] = parts.raw is not None
        for stored, sums in ((spent, plan.spent), (counted, plan.counted)):
            for key, own in sums.items():
                stored.setdefault(key, Spent()).add(own.letters, own.size, own.last_offset)  # type: ignore[arg-type]
        position += len(batch)
        if moves_left and data.draw(st.booleans()):
            moves_left -= 1
            position = data.draw(st.integers(0, position))
    expected_kept, expected_counted = letters_one_by_one(log)
    assert kept == expected_kept
    assert Counter({key: own.letters for key, own in counted.items()}) == expected_counted
    assert len(kept) + sum(expected_counted.values()) == len(log)
    shared = [letter for letter in log if kept.get(letter.source.offset) and quota_of(letter).factory == SHARED]
    assert len(shared) <= 3 * LETTER_LIMITS.shared_letters


NAMES = st.sampled_from([f"m{n}" for n in range(8)])


@given(st.lists(st.tuples(st.integers(1, 2), HOURS, st.frozensets(NAMES, max_size=4)), max_size=30), st.data())
def test_a_record_introduces_the_same_names_whatever_the_batches_and_crashes(
    log: list[tuple[int, int, frozenset[str]]], data: st.DataObject
) -> None:
    requests = [Request(0, offset, hour, factory, tuple(names)) for offset, (factory, hour, names) in enumerate(log)]
    introducers: dict[str, Place | None] = {"m0": None, "m1": Place(9, 0, 0)}
    outcome: dict[int, tuple[int, frozenset[str]]] = {}
    position = 0
    while position < len(requests):
        batch = requests[position : position + data.draw(st.integers(1, 10))]
        spent = Counter(requests[p.offset].quota for p in introducers.values() if p is not None and p.topic == 1)
        decision = decide(1, batch, [tuple(sorted(one.metrics)) for one in batch], introducers, spent, LIMITS.metrics)
        # Committed at once; the batch itself may be lost.
        introducers |= {name: Place(1, 0, batch[n].offset) for name, n in decision.new.items()}
        if data.draw(st.booleans()):
            continue
        for n, one in enumerate(batch):
            outcome[one.offset] = (decision.added[n], frozenset(name for m, name in decision.refused if m == n))
        position += len(batch)

    known, granted = {"m0", "m1"}, Counter[tuple[int, int, int]]()
    for one in requests:
        added, refused = 0, set()
        for name in sorted(one.metrics):
            if name in known:
                continue
            if granted[one.quota] >= LIMITS.metrics:
                refused.add(name)
                continue
            granted[one.quota] += 1
            known.add(name)
            added += 1
        assert outcome[one.offset] == (added, frozenset(refused))
