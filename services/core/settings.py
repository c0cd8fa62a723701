"""Settings that more than one service reads: environment variables ``JEJO_...``, read once by an entry point."""

import re
from pathlib import Path
from typing import ClassVar, TypeVar

from pydantic import Field, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from schemas.wire.topic import TELEMETRY_TOPIC
from services.core.database import LOGINS, address_for, user_of
from services.core.errors import ConfigurationError
from services.core.logging import LogFormat

S = TypeVar("S", bound=BaseSettings)

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
BROKER = r"(?:\[[0-9A-Fa-f:.]+\]|[^\s,:\[\]]+)(?::[0-9]{1,5})?"
BROKERS = re.compile(rf"{BROKER}(?:, *{BROKER})*")
SERVER = r"(?:\[[0-9A-Fa-f:.]+\]|[^\s,:/?\[\]]*)(?::[0-9]{1,5})?"
DATABASE_URL = re.compile(rf"postgres(?:ql)?://(?:[^@/?]*@)?{SERVER}(?:,{SERVER})*(?:[/?].*)?")
TOPIC = re.compile(r"[A-Za-z0-9._-]{1,249}")


class Settings(BaseSettings):
    """Addresses of the servers that Jejo stands on; each service adds its own settings."""

    model_config = SettingsConfigDict(env_prefix="JEJO_", frozen=True)

    login: ClassVar[str | None] = None
    """The database user that the service logs in as; the address's own user is the administrator."""

    # Above the addresses, since it is read into them.
    database_passwords: Path | None = Field(
        None, description="A folder with a file per database login, named like it, that holds its password."
    )
    database_url: str = Field(
        "postgresql://jejo@127.0.0.1:5433/jejo",
        description="PostgreSQL with TimescaleDB. Services log in under their own names, not as the user named here.",
    )
    kafka_bootstrap_servers: str = Field(
        "127.0.0.1:9092", description="Kafka brokers to start from, host:port, by comma."
    )
    telemetry_topic: str = Field(TELEMETRY_TOPIC, description="Topic of the telemetry records.")
    require_signatures: bool = Field(
        True, description="False lets unsigned records in, marked as such (closed networks)."
    )
    log_level: str = Field("INFO", description="DEBUG, INFO, WARNING or ERROR.")
    log_format: LogFormat = Field(LogFormat.text, description="text, or json for programs that collect logs.")

    def passwords_of_logins(self) -> dict[str, str]:
        """Password by login, from the folder of passwords; empty where there is none.

        Raises:
            ConfigurationError: a file cannot be read.
        """
        if self.database_passwords is None:
            return {}
        files = [self.database_passwords / login for login in LOGINS]
        try:
            return {file.name: read_password(file) for file in files if file.exists()}
        except ValueError as error:
            raise ConfigurationError(f"Correct JEJO_DATABASE_PASSWORDS: {error}.") from None

    @field_validator("kafka_bootstrap_servers")
    @classmethod
    def of_brokers(cls, servers: str) -> str:
        """Addresses that a client of Kafka can read."""
        if not BROKERS.fullmatch(servers):
            raise ValueError("write HOST:PORT, by comma")
        return servers

    @field_validator("telemetry_topic")
    @classmethod
    def of_a_topic(cls, name: str) -> str:
        """A name that Kafka takes."""
        if not TOPIC.fullmatch(name) or name in (".", ".."):
            raise ValueError("write at most 249 letters, digits, dots, underscores and hyphens")
        return name

    @field_validator("log_level")
    @classmethod
    def of_a_level(cls, level: str) -> str:
        """In either case."""
        if level.upper() not in LEVELS:
            raise ValueError("write DEBUG, INFO, WARNING or ERROR")
        return level.upper()

    @field_validator("database_url", "read_database_url", check_fields=False)
    @classmethod
    def of_the_login(cls, url: str | None, info: ValidationInfo) -> str | None:
        """The address with the service's login and the password of that login."""
        if url is None:
            return url
        if not DATABASE_URL.fullmatch(url):
            raise ValueError("write postgresql://USER@HOST:PORT/DATABASE")
        login, folder = cls.login or user_of(url), info.data.get("database_passwords")
        if login is None:
            return url
        # Commands that work with no database have no login, and need no password.
        if folder is None or (cls.login is None and not (folder / login).exists()):
            return address_for(url, login)
        return address_for(url, login, read_password(folder / login))


def read_password(file: Path) -> str:
    """The password in a file, without the line's end.

    Raises:
        ValueError: the file cannot be read.
    """
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"the password in JEJO_DATABASE_PASSWORDS cannot be read: {error}") from None


class MigrationSettings(Settings):
    """What ``jejo migrate`` works as: the owner of the tables."""

    login = "jejo_migrate"


class MetricsSettings(Settings):
    """Where a service without an HTTP address of its own serves its figures."""

    metrics_host: str = Field("127.0.0.1", description="Address at which ingest and analytics serve their metrics.")


def read_settings(kind: type[S]) -> S:
    """The settings from the environment.

    Raises:
        ConfigurationError: a variable has a value that cannot be used; the message names each.
    """
    try:
        return kind()
    except ValidationError as error:
        wrong = "; ".join(
            f"JEJO_{str(e['loc'][0]).upper()}: {e['msg'].removeprefix('Value error, ')}" for e in error.errors()
        )
        raise ConfigurationError(f"Correct these environment variables: {wrong}.") from None
