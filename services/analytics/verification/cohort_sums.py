"""Compares the sums by cohort with those of the factories, each of which was compared with its facts.

The sums by group are compared with those by cohort, as they stand: they are written together.
"""

import json
from decimal import Decimal

from services.analytics.verification import queries
from services.analytics.verification.compare import Difference, compare_figures
from services.analytics.verification.snapshot import Amounts, Window
from services.core.database import Connection

KEYS = ("cohort", "kind", "within", "value")
"""What rows have beside figures and their time."""


async def compare_cohorts(connection: Connection, window: Window) -> list[Difference]:
    """Return the differences of the cohorts' hours and days, and of the groups' days, in a window."""
    found: list[Difference] = []
    for of, unit, query, bounds in (
        ("cohorts", "hour", queries.DIFFERING_COHORT_HOURS, (window.from_us, window.to_us)),
        ("cohorts", "day", queries.DIFFERING_COHORT_DAYS, window.days),
        ("groups", "day", queries.DIFFERING_GROUP_DAYS, window.days),
    ):
        for place, stored, recomputed in await connection.fetch(query, *bounds):
            found += compare_figures(f"{of}' {unit} {place}", amounts_of(stored, unit), amounts_of(recomputed, unit))
    return found


def amounts_of(text: str | None, unit: str) -> Amounts | None:
    """Return a row's figures from JSON, with exact numbers; None if there is no such row."""
    if text is None:
        return None
    row = json.loads(text, parse_float=Decimal)
    return {name: amount for name, amount in row.items() if name not in (unit, *KEYS)}
