"""Pieces of a download that was cut, so that it goes on at the byte where it stopped.

One file per download, sealed piece by piece under the database key (promise: nothing readable at
rest). Record: 4 bytes of length (big endian), then the sealed piece. Record 0 is the label: what
the gateway said about the download. Pieces are appended without fsync: after a power cut the
readable beginning counts, and the rest is asked for again.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from device_agent.storage.home import Home
from device_agent.storage.sealed import OVERHEAD_BYTES, seal, unseal
from fieldmesh.basics.errors import Rejected
from fieldmesh.service.storage_problems import disk_problem, file_problem

MOST_PIECE_BYTES = 1 << 20
_LENGTH_BYTES = 4


class Parts:
    """The pieces of one download: in memory when small, in a sealed file when not."""

    def __init__(self, key: bytes, path: Path | None, download_id: bytes) -> None:
        """Use `DownloadFolder`."""
        self._key = key
        self._path = path
        self.download_id = download_id
        self.held_bytes = 0
        self._pieces: list[bytes] = []
        self._digest = hashlib.sha256()

    @property
    def sha256(self) -> bytes:
        """Digest of all bytes held."""
        return self._digest.digest()

    def append(self, piece: bytes) -> None:
        """The piece follows what is held.

        Raises:
            Retry: `disk_full`, or what else the disk has.
        """
        if self._path is None:
            self._pieces.append(piece)
        else:
            with _disk(self._path), self._path.open("ab") as stream:
                stream.write(_record(self._key, piece, self._place(self.held_bytes)))
        self._digest.update(piece)
        self.held_bytes += len(piece)

    def pieces(self) -> Iterator[bytes]:
        """All bytes held, in order."""
        if self._path is None:
            yield from self._pieces
            return
        offset = 0
        for number, sealed in enumerate(_records(self._path)):
            if number:
                piece = unseal(self._key, sealed, self._place(offset))
                offset += len(piece)
                yield piece

    def load(self) -> None:
        """What of the file is whole is held; a damaged end is cut off."""
        if self._path is None:
            return
        good = 0
        for number, sealed in enumerate(_records(self._path)):
            if number:
                try:
                    piece = unseal(self._key, sealed, self._place(self.held_bytes))
                except Rejected:
                    break
                self._digest.update(piece)
                self.held_bytes += len(piece)
            good += _LENGTH_BYTES + len(sealed)
        with self._path.open("r+b") as stream:
            stream.truncate(good)

    def forget(self) -> None:
        """Nothing of the download is left. Repeating is harmless."""
        self._pieces.clear()
        if self._path is not None:
            self._path.unlink(missing_ok=True)

    def _place(self, offset: int) -> str:
        return f"{self.download_id.hex()} {offset}"


class DownloadFolder:
    """At most one download that waits to be finished."""

    def __init__(self, home: Home, key: bytes) -> None:
        """The folder of a device; reads nothing yet."""
        self._folder = home.download
        self._key = key

    def begin(self, download_id: bytes, *, size_bytes: int, small_bytes: int) -> Parts:
        """Room for a new download; earlier ones are gone.

        Args:
            download_id: 16 bytes.
            size_bytes: of the whole download.
            small_bytes: up to here pieces stay in memory: beginning again costs less than a file.

        Raises:
            Retry: `disk_full`, or what else the disk has.
        """
        self.forget()
        if size_bytes <= small_bytes:
            return Parts(self._key, None, download_id)
        path = self._folder / f"{download_id.hex()}.parts"
        with _disk(path):
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.touch(mode=0o600)
            with path.open("ab") as stream:
                stream.write(_record(self._key, download_id, "label"))
        return Parts(self._key, path, download_id)

    def unfinished(self) -> Parts | None:
        """The download that was cut, with what is held of it."""
        for path in sorted(self._folder.glob("*.parts")) if self._folder.exists() else []:
            try:
                first = next(iter(_records(path)), b"")
                download_id = unseal(self._key, first, "label")
            except Rejected:
                path.unlink(missing_ok=True)
                continue
            parts = Parts(self._key, path, download_id)
            parts.load()
            return parts
        return None

    def forget(self) -> None:
        """No download waits. Repeating is harmless."""
        if self._folder.exists():
            for path in self._folder.glob("*.parts"):
                path.unlink(missing_ok=True)


@contextmanager
def _disk(path: Path) -> Iterator[None]:
    """What the disk refuses in the block is told as its problem."""
    try:
        yield
    except OSError as error:
        raise file_problem(error, "download") or disk_problem(
            "download", path, str(error)
        ) from error


def _record(key: bytes, piece: bytes, place: str) -> bytes:
    sealed = seal(key, piece, place)
    return len(sealed).to_bytes(_LENGTH_BYTES, "big") + sealed


def _records(path: Path) -> Iterator[bytes]:
    """Sealed records that are there to their last byte."""
    with path.open("rb") as stream:
        while True:
            head = stream.read(_LENGTH_BYTES)
            length = int.from_bytes(head, "big")
            if len(head) < _LENGTH_BYTES or length > MOST_PIECE_BYTES + OVERHEAD_BYTES:
                return
            sealed = stream.read(length)
            if len(sealed) < length:
                return
            yield sealed
