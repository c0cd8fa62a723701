"""The readers of the API and what each may see. Pure."""

from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus

from services.api.problems import Problem


class RoleKind(StrEnum):
    """The kinds of role that a key or session can have."""

    ADMIN = "admin"
    MINISTRY = "ministry"
    RESEARCHER = "researcher"
    REGION = "region"
    FACTORY = "factory"


@dataclass(frozen=True, slots=True)
class Reader:
    """The holder of a key or session.

    Attributes:
        subject: the region or factory that the role is limited to.
        name: who holds the key or session.
    """

    kind: RoleKind
    subject: str | None = None
    name: str = ""

    @property
    def sees_everything(self) -> bool:
        """Whether the reader may see the whole country."""
        return self.kind in (RoleKind.ADMIN, RoleKind.MINISTRY)

    def sees_factory(self, factory_id: str, region: str | None) -> bool:
        """Whether the reader may see a factory's own data.

        Args:
            region: where the factory is now; None if it is not registered.
        """
        if self.kind is RoleKind.FACTORY:
            return factory_id == self.subject
        if self.kind is RoleKind.REGION:
            return region is not None and region == self.subject
        return self.sees_everything


def parse_role(text: str, name: str) -> Reader:
    """Return the reader who has a stored role, as ``region:KR-48``."""
    kind, _, subject = text.partition(":")
    return Reader(RoleKind(kind), subject or None, name)


def forbidden() -> Problem:
    """Return the problem of a reader whose role is not enough."""
    return Problem(HTTPStatus.FORBIDDEN, "Your key's role may not do this; ask for a key with another role.")


def unauthorised(detail: str) -> Problem:
    """Return the problem of a request without valid credentials."""
    return Problem(HTTPStatus.UNAUTHORIZED, detail, {"WWW-Authenticate": "Bearer"})
