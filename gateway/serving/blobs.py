"""Photos and files, named by their content: resumed at the byte, apart from orders."""

from __future__ import annotations

import asyncio
import hashlib
import os
from typing import TYPE_CHECKING, Final

from fieldmesh.basics import limits
from fieldmesh.basics.errors import Rejected
from fieldmesh.wire.v1 import blob_pb2
from gateway.storage import blobs as blob_rows

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from fieldmesh.basics.clock import Clock
    from fieldmesh.service.database import Database
    from gateway.serving.bandwidth import Bandwidth
    from gateway.serving.disk import DiskWatch
    from gateway.storage.signals import Signals

CHUNK_BYTES: Final = 256 * 1024
_SHA256_BYTES: Final = 32
_NOTE_EVERY_BYTES: Final = 4 * 1024 * 1024


class BlobStore:
    """The gateway's blob folder: one file per blob, named by its sha256 in hex."""

    def __init__(
        self,
        database: Database,
        folder: Path,
        *,
        clock: Clock,
        signals: Signals,
        disk: DiskWatch,
        bandwidth: Bandwidth,
    ) -> None:
        """Use ``folder``, which exists."""
        self._database = database
        self._folder = folder
        self._clock = clock
        self._signals = signals
        self._disk = disk
        self._bandwidth = bandwidth

    async def find(self, sha256: bytes) -> blob_pb2.BlobState:
        """How much of the blob is here.

        Raises:
            Rejected: ``bad_blob`` if that is no sha256.
        """
        _check_name(sha256)
        row = await self._database.read(lambda connection: blob_rows.find(connection, sha256))
        if row is None:
            return blob_pb2.BlobState(sha256=sha256)
        return blob_pb2.BlobState(sha256=sha256, held=row.held, complete=row.complete)

    async def put(self, chunks: AsyncIterator[blob_pb2.BlobChunk]) -> blob_pb2.BlobState:
        """Take chunks until the stream ends; what has come is kept when it is cut.

        Raises:
            Rejected: too large, a hole in the offsets, or other content than its name says.
            Retry: ``disk_full``.
        """
        first = await anext(chunks, None)
        if first is None:
            raise Rejected("bad_blob", place="first chunk")
        _check_name(first.sha256)
        if not 0 < first.size <= limits.BLOB_BYTES:
            raise Rejected("blob_too_large", size=first.size, most=limits.BLOB_BYTES)
        state = await self.find(first.sha256)
        if state.complete:
            return state
        self._disk.check_spool()
        held = await self._receive(first, chunks, held=state.held)
        return await self._close(first.sha256, size=first.size, held=held)

    async def _receive(
        self,
        first: blob_pb2.BlobChunk,
        chunks: AsyncIterator[blob_pb2.BlobChunk],
        *,
        held: int,
    ) -> int:
        path = self._path(first.sha256)
        noted = held
        chunk: blob_pb2.BlobChunk | None = first
        try:
            while chunk is not None:
                held = await self._take_chunk(chunk, path, size=first.size, held=held)
                if held - noted >= _NOTE_EVERY_BYTES:
                    await self._note(first.sha256, size=first.size, held=held)
                    noted = held
                chunk = await anext(chunks, None)
        finally:
            await self._note(first.sha256, size=first.size, held=held)
        return held

    async def _take_chunk(
        self, chunk: blob_pb2.BlobChunk, path: Path, *, size: int, held: int
    ) -> int:
        if len(chunk.data) > CHUNK_BYTES or chunk.offset + len(chunk.data) > size:
            raise Rejected("blob_too_large", size=chunk.offset + len(chunk.data), most=size)
        if chunk.offset > held:
            raise Rejected("bad_blob", place=f"offset {chunk.offset}, expected {held}")
        fresh = chunk.data[held - chunk.offset :]
        if fresh:
            await asyncio.to_thread(_write_at, path, held, fresh)
        return held + len(fresh)

    async def _note(self, sha256: bytes, *, size: int, held: int) -> None:
        if held:
            await asyncio.to_thread(_sync, self._path(sha256))
        row = blob_rows.BlobRow(sha256, size, held, complete=False, sent=0)
        now = self._clock.now()
        await self._database.write(lambda connection: blob_rows.note_held(connection, row, now))

    async def _close(self, sha256: bytes, *, size: int, held: int) -> blob_pb2.BlobState:
        if held < size:
            return blob_pb2.BlobState(sha256=sha256, held=held)
        path = self._path(sha256)
        right = await asyncio.to_thread(_digest, path) == sha256
        row = blob_rows.BlobRow(sha256, size, held if right else 0, complete=right, sent=0)
        now = self._clock.now()
        await self._database.write(lambda connection: blob_rows.note_held(connection, row, now))
        if not right:
            path.unlink(missing_ok=True)
            raise Rejected("blob_differs", sha256=sha256.hex())
        self._signals.blob_completed.give()
        return blob_pb2.BlobState(sha256=sha256, held=size, complete=True)

    async def get(self, sha256: bytes, offset: int) -> AsyncIterator[blob_pb2.BlobChunk]:
        """The blob from ``offset`` on.

        Raises:
            Rejected: ``blob_unknown`` when it is not here whole.
        """
        state = await self.find(sha256)
        if not state.complete:
            raise Rejected("blob_unknown", sha256=sha256.hex())
        if offset > state.held:
            raise Rejected("bad_blob", place=f"offset {offset}, of {state.held}")
        path = self._path(sha256)
        first = True
        while offset < state.held or first:
            data = await asyncio.to_thread(_read_at, path, offset, CHUNK_BYTES)
            await self._bandwidth.take(len(data))
            yield blob_pb2.BlobChunk(
                sha256=sha256 if first else b"",
                size=state.held if first else 0,
                offset=offset,
                data=data,
            )
            first = False
            offset += len(data)

    def _path(self, sha256: bytes) -> Path:
        return self._folder / sha256.hex()


def _check_name(sha256: bytes) -> None:
    if len(sha256) != _SHA256_BYTES:
        raise Rejected("bad_blob", place="sha256")


def _write_at(path: Path, offset: int, data: bytes) -> None:
    file = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        os.pwrite(file, data, offset)
    finally:
        os.close(file)


def _read_at(path: Path, offset: int, size: int) -> bytes:
    with path.open("rb") as file:
        file.seek(offset)
        return file.read(size)


def _sync(path: Path) -> None:
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def _digest(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()
