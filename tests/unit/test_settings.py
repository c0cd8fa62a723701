"""Tests of settings: invalid values are rejected at start, and each service gets its own database login."""

from pathlib import Path

import pytest

from services.api.settings import ApiSettings
from services.core.errors import ConfigurationError
from services.core.settings import Settings, read_settings
from services.ingest.settings import IngestSettings

ADDRESS = "postgresql://jejo@db:5432/jejo"


@pytest.fixture
def passwords(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for login in ("jejo", "jejo_api", "reader"):
        (tmp_path / login).write_text(f"{login}/b:c@d e%\n")
    monkeypatch.setenv("JEJO_DATABASE_PASSWORDS", str(tmp_path))
    return tmp_path


def test_a_service_uses_its_own_login_and_password(passwords: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JEJO_DATABASE_URL", ADDRESS)
    monkeypatch.setenv("JEJO_READ_DATABASE_URL", "postgresql://reader:own@replica/jejo?sslmode=require")
    settings = read_settings(ApiSettings)
    assert settings.database_url == "postgresql://jejo_api:jejo_api%2Fb%3Ac%40d%20e%25@db:5432/jejo"
    assert (
        settings.read_database_url == "postgresql://jejo_api:jejo_api%2Fb%3Ac%40d%20e%25@replica/jejo?sslmode=require"
    )


def test_the_administrator_uses_the_login_in_the_address(passwords: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JEJO_DATABASE_URL", ADDRESS)
    assert read_settings(Settings).database_url == "postgresql://jejo:jejo%2Fb%3Ac%40d%20e%25@db:5432/jejo"
    monkeypatch.setenv("JEJO_DATABASE_URL", "postgresql://stranger@db/jejo")
    assert read_settings(Settings).database_url == "postgresql://stranger@db/jejo"


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("postgresql://jejo:own@db/jejo", "postgresql://jejo_api@db/jejo"),
        ("postgresql://jejo_api:own@db/jejo", "postgresql://jejo_api:own@db/jejo"),
        ("postgresql://jejo%5Fapi@db/jejo", "postgresql://jejo%5Fapi@db/jejo"),
        ("postgresql://db/jejo?user=jejo&password=own", "postgresql://jejo_api@db/jejo"),
        ("postgresql://db/jejo?ssl=on&user=jejo&password=own&host=a", "postgresql://jejo_api@db/jejo?ssl=on&host=a"),
        ("postgresql://jejo@db/jejo?password=own&passfile=b", "postgresql://jejo_api@db/jejo?passfile=b"),
        ("postgresql://db/jejo?user=jejo%5Fapi&password=own", "postgresql://db/jejo?user=jejo%5Fapi&password=own"),
        ("postgresql://db/jejo", "postgresql://jejo_api@db/jejo"),
        ("postgresql:///jejo?host=/a@b", "postgresql://jejo_api@/jejo?host=/a@b"),
        ("postgres://[::1]:1,db:2/j?a=b", "postgres://jejo_api@[::1]:1,db:2/j?a=b"),
    ],
)
def test_a_password_in_the_address_is_used_only_for_its_user(
    monkeypatch: pytest.MonkeyPatch, address: str, expected: str
) -> None:
    monkeypatch.setenv("JEJO_DATABASE_URL", address)
    assert read_settings(ApiSettings).database_url == expected
    assert read_settings(Settings).database_url == address


def test_a_missing_password_file_is_reported(passwords: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (passwords / "jejo_api").unlink()
    with pytest.raises(ConfigurationError, match=r"JEJO_DATABASE_PASSWORDS cannot be read: .*No such file"):
        read_settings(ApiSettings)


@pytest.mark.parametrize("content", ["", "\n", "a\0b"])
def test_a_file_without_a_password_is_reported(passwords: Path, monkeypatch: pytest.MonkeyPatch, content: str) -> None:
    """PostgreSQL would take an empty password for none at all, and remove the login's."""
    (passwords / "jejo_api").write_text(content)
    with pytest.raises(ConfigurationError, match="jejo_api in JEJO_DATABASE_PASSWORDS contains no password"):
        read_settings(ApiSettings)
    with pytest.raises(ConfigurationError, match="jejo_api in JEJO_DATABASE_PASSWORDS contains no password"):
        read_settings(Settings).read_passwords()


def test_a_password_that_cannot_be_looked_up_is_reported(passwords: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JEJO_DATABASE_URL", f"postgresql://{'x' * 300}@db/jejo")
    with pytest.raises(ConfigurationError, match=r"JEJO_DATABASE_PASSWORDS cannot be read: .*File name too long"):
        read_settings(Settings)


def test_an_at_sign_in_a_parameter_ends_no_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JEJO_DATABASE_URL", "postgresql://db?application_name=me@here")
    assert read_settings(ApiSettings).database_url == "postgresql://jejo_api@db?application_name=me@here"


def test_read_passwords_returns_the_logins_that_have_a_file(passwords: Path) -> None:
    assert read_settings(Settings).read_passwords() == {"jejo_api": "jejo_api/b:c@d e%"}


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("JEJO_DATABASE_URL", "127.0.0.1:5433/jejo", "JEJO_DATABASE_URL: write postgresql://USER@HOST:PORT/DATABASE."),
        ("JEJO_DATABASE_URL", "postgresql://jejo@db:port/jejo", "JEJO_DATABASE_URL: write postgresql://"),
        ("JEJO_READ_DATABASE_URL", "mysql://db/jejo", "JEJO_READ_DATABASE_URL: write postgresql://"),
        (
            "JEJO_KAFKA_BOOTSTRAP_SERVERS",
            "kafka:port",
            "SERVERS: write HOST:PORT, separated by commas.",
        ),
        ("JEJO_KAFKA_BOOTSTRAP_SERVERS", "", "JEJO_KAFKA_BOOTSTRAP_SERVERS: write HOST:PORT"),
        ("JEJO_TELEMETRY_TOPIC", "two words", "JEJO_TELEMETRY_TOPIC: write at most 249 letters"),
        ("JEJO_LOG_LEVEL", "chatty", "JEJO_LOG_LEVEL: write DEBUG, INFO, WARNING or ERROR."),
        ("JEJO_KAFKA_HEARTBEAT_MS", "10000", "JEJO_KAFKA_HEARTBEAT_MS: write less than JEJO_KAFKA_SESSION_TIMEOUT_MS."),
    ],
)
def test_invalid_values_are_rejected_at_start(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, message: str
) -> None:
    monkeypatch.setenv(variable, value)
    kind = ApiSettings if "READ" in variable else IngestSettings
    with pytest.raises(ConfigurationError) as rejected:
        read_settings(kind)
    assert message in str(rejected.value)


@pytest.mark.parametrize("servers", ["kafka", "kafka:9092", "[::1]:9092", "a.b-c:1,d:2", "a:1, b:2"])
def test_lists_of_brokers_are_accepted(monkeypatch: pytest.MonkeyPatch, servers: str) -> None:
    monkeypatch.setenv("JEJO_KAFKA_BOOTSTRAP_SERVERS", servers)
    monkeypatch.setenv("JEJO_LOG_LEVEL", "debug")
    settings = read_settings(Settings)
    assert (settings.kafka_bootstrap_servers, settings.log_level) == (servers, "DEBUG")
