"""Lines of an import as changes of the registry, by the same bodies and rules as PUTs. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from services.api.registry import bodies
from services.api.registry.csv_file import BadLine, Line
from services.api.registry.entries import change_of
from services.api.registry.tables import ENTERPRISE, FACTORY, GATEWAY_KEY, MACHINE, SPONSOR, ZONE, Kind
from services.api.registry.writes import Change, Missing

THING = "thing"
"""The column that says what a line is."""
SHOWN = 40
"""Characters of a wrong cell that a reason repeats."""


class EnterpriseLine(bodies.EnterprisePut):
    """An enterprise."""

    enterprise_id: bodies.FactoryId


class ZoneLine(bodies.ZonePut):
    """A zone."""

    zone_id: bodies.LocalId


class SponsorLine(bodies.SponsorPut):
    """A sponsor."""

    sponsor_id: bodies.LocalId


class FactoryLine(bodies.FactoryPut):
    """A factory."""

    factory_id: bodies.FactoryId


class MachineLine(bodies.MachinePut):
    """A machine."""

    factory_id: bodies.FactoryId
    machine_id: bodies.LocalId


class GatewayKeyLine(bodies.GatewayKeyPut):
    """A gateway key."""

    factory_id: bodies.FactoryId
    key_id: bodies.LocalId


LINES: Mapping[str, tuple[Kind, type[bodies.Dated]]] = MappingProxyType(
    {
        "enterprise": (ENTERPRISE, EnterpriseLine),
        "zone": (ZONE, ZoneLine),
        "sponsor": (SPONSOR, SponsorLine),
        "factory": (FACTORY, FactoryLine),
        "machine": (MACHINE, MachineLine),
        "gateway_key": (GATEWAY_KEY, GatewayKeyLine),
    }
)
"""What a line may be, in the words of the column ``thing``."""


def all_columns() -> tuple[str, ...]:
    """Every column that a file may have: ids first, as the things' fields follow each other."""
    ids = dict.fromkeys(kind.identifier for kind, _ in LINES.values())
    return (
        THING,
        *ids,
        *dict.fromkeys(name for _, line in LINES.values() for name in line.model_fields if name not in ids),
    )


COLUMNS = all_columns()


@dataclass(slots=True)
class Lines:
    """What a file says.

    Attributes:
        changes: in the file's order; ``numbers`` has the line of each.
        bad: lines that say nothing, each with the reason.
        announced: things of bad lines, by kind and id: other lines may name them without being wrong for it.
    """

    changes: list[Change] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    bad: list[BadLine] = field(default_factory=list)
    announced: set[tuple[str, str]] = field(default_factory=set)

    def missing(self, found: Iterable[Missing]) -> Iterator[BadLine]:
        """Changes that name what is not registered, as bad lines."""
        for one in found:
            reason = f"there is no {one.kind.name} {one.identifier}; register it, add a line for it, or correct this"
            yield BadLine(self.numbers[one.index], one.field, reason)


def parse_lines(lines: Iterable[Line | BadLine], effective_from: str | None) -> Lines:
    """Hold each line against the body of what it is.

    Args:
        effective_from: for lines that say none of their own, as a cell would say it.
    """
    found = Lines()
    first: dict[tuple[object, ...], int] = {}
    for line in lines:
        if isinstance(line, BadLine):
            found.bad.append(line)
            continue
        change = parse_line(line, effective_from, found)
        if change is None:
            continue
        key = (change.kind.name, change.factory_id, change.identifier, change.effective_from_us)
        if first.setdefault(key, line.number) != line.number:
            reason = f"line {first[key]} says the same {change.kind.name} from the same instant; leave one out"
            found.bad.append(BadLine(line.number, change.kind.identifier, reason))
            continue
        found.changes.append(change)
        found.numbers.append(line.number)
    return found


def parse_line(line: Line, effective_from: str | None, found: Lines) -> Change | None:
    """The change that a line asks for; None if it is bad, which ``found`` then says."""
    cells = dict(line.cells)
    thing = cells.pop(THING, "")
    if thing not in LINES:
        reason = f"write one of {', '.join(LINES)}" + (f", not {shortened(thing)}" if thing else "")
        found.bad.append(BadLine(line.number, THING, reason))
        return None
    kind, body = LINES[thing]
    if effective_from is not None:
        cells.setdefault("effective_from", effective_from)
    try:
        said = body.model_validate_strings(cells)
    except ValidationError as error:
        found.announced.add((kind.name, cells.get(kind.identifier, "")))
        found.bad += (BadLine(line.number, field_of(e), reason_of(e, thing)) for e in error.errors())
        return None
    owner = getattr(said, FACTORY.identifier) if kind.belongs_to_factory else None
    return change_of(kind, getattr(said, kind.identifier), said, owner)


def field_of(error: ErrorDetails) -> str:
    return ".".join(str(part) for part in error["loc"]) or "line"


def reason_of(error: ErrorDetails, thing: str) -> str:
    """What is wrong with a cell, and what to write."""
    if error["type"] == "missing":
        return f"every {thing.replace('_', ' ')} needs one; fill this cell"
    if error["type"] == "extra_forbidden":
        return f"no {thing.replace('_', ' ')} has one; leave this cell empty"
    reason = error["msg"].removeprefix("Value error, ")
    return f"{reason[:1].lower()}{reason[1:]}, not {shortened(str(error['input']))}"


def shortened(text: str) -> str:
    return repr(text if len(text) <= SHOWN else f"{text[:SHOWN]}...")
