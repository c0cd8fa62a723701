"""Splits a batch's rows into those that can be copied in as they are and those that must be compared first. Pure.

Telemetry mostly moves forward in time, so a row later than everything stored of its series is expected to be new. The
expectation is a hint for speed and never needed for correctness: if it is wrong, the table's unique key says so, and
the batch is written again with every row compared.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.core.times import DAY_US, MINUTE_US
from services.ingest.model import Ints

MARK_GAP_US = 90 * MINUTE_US
"""More than an hour, so that a machine's hourly counts, which are about an hour apart, share a mark."""
SERIES_BITS = 32
"""A series number is the machine's id shifted by this many bits, plus the metric's id."""


MOST_SERIES = 2_000_000
NEVER = np.iinfo(np.int64).min


class LatestInstants:
    """The latest known instant of each series of a table, in microseconds. Forgets everything beyond MOST_SERIES."""

    def __init__(self) -> None:
        self._latest: dict[int, int] = {}

    def of(self, series: Ints) -> Ints:
        """Return the latest instant of each series; NEVER for an unknown one."""
        get = self._latest.get
        return np.fromiter((get(s, NEVER) for s in series.tolist()), np.int64, len(series))

    def learn(self, series: Ints, at_us: Ints) -> None:
        """Add stored instants; those earlier than the latest known change nothing."""
        latest = self._latest
        if len(latest) + len(series) > MOST_SERIES:
            latest.clear()
        for s, at in zip(series.tolist(), at_us.tolist(), strict=True):
            if at > latest.get(s, NEVER):
                latest[s] = at


@dataclass(frozen=True, slots=True)
class Split:
    """Row positions. ``fresh``: rows that are the only one of their identity and expected to be new. ``examined``: the
    rows of one identity each, in the partition's order.
    """

    fresh: npt.NDArray[np.intp]
    examined: list[list[int]]


def series_of(machine: Ints, metric: Ints) -> Ints:
    """Combine machine and metric (0 if there is none) to one number per series."""
    return (machine << SERIES_BITS) | metric


def split_rows(
    machine: Ints, key: Ints, at_us: Ints, series: Ints, latest: LatestInstants, *, examine_all: bool
) -> Split:
    """Decide for each identity whether its row can be copied in without reading the table first.

    Args:
        machine, key, at_us: the identity's columns, with ``key`` as any numbering of its values within the batch.
        series: each row's series, as numbered in ``latest``.
        examine_all: expect no row to be new.
    """
    if len(machine) == 0:
        return Split(np.empty(0, np.intp), [])
    order = np.lexsort((at_us, key, machine))
    m, k, a = machine[order], key[order], at_us[order]
    first = np.ones(len(order), bool)
    first[1:] = (m[1:] != m[:-1]) | (k[1:] != k[:-1]) | (a[1:] != a[:-1])
    starts = np.flatnonzero(first)
    ends = np.append(starts[1:], len(order))
    head = order[starts]
    if examine_all:
        fresh = np.zeros(len(starts), bool)
    else:
        distinct, inverse = np.unique(series[head], return_inverse=True)
        fresh = (ends - starts == 1) & (at_us[head] > latest.of(distinct)[inverse])
    examined = [
        order[start:end].tolist() for start, end in zip(starts[~fresh].tolist(), ends[~fresh].tolist(), strict=True)
    ]
    return Split(head[fresh], examined)


def near_in_time(at_us: list[int]) -> list[list[int]]:
    """Group positions of instants so that neighbours within a group are at most a day apart."""
    groups: list[list[int]] = []
    last = 0
    for position in sorted(range(len(at_us)), key=at_us.__getitem__):
        if not groups or at_us[position] - last > DAY_US:
            groups.append([])
        groups[-1].append(position)
        last = at_us[position]
    return groups


def dirty_spans(machine: Ints, shard: Ints, at_us: Ints) -> list[tuple[int, int, int, int]]:
    """Return closed spans (shard, machine, first instant, last instant) that cover the rows, split at longer gaps."""
    if len(machine) == 0:
        return []
    order = np.lexsort((at_us, machine))
    m, s, a = machine[order], shard[order], at_us[order]
    first = np.ones(len(order), bool)
    first[1:] = (m[1:] != m[:-1]) | (a[1:] - a[:-1] > MARK_GAP_US)
    starts = np.flatnonzero(first)
    last = np.append(starts[1:], len(order)) - 1
    return list(zip(s[starts].tolist(), m[starts].tolist(), a[starts].tolist(), a[last].tolist(), strict=True))
