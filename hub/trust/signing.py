"""The key with which the hub signs orders to devices; every device holds its public half."""

from pathlib import Path
from typing import Self

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from fieldmesh.service.files import write_durably
from hub.trust.authority import key_to_pem, load_key, public_key_der

_FILE = "order_key.pem"


class OrderSigner:
    """Signs orders (ECDSA P-256, SHA-256, DER)."""

    def __init__(self, key: ec.EllipticCurvePrivateKey) -> None:
        """Signs with ``key``."""
        self._key = key
        self.public_key = public_key_der(key.public_key())

    @classmethod
    def create(cls, folder: Path) -> Self:
        """A new key, kept in ``folder``."""
        key = ec.generate_private_key(ec.SECP256R1())
        write_durably(folder / _FILE, key_to_pem(key))
        return cls(key)

    @classmethod
    def load_or_create(cls, folder: Path) -> Self:
        """The key of that folder; a new one if there is none."""
        return cls.load(folder) if (folder / _FILE).exists() else cls.create(folder)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """The key of that folder.

        Raises:
            Rejected: `key_file_missing`, `key_file_open_to_others` or `key_file_damaged`.
        """
        return cls(load_key(folder / _FILE))

    def sign(self, order: bytes) -> bytes:
        """The signature over ``order``."""
        return self._key.sign(order, ec.ECDSA(hashes.SHA256()))
