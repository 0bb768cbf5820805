"""AES-GCM under a 32-byte key, for the files that stand beside the database.

Wire form: 12 bytes of nonce, then ciphertext with its 16-byte tag. The place (file name, position)
is bound in as associated data, so that pieces cannot be exchanged for one another.
"""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from fieldmesh.basics.errors import Rejected

KEY_BYTES = 32
NONCE_BYTES = 12
OVERHEAD_BYTES = NONCE_BYTES + 16


def new_key() -> bytes:
    """A fresh random key."""
    return os.urandom(KEY_BYTES)


def seal(key: bytes, content: bytes, place: str) -> bytes:
    """The content, readable only with the key and only at its place."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, content, place.encode())


def unseal(key: bytes, sealed: bytes, place: str) -> bytes:
    """The content that was sealed.

    Raises:
        Rejected: `sealed_file_damaged`: another key, another place, or altered bytes.
    """
    try:
        return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], place.encode())
    except (InvalidTag, ValueError):
        raise Rejected("sealed_file_damaged", place=place) from None
