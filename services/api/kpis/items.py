"""Sums of one bucket as the item that the API answers with. Pure; numbers stay exact until they are written."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from schemas.kpi_definitions import KpiDefinitions, Unit
from services.analytics import Kpi, compute_kpis
from services.api.kpis.sums import Sums
from services.api.kpis.windows import Bucket
from services.core.times import rfc3339

STATES = ("producing", "setup", "delayed", "faulted", "idle", "planned_stop", "off_shift")
MODES = ("automatic", "semi_automatic", "manual")
COUNTS = ("good", "scrap", "rework")
COVERAGE = "coverage"

Json = dict[str, object]


def seconds(us: int) -> int | Decimal:
    """Microseconds as exact seconds."""
    whole, rest = divmod(us, 1_000_000)
    return whole if rest == 0 else (Decimal(us) / 1_000_000).normalize()


def make_item(
    label: str, bucket: Bucket, sums: Sums, until_us: int, definitions: KpiDefinitions, ids: Sequence[str]
) -> Json:
    """One item, as the contract writes it."""
    figures = sums.figures
    states = {state: figures[f"{state}_us"] for state in STATES}
    states["unknown"] = figures["in_use_us"] - sum(states.values())
    modes = {mode: figures[f"producing_{mode}_us"] for mode in MODES}
    modes["unknown"] = states["producing"] - sum(modes.values())
    kpis = compute_kpis(definitions, figures, dict.fromkeys((*ids, COVERAGE)))
    return {
        "scope": label,
        "from": rfc3339(bucket.from_us),
        "to": rfc3339(bucket.to_us),
        "partial": bucket.to_us > until_us,
        "factories": sums.factories,
        "machines": sums.machines,
        "time_s": in_seconds(states),
        "producing_by_mode_s": in_seconds(modes),
        "counts": {name: figures[name] for name in COUNTS},
        "kpis": {name: make_kpi(kpis[name]) for name in ids},
        "coverage": kpis[COVERAGE].value,
        "suppressed": False,
    }


def in_seconds(times_us: Mapping[str, int]) -> Json:
    return {name: seconds(us) for name, us in times_us.items()}


def make_kpi(kpi: Kpi) -> Json:
    return {
        "value": kpi.value,
        "numerator": served(kpi.numerator, kpi.unit),
        "denominator": served(kpi.denominator, kpi.denominator_unit),
        "reason": kpi.reason,
        "flags": list(kpi.flags),
    }


def served(amount: int, unit: Unit) -> int | Decimal:
    """A sum in the unit that it is served in: exact, save hours, of which few are finite: these have 28 digits."""
    if unit is Unit.seconds:
        return seconds(amount)
    if unit is Unit.seconds_squared:
        whole, rest = divmod(amount, unit.scale)
        return whole if rest == 0 else Decimal(f"{whole}.{rest:012d}".rstrip("0"))
    return Decimal(amount) / unit.scale if unit is Unit.hours else amount


KPI_PARTS = ("value", "numerator", "denominator", "reason", "flags")
PLAIN_COLUMNS = ("scope", "from", "to", "partial", "factories", "machines")


def csv_columns(ids: Sequence[str]) -> list[str]:
    """The header of items as CSV: a KPI's value stands under its own id."""
    kpis = [name if part == "value" else f"{name}_{part}" for name in ids for part in KPI_PARTS]
    states = [f"{state}_s" for state in (*STATES, "unknown")]
    modes = [f"producing_{mode}_s" for mode in (*MODES, "unknown")]
    return [*PLAIN_COLUMNS, *states, *modes, *COUNTS, *kpis, COVERAGE, "suppressed"]


def csv_row(item: Mapping[str, Any], ids: Sequence[str]) -> list[object]:
    """An item under that header; flags are separated by spaces."""
    kpis = [item["kpis"][name] for name in ids]
    parts = [" ".join(kpi[part]) if part == "flags" else kpi[part] for kpi in kpis for part in KPI_PARTS]
    blocks = [*item["time_s"].values(), *item["producing_by_mode_s"].values(), *item["counts"].values()]
    return [*(item[name] for name in PLAIN_COLUMNS), *blocks, *parts, item[COVERAGE], item["suppressed"]]
