"""Populations over HTTP and in files: how many enterprises the programme is for, by region and sector."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, Strict

from services.api.instants import DATE_TIME
from services.api.numbers import read_integer
from services.api.registry.things import SECTORS, Region
from services.core.times import rfc3339

RecordedAt = Annotated[int, PlainSerializer(rfc3339, return_type=str, when_used="json"), DATE_TIME]
"""Microseconds since the Unix epoch inside, RFC 3339 outside."""
FIRST_YEAR, LAST_YEAR = 2000, 2199


def check_region(value: str) -> str:
    """Return the region.

    Raises:
        ValueError: there is no such region.
    """
    if value not in list(Region):
        raise ValueError(f"there is no region {value!r}; write an ISO 3166-2:KR code, as KR-48")
    return value


def check_sector(value: str) -> str:
    """Return the sector.

    Raises:
        ValueError: there is no such sector.
    """
    if value not in SECTORS:
        raise ValueError(f"there is no sector {value!r}; write a KSIC section and division, as C25")
    return value


class PopulationRow(BaseModel):
    """The enterprises of one region and sector."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    region: Annotated[str, Field(max_length=40, description="ISO 3166-2:KR, as KR-48."), AfterValidator(check_region)]
    sector: Annotated[
        str, Field(max_length=40, description="KSIC section and division, as C25."), AfterValidator(check_sector)
    ]
    enterprises: Annotated[int, Field(ge=0, le=10**9), Strict(), BeforeValidator(read_integer)]


def check_rows(rows: list[PopulationRow]) -> list[PopulationRow]:
    """Return the rows by region and sector.

    Raises:
        ValueError: two rows are of the same region and sector.
    """
    seen: set[tuple[str, str]] = set()
    for row in rows:
        if (row.region, row.sector) in seen:
            raise ValueError(f"{row.region} {row.sector} has two rows; remove one")
        seen.add((row.region, row.sector))
    return sorted(rows, key=lambda row: (row.region, row.sector))


def with_rows(body: object) -> object:
    """Return a body as an object, of which a bare list is the rows."""
    return {"rows": body} if isinstance(body, list) else body


class PopulationPut(BaseModel):
    """The population of a year, as a whole: what it does not name has none. The rows may also be sent alone."""

    model_config = ConfigDict(extra="forbid")

    rows: Annotated[list[PopulationRow], Field(min_length=1, max_length=10_000), AfterValidator(check_rows)]


PopulationBody = Annotated[PopulationPut, BeforeValidator(with_rows)]


class PopulationReport(BaseModel):
    """One report of a year's population: when it was recorded and by whom, and what it adds up to."""

    recorded_at: RecordedAt
    recorded_by: str = Field(description="Name of the API key, or the command.")
    regions: int
    sectors: int
    enterprises: int


class Population(BaseModel):
    """The population of a Seoul year."""

    year: int
    rows: list[PopulationRow]
    recorded_at: RecordedAt
    recorded_by: str = Field(description="Name of the API key, or the command.")
    history: list[PopulationReport] = Field(description="Every report of this year, the newest first.")
