"""Secrets that stand in the database sealed, so that a copy of the database alone does not tell them."""

import base64
import binascii
import secrets
from pathlib import Path
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from fieldmesh.basics.errors import Rejected
from fieldmesh.service.files import write_durably
from hub.trust.files import read_secret

_FILE = "vault.key"
_KEY_BYTES, _NONCE_BYTES = 32, 12


class Vault:
    """Seals with AES-256-GCM under a key beside the authority's."""

    def __init__(self, key: bytes) -> None:
        """Seals with ``key``."""
        self._cipher = AESGCM(key)

    @classmethod
    def load_or_create(cls, folder: Path) -> Self:
        """The vault of that folder.

        Raises:
            Rejected: `key_file_open_to_others`.
        """
        if not (folder / _FILE).exists():
            write_durably(folder / _FILE, secrets.token_bytes(_KEY_BYTES))
        return cls(read_secret(folder / _FILE))

    def seal(self, secret: bytes, about: bytes) -> str:
        """The secret as a text that only this vault opens, and only for the same ``about``."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return base64.urlsafe_b64encode(nonce + self._cipher.encrypt(nonce, secret, about)).decode()

    def open(self, sealed: str, about: bytes) -> bytes:
        """The secret.

        Raises:
            Rejected: `seal_broken`.
        """
        try:
            content = base64.urlsafe_b64decode(sealed)
            return self._cipher.decrypt(content[:_NONCE_BYTES], content[_NONCE_BYTES:], about)
        except (ValueError, binascii.Error, InvalidTag):
            raise Rejected("seal_broken", place="vault") from None
