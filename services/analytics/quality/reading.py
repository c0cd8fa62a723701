"""Reads a factory's data quality by day: what is kept, and what is not is computed from its records.

The package exports this module, as ``backlog``: nothing here may load the database's client.
"""

import datetime as dt
import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from services.analytics.quality import queries
from services.analytics.quality.sequences import Gaps, Run, gaps_by_day

if TYPE_CHECKING:
    import asyncpg

    from services.core.database import Connection


@dataclass(frozen=True, slots=True)
class Percentiles:
    """The median and the 99th percentile by nearest rank, in microseconds; null if nothing was measured."""

    p50_us: int | None
    p99_us: int | None


@dataclass(frozen=True, slots=True)
class QualityDay:
    """A factory's data quality on a day of receipt in Seoul; docs/decisions/0028 defines each figure."""

    day: dt.date
    records: int
    accepted: int
    duplicate: int
    clashed: int
    revised: int
    late: int | None
    refused: Mapping[str, int]
    gaps: int
    lost: int
    receipt_delay: Percentiles
    clock_offset: Percentiles


async def read_quality(connection: "Connection", factory: int, first: dt.date, end: dt.date) -> list[QualityDay]:
    """Return the days from ``first`` to before ``end`` on which anything authentic was received, in order.

    The caller has begun a transaction in which every statement sees the same state.

    Args:
        factory: its number.
    """
    closed_before = await connection.fetchval(queries.STATE)
    open_days = {row["day"] for row in await connection.fetch(queries.OPEN_DAYS, factory, closed_before)}
    live = sorted(day for day in open_days if first <= day < end)
    rows = [
        row for row in await connection.fetch(queries.KEPT_DAYS, factory, first, end) if row["day"] not in open_days
    ]
    if live:
        rows += await connection.fetch(queries.COMPUTED_DAYS, *wanted(factory, live))
    gaps = await read_gaps(connection, factory, first, end, sorted(open_days))
    return [quality_of(row, gaps.get(row["day"], Gaps())) for row in sorted(rows, key=lambda row: row["day"])]


def wanted(factory: int, days: list[dt.date]) -> tuple[list[int], list[dt.date], dt.date, dt.date]:
    """Return the parameters of statements that read the records of a factory's days, which are in order."""
    return [factory] * len(days), days, days[0], days[-1] + dt.timedelta(days=1)


async def read_gaps(
    connection: "Connection", factory: int, first: dt.date, end: dt.date, open_days: list[dt.date]
) -> dict[dt.date, Gaps]:
    """Return the gaps of a factory's boots by day, within a window.

    A record of an open day may close a gap of any other day, so the boots that have one are computed as a whole.
    """
    runs: dict[tuple[str, str], list[Run]] = defaultdict(list)
    if open_days:
        for row in await connection.fetch(queries.RECORDED_RUNS, *wanted(factory, open_days)):
            runs[row["gateway_id"], row["boot_id"]].append(Run(row["day"], row["first"], row["last"]))
    changed = set(open_days)
    found: list[tuple[dt.date, Gaps]] = []
    if runs:
        gateways, boots = (list(column) for column in zip(*runs, strict=True))
        for row in await connection.fetch(queries.RUNS_OF_BOOTS, [factory] * len(runs), gateways, boots):
            if row["day"] not in changed:
                runs[row["gateway_id"], row["boot_id"]].append(Run(row["day"], row["first"], row["last"]))
        found += [item for own in runs.values() for item in gaps_by_day(own).items()]
    for row in await connection.fetch(queries.KEPT_GAPS, factory, first, end):
        if (row["gateway_id"], row["boot_id"]) not in runs:
            found.append((row["day"], Gaps(row["sequence_gaps"], row["lost_records"])))
    sums: dict[dt.date, Gaps] = {}
    for day, gaps in found:
        known = sums.get(day, Gaps())
        sums[day] = Gaps(known.gaps + gaps.gaps, known.lost + gaps.lost)
    return sums


def quality_of(row: "asyncpg.Record", gaps: Gaps) -> QualityDay:
    """Return a row, kept or computed, with the day's gaps."""
    return QualityDay(
        day=row["day"],
        records=row["records"],
        accepted=int(row["rows_accepted"]),
        duplicate=int(row["rows_duplicate"]),
        clashed=int(row["rows_clashed"]),
        revised=int(row["rows_revised"]),
        late=None if row["rows_late"] is None else int(row["rows_late"]),
        refused=dict(sorted(json.loads(row["reasons"]).items())),
        gaps=gaps.gaps,
        lost=gaps.lost,
        receipt_delay=Percentiles(row["delay_p50_us"], row["delay_p99_us"]),
        clock_offset=Percentiles(row["offset_p50_us"], row["offset_p99_us"]),
    )
