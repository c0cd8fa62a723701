"""What can happen in the model, and how Hypothesis draws it.

Numbers name a gateway, a partition or a worker; they are counted around, so that each action is valid in every state,
and any shorter list of actions is one, too.
"""

from dataclasses import dataclass
from typing import TypeAlias

from hypothesis import strategies as st

from tests.faults.cuts import Moment
from tests.faults.messages import CHANGING, RARE, Kind

Counts: TypeAlias = tuple[int, ...]
"""How many entries of each of its partitions a worker reads into one batch."""

WORKERS = 2
KINDS = tuple(kind for kind in Kind if kind not in RARE)
CUTS = tuple(moment for moment in Moment if moment is not Moment.STALL)


@dataclass(frozen=True, slots=True)
class Send:
    """A gateway sends a record ``copies`` times, since it has no answer; ``earlier`` is the record that it changes."""

    kind: Kind
    gateway: int = 0
    earlier: int = 0
    copies: int = 1


@dataclass(frozen=True, slots=True)
class Abort:
    """A transaction is aborted: offsets without a record."""

    partition: int
    count: int


@dataclass(frozen=True, slots=True)
class Garbage:
    """Somebody sends a batch of ``count`` records that cannot be unpacked."""

    partition: int
    count: int


@dataclass(frozen=True, slots=True)
class Wait:
    """The broker's clock goes on."""

    minutes: int


@dataclass(frozen=True, slots=True)
class Take:
    """A worker hands over batches, one right after the other; its connection may be cut while one is written."""

    worker: int
    batches: tuple[Counts, ...]
    cut: Moment | None = None


@dataclass(frozen=True, slots=True)
class Race:
    """Each worker hands over a batch at the same time, whatever partitions they have in common."""

    batches: tuple[Counts, ...]


@dataclass(frozen=True, slots=True)
class Restart:
    """A worker dies with all that it knows, and another one starts."""

    worker: int


@dataclass(frozen=True, slots=True)
class Assign:
    """A worker is assigned these partitions. Nobody takes them from other workers, so several may read the same."""

    worker: int
    partitions: frozenset[int]


@dataclass(frozen=True, slots=True)
class AddMachine:
    """A machine is registered for a gateway's factory, and the gateway sends a record of it."""

    gateway: int


@dataclass(frozen=True, slots=True)
class ReplaceKey:
    """A gateway gets a new key, and its old one is revoked; both keys go on sending."""

    gateway: int


@dataclass(frozen=True, slots=True)
class AddPartition:
    """The topic gets a partition, and a new factory sends to it."""


@dataclass(frozen=True, slots=True)
class ReadAgain:
    """An operator moves a stored offset back."""

    partition: int
    back: int


Action: TypeAlias = (
    Send | Abort | Garbage | Wait | Take | Race | Restart | Assign | AddMachine | ReplaceKey | AddPartition | ReadAgain
)


def alone(action: Action) -> list[Action]:
    return [action]


few = st.integers(0, 3)
counts = st.lists(st.integers(0, 6), min_size=1, max_size=3).map(tuple)
workers = st.integers(0, WORKERS - 1)
DOUBTFUL = (Kind.not_in_use, Kind.implausible_time, Kind.beyond_horizon)
"""Records that look plain until their rows are judged."""
kinds = st.sampled_from((*(Kind.plain,) * 6, *sorted(CHANGING) * 3, *DOUBTFUL * 3, *KINDS))
sends = st.builds(Send, kinds, st.sampled_from((0, 0, 0, 1, 2, 3)), st.integers(0, 5), st.sampled_from((1, 1, 1, 2, 3)))
takes = st.builds(
    Take, workers, st.lists(counts, min_size=1, max_size=3).map(tuple), st.sampled_from((None, None, None, *CUTS))
)
others: tuple[st.SearchStrategy[Action], ...] = (
    st.builds(Abort, few, st.integers(1, 3)),
    st.builds(Garbage, few, st.integers(1, 4)),
    st.builds(Wait, st.sampled_from((1, 20, 200))),
    st.builds(Restart, workers),
    st.builds(Assign, workers, st.frozensets(few, max_size=3)),
    st.builds(AddMachine, few),
    st.builds(ReplaceKey, few),
    st.just(AddPartition()),
    st.builds(ReadAgain, few, st.integers(1, 8)),
)
races = st.builds(Race, st.tuples(*[counts] * WORKERS))
bursts = st.lists(sends)


def lists_of(*more: st.SearchStrategy[Action]) -> st.SearchStrategy[list[list[list[Action]]]]:
    """Return lists of scenes of turns: mostly bursts of records and work, without which nothing else means much."""
    turns = st.one_of(*[bursts] * 10, *[takes.map(alone)] * 10, *[other.map(alone) for other in (*others, *more)])
    # Hypothesis draws some five elements more than the least, and shrinks turns to empty ones.
    return st.lists(st.lists(turns, min_size=2), min_size=2)


# Most without a race, where who wins is not drawn: what they find is found again, and shrinks.
scenarios = st.one_of(lists_of(), lists_of(), lists_of(*[races] * 5))
