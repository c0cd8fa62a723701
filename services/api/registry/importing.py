"""``jejo registry import``: imports a CSV file into the registry, all of it or nothing, by the rules of PUT."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from pydantic import ValidationError, field_validator
from pydantic_core import ErrorDetails
from sqlalchemy.ext.asyncio import AsyncConnection

from services.api.database import DATABASE_ERRORS, database_failed, engine
from services.api.numbers import CELLS
from services.api.registry.calendar_cells import parse_exceptions, parse_weekly
from services.api.registry.calendar_models import CalendarPut
from services.api.registry.csv_file import BadLine, Line, read_lines, read_text, shortened
from services.api.registry.fields import FactoryId, LocalId
from services.api.registry.models import EnterprisePut, FactoryPut, GatewayKeyPut, MachinePut, SponsorPut, ZonePut
from services.api.registry.things import (
    CALENDAR,
    ENTERPRISE,
    FACTORY,
    GATEWAY_KEY,
    MACHINE,
    SPONSOR,
    ZONE,
    Content,
    Kind,
)
from services.api.registry.writes import Missing, NotRegistered, Registration, Written, find_missing, write_all
from services.core.errors import JejoError

THING = "thing"
"""The column that says what a line is."""


class EnterpriseLine(EnterprisePut):
    """A line that registers an enterprise."""

    enterprise_id: FactoryId

    def registration(self) -> Registration:
        return Registration(ENTERPRISE, self.enterprise_id, self.content(), self.effective_from)


class ZoneLine(ZonePut):
    """A line that registers a zone."""

    zone_id: LocalId

    def registration(self) -> Registration:
        return Registration(ZONE, self.zone_id, self.content(), self.effective_from)


class SponsorLine(SponsorPut):
    """A line that registers a sponsor."""

    sponsor_id: LocalId

    def registration(self) -> Registration:
        return Registration(SPONSOR, self.sponsor_id, self.content(), self.effective_from)


class FactoryLine(FactoryPut):
    """A line that registers a factory."""

    factory_id: FactoryId

    def registration(self) -> Registration:
        return Registration(FACTORY, self.factory_id, self.content(), self.effective_from)


class MachineLine(MachinePut):
    """A line that registers a machine."""

    factory_id: FactoryId
    machine_id: LocalId

    def registration(self) -> Registration:
        return Registration(MACHINE, self.machine_id, self.content(), self.effective_from, self.factory_id)


class CalendarLine(CalendarPut):
    """A line that registers the calendar of a factory."""

    factory_id: FactoryId

    @field_validator("weekly", mode="before")
    @classmethod
    def read_weekly(cls, cell: object) -> object:
        return parse_weekly(cell) if isinstance(cell, str) else cell

    @field_validator("exceptions", mode="before")
    @classmethod
    def read_exceptions(cls, cell: object) -> object:
        return parse_exceptions(cell) if isinstance(cell, str) else cell

    def registration(self) -> Registration:
        return Registration(CALENDAR, self.factory_id, self.content(), self.effective_from)


class GatewayKeyLine(GatewayKeyPut):
    """A line that registers a gateway key."""

    factory_id: FactoryId
    key_id: LocalId

    def registration(self) -> Registration:
        return Registration(GATEWAY_KEY, self.key_id, self.content(), self.effective_from, self.factory_id)


AnyLine = EnterpriseLine | ZoneLine | SponsorLine | FactoryLine | CalendarLine | MachineLine | GatewayKeyLine

LINES: Mapping[str, tuple[Kind[Content], type[AnyLine]]] = MappingProxyType(
    {
        "enterprise": (ENTERPRISE, EnterpriseLine),
        "zone": (ZONE, ZoneLine),
        "sponsor": (SPONSOR, SponsorLine),
        "factory": (FACTORY, FactoryLine),
        "calendar": (CALENDAR, CalendarLine),
        "machine": (MACHINE, MachineLine),
        "gateway_key": (GATEWAY_KEY, GatewayKeyLine),
    }
)
"""The kinds of line, by the values of the column ``thing``."""


def all_columns() -> tuple[str, ...]:
    """Returns every column that a file may have: ids first, then the fields in the order of the models."""
    ids = dict.fromkeys(kind.identifier for kind, _ in LINES.values())
    return (
        THING,
        *ids,
        *dict.fromkeys(name for _, line in LINES.values() for name in line.model_fields if name not in ids),
    )


COLUMNS = all_columns()


@dataclass(slots=True)
class Lines:
    """The parsed lines of a file.

    Attributes:
        registrations: what the valid lines register, in the file's order.
        numbers: the line of each registration.
        bad: what is wrong with the invalid lines.
        announced: the things of invalid lines, by kind and id: naming them does not make another line invalid.
    """

    registrations: list[Registration] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    bad: list[BadLine] = field(default_factory=list)
    announced: set[tuple[str, str]] = field(default_factory=set)

    def missing(self, found: Iterable[Missing]) -> Iterator[BadLine]:
        """Yields the lines that name what is not registered, as bad lines."""
        for one in found:
            name, kind, identifier = one.reference
            reason = f"{kind.name} {identifier} is not registered; register it, add a line for it, or correct this"
            yield BadLine(self.numbers[one.index], name, reason)


def parse_lines(lines: Iterable[Line | BadLine], effective_from: str | None) -> Lines:
    """Validates each line by the model of what it registers.

    Args:
        effective_from: the cell of lines that have none of their own.
    """
    found = Lines()
    first: dict[tuple[object, ...], int] = {}
    for line in lines:
        if isinstance(line, BadLine):
            found.bad.append(line)
            continue
        one = parse_line(line, effective_from, found)
        if one is None:
            continue
        key = (one.kind.name, one.factory_id, one.identifier, one.effective_from_us)
        if first.setdefault(key, line.number) != line.number:
            reason = f"line {first[key]} registers the same {one.kind.name} from the same instant; remove one"
            found.bad.append(BadLine(line.number, one.kind.identifier, reason))
            continue
        found.registrations.append(one)
        found.numbers.append(line.number)
    return found


def parse_line(line: Line, effective_from: str | None, found: Lines) -> Registration | None:
    """Returns what a line registers; None if it is invalid, which is then added to ``found.bad``."""
    cells = dict(line.cells)
    thing = cells.pop(THING, "")
    if thing not in LINES:
        reason = f"write one of {', '.join(LINES)}" + (f", not {shortened(thing)}" if thing else "")
        found.bad.append(BadLine(line.number, THING, reason))
        return None
    kind, model = LINES[thing]
    if effective_from is not None:
        cells.setdefault("effective_from", effective_from)
    try:
        return model.model_validate_strings(cells, context=CELLS).registration()
    except ValidationError as error:
        found.announced.add((kind.name, cells.get(kind.identifier, "")))
        found.bad += (BadLine(line.number, field_of(e), reason_of(e, thing)) for e in error.errors())
        return None


def field_of(error: ErrorDetails) -> str:
    """Returns the column that an error is about."""
    return ".".join(str(part) for part in error["loc"]) or "line"


def reason_of(error: ErrorDetails, thing: str) -> str:
    """Returns what is wrong with a cell, and what to write."""
    if error["type"] == "missing":
        return f"every {thing.replace('_', ' ')} needs one; fill this cell"
    if error["type"] == "extra_forbidden":
        return f"no {thing.replace('_', ' ')} has one; leave this cell empty"
    reason = error["msg"].removeprefix("Value error, ")
    # A cell that was parsed into several things is too long to repeat; the reason names the invalid one.
    shown = f", not {shortened(error['input'])}" if isinstance(error["input"], str) else ""
    return f"{reason[:1].lower()}{reason[1:]}{shown}"


class BadLines(JejoError):
    """Some lines of the file are invalid; nothing was imported. Correct them, and import the file again."""

    def __init__(self, path: Path, lines: Sequence[BadLine]) -> None:
        count = len({line.number for line in lines})
        invalid = "1 line is invalid" if count == 1 else f"{count} lines are invalid"
        super().__init__(f"Nothing was imported: {invalid}. Correct what is listed above, and import the file again.")
        self.lines = [f"{path}:{line.number}: {line.field}: {line.reason}" for line in lines]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many things of one kind are new, changed, or unchanged."""

    new: int
    changed: int
    unchanged: int


async def import_file(
    database_url: str, path: Path, effective_from: str | None, now_us: int, *, dry_run: bool
) -> Mapping[str, Outcome]:
    """Imports a file in one transaction, which a dry run rolls back.

    Returns:
        The outcome for each kind of line in the file.

    Raises:
        UnreadableFile: if the file cannot be read, or is not UTF-8.
        BadLines: if some lines are invalid; it lists them all.
        TransientError, ConfigurationError: if the database cannot be written; nothing was imported.
    """
    lines = parse_lines(read_lines(read_text(path), THING, COLUMNS), effective_from)
    if not lines.registrations and not lines.bad:
        lines.bad.append(BadLine(1, "line", "no line follows the header; write one for each thing"))
    pool = engine(database_url, 1)
    try:
        async with pool.connect() as connection, connection.begin() as transaction:
            written = await write_lines(connection, path, lines, now_us)
            if dry_run:
                await transaction.rollback()
    except DATABASE_ERRORS as error:
        raise database_failed(error, "Nothing was imported", "import again") from error
    finally:
        await pool.dispose()
    return count_outcomes(written)


async def write_lines(connection: AsyncConnection, path: Path, lines: Lines, now_us: int) -> list[Written[Content]]:
    """Registers what the lines register.

    Raises:
        BadLines: if some are invalid, or name what is neither registered nor in the file.
    """
    try:
        if not lines.bad:
            return await write_all(connection, lines.registrations, now_us)
        missing: Sequence[Missing] = await find_missing(connection, lines.registrations, lines.announced)
    except NotRegistered as error:
        missing = error.missing
    bad = sorted([*lines.bad, *lines.missing(missing)], key=lambda line: line.number)
    raise BadLines(path, bad)


def count_outcomes(written: Sequence[Written[Content]]) -> dict[str, Outcome]:
    """Returns the outcome for each kind of line that the file has."""
    counted = Counter((one.kind.name, one.is_new, bool(one.added)) for one in written)
    outcomes = {
        thing: Outcome(counted[name, True, True], counted[name, False, True], counted[name, False, False])
        for thing, name in ((thing, kind.name) for thing, (kind, _) in LINES.items())
    }
    return {thing: outcome for thing, outcome in outcomes.items() if outcome != Outcome(0, 0, 0)}
