"""Settings shared by services: environment variables ``JEJO_...``, which an entry point reads once."""

import re
from pathlib import Path
from typing import ClassVar, TypeVar

from pydantic import Field, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from schemas.wire.topic import TELEMETRY_TOPIC
from services.core.database import LOGINS, address_for, user_in_address
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
    """Settings that every service has; each service's own class adds more."""

    model_config = SettingsConfigDict(env_prefix="JEJO_", frozen=True)

    login: ClassVar[str | None] = None
    """The database user that the service logs in as; None for the address's own user, the administrator."""

    # Before the addresses, whose validator uses it.
    database_passwords: Path | None = Field(
        None, description="A folder with a file per database login, named after it, that contains its password."
    )
    database_url: str = Field(
        "postgresql://jejo@127.0.0.1:5433/jejo",
        description="PostgreSQL with TimescaleDB. Services log in under their own names, not as the user named here.",
    )
    kafka_bootstrap_servers: str = Field(
        "127.0.0.1:9092", description="Kafka brokers to connect to first, HOST:PORT, separated by commas."
    )
    telemetry_topic: str = Field(TELEMETRY_TOPIC, description="Topic of the telemetry records.")
    require_signatures: bool = Field(
        True, description="False accepts unsigned records, marked as such, for closed networks."
    )
    log_level: str = Field("INFO", description="DEBUG, INFO, WARNING or ERROR.")
    log_format: LogFormat = Field(LogFormat.text, description="text, or json for programs that collect logs.")

    def read_passwords(self) -> dict[str, str]:
        """Return the passwords in the folder of passwords by login; empty without such a folder.

        Raises:
            ConfigurationError: a file cannot be read.
        """
        if self.database_passwords is None:
            return {}
        files = [self.database_passwords / login for login in LOGINS]
        try:
            return {file.name: read_password(file) for file in files if password_exists(file)}
        except ValueError as error:
            raise ConfigurationError(f"Correct JEJO_DATABASE_PASSWORDS: {error}.") from None

    @field_validator("kafka_bootstrap_servers")
    @classmethod
    def check_brokers(cls, servers: str) -> str:
        """Check that Kafka's client can parse the addresses."""
        if not BROKERS.fullmatch(servers):
            raise ValueError("write HOST:PORT, separated by commas")
        return servers

    @field_validator("telemetry_topic")
    @classmethod
    def check_topic(cls, name: str) -> str:
        """Check that Kafka accepts the name."""
        if not TOPIC.fullmatch(name) or name in (".", ".."):
            raise ValueError("write at most 249 letters, digits, dots, underscores and hyphens")
        return name

    @field_validator("log_level")
    @classmethod
    def check_log_level(cls, level: str) -> str:
        """Check the level, and return it in upper case."""
        if level.upper() not in LEVELS:
            raise ValueError("write DEBUG, INFO, WARNING or ERROR")
        return level.upper()

    @field_validator("database_url", "read_database_url", check_fields=False)
    @classmethod
    def add_login(cls, url: str | None, info: ValidationInfo) -> str | None:
        """Return the address with the service's login and its password."""
        if url is None:
            return url
        if not DATABASE_URL.fullmatch(url):
            raise ValueError("write postgresql://USER@HOST:PORT/DATABASE")
        login, folder = cls.login or user_in_address(url), info.data.get("database_passwords")
        if login is None:
            return url
        # Without a login of its own, a command may not use the database at all, so a password is optional.
        if folder is None or (cls.login is None and not password_exists(folder / login)):
            return address_for(url, login)
        return address_for(url, login, read_password(folder / login))


def read_password(file: Path) -> str:
    """Return the password in a file, without surrounding white space.

    Raises:
        ValueError: the file cannot be read, or contains no password.
    """
    try:
        password = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"the password in JEJO_DATABASE_PASSWORDS cannot be read: {error}") from None
    if not password or "\0" in password:
        raise ValueError(f"the file {file} in JEJO_DATABASE_PASSWORDS contains no password")
    return password


def password_exists(file: Path) -> bool:
    """Return whether a file exists.

    Raises:
        ValueError: its folder cannot be searched, or its name is too long.
    """
    try:
        return file.exists()
    except OSError as error:
        raise ValueError(f"the password in JEJO_DATABASE_PASSWORDS cannot be read: {error}") from None


class MigrationSettings(Settings):
    """Settings of ``jejo migrate``, which logs in as the owner of the tables."""

    login = "jejo_migrate"


class MetricsSettings(Settings):
    """Where services without an HTTP API serve their metrics."""

    metrics_host: str = Field("127.0.0.1", description="Address at which ingest and analytics serve their metrics.")


def read_settings(kind: type[S]) -> S:
    """Read settings from the environment.

    Raises:
        ConfigurationError: variables have invalid values; the message names each of them.
    """
    try:
        return kind()
    except ValidationError as error:
        wrong = "; ".join(
            f"JEJO_{str(e['loc'][0]).upper()}: {e['msg'].removeprefix('Value error, ')}" for e in error.errors()
        )
        raise ConfigurationError(f"Correct these environment variables: {wrong}.") from None
