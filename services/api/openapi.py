"""Writes the OpenAPI document of the HTTP API, from its routes and models; needs no server and no database."""

import inspect
import json
import sys
from pathlib import Path
from typing import Any

import msgspec
from pydantic.json_schema import models_json_schema

from schemas.kpi_definitions import PublishedDefinitions
from schemas.wire.generated import write_or_check
from services.api.app import OPENAPI_FILE, create_app
from services.api.flags.models import Flag, FlagPage
from services.api.kpis.models import KpiPage
from services.api.models import REFERENCE, ProblemDetails
from services.api.programme.models import Programme
from services.api.quality.models import QualityDays
from services.api.settings import ApiSettings
from services.api.timelines.models import Timeline
from services.core.clock import system_clock

STRUCTS = (PublishedDefinitions, KpiPage, Timeline, Programme, QualityDays, Flag, FlagPage)
COMMAND = "python -m services.api.openapi"

Document = dict[str, Any]


def document() -> Document:
    """Return the whole document: FastAPI's, and the models that routes refer to by name only."""
    app = create_app(ApiSettings.model_construct(), system_clock)
    found: Document = app.openapi()
    _, structs = msgspec.json.schema_components(STRUCTS, ref_template=REFERENCE.replace("{model}", "{name}"))
    _, models = models_json_schema([(ProblemDetails, "serialization")], ref_template=REFERENCE)
    added = {name: dedented(schema) for name, schema in structs.items()} | models["$defs"]
    schemas = found["components"]["schemas"]
    found["components"]["schemas"] = dict(sorted((schemas | added).items()))
    return found


def dedented(schema: Document) -> Document:
    """Return a schema whose description is a docstring, without the docstring's indentation."""
    return {**schema, "description": inspect.cleandoc(schema["description"])} if "description" in schema else schema


def document_text() -> str:
    """Return the document as the committed file contains it."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


def main(arguments: list[str], target: Path = OPENAPI_FILE) -> int:
    """Write the document, or compare the file with it. Return the exit status."""
    return write_or_check(arguments, target, document_text(), COMMAND, "the OpenAPI document of the HTTP API")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
