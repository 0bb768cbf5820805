"""Photos and files as gateways send them up, piece by piece, named by their sha256."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from fieldmesh.basics.errors import Rejected
from fieldmesh.basics.limits import BLOB_BYTES

_SHA256_BYTES = 32


@dataclass(frozen=True, slots=True)
class Held:
    """What the hub has of a blob."""

    size: int
    complete: bool


class Blobs:
    """Files in a folder; blocking, so call it in a thread."""

    def __init__(self, folder: Path) -> None:
        """Whole blobs stand in ``folder`` under their sha256 in hex, others end in .part."""
        self._folder = folder

    def take(self, sha256: bytes, size: int, offset: int, data: bytes) -> Held:
        """A piece is on disk; what is held already is left as it is. The last piece is checked against the name.

        Raises:
            Rejected: `blob_too_large` or `blob_differs`; then the pieces are dropped.
        """
        if len(sha256) != _SHA256_BYTES or not 0 < size <= BLOB_BYTES or offset + len(data) > size:
            raise Rejected("blob_too_large", place="blob")
        whole = self._folder / sha256.hex()
        if whole.exists():
            return Held(size, complete=True)
        self._folder.mkdir(parents=True, exist_ok=True)
        part = whole.with_suffix(".part")
        held = part.stat().st_size if part.exists() else 0
        if offset <= held < offset + len(data):
            with part.open("ab") as file:
                file.write(data[held - offset :])
            held = offset + len(data)
        if held < size:
            return Held(held, complete=False)
        if hashlib.sha256(part.read_bytes()).digest() != sha256:
            part.unlink()
            raise Rejected("blob_differs", place="blob")
        part.replace(whole)
        return Held(size, complete=True)
