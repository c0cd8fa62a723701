"""Writes a simulated fleet as the file that ``jejo registry import`` takes: what PUTs would say, far sooner in."""

import csv
import datetime as dt
from collections.abc import Iterable, Sequence
from pathlib import Path

from services.core.errors import ConfigurationError
from services.simulator.changes import Change
from services.simulator.fleet import Factory
from services.simulator.registration import (
    Entry,
    change_entry,
    enterprise_entry,
    factory_entry,
    key_entry,
    machine_entries,
    programme_entries,
)

IDS = {
    "enterprises": ("enterprise", "enterprise_id"),
    "zones": ("zone", "zone_id"),
    "sponsors": ("sponsor", "sponsor_id"),
    "factories": ("factory", "factory_id"),
    "gateway-keys": ("gateway_key", "key_id"),
    "machines": ("machine", "machine_id"),
}
"""By the last collection of an entry's path: the file's word for the thing, and its id's column."""


def write_registry(
    path: Path, seed: int, fleet: Sequence[Factory], in_use_from: dt.date, changed: Sequence[Change]
) -> None:
    """Write every entry as a line, owners first.

    Raises:
        ConfigurationError: the file cannot be written.
    """
    lines = [line_of(entry) for entry in entries(seed, fleet, in_use_from, changed)]
    columns = dict.fromkeys(name for line in lines for name in line)
    try:
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, columns, restval="", lineterminator="\n")
            writer.writeheader()
            writer.writerows(lines)
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be written ({error.strerror}): choose another place.") from error


def entries(seed: int, fleet: Sequence[Factory], in_use_from: dt.date, changed: Sequence[Change]) -> Iterable[Entry]:
    """Everything that is registered of a fleet."""
    yield from programme_entries(fleet)
    yield from (enterprise_entry(owner) for owner in dict.fromkeys(factory.enterprise for factory in fleet))
    for factory in fleet:
        yield factory_entry(factory)
        yield key_entry(seed, factory)
        yield from machine_entries(factory, in_use_from)
    yield from map(change_entry, changed)


def line_of(entry: Entry) -> dict[str, object]:
    """An entry's cells; what is null is left out."""
    path, body = entry
    parts = path.removeprefix("/v1/").split("/")
    thing = IDS[parts[-2]][0]
    ids = {IDS[collection][1]: identifier for collection, identifier in zip(parts[::2], parts[1::2], strict=True)}
    return {"thing": thing, **ids, **{name: value for name, value in body.items() if value is not None}}
