"""Photos at a gateway: a device deletes its copy when it hears "complete", so that word has to hold."""

from __future__ import annotations

import asyncio
import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from fieldmesh.basics.clock import ManualClock
from fieldmesh.basics.errors import Rejected, Retry
from fieldmesh.service.database import Database
from fieldmesh.wire.v1 import blob_pb2
from gateway.replication import subscription
from gateway.serving.bandwidth import Bandwidth
from gateway.serving.blobs import BlobStore
from gateway.serving.disk import DiskWatch
from gateway.storage import blobs, cursors
from gateway.storage.blob_files import BlobFiles
from gateway.storage.database import open_database
from gateway.storage.signals import Signals

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

PHOTO = bytes(range(256)) * 20
NAME = hashlib.sha256(PHOTO).digest()
HALF = len(PHOTO) // 2


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    """A new gateway database."""
    made = await open_database(tmp_path / "gateway.db", b"g" * 16, ManualClock())
    yield made
    await made.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The blob folder."""
    made = tmp_path / "blobs"
    made.mkdir()
    return made


@pytest.fixture
def store(database: Database, folder: Path) -> BlobStore:
    """What devices meet."""
    clock = ManualClock()
    return BlobStore(
        database,
        BlobFiles(folder),
        clock=clock,
        signals=Signals(),
        disk=DiskWatch(folder, floor_bytes=0),
        bandwidth=Bandwidth(clock, ()),
    )


def piece(start: int, stop: int, content: bytes = PHOTO) -> blob_pb2.BlobChunk:
    """Bytes of the photo."""
    data = content[start:stop]
    return blob_pb2.BlobChunk(sha256=NAME, size=len(PHOTO), offset=start, data=data)


class Line:
    """A stream of pieces from a device that can be left half-open."""

    def __init__(self) -> None:
        """Nothing was sent."""
        self._sent: list[blob_pb2.BlobChunk | None] = []
        self._waits = False
        self._changed = asyncio.Condition()

    async def send(self, *chunks: blob_pb2.BlobChunk | None) -> None:
        """They come; None = the end of the stream."""
        async with self._changed:
            self._sent += chunks
            self._changed.notify_all()

    async def is_taken(self) -> None:
        """The gateway has dealt with what was sent and waits for more."""
        async with asyncio.timeout(5), self._changed:
            await self._changed.wait_for(lambda: self._waits and not self._sent)

    async def chunks(self) -> AsyncIterator[blob_pb2.BlobChunk]:
        """What the gateway reads."""
        while True:
            async with self._changed:
                self._waits = True
                self._changed.notify_all()
                await self._changed.wait_for(lambda: bool(self._sent))
                self._waits = False
                chunk = self._sent.pop(0)
            if chunk is None:
                return
            yield chunk


async def sent(store: BlobStore, *chunks: blob_pb2.BlobChunk) -> blob_pb2.BlobState:
    """What the gateway answers to a stream of these."""
    line = Line()
    await line.send(*chunks, None)
    return await store.put(line.chunks())


async def refused(store: BlobStore, line: Line) -> None:
    """The stream ends with the word that its line was cut."""
    with pytest.raises(Retry, match="cut"):
        await store.put(line.chunks())


async def content_of(store: BlobStore) -> bytes:
    """The photo as the gateway gives it."""
    return b"".join([chunk.data async for chunk in store.get(NAME, 0)])


def row(held: int, *, complete: bool) -> blobs.BlobRow:
    """A row of the photo."""
    return blobs.BlobRow(NAME, len(PHOTO), held, complete, sent=0)


async def test_a_late_note_takes_nothing_back(database: Database) -> None:
    """The device has deleted its copy: a photo that was made incomplete again would never go up."""
    for held, complete in ((HALF, False), (7, False)):
        noted = row(held, complete=complete)
        await database.write(lambda c, noted=noted: blobs.note_held(c, noted, 1))  # type: ignore[misc]
    found = await database.read(lambda c: blobs.find(c, NAME))
    assert found is not None
    assert found.held == HALF, "what is held only grows"
    await database.write(lambda c: blobs.note_held(c, row(len(PHOTO), complete=True), 2))
    await database.write(lambda c: blobs.note_held(c, row(HALF, complete=False), 3))
    await database.write(lambda c: blobs.begin_anew(c, NAME))
    found = await database.read(blobs.next_unsent)
    assert found is not None
    assert (found.held, found.complete) == (len(PHOTO), True)


@pytest.mark.parametrize("late", [None, piece(HALF, len(PHOTO), bytes(len(PHOTO)))])
async def test_a_stream_that_was_left_half_open_spoils_nothing_when_it_ends(
    store: BlobStore, late: blob_pb2.BlobChunk | None
) -> None:
    """A line breaks, the device sends the photo by a new one, and the old one's end comes after it."""
    old = Line()
    async with asyncio.TaskGroup() as group:
        group.create_task(refused(store, old))
        await old.send(piece(0, HALF))
        await old.is_taken()
        assert (await sent(store, piece(0, HALF), piece(HALF, len(PHOTO)))).complete
        await old.send(late, None)
    found = await store.find(NAME)
    assert (found.held, found.complete) == (len(PHOTO), True)
    assert await content_of(store) == PHOTO


async def test_of_two_streams_of_one_photo_the_later_one_writes(store: BlobStore) -> None:
    """Bytes of the one between those of the other would make a photo that is not what its name says."""
    old, new = Line(), Line()
    async with asyncio.TaskGroup() as both:
        async with asyncio.TaskGroup() as first:
            first.create_task(refused(store, old))
            await old.send(piece(0, 100))
            await old.is_taken()
            arriving = both.create_task(store.put(new.chunks()))
            await new.send(piece(0, HALF))
            await new.is_taken()
            await old.send(piece(100, HALF, bytes(len(PHOTO))), None)
        await new.send(piece(HALF, len(PHOTO)), None)
    assert arriving.result().complete
    assert await content_of(store) == PHOTO


async def test_a_stream_that_is_cut_keeps_what_came(store: BlobStore) -> None:
    """Without it a photo over a bad line would start anew for ever."""
    line = Line()
    async with asyncio.TaskGroup() as group:
        cut = group.create_task(store.put(line.chunks()))
        await line.send(piece(0, HALF))
        await line.is_taken()
        cut.cancel()
    assert (await store.find(NAME)).held == HALF
    assert (await sent(store, piece(HALF, len(PHOTO)))).complete


async def test_after_other_content_than_the_name_says_the_photo_begins_anew(
    store: BlobStore, folder: Path
) -> None:
    """What is held only grows, but not by what was thrown away."""
    with pytest.raises(Rejected):
        await sent(store, piece(0, len(PHOTO), bytes(len(PHOTO))))
    assert (await store.find(NAME)).held == 0
    assert not (folder / NAME.hex()).exists()
    assert (await sent(store, piece(0, len(PHOTO)))).complete


async def test_the_size_of_a_photo_is_its_own_not_what_somebody_told(
    store: BlobStore, database: Database
) -> None:
    """The hub refuses a piece that reaches beyond the size; photos behind it would wait for ever."""
    told = blob_pb2.BlobChunk(sha256=NAME, size=len(PHOTO) + 9, data=PHOTO)
    assert not (await sent(store, told)).complete
    assert (await sent(store, blob_pb2.BlobChunk(sha256=NAME, size=9, data=b""))).complete
    found = await database.read(blobs.next_unsent)
    assert found is not None
    assert (found.size, found.held) == (len(PHOTO), len(PHOTO))


async def test_a_photo_and_its_name_are_on_disk_before_complete_is_said(
    store: BlobStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The device deletes its copy at that word; a power cut must not take the gateway's."""
    done: list[str] = []
    sync, note = os.fsync, blobs.note_held

    def syncing(handle: int) -> None:
        done.append(str(Path(f"/proc/self/fd/{handle}").readlink()))
        sync(handle)

    def noting(connection: Any, blob: blobs.BlobRow, now: int) -> None:
        done.append("complete" if blob.complete else "held")
        note(connection, blob, now)

    monkeypatch.setattr(os, "fsync", syncing)
    monkeypatch.setattr(blobs, "note_held", noting)
    assert (await sent(store, piece(0, len(PHOTO)))).complete
    assert done == [str(folder / NAME.hex()), str(folder), "held", "complete"]


async def test_a_whole_photo_whose_file_is_gone_is_asked_for_again(
    store: BlobStore, folder: Path
) -> None:
    """A device that still has it must not hear that it is here."""
    await sent(store, piece(0, len(PHOTO)))
    (folder / NAME.hex()).unlink()
    found = await store.find(NAME)
    assert (found.held, found.complete) == (0, False)
    assert (await sent(store, piece(0, len(PHOTO)))).complete
    assert await content_of(store) == PHOTO


async def test_after_a_restored_hub_every_whole_photo_is_offered_again(database: Database) -> None:
    """Promise 1: the rows of the photos are replayed; the photos themselves stayed at the gateway for ever."""

    def restored(connection: Any) -> blobs.BlobRow | None:
        subscription.take_epochs(connection, [cursors.EpochStart(1, 0)], 1)
        blobs.note_held(connection, row(len(PHOTO), complete=True), 1)
        blobs.note_held(connection, blobs.BlobRow(bytes(32), 9, 3, complete=False, sent=0), 1)
        blobs.note_sent(connection, NAME, sent=len(PHOTO), now=2)
        assert blobs.next_unsent(connection) is None
        assert subscription.take_epochs(connection, [cursors.EpochStart(2, 60)], 3)
        return blobs.next_unsent(connection)

    found = await database.write(restored)
    assert found is not None
    assert (found.sha256, found.sent) == (NAME, 0)


async def test_the_days_that_a_photo_is_kept_begin_when_the_hub_has_it(database: Database) -> None:
    """It may have waited for weeks; a hub restored from yesterday's backup still asks for it."""
    await database.write(lambda c: blobs.note_held(c, row(len(PHOTO), complete=True), 10))
    await database.write(lambda c: blobs.note_sent(c, NAME, sent=len(PHOTO), now=90))
    assert await database.write(lambda c: blobs.forget_old(c, before=90, most=9)) == []
    assert await database.write(lambda c: blobs.forget_old(c, before=91, most=9)) == [NAME]
