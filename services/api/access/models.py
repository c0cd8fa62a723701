"""Answers about sessions over HTTP."""

from pydantic import BaseModel

from services.api.instants import Instant


class CurrentSession(BaseModel):
    """Who is logged in, in which role, and until when."""

    role: str
    name: str
    expires_at: Instant
