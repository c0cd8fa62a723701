"""Recomputes the days of data quality that are kept, from each record, in plain Python; shares no code with the first.

Only days that are closed are kept. A factory is compared when none of its days is marked.
"""

import asyncio
import datetime as dt
import json
import math
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any

from services.analytics.verification import queries
from services.analytics.verification.compare import Difference
from services.analytics.verification.snapshot import Window
from services.core.database import Connection
from services.core.errors import TransientError
from services.core.times import seoul_day, seoul_midnight_us

PAUSE_S = 0.3
FATES = ("rows_duplicate", "rows_clashed", "rows_revised")
PERCENTILES = (("p50", Fraction(1, 2)), ("p99", Fraction(99, 100)))

Figures = dict[str, int]
"""The figures of a day by name. What is null is absent."""
BootDay = tuple[dt.date, str, str]


async def compare_quality(connection: Connection, window: Window, wait_s: float) -> list[Difference]:
    """Compare the days of all factories; those whose marks still wait are tried again after the others.

    Raises:
        TransientError: marks of a factory still wait after ``wait_s``.
    """
    waiting = [(row["id"], row["factory_id"]) for row in await connection.fetch(queries.FACTORIES)]
    differences: list[Difference] = []
    deadline = time.monotonic() + wait_s
    while True:
        left = []
        for factory, factory_id in waiting:
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                found = await compare_factory_days(connection, factory, factory_id, window)
            if found is None:
                left.append((factory, factory_id))
            else:
                differences += found
        if not left:
            return differences
        if time.monotonic() > deadline:
            raise TransientError(
                f"Days of data quality of {len(left)} factories are still marked; check that `jejo analytics` runs, "
                "and try again."
            )
        waiting = left
        await asyncio.sleep(PAUSE_S)


async def compare_factory_days(
    connection: Connection, factory: int, factory_id: str, window: Window
) -> list[Difference] | None:
    """Return the differences of a factory's closed days; None if one of them is marked."""
    status = await connection.fetchrow(queries.QUALITY_STATUS, factory)
    assert status is not None
    if status["is_marked"]:
        return None
    closed_us = seoul_midnight_us(status["closed_before"])
    first, end = window.days[0], min(window.days[1], status["closed_before"])
    end_us = min(window.to_us, closed_us)
    records = await connection.fetch(queries.QUALITY_RECORDS, factory, window.from_us, end_us)
    refused = await connection.fetch(queries.QUALITY_REFUSED, factory, first, end)
    stored = await connection.fetch(queries.STORED_QUALITY, factory, first, end)
    found = [
        Difference(f"data quality of {factory_id} on {day}", *difference)
        for day, difference in differences_of(
            {row["day"]: stored_figures(dict(row)) for row in stored}, recompute_days(records, refused)
        )
    ]
    boots = await connection.fetch(queries.STORED_BOOTS, factory, first, end)
    stored_boots = {(row["day"], row["gateway_id"], row["boot_id"]): boot_figures(dict(row)) for row in boots}
    sequences = await connection.fetch(queries.QUALITY_SEQUENCES, factory, closed_us)
    expected = recompute_boots((row["gateway_id"], row["boot_id"], *list(row)[2:]) for row in sequences)
    inside = {place: figures for place, figures in expected.items() if first <= place[0] < end}
    return found + [
        Difference(f"data quality of {factory_id} on {day}, gateway {gateway_id!r}, boot {boot_id!r}", *difference)
        for (day, gateway_id, boot_id), difference in differences_of(stored_boots, inside)
    ]


def differences_of(
    stored: dict[Any, Figures], expected: dict[Any, Figures]
) -> Iterable[tuple[Any, tuple[str, int, int]]]:
    """Yield each place with a figure that differs, and (figure, stored, recomputed); what is absent is -1."""
    for place in sorted(stored.keys() | expected.keys()):
        one, other = stored.get(place, {}), expected.get(place, {})
        for figure in sorted(one.keys() | other.keys()):
            if one.get(figure) != other.get(figure):
                yield place, (figure, one.get(figure, -1), other.get(figure, -1))


def stored_figures(row: dict[str, Any]) -> Figures:
    """Return the figures of a row of ``quality_day``."""
    refused = {f"refused {reason}": int(number) for reason, number in json.loads(row.pop("refused")).items()}
    figures = {name: value for name, value in row.items() if name not in ("factory", "day") and value is not None}
    return {**figures, **refused}


def boot_figures(row: dict[str, Any]) -> Figures:
    """Return the figures of a row of ``quality_boot``."""
    return {
        "numbers": sum(run.upper - run.lower for run in row["sequences"]),
        "highest": max(run.upper for run in row["sequences"]),
        "sequence_gaps": row["sequence_gaps"],
        "lost_records": row["lost_records"],
    }


def recompute_days(records: Iterable[Any], refused: Iterable[Any]) -> dict[dt.date, Figures]:
    """Return each day's figures from its records, and from the counts of records refused whole."""
    own: dict[dt.date, list[Any]] = defaultdict(list)
    reasons: dict[dt.date, Counter[str]] = defaultdict(Counter)
    for record in records:
        day = seoul_day(record["received_at"])
        own[day].append(record)
        reasons[day].update(json.loads(record["refusals"] or "{}"))
    for row in refused:
        if row["records"]:
            reasons[row["day"]][row["reason"]] += row["records"]
    days = {}
    for day in own.keys() | {day for day, counted in reasons.items() if counted}:
        figures = {name: sum(record[name] or 0 for record in own[day]) for name in FATES}
        figures["records"] = len(own[day])
        figures["rows_accepted"] = sum(record["rows_stored"] or 0 for record in own[day])
        if all(record["rows_late"] is not None for record in own[day]):
            figures["rows_late"] = sum(record["rows_late"] for record in own[day])
        figures |= {f"refused {reason}": number for reason, number in reasons[day].items()}
        figures |= ranks("delay", [record["received_at"] - record["sent_at"] for record in own[day]])
        figures |= ranks("offset", [r["sent_at"] - r["newest_at"] for r in own[day] if r["newest_at"] is not None])
        days[day] = figures
    return days


def ranks(name: str, values: Sequence[int]) -> Figures:
    """Return percentiles by nearest rank: of n values in order, the one at place ceil(fraction * n)."""
    ordered = sorted(values)
    if not ordered:
        return {}
    return {f"{name}_{label}_us": ordered[math.ceil(part * len(ordered)) - 1] for label, part in PERCENTILES}


def recompute_boots(received: Iterable[tuple[str, str, int, int]]) -> dict[BootDay, Figures]:
    """Return the figures of each boot and day, from (gateway, boot, sequence, instant of receipt) of each record."""
    numbers: dict[tuple[str, str], dict[int, dt.date]] = defaultdict(dict)
    by_day: dict[BootDay, set[int]] = defaultdict(set)
    for gateway_id, boot_id, sequence, received_us in received:
        day = seoul_day(received_us)
        by_day[day, gateway_id, boot_id].add(sequence)
        known = numbers[gateway_id, boot_id].setdefault(sequence, day)
        numbers[gateway_id, boot_id][sequence] = min(known, day)
    figures = {
        place: {"numbers": len(own), "highest": max(own), "sequence_gaps": 0, "lost_records": 0}
        for place, own in by_day.items()
    }
    for (gateway_id, boot_id), first_days in numbers.items():
        before: int | None = None
        for number in sorted(first_days):
            if before is not None and number != before + 1:
                place = figures[first_days[number], gateway_id, boot_id]
                place["sequence_gaps"] += 1
                place["lost_records"] += number - before - 1
            before = number
    return figures
