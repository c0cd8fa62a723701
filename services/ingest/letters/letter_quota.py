"""Decides which dead letters are kept, without their bytes, or only counted. Pure.

All letters of a partition and hour of receipt that nobody authenticated share one quota of letters and bytes, whatever
factories they claim. Beyond it they are counted. An authentic factory has a quota of bytes of its own; beyond it a
letter is kept without bytes. What is spent is stored with the letters, so a letter's fate depends on the letters before
it in its partition, and on nothing else: not on batches, crashes, or other partitions.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from schemas.wire.codes import Reason
from services.core.times import HOUR_US, floor_to
from services.ingest.letters.letter_bytes import NO_BYTES, KeptBytes, kept_bytes
from services.ingest.model import DeadLetter

SHARED = ""
"""Stands for the factory in the quota that all letters share which nobody authenticated."""


@dataclass(frozen=True, slots=True)
class LetterLimits:
    """The most that is kept of a partition and hour of receipt.

    ``factory_bytes`` are those of one authentic factory; ``shared_letters`` and ``shared_bytes`` are for all the rest.
    """

    factory_bytes: int
    shared_letters: int
    shared_bytes: int


class LetterQuota(NamedTuple):
    """Which quota a letter counts against: the start of the hour of receipt, and the factory or ``SHARED``."""

    partition: int
    hour_us: int
    factory: str


class CountKey(NamedTuple):
    """What letters that are not kept are counted by."""

    partition: int
    hour_us: int
    reason: Reason


@dataclass(slots=True)
class Spent:
    """Letters and bytes, and the highest offset among them."""

    letters: int = 0
    size: int = 0
    last_offset: int = -1

    def add(self, letters: int, size: int, offset: int) -> None:
        self.letters += letters
        self.size += size
        self.last_offset = max(self.last_offset, offset)


@dataclass(frozen=True, slots=True)
class LetterPlan:
    """What becomes of a batch's letters: those to keep, and what to add to the sums stored."""

    kept: list[tuple[DeadLetter, KeptBytes]] = field(default_factory=list)
    spent: dict[LetterQuota, Spent] = field(default_factory=dict)
    counted: dict[CountKey, Spent] = field(default_factory=dict)


def quota_of(letter: DeadLetter) -> LetterQuota:
    """Return the quota that a dead letter counts against."""
    factory = (letter.claimed_factory or SHARED) if letter.authentic else SHARED
    return LetterQuota(letter.source.partition, floor_to(letter.source.received_us, HOUR_US), factory)


def plan_letters(
    letters: Iterable[DeadLetter], stored: Mapping[LetterQuota, Spent], limits: LetterLimits
) -> LetterPlan:
    """Decide the fate of each letter of a batch, in the order of their offsets.

    Args:
        stored: what is spent already, by the quotas of these letters; a quota that is missing is unspent.
    """
    plan = LetterPlan()
    for letter in sorted(letters, key=lambda letter: (letter.source.partition, letter.source.offset)):
        quota = quota_of(letter)
        before = stored.get(quota, NOTHING)
        if quota.factory == SHARED:
            # A partition that is read again: this letter was kept or counted then.
            if letter.source.offset > before.last_offset:
                plan_shared(plan, letter, quota, before, limits)
        else:
            plan_authentic(plan, letter, quota, before, limits)
    return plan


def plan_shared(plan: LetterPlan, letter: DeadLetter, quota: LetterQuota, before: Spent, limits: LetterLimits) -> None:
    """Keep a letter that nobody authenticated, or count it."""
    spent = plan.spent.setdefault(quota, Spent())
    offset = letter.source.offset
    if before.letters + spent.letters < limits.shared_letters:
        parts = kept_bytes(letter)
        if before.size + spent.size + parts.size <= limits.shared_bytes:
            plan.kept.append((letter, parts))
            spent.add(1, parts.size, offset)
            return
    spent.add(0, 0, offset)
    key = CountKey(quota.partition, quota.hour_us, letter.reason)
    plan.counted.setdefault(key, Spent()).add(1, len(letter.raw), offset)


def plan_authentic(
    plan: LetterPlan, letter: DeadLetter, quota: LetterQuota, before: Spent, limits: LetterLimits
) -> None:
    """Keep an authentic factory's letter, with its bytes as long as its quota lasts."""
    spent = plan.spent.setdefault(quota, Spent())
    parts = kept_bytes(letter)
    if before.size + spent.size + parts.size > limits.factory_bytes:
        parts = NO_BYTES
    plan.kept.append((letter, parts))
    spent.add(1, parts.size, letter.source.offset)


NOTHING = Spent()
