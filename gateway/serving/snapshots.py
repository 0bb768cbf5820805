"""A position's whole working set as a SQLite file, built by the database itself.

ATTACH and INSERT … SELECT copy the rows; compressed with zstd; kept in the spool, so that a cut
initialize goes on at its byte. Provisional rows of the same region are laid over the confirmed ones
(promise 4: a device never sees a state older than its own acknowledged writes).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from fieldmesh.basics import limits
from fieldmesh.basics.errors import Rejected
from fieldmesh.codec import snapshot_file
from fieldmesh.wire.v1 import session_pb2
from gateway.serving.forms import to_digest, to_ticks
from gateway.serving.readiness import check_ahead, check_served
from gateway.storage import snapshots

if TYPE_CHECKING:
    from pathlib import Path

    from fieldmesh.service.database import Database


@dataclass(frozen=True, slots=True)
class Built:
    """A snapshot that lies in the spool."""

    start: session_pb2.DownloadStart
    end: session_pb2.DownloadEnd
    rows: int
    variant: bytes


async def build(
    database: Database,
    device_id: bytes,
    *,
    cursor_lsn: int,
    known: int,
    download_id: bytes,
    path: Path,
) -> Built:
    """The snapshot of the device's working set is at ``path``, compressed and durable.

    Raises:
        Retry: ``partition_not_ready``, ``disk_full``.
        Rejected: ``download_too_large``.
    """
    await database.read(partial(check_ahead, cursor_lsn=cursor_lsn))
    return await asyncio.to_thread(
        _build, database.path, device_id, known=known, download_id=download_id, path=path
    )


def _build(source: Path, device_id: bytes, *, known: int, download_id: bytes, path: Path) -> Built:
    raw = path.with_suffix(".building")
    try:
        with snapshots.open_target(raw, source) as connection:
            made = snapshots.fill(connection, device_id, known=known, check=check_served)
        size, sha256, uncompressed = snapshot_file.compress_file(raw, path)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    finally:
        raw.unlink(missing_ok=True)
    if uncompressed > limits.SNAPSHOT_BYTES:
        path.unlink(missing_ok=True)
        raise Rejected("download_too_large", size=uncompressed)
    start = session_pb2.DownloadStart(
        download_id=download_id,
        kind=session_pb2.DOWNLOAD_KIND_SNAPSHOT,
        size=size,
        sha256=sha256,
        mark_lsn=made.mark_lsn,
        partitions=made.partitions,
        uncompressed_size=uncompressed,
        ticks=to_ticks(made.facts, device_epoch=0, contiguous=0),
    )
    end = session_pb2.DownloadEnd(digests=[to_digest(row) for row in made.digests])
    return Built(start, end, made.rows, made.variant)
