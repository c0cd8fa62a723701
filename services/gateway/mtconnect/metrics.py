"""Names the measurements of a device, as ``x_load_pct``, and converts them to the units in their names. Pure."""

import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from services.gateway.mtconnect.declarations import Category, Declaration, listing
from services.gateway.mtconnect.model import Form
from services.gateway.mtconnect.units import Conversion, conversion, suffix

MAX_METRIC = 63
WORD_BOUNDARY = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
UNSAFE = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Metric:
    """The name of a data item's readings, and the conversion to the unit that it ends in."""

    name: str
    conversion: Conversion | None


def name_metrics(declarations: Sequence[Declaration], used: Collection[str]) -> tuple[dict[str, Metric], list[str]]:
    """Name the measurements of a device that have a known unit; each name is unique within the device.

    Args:
        declarations: all data items of the device.
        used: the ids of those that are used for something else.

    Returns:
        The metrics by the data items' ids, and a remark for each reason why samples have none.
    """
    measurements: list[tuple[Declaration, str]] = []
    conversions: dict[str, Conversion | None] = {}
    unusable: dict[str, list[str]] = {"without units": [], "with unknown units": [], "without a known conversion": []}
    for item in declarations:
        if item.id in used or not _is_measurement(item):
            continue
        ending = suffix(item.units)
        if not item.units:
            unusable["without units"].append(item.id)
        elif ending is None:
            unusable["with unknown units"].append(f"{item.id} ({item.units[:40]})")
        else:
            try:
                conversions[item.id] = _conversion(item)
            except ValueError:
                native = item.native_units[:40] or item.units
                unusable["without a known conversion"].append(f"{item.id} ({native} to {item.units})")
            else:
                measurements.append((item, ending))
    names = _unique_names(measurements)
    metrics = {id: Metric(name, conversions[id]) for id, name in names.items()}
    remarks = [f"Measurements {why} are not used: {listing(ids)}." for why, ids in unusable.items() if ids]
    return metrics, remarks


def _is_measurement(item: Declaration) -> bool:
    """Return whether an item's value is a number: of a sample always, of an event if it has units."""
    return item.form is Form.VALUE and (item.category is Category.SAMPLE or bool(item.units))


def _conversion(item: Declaration) -> Conversion | None:
    scale = float(item.native_scale) if item.native_scale else None
    return conversion(item.native_units or item.units, item.units, scale)


def _unique_names(measurements: Sequence[tuple[Declaration, str]]) -> dict[str, str]:
    """Name measurements by what they measure, or by their own keys where several would have one name."""
    wanted = {item.id: _join(_subject(item), item, ending) for item, ending in measurements}
    wanting = Counter(wanted.values())
    names = {id: name for id, name in wanted.items() if wanting[name] == 1}
    taken = set(names.values())
    for item, ending in measurements:
        if item.id in names:
            continue
        name, number = _join(_own_key(item), item, ending), 1
        while name in taken:
            number += 1
            name = _join(_own_key(item), item, ending, number)
        names[item.id] = name
        taken.add(name)
    return names


def _join(stem: str, item: Declaration, ending: str, number: int = 1) -> str:
    """Join the parts of a name, and shorten its stem if it is too long. The unit stays at the end."""
    parts = [_safe(item.statistic), str(number) if number > 1 else "", ending]
    tail = "".join(f"_{part}" for part in parts if part)[-(MAX_METRIC - 1) :]
    return stem[: MAX_METRIC - len(tail)].rstrip("_") + tail


def _subject(item: Declaration) -> str:
    """Return component, type and subtype, as ``path_feedrate_actual``, without repetitions."""
    tag = _safe(WORD_BOUNDARY.sub("_", item.component.tag)) or "component"
    component = _safe(item.component.name) or tag
    if not component[0].isalpha():
        component = f"{tag}_{component}" if tag[0].isalpha() else f"component_{component}"
    type, sub_type = _safe(item.type.rpartition(":")[2]), _safe(item.sub_type.rpartition(":")[2])
    if f"{type}_".startswith(f"{component}_"):
        component = ""
    if f"_{type}".endswith(f"_{sub_type}"):
        sub_type = ""
    return "_".join(part for part in (component, type, sub_type) if part)


def _own_key(item: Declaration) -> str:
    key = _safe(item.name) or _safe(item.id)
    return key if key[:1].isalpha() else f"item_{key}".rstrip("_")


def _safe(text: str) -> str:
    """Return a text in lower case with ``_`` for all characters that a metric's name cannot contain."""
    return UNSAFE.sub("_", text.lower()).strip("_")
