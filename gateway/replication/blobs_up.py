"""Photos and files go on to the hub, after orders, piece by piece."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from fieldmesh.basics.errors import Rejected
from fieldmesh.wire.v1 import blob_pb2, replication_pb2
from gateway.storage import blobs
from gateway.storage.blob_files import forget_lost

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from gateway.replication.parts import ReplicationParts
    from gateway.storage.blob_files import BlobFiles

_PIECE_BYTES: Final = 512 * 1024
_IDLE_S: Final = 60.0
_REQUEST_S: Final = 60.0


async def run_blobs_up(
    parts: ReplicationParts, files: BlobFiles, take: Callable[[int], Awaitable[None]]
) -> None:
    """Send whole blobs that the hub lacks, for ever.

    Args:
        parts: the replication's parts.
        files: the blob folder.
        take: waits until so many bytes may go out (the site's bandwidth).

    Raises:
        Retry: the hub is away; the supervisor begins anew later.
        Rejected: the hub refuses a sound blob; it waits behind the others when the supervisor begins anew.
    """
    while True:
        count = parts.signals.blob_completed.count
        blob = await parts.database.read(blobs.next_unsent)
        if blob is None or not parts.signals.hub.reachable:
            await parts.signals.blob_completed.after(count, timeout_s=_IDLE_S)
            continue
        await _send_piece(parts, files, blob, take)


async def _send_piece(
    parts: ReplicationParts,
    files: BlobFiles,
    blob: blobs.BlobRow,
    take: Callable[[int], Awaitable[None]],
) -> None:
    there = await files.size(blob.sha256)
    if there != blob.size:
        # Others would wait behind it for ever.
        await forget_lost(parts.database, blob, there=there)
        return
    data = await files.read(blob.sha256, blob.sent, _PIECE_BYTES)
    await take(len(data))
    piece = replication_pb2.BlobPiece(
        sha256=blob.sha256, size=blob.size, offset=blob.sent, data=data
    )
    try:
        payload = await parts.hub.ask("blob", piece.SerializeToString(), timeout_s=_REQUEST_S)
    except Rejected:
        if not await files.is_right(blob.sha256):
            await forget_lost(parts.database, blob, there=there)
            return
        now = parts.clock.now()
        await parts.database.write(partial(blobs.put_off, sha256=blob.sha256, now=now))
        raise
    state = blob_pb2.BlobState.FromString(payload)
    sent = blob.size if state.complete else min(state.held, blob.size - 1)
    now = parts.clock.now()
    await parts.database.write(partial(blobs.note_sent, sha256=blob.sha256, sent=sent, now=now))
