"""A value that cannot be used is refused at once; a password in a file gets into the addresses that want one."""

from pathlib import Path

import pytest

from services.api.settings import ApiSettings
from services.core.errors import ConfigurationError
from services.core.settings import Settings, read_settings
from services.ingest.settings import IngestSettings

ADDRESS = "postgresql://jejo@db:5432/jejo"


@pytest.fixture
def password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "password"
    file.write_text("a/b:c@d e%\n")
    monkeypatch.setenv("JEJO_DATABASE_PASSWORD_FILE", str(file))
    return file


def test_it_is_put_into_both_addresses_quoted(password: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JEJO_DATABASE_URL", ADDRESS)
    monkeypatch.setenv("JEJO_READ_DATABASE_URL", "postgresql://reader@replica/jejo?sslmode=require")
    settings = read_settings(ApiSettings)
    assert settings.database_url == "postgresql://jejo:a%2Fb%3Ac%40d%20e%25@db:5432/jejo"
    assert settings.read_database_url == "postgresql://reader:a%2Fb%3Ac%40d%20e%25@replica/jejo?sslmode=require"


@pytest.mark.parametrize(
    "address",
    ["postgresql://jejo:own@db/jejo", "postgresql://db/jejo", "postgresql:///jejo", "postgres://[::1]:1,db:2/j?a=b"],
)
def test_addresses_with_a_password_or_without_a_user_stay(
    password: Path, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("JEJO_DATABASE_URL", address)
    assert read_settings(Settings).database_url == address


def test_without_a_file_nothing_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JEJO_DATABASE_URL", ADDRESS)
    assert read_settings(Settings).database_url == ADDRESS
    assert read_settings(ApiSettings).read_database_url is None


def test_a_file_that_is_not_there_is_named(password: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    password.unlink()
    monkeypatch.setenv("JEJO_DATABASE_URL", ADDRESS)
    with pytest.raises(ConfigurationError, match=r"JEJO_DATABASE_PASSWORD_FILE cannot be read: .*No such file"):
        read_settings(Settings)


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("JEJO_DATABASE_URL", "127.0.0.1:5433/jejo", "JEJO_DATABASE_URL: write postgresql://USER@HOST:PORT/DATABASE."),
        ("JEJO_DATABASE_URL", "postgresql://jejo@db:port/jejo", "JEJO_DATABASE_URL: write postgresql://"),
        ("JEJO_READ_DATABASE_URL", "mysql://db/jejo", "JEJO_READ_DATABASE_URL: write postgresql://"),
        ("JEJO_KAFKA_BOOTSTRAP_SERVERS", "kafka:port", "JEJO_KAFKA_BOOTSTRAP_SERVERS: write HOST:PORT, by comma."),
        ("JEJO_KAFKA_BOOTSTRAP_SERVERS", "", "JEJO_KAFKA_BOOTSTRAP_SERVERS: write HOST:PORT"),
        ("JEJO_TELEMETRY_TOPIC", "two words", "JEJO_TELEMETRY_TOPIC: write at most 249 letters"),
        ("JEJO_LOG_LEVEL", "chatty", "JEJO_LOG_LEVEL: write DEBUG, INFO, WARNING or ERROR."),
        ("JEJO_KAFKA_HEARTBEAT_MS", "10000", "JEJO_KAFKA_HEARTBEAT_MS: write less than JEJO_KAFKA_SESSION_TIMEOUT_MS."),
    ],
)
def test_what_would_fail_later_is_refused_at_once(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, said: str
) -> None:
    monkeypatch.setenv(variable, value)
    kind = ApiSettings if "READ" in variable else IngestSettings
    with pytest.raises(ConfigurationError) as refused:
        read_settings(kind)
    assert said in str(refused.value)


@pytest.mark.parametrize("servers", ["kafka", "kafka:9092", "[::1]:9092", "a.b-c:1,d:2", "a:1, b:2"])
def test_addresses_of_brokers_may_be_many(monkeypatch: pytest.MonkeyPatch, servers: str) -> None:
    monkeypatch.setenv("JEJO_KAFKA_BOOTSTRAP_SERVERS", servers)
    monkeypatch.setenv("JEJO_LOG_LEVEL", "debug")
    settings = read_settings(Settings)
    assert (settings.kafka_bootstrap_servers, settings.log_level) == (servers, "DEBUG")
