"""Photos and files as gateways send them up, piece by piece, named by their sha256.

A gateway that hears `complete` sends the blob no more and deletes it some days later. So it is on disk
for good before that is said, content and name.
"""

import hashlib
import threading
from dataclasses import dataclass
from pathlib import Path

from fieldmesh.basics.errors import Rejected
from fieldmesh.basics.limits import BLOB_BYTES
from fieldmesh.service.files import sync

_SHA256_BYTES = 32
_LOCKS = 64


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
        # The same photo may come from two gateways at once, or again from one that has waited too long.
        self._locks = [threading.Lock() for _ in range(_LOCKS)]

    def take(self, sha256: bytes, size: int, offset: int, data: bytes) -> Held:
        """A piece is on disk; what is held already is left as it is. The last piece is checked against the name.

        Durability: what is told as complete survives a power cut.

        Raises:
            Rejected: `blob_too_large` or `blob_differs`; then the pieces are dropped.
        """
        if len(sha256) != _SHA256_BYTES or not 0 < size <= BLOB_BYTES or offset + len(data) > size:
            raise Rejected("blob_too_large", place="blob")
        with self._locks[sha256[0] % _LOCKS]:
            return self._take(sha256, size, offset, data)

    def _take(self, sha256: bytes, size: int, offset: int, data: bytes) -> Held:
        whole = self._folder / sha256.hex()
        if self._has_whole(whole, sha256, size):
            return Held(size, complete=True)
        self._make_folder()
        part = whole.with_suffix(".part")
        held = part.stat().st_size if part.exists() else 0
        if offset <= held < offset + len(data):
            with part.open("ab") as file:
                file.write(data[held - offset :])
            held = offset + len(data)
        if held < size:
            return Held(held, complete=False)
        if not _is_right(part, sha256):
            part.unlink()
            raise Rejected("blob_differs", place="blob")
        sync(part)
        part.replace(whole)
        sync(self._folder)
        return Held(size, complete=True)

    def _has_whole(self, whole: Path, sha256: bytes, size: int) -> bool:
        """Whether it is here, for good; a file that a power cut has spoilt makes way for a new one.

        Raises:
            Rejected: `blob_differs`: it is here, and not of the size that is told.
        """
        if not whole.exists():
            return False
        if whole.stat().st_size != size:
            if _is_right(whole, sha256):
                raise Rejected("blob_differs", place="blob")
            whole.unlink()
            return False
        # Whoever renamed it may have been killed before the name was on disk.
        sync(whole)
        sync(self._folder)
        return True

    def _make_folder(self) -> None:
        if not self._folder.is_dir():
            self._folder.mkdir(parents=True, exist_ok=True)
            sync(self._folder.parent)


def _is_right(path: Path, sha256: bytes) -> bool:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest() == sha256
