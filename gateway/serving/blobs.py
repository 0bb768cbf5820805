"""Photos and files, named by their content: resumed at the byte, apart from orders."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

from fieldmesh.basics import limits
from fieldmesh.basics.errors import Rejected, Retry
from fieldmesh.wire.v1 import blob_pb2
from gateway.storage import blobs as blob_rows
from gateway.storage.blob_files import forget_lost

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from fieldmesh.basics.clock import Clock
    from fieldmesh.service.database import Database
    from gateway.serving.bandwidth import Bandwidth
    from gateway.serving.disk import DiskWatch
    from gateway.storage.blob_files import BlobFiles, HeldFile
    from gateway.storage.signals import Signals

CHUNK_BYTES: Final = 256 * 1024
_SHA256_BYTES: Final = 32
_NOTE_EVERY_BYTES: Final = 4 * 1024 * 1024


class BlobStore:
    """Photos and files as devices bring and fetch them."""

    def __init__(
        self,
        database: Database,
        files: BlobFiles,
        *,
        clock: Clock,
        signals: Signals,
        disk: DiskWatch,
        bandwidth: Bandwidth,
    ) -> None:
        """Rows stand in ``database``, contents in ``files``."""
        self._database = database
        self._files = files
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
        there = await self._files.size(sha256)
        if row.complete and there != row.size:
            # Whoever hears "complete" deletes their copy.
            await forget_lost(self._database, row, there=there)
            return blob_pb2.BlobState(sha256=sha256)
        return blob_pb2.BlobState(sha256=sha256, held=min(row.held, there), complete=row.complete)

    async def put(self, chunks: AsyncIterator[blob_pb2.BlobChunk]) -> blob_pb2.BlobState:
        """Take chunks until the stream ends; what has come is kept when it is cut.

        ``complete`` is answered when the whole blob survives a power cut.

        Raises:
            Rejected: too large, a hole in the offsets, or other content than its name says.
            Retry: ``disk_full``; ``session_cut`` when a newer stream brings the same blob.
        """
        first = await anext(chunks, None)
        if first is None:
            raise Rejected("bad_blob", place="first chunk")
        _check_name(first.sha256)
        if not 0 < first.size <= limits.BLOB_BYTES:
            raise Rejected("blob_too_large", size=first.size, most=limits.BLOB_BYTES)
        async with self._files.hold(first.sha256) as file:
            state = await self.find(first.sha256)
            if state.complete:
                return state
            self._disk.check_spool()
            held = await self._receive(first, chunks, file, held=state.held)
            return await self._close(first, file, held=held)

    async def _receive(
        self,
        first: blob_pb2.BlobChunk,
        chunks: AsyncIterator[blob_pb2.BlobChunk],
        file: HeldFile,
        *,
        held: int,
    ) -> int:
        noted = held
        chunk: blob_pb2.BlobChunk | None = first
        try:
            while chunk is not None:
                held = await _take_chunk(chunk, file, size=first.size, held=held)
                if held - noted >= _NOTE_EVERY_BYTES:
                    await self._note(first, file, held=held)
                    noted = held
                chunk = await anext(chunks, None)
        except BaseException:
            # What ended the stream is told, not that the file may have been taken over meanwhile.
            with suppress(Retry):
                await self._note(first, file, held=held)
            raise
        await self._note(first, file, held=held)
        return held

    async def _note(self, first: blob_pb2.BlobChunk, file: HeldFile, *, held: int) -> None:
        if not held:
            return
        await file.sync()
        await self._write_row(first.sha256, size=first.size, held=held, complete=False)

    async def _close(
        self, first: blob_pb2.BlobChunk, file: HeldFile, *, held: int
    ) -> blob_pb2.BlobState:
        sha256 = first.sha256
        if held < first.size:
            return blob_pb2.BlobState(sha256=sha256, held=held)
        size = await file.keep_if_right(sha256)
        if not size:
            await self._database.write(lambda connection: blob_rows.begin_anew(connection, sha256))
            raise Rejected("blob_differs", sha256=sha256.hex())
        await self._write_row(sha256, size=size, held=size, complete=True)
        self._signals.blob_completed.give()
        return blob_pb2.BlobState(sha256=sha256, held=size, complete=True)

    async def _write_row(self, sha256: bytes, *, size: int, held: int, complete: bool) -> None:
        row = blob_rows.BlobRow(sha256, size, held, complete, sent=0)
        now = self._clock.now()
        await self._database.write(lambda connection: blob_rows.note_held(connection, row, now))

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
        first = True
        while offset < state.held or first:
            size = self._bandwidth.piece_bytes(CHUNK_BYTES)
            data = await self._files.read(sha256, offset, size)
            if not data and offset < state.held:
                raise Rejected("blob_unknown", sha256=sha256.hex())
            await self._bandwidth.take(len(data))
            yield blob_pb2.BlobChunk(
                sha256=sha256 if first else b"",
                size=state.held if first else 0,
                offset=offset,
                data=data,
            )
            first = False
            offset += len(data)


def _check_name(sha256: bytes) -> None:
    if len(sha256) != _SHA256_BYTES:
        raise Rejected("bad_blob", place="sha256")


async def _take_chunk(chunk: blob_pb2.BlobChunk, file: HeldFile, *, size: int, held: int) -> int:
    if len(chunk.data) > CHUNK_BYTES:
        raise Rejected("blob_piece_too_large", size=len(chunk.data), most=CHUNK_BYTES)
    if chunk.offset + len(chunk.data) > size:
        raise Rejected("blob_differs", place=f"byte {chunk.offset + len(chunk.data)} of {size}")
    if chunk.offset > held:
        raise Rejected("blob_gap", offset=chunk.offset, held=held)
    fresh = chunk.data[held - chunk.offset :]
    if fresh:
        await file.write(held, fresh)
    return held + len(fresh)
