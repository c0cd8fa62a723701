"""Splits a table's rows into those that can be copied in as they are and those that must be compared first. Pure.

Telemetry mostly moves forward in time, so a row later than everything stored of its series is expected to be new. The
expectation is a hint for speed and never needed for correctness: if it is wrong, the table's unique key says so, and
the batch is written again with every row compared.
"""

from dataclasses import dataclass

import numpy as np

from services.core.times import DAY_US, MINUTE_US
from services.ingest.columns import Bools, FactColumns, Positions
from services.ingest.model import FactTable, Ints
from services.ingest.writing.latest import LatestInstants

MARK_GAP_US = 90 * MINUTE_US
"""More than an hour, so that a machine's hourly counts, which are about an hour apart, share a mark."""


@dataclass(frozen=True, slots=True)
class Split:
    """Positions of rows.

    ``fresh``: one row of each identity that is expected to be new, in the order of the table's key. ``repeats``: rows
    that say the same as the fresh row of their identity. ``examined``: all rows of the other identities, those of one
    together and in the partition's order; ``starts`` has the position in ``examined`` of each identity's first row,
    and ``uniform`` whether all its rows say the same.
    """

    fresh: Positions
    repeats: Positions
    examined: Positions
    starts: Positions
    uniform: Bools


def split_rows(columns: FactColumns, latest: LatestInstants, *, examine_all: bool) -> Split:
    """Decide for each identity whether its row can be copied in without reading the table first.

    Args:
        examine_all: expect no row to be new.
    """
    order = order_by_identity(columns)
    first = is_first_of_identity(columns, order)
    starts = np.flatnonzero(first)
    head = order[starts]
    group = np.cumsum(first) - 1
    uniform = np.ones(len(starts), bool)
    if len(starts) < len(order):
        uniform[group[~says_the_same(columns, order, head[group])]] = False
    if examine_all:
        fresh = np.zeros(len(starts), bool)
    else:
        key = series_key(columns)
        fresh = uniform & (columns.at_us[head] > latest.of(columns.machine[head], key[head]))
    examined = ~fresh[group]
    return Split(
        fresh=head[fresh],
        repeats=order[~first & ~examined],
        examined=order[examined],
        starts=np.flatnonzero(first[examined]),
        uniform=uniform[~fresh],
    )


def series_key(columns: FactColumns) -> Ints:
    """Return what distinguishes a machine's series: the metric of readings, nothing for states and counts."""
    return columns.key if columns.table is FactTable.READING else np.zeros_like(columns.key)


def order_by_identity(columns: FactColumns) -> Positions:
    """Return the rows' positions sorted by machine, key and instant; rows of one identity keep their order."""
    parts = (columns.machine, columns.key, columns.at_us)
    if len(columns) == 0:
        return np.empty(0, np.intp)
    lowest = [int(part.min()) for part in parts]
    bits = [(int(part.max()) - low).bit_length() for part, low in zip(parts, lowest, strict=True)]
    if sum(bits) > 63:
        return np.lexsort(parts[::-1])
    combined = np.zeros(len(columns), np.int64)
    for part, low, width in zip(parts, lowest, bits, strict=True):
        combined = (combined << width) | (part - low)
    return np.argsort(combined, kind="stable")


def is_first_of_identity(columns: FactColumns, order: Positions) -> Bools:
    """Return for each sorted row whether it is the first of its identity."""
    first = np.ones(len(order), bool)
    first[1:] = False
    for part in (columns.machine, columns.key, columns.at_us):
        ordered = part[order]
        first[1:] |= ordered[1:] != ordered[:-1]
    return first


def says_the_same(columns: FactColumns, rows: Positions, others: Positions) -> Bools:
    """Return whether rows and others, of the same identities, are the same version of a fact."""
    same: Bools = (columns.revision[rows] == columns.revision[others]) & (
        columns.retracted[rows] == columns.retracted[others]
    )
    for column in columns.content:
        same &= column[rows] == column[others]
    return same


def near_in_time(at_us: Ints) -> list[Positions]:
    """Group positions of instants so that neighbours within a group are at most a day apart."""
    if len(at_us) == 0:
        return []
    order = np.argsort(at_us, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(at_us[order]) > DAY_US) + 1)


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
