"""Forgetting what is old: receipted batches, sessions, removals, photos that the hub has."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Final

from fieldmesh.basics.errors import Retry
from gateway.storage import blobs, cache, cursors, outbox, room, sessions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.replication.parts import ReplicationParts
    from gateway.storage.blob_files import BlobFiles
    from gateway.storage.transaction import Transaction

_DAY_US: Final = 24 * 3_600 * 1_000_000
_LOOK_S: Final = 600.0
_PIECE: Final = 2_000
_PHOTOS: Final = 200
"""So many photos are looked at, and lose their rows, in one transaction."""


async def run_upkeep(parts: ReplicationParts, files: BlobFiles) -> None:
    """Forget what is older than it has to be, for ever."""
    swept_on = -1
    while True:
        now = parts.clock.now()
        day = now // _DAY_US
        keep = now - parts.limits.keep_batches_days * _DAY_US
        while await parts.database.write(partial(_forget_piece, before=keep)) == _PIECE:
            pass
        oldest_day = day - parts.limits.keep_removals_days
        await parts.database.write(partial(_prune, day=day, oldest_day=oldest_day))
        await forget_photos(parts, files, before=keep)
        if day != swept_on:
            await sweep_photos(parts, files, before=keep)
            swept_on = day
        await give_room_back(parts)
        parts.metrics.progressed("upkeep")
        await asyncio.sleep(_LOOK_S)


async def give_room_back(parts: ReplicationParts) -> None:
    """What the database has grown by and no longer needs is the disk's again, in pieces, others write between."""
    while await parts.database.maintain(room.give_back):
        pass


def _prune(connection: Transaction, *, day: int, oldest_day: int) -> int:
    cursors.note_day(connection, day)
    through = cursors.mark_of_day(connection, oldest_day)
    return cache.prune_removals(connection, through_lsn=through) if through else 0


def _forget_piece(connection: Transaction, *, before: int) -> int:
    gone = outbox.forget_older(connection, receipted_before=before, most=_PIECE)
    sessions.forget_older(connection, started_before=before, most=_PIECE)
    return gone


async def forget_photos(parts: ReplicationParts, files: BlobFiles, *, before: int) -> None:
    """Photos that the hub has had whole since ``before``, and halves of that age, are gone from this gateway's disk.

    Whole ones stay as long as batches do: a hub that is restored from a backup lacks what came after it.
    """
    forget = partial(blobs.forget_old, before=before, most=_PHOTOS)
    while names := await parts.database.write(forget):
        await _remove_strays(parts, files, names)


async def sweep_photos(parts: ReplicationParts, files: BlobFiles, *, before: int) -> None:
    """Files that no row knows are gone: left where the process was killed between row and file.

    What was written since ``before`` stays, and so does what somebody writes just now.
    """
    names = await files.older(before)
    for start in range(0, len(names), _PHOTOS):
        await _remove_strays(parts, files, names[start : start + _PHOTOS])


async def _remove_strays(parts: ReplicationParts, files: BlobFiles, names: Sequence[bytes]) -> None:
    """Those of the files that have no row are deleted; a device may send the same photo again meanwhile."""
    for sha256 in await parts.database.read(partial(blobs.without_row, names=names)):
        if files.is_held(sha256):
            continue
        async with files.hold(sha256) as file:
            if await parts.database.read(partial(blobs.without_row, names=[sha256])):
                with suppress(Retry):
                    await file.remove()
