"""A password in a file gets into the addresses that want one, and into nothing else."""

from pathlib import Path

import pytest

from services.api.settings import ApiSettings
from services.core.errors import ConfigurationError
from services.core.settings import Settings, read_settings

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


@pytest.mark.parametrize("address", ["postgresql://jejo:own@db/jejo", "postgresql://db/jejo", "postgresql:///jejo"])
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
