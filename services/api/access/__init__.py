"""Who is asking, and what they may read: API keys, login links, browser sessions, roles.

A route without a dependency from here answers nobody. The names below are what the other parts of the API use.
"""

from services.api.access.authentication import Admin, AnyReader, Ministry, authenticate, keep_place
from services.api.access.readers import Reader, RoleKind, forbidden
from services.api.access.shares import Shares

__all__ = ["Admin", "AnyReader", "Ministry", "Reader", "RoleKind", "Shares", "authenticate", "forbidden", "keep_place"]
