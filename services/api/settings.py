"""Settings of the API."""

from pathlib import Path

from pydantic import Field

from services.core.settings import Settings


class ApiSettings(Settings):
    """Addresses to listen at and to read from."""

    login = "jejo_api"

    api_host: str = Field("127.0.0.1", description="Address to listen on.")
    api_port: int = Field(8000, ge=1, le=65535, description="Port to listen on.")
    read_database_url: str | None = Field(None, description="A replica for reading KPIs; default: JEJO_DATABASE_URL.")
    api_connections: int = Field(
        8, ge=1, description="Most database connections of one process for answers, and as many for keys and writes."
    )
    api_requests_per_reader: int = Field(4, ge=1, description="Most requests of one key or session at once.")
    api_deadline_s: float = Field(30, gt=0, description="Seconds after which a request that has no answer is ended.")
    api_bulk_answers: int = Field(1, ge=1, description="Most bulk answers that one process makes at once.")
    api_bulk_deadline_s: float = Field(
        1800, gt=0, description="Seconds after which a bulk answer that is still being made is broken off."
    )
    dashboard_dir: Path | None = Field(None, description="The built dashboard; default: web/dist beside this program.")


class KeysSettings(Settings):
    """Settings of ``jejo keys``, which has a login of its own."""

    login = "jejo_keys"
