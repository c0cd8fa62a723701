"""Signing key files."""

import base64
import stat
from pathlib import Path

import pytest
from nacl.signing import SigningKey

from services.core.errors import ConfigurationError
from services.gateway.keys import create_key, public_key, read_key


def test_only_the_owner_can_read_a_new_key_which_reads_back(tmp_path: Path) -> None:
    path = tmp_path / "gateway.key"
    public = create_key(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    seed = read_key(path)
    assert public == public_key(seed) == base64.b64encode(bytes(SigningKey(seed).verify_key)).decode()


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
def test_a_key_written_by_another_program_is_read_whatever_its_permissions(tmp_path: Path, end: bytes) -> None:
    path = tmp_path / "gateway.key"
    path.write_bytes(base64.b64encode(bytes(range(32))) + end)
    path.chmod(0o644)
    assert read_key(path) == bytes(range(32))


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "gateway.key"
    create_key(path)
    before = path.read_bytes()
    with pytest.raises(ConfigurationError, match="exists already"):
        create_key(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"not base64!", base64.b64encode(b"short"), b"\xff" * 44])
def test_an_invalid_key_file_is_rejected(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "gateway.key"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError, match="is not a key"):
        read_key(path)


def test_a_missing_key_is_a_configuration_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_key(tmp_path / "none")
