"""Ed25519 signatures over a record's bytes, and the headers that carry them."""

from nacl.bindings import crypto_core_ed25519_is_valid_point
from nacl.exceptions import CryptoError
from nacl.signing import SigningKey, VerifyKey

KEY_ID_HEADER = "jejo-key-id"
SIGNATURE_HEADER = "jejo-signature"


def sign(value: bytes, seed: bytes) -> bytes:
    """Return the 64-byte signature by the key of a 32-byte seed."""
    return SigningKey(seed).sign(value).signature


def verify(value: bytes, signature: bytes, public_key: bytes) -> bool:
    """Return whether the signature is the key's over exactly these bytes; other threads can run meanwhile."""
    if len(signature) != 64 or len(public_key) != 32:
        return False
    try:
        VerifyKey(public_key).verify(value, signature)
    except CryptoError:
        return False
    return True


def is_sound_public_key(public_key: bytes) -> bool:
    """Return whether 32 bytes are a point of the curve's main subgroup; with others signatures could be forged."""
    return len(public_key) == 32 and bool(crypto_core_ed25519_is_valid_point(public_key))
