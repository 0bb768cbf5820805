"""The files of photos: one per blob, named by its sha256 in hex, each written by one stream at a time.

A line that broke may leave a half-open stream behind, whose end comes after the device has sent the
photo by a newer one. So the stream that came last has the file, and whatever an earlier one still
wants with it is refused.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import sys
import threading
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final, TypeVar

from fieldmesh.basics.errors import Retry
from fieldmesh.service.files import sync
from gateway.storage import blobs

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from fieldmesh.service.database import Database

T = TypeVar("T")

LOG = logging.getLogger(__name__)

_NAME_LETTERS: Final = 64


class _Shared:
    """What all who want to write one file have in common."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lock = threading.Lock()
        self.holder: object = None
        self.whole = False
        self.users = 0


class HeldFile:
    """The right to write one blob's file, until somebody else takes it.

    Every method works in a thread, and raises Retry `session_cut` once the file has been taken over.
    """

    def __init__(self, shared: _Shared) -> None:
        """Not held yet."""
        self._shared = shared

    async def write(self, offset: int, data: bytes) -> None:
        """The bytes stand there, not durably yet."""
        await self._alone(lambda path: _write_at(path, offset, data))

    async def sync(self) -> None:
        """What was written survives a power cut, and so does the file's name."""
        await self._alone(_sync)

    async def keep_if_right(self, sha256: bytes) -> int:
        """The file has the content that its name says, and nobody writes it any more; or it is gone.

        Returns:
            Its size; 0 = it was wrong.
        """
        return await self._alone(lambda path: self._check(path, sha256))

    async def remove(self) -> None:
        """The file is gone."""
        await self._alone(lambda path: path.unlink(missing_ok=True))

    def _check(self, path: Path, sha256: bytes) -> int:
        if not _is_right(path, sha256):
            path.unlink(missing_ok=True)
            return 0
        self._shared.whole = True
        return _size(path)

    async def _alone(self, work: Callable[[Path], T]) -> T:
        return await asyncio.to_thread(self._if_held, work)

    def _if_held(self, work: Callable[[Path], T]) -> T:
        with self._shared.lock:
            if self._shared.holder is not self or self._shared.whole:
                raise Retry("session_cut", place="blob")
            return work(self._shared.path)

    def take(self) -> None:
        """It is held from now on. Waits for what another one is writing just now: call it in a thread."""
        with self._shared.lock:
            self._shared.holder = self

    def let_go(self) -> None:
        """Nothing is written any more by the one who held it. Waits: call it in a thread."""
        with self._shared.lock:
            if self._shared.holder is self:
                self._shared.holder = None


class BlobFiles:
    """The blob folder of one gateway."""

    def __init__(self, folder: Path) -> None:
        """Use ``folder``, which exists."""
        self._folder = folder
        self._held: dict[bytes, _Shared] = {}

    @asynccontextmanager
    async def hold(self, sha256: bytes) -> AsyncIterator[HeldFile]:
        """The caller alone writes the file; whoever had it before is refused from now on."""
        shared = self._held.setdefault(sha256, _Shared(self._path(sha256)))
        shared.users += 1
        file = HeldFile(shared)
        try:
            await asyncio.to_thread(file.take)
            yield file
        finally:
            try:
                # A thread may still be writing for a caller who was cancelled.
                await asyncio.to_thread(file.let_go)
            finally:
                shared.users -= 1
                if not shared.users:
                    del self._held[sha256]

    def is_held(self, sha256: bytes) -> bool:
        """Whether somebody writes the file just now."""
        return sha256 in self._held

    async def size(self, sha256: bytes) -> int:
        """Bytes of the file; 0 = there is none."""
        return await asyncio.to_thread(_size, self._path(sha256))

    async def read(self, sha256: bytes, offset: int, size: int) -> bytes:
        """At most so many bytes from there; none when the file has ended, or is not there."""
        return await asyncio.to_thread(_read_at, self._path(sha256), offset, size)

    async def is_right(self, sha256: bytes) -> bool:
        """Whether the file is there with the content that its name says."""
        return await asyncio.to_thread(_is_right, self._path(sha256), sha256)

    async def older(self, before: int) -> list[bytes]:
        """Names of the blobs whose files nobody has written since ``before``, UTC microseconds."""
        return await asyncio.to_thread(_older, self._folder, before)

    def _path(self, sha256: bytes) -> Path:
        return self._folder / sha256.hex()


async def forget_lost(database: Database, blob: blobs.BlobRow, *, there: int) -> None:
    """The blob's file (``there`` bytes) is not as row and name say: the disk lost it; nobody is told it is here."""
    if await database.write(lambda connection: blobs.forget_lost(connection, blob)):
        LOG.error(
            "photo_lost", extra={"sha256": blob.sha256.hex(), "size": blob.size, "there": there}
        )


def _write_at(path: Path, offset: int, data: bytes) -> None:
    file = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        view = memoryview(data)
        while view:
            done = os.pwrite(file, view, offset)
            view, offset = view[done:], offset + done
    finally:
        os.close(file)


def _read_at(path: Path, offset: int, size: int) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(offset)
            return file.read(size)
    except FileNotFoundError:
        return b""


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _is_right(path: Path, sha256: bytes) -> bool:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").digest() == sha256
    except FileNotFoundError:
        return False


def _sync(path: Path) -> None:
    sync(path)
    sync(path.parent)


def _older(folder: Path, before: int) -> list[bytes]:
    with os.scandir(folder) as entries:
        return [
            bytes.fromhex(entry.name)
            for entry in entries
            if _is_name(entry.name) and _written_at(entry) < before
        ]


def _written_at(entry: os.DirEntry[str]) -> int:
    try:
        return entry.stat().st_mtime_ns // 1_000
    except FileNotFoundError:
        return sys.maxsize


def _is_name(name: str) -> bool:
    return len(name) == _NAME_LETTERS and set(name) <= set("0123456789abcdef")
