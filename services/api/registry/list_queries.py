"""What lists take as parameters. Others are refused."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from services.api.instants import Instant
from services.api.registry.bodies import Automation, FactoryId, Level, LocalId, MachineKind, Region, Sector, Size


class Order(StrEnum):
    """Which end of the sort comes first."""

    ASC = "asc"
    DESC = "desc"


class PlainSort(StrEnum):
    """What things with an id alone may be ordered by."""

    ID = "id"


class ListQuery(BaseModel):
    """What every list takes."""

    model_config = ConfigDict(extra="forbid")

    q: str | None = Field(None, max_length=128, pattern=r"^[^\x00]*$", description="Part of an id or a name.")
    sort: StrEnum = PlainSort.ID
    order: Order = Order.ASC
    limit: int = Field(100, ge=1, le=10_000)
    cursor: str | None = Field(None, max_length=2000, description="`next_cursor` of the page before.")
    at: Instant | None = Field(None, description="As of this instant; default: now.")

    @property
    def filters(self) -> dict[str, str]:
        """What is asked for beyond what every list takes."""
        own = type(self).model_fields.keys() - ListQuery.model_fields.keys()
        return {name: str(value) for name in own if (value := getattr(self, name)) is not None}


class NameSort(StrEnum):
    """What things with a name may be ordered by."""

    ID = "id"
    NAME = "name"


class ZoneSort(StrEnum):
    """What zones may be ordered by."""

    ID = "id"
    NAME = "name"
    REGION = "region"


class FactorySort(StrEnum):
    """What factories may be ordered by."""

    ID = "id"
    NAME = "name"
    REGION = "region"
    SECTOR = "sector"
    LEVEL = "level"
    MACHINES = "machines"


class MachineSort(StrEnum):
    """What machines may be ordered by."""

    ID = "id"
    NAME = "name"
    KIND = "kind"
    AUTOMATION = "automation"


class EnterprisesQuery(ListQuery):
    """Parameters of the list of enterprises."""

    size: Size | None = None
    sort: NameSort = NameSort.ID


class ZonesQuery(ListQuery):
    """Parameters of the list of zones."""

    region: Region | None = None
    sort: ZoneSort = ZoneSort.ID


class SponsorsQuery(ListQuery):
    """Parameters of the list of sponsors."""

    enterprise_id: FactoryId | None = None
    sort: NameSort = NameSort.ID


class FactoriesQuery(ListQuery):
    """Parameters of the list of factories."""

    region: Region | None = None
    sector: Sector | None = None
    zone: LocalId | None = None
    sponsor: LocalId | None = None
    level: Level | None = None
    size: Size | None = Field(None, description="By its enterprise's employees.")
    enterprise_id: FactoryId | None = None
    sort: FactorySort = FactorySort.ID


class MachinesQuery(ListQuery):
    """Parameters of the list of a factory's machines."""

    kind: MachineKind | None = None
    automation: Automation | None = None
    sort: MachineSort = MachineSort.ID


class GatewayKeysQuery(ListQuery):
    """Parameters of the list of a factory's gateway keys."""

    sort: PlainSort = PlainSort.ID
