"""From bodies to what versions hold, and from versions to the entries that answers show. Pure."""

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import TypeVar

from services.api.registry import bodies
from services.api.registry.tables import ENTERPRISE, FACTORY, GATEWAY_KEY, MACHINE, SPONSOR, ZONE, Kind
from services.api.registry.timeline import Content, Version
from services.api.registry.writes import Change
from services.core.times import LAST_INSTANT_US, SECOND_US

E = TypeVar("E", bound=bodies.Held)

FIELDS: Mapping[str, frozenset[str]] = {
    kind.name: frozenset(body.model_fields)
    for kind, body in (
        (ENTERPRISE, bodies.Enterprise),
        (ZONE, bodies.Zone),
        (SPONSOR, bodies.Sponsor),
        (FACTORY, bodies.Factory),
        (MACHINE, bodies.Machine),
        (GATEWAY_KEY, bodies.GatewayKey),
    )
}
"""What a body says of a thing of each kind, beside ids and instants."""

ENUMS: Mapping[str, type[StrEnum]] = {
    "region": bodies.Region,
    "level": bodies.Level,
    "automation": bodies.Automation,
    "size": bodies.Size,
}
DURATIONS = ("state_ttl", "ideal_cycle")
"""Seconds in bodies (``..._s``), microseconds in versions (``..._us``)."""


def change_of(kind: Kind, identifier: str, body: bodies.Dated, factory_id: str | None = None) -> Change:
    """What a PUT's body asks for."""
    return Change(kind, identifier, content_of_body(kind, body), body.effective_from, factory_id)


def content_of_body(kind: Kind, body: bodies.Dated) -> Content:
    """What a body says, by the versions' columns; other things are named by their ids."""
    said = body.model_dump(include=set(FIELDS[kind.name]))
    for reference in kind.references:
        said[reference.column] = said.pop(reference.field)
    for name in DURATIONS:
        if f"{name}_s" in said:
            seconds = said.pop(f"{name}_s")
            said[f"{name}_us"] = None if seconds is None else int(seconds * SECOND_US)
    return said


def make_entry(entry: type[E], version: Version, ids: Mapping[str, object]) -> E:
    """An answer's entry.

    Args:
        ids: the fields that are not in the version: the thing's own ids, and the ids that stand for numbers in it.
    """
    said = {name: value for name, value in version.content.items() if name != "enterprise"} | dict(ids)
    for name in DURATIONS:
        if f"{name}_us" in said:
            us = said.pop(f"{name}_us")
            said[f"{name}_s"] = None if us is None else Decimal(str(us)) / SECOND_US
    for name, enum in ENUMS.items():
        if said.get(name) is not None:
            said[name] = enum(str(said[name]))
    effective_to = None if version.to_us == LAST_INSTANT_US else version.to_us
    made = entry.model_construct(effective_from=version.from_us, effective_to=effective_to, **said)  # type: ignore[arg-type]
    assert isinstance(made, entry)
    return made
