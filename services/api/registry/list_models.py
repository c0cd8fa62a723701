"""The HTTP models of lists: parameters, rows and pages."""

from enum import StrEnum
from typing import Annotated, Generic, TypeVar, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from services.api.instants import Instant
from services.api.numbers import read_integer
from services.api.registry.fields import FactoryId, LocalId, MachineKind, SearchText, Sector
from services.api.registry.lists import Listed, ListRequest, Order
from services.api.registry.models import (
    EnterpriseEntry,
    FactoryEntry,
    GatewayKeyEntry,
    Held,
    MachineEntry,
    SponsorEntry,
    ZoneEntry,
)
from services.api.registry.things import Automation, Factory, Level, Region, Size

E = TypeVar("E", bound=Held)


class ListAnswer(BaseModel, Generic[E]):
    """A page. As CSV, a ``Link`` header with ``rel="next"`` leads to the next one."""

    items: list[E]
    next_cursor: str | None = Field(description="Null: there is no further page.")

    @classmethod
    def columns(cls) -> list[str]:
        """Returns the fields of an entry in the order of CSV: ids first, the rest in the entry's own order."""
        entry: type[BaseModel]
        (entry,) = get_args(cls.model_fields["items"].annotation)
        return sorted(entry.model_fields, key=lambda name: not name.endswith("_id"))


class FactoryListEntry(FactoryEntry):
    """A factory as lists show it."""

    enterprise_name: str
    size: Size | None = Field(description="By its enterprise's employees; null: not registered.")
    machines: int = Field(description="In use now, or at the instant asked for.")

    @classmethod
    def of_listed(cls, item: Listed[Factory]) -> "FactoryListEntry":
        """Returns the entry of a row."""
        entry, summary = FactoryEntry.of(item.identifier, item.version), item.summary
        assert summary is not None
        return cls.model_construct(
            **dict(entry), enterprise_name=summary.enterprise_name, size=summary.size, machines=summary.machines
        )


class EnterprisePage(ListAnswer[EnterpriseEntry]):
    """A page of enterprises."""


class ZonePage(ListAnswer[ZoneEntry]):
    """A page of zones."""


class SponsorPage(ListAnswer[SponsorEntry]):
    """A page of sponsors."""


class FactoryPage(ListAnswer[FactoryListEntry]):
    """A page of factories."""


class MachinePage(ListAnswer[MachineEntry]):
    """A page of a factory's machines."""


class GatewayKeyPage(ListAnswer[GatewayKeyEntry]):
    """A page of a factory's gateway keys."""


class IdSort(StrEnum):
    """What things without a name may be ordered by."""

    ID = "id"


class NameSort(StrEnum):
    """What enterprises and sponsors may be ordered by."""

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


class ListQuery(BaseModel):
    """The parameters of every list; others are refused."""

    model_config = ConfigDict(extra="forbid")

    q: SearchText | None = Field(None, description="Part of an id or a name.")
    sort: StrEnum = IdSort.ID
    order: Order = Order.ASC
    limit: Annotated[int, Field(ge=1, le=10_000), BeforeValidator(read_integer)] = 100
    cursor: str | None = Field(None, max_length=2000, description="`next_cursor` of the page before.")
    at: Instant | None = Field(None, description="As of this instant; default: now.")

    def request(self, now_us: int) -> ListRequest:
        """Returns these parameters for ``lists.read_page``."""
        own = type(self).model_fields.keys() - ListQuery.model_fields.keys()
        filters = {name: str(value) for name in own if (value := getattr(self, name)) is not None}
        at_us = now_us if self.at is None else self.at
        return ListRequest(at_us, self.q, filters, self.sort, self.order, self.limit, self.cursor)


class EnterprisesQuery(ListQuery):
    """The parameters of the list of enterprises."""

    size: Size | None = None
    sort: NameSort = NameSort.ID


class ZonesQuery(ListQuery):
    """The parameters of the list of zones."""

    region: Region | None = None
    sort: ZoneSort = ZoneSort.ID


class SponsorsQuery(ListQuery):
    """The parameters of the list of sponsors."""

    enterprise_id: FactoryId | None = None
    sort: NameSort = NameSort.ID


class FactoriesQuery(ListQuery):
    """The parameters of the list of factories."""

    region: Region | None = None
    sector: Sector | None = None
    zone: LocalId | None = None
    sponsor: LocalId | None = None
    level: Level | None = None
    size: Size | None = Field(None, description="By its enterprise's employees.")
    enterprise_id: FactoryId | None = None
    sort: FactorySort = FactorySort.ID


class MachinesQuery(ListQuery):
    """The parameters of the list of a factory's machines."""

    kind: MachineKind | None = None
    automation: Automation | None = None
    sort: MachineSort = MachineSort.ID


class GatewayKeysQuery(ListQuery):
    """The parameters of the list of a factory's gateway keys."""

    sort: IdSort = IdSort.ID
