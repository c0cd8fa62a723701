"""Models of answers that belong to no single part of the API, and references to models by name."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, Field

REFERENCE = "#/components/schemas/{model}"
"""Where the OpenAPI document keeps a model."""


class FieldError(BaseModel):
    """One invalid field of a request."""

    where: str = Field(description="Path of the field, as body.name.")
    what: str = Field(description="What is wrong with it, or what to do.")


class ProblemDetails(BaseModel):
    """Problem details (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str = Field(description="A sentence that says what the caller should do.")
    errors: list[FieldError] | None = Field(None, description="The invalid fields, only where a request has any.")


class Health(BaseModel):
    """The process is running."""

    status: Literal["ok"]


class Readiness(BaseModel):
    """Requests can be served."""

    status: Literal["ready"]


def described_as(
    model: type, other_content: Mapping[str, Any] | None = None, media_type: str = "application/json"
) -> dict[str, Any]:
    """Return an OpenAPI response with a model that FastAPI does not see; ``openapi.document`` adds the model."""
    reference = {"$ref": REFERENCE.format(model=model.__name__)}
    return {"content": {media_type: {"schema": reference}, **(other_content or {})}}
