"""A gateway's signing key: a file that only its owner can read, with the Ed25519 seed (32 bytes) as base64."""

import base64
import binascii
import os
from pathlib import Path

from nacl.signing import SigningKey

from services.core.errors import ConfigurationError

SEED_BYTES = 32


def create_key(path: Path) -> str:
    """Create a key, write its seed to a new file, and return the public key as base64, as the registry takes it.

    Raises:
        ConfigurationError: the file exists (a key in use must not be lost) or cannot be written.
    """
    key = SigningKey.generate()
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(base64.b64encode(bytes(key)) + b"\n")
    except FileExistsError:
        raise ConfigurationError(
            f"{path} exists already: choose another file, or remove it if the key is unused."
        ) from None
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be written ({error.strerror}): choose another place.") from error
    return public_key(bytes(key))


def read_key(path: Path) -> bytes:
    """Read the seed from a key file.

    Raises:
        ConfigurationError: the file cannot be read, or does not contain a seed.
    """
    try:
        seed = base64.b64decode(path.read_bytes().strip(), validate=True)
    except OSError as error:
        raise ConfigurationError(f"The key {path} cannot be read ({error.strerror}): name a file that can.") from error
    except binascii.Error:
        seed = b""
    if len(seed) != SEED_BYTES:
        raise ConfigurationError(
            f"{path} is not a key: it must contain 32 bytes as base64, as `jejo gateway keygen` writes them."
        )
    return seed


def public_key(seed: bytes) -> str:
    """Return the public key of a seed, as base64."""
    return base64.b64encode(bytes(SigningKey(seed).verify_key)).decode()
