"""Deltas and snapshots for one device: made once, kept for a while, resumed at the byte.

A download is read in one transaction: it brings the device from one whole hub state to a later one
(promise 4), and holds only what the device's subscription names (promise 6).
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from fieldmesh.codec import frames
from fieldmesh.wire.v1 import session_pb2
from gateway.serving import snapshots
from gateway.serving.forms import to_digest, to_ticks
from gateway.serving.readiness import check_ahead, check_served
from gateway.serving.spool import Content, ContentWriter
from gateway.storage import deltas, devices, digests, downloads, partitions, provisional
from gateway.storage import snapshots as snapshot_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from fieldmesh.basics.clock import Clock
    from fieldmesh.basics.identifiers import IdentifierMaker
    from fieldmesh.service.database import Database
    from gateway.serving.disk import DiskWatch
    from gateway.serving.showing import Showing
    from gateway.storage.transaction import Transaction

    _Find = Callable[[Transaction], downloads.SpooledDownload | None]

DELTA: Final = "delta"
SNAPSHOT: Final = "snapshot"
_RESUME_US: Final = 3_600 * 1_000_000


@dataclass(frozen=True, slots=True)
class Wish:
    """What a device asks for.

    Attributes:
        whole: the device gets a new database instead of a delta.
        forgotten: the newest batch of its epoch that the device has forgotten, because the hub had applied it; its
            rows are ordinary ones there, which go with a lost future of the hub.
        known: its schema version: tables that it does not have count in no digest.
    """

    device_id: bytes
    device_epoch: int
    cursor_lsn: int
    held: frozenset[int]
    whole: bool
    known: int
    forgotten: int = 0

    @property
    def own_through(self) -> tuple[int, int]:
        """What the device brought after this device epoch and sequence is in its own database."""
        return self.device_epoch, self.forgotten

    @property
    def kind(self) -> str:
        """A delta or a snapshot for devices of that schema version; no other is resumed."""
        return f"{SNAPSHOT if self.whole else DELTA} {self.known}"

    @property
    def variant(self) -> bytes:
        """Names where the device stands, so that a resumed delta still fits it."""
        text = f"{self.cursor_lsn}:{sorted(self.held)}" if not self.whole else "whole"
        return hashlib.sha256(text.encode()).digest()


@dataclass(frozen=True, slots=True)
class Download:
    """A download as it goes out."""

    start: session_pb2.DownloadStart
    end: session_pb2.DownloadEnd
    content: Content
    rows: int
    resumed: bool = False


class DownloadMaker:
    """Makes downloads and keeps the large ones in the spool folder."""

    def __init__(
        self,
        database: Database,
        folder: Path,
        *,
        clock: Clock,
        identifiers: IdentifierMaker,
        disk: DiskWatch,
        showing: Showing,
        builders: int,
    ) -> None:
        """Use ``folder`` as the spool.

        Args:
            database: the gateway's database.
            folder: spool folder; it exists.
            clock: time of making and use.
            identifiers: names downloads.
            disk: refuses spool files when the disk is short of space.
            showing: lays out what was acknowledged and is not shown yet.
            builders: how many snapshots may be built at once.
        """
        self._database = database
        self._folder = folder
        self._clock = clock
        self._identifiers = identifiers
        self._disk = disk
        self._showing = showing
        self._builders = asyncio.Semaphore(builders)
        self._on_their_way: Counter[bytes] = Counter()

    async def make(self, wish: Wish) -> Download:
        """A download that brings the device to the gateway's mark.

        Raises:
            Retry: ``partition_not_ready`` while a partition of the device is not here yet, or
                ``disk_full`` when the spool may not grow.
        """
        self._disk.check_spool()
        if not wish.whole:
            await self._showing.catch_up(own=wish.device_id, after=wish.own_through)
            return await self._make_delta(wish)
        await self._showing.catch_up()
        async with self._builders:
            kept = await self._kept_snapshot(wish)
            return kept or await self._make_snapshot(wish)

    async def resume(self, wish: Wish, download_id: bytes) -> Download | None:
        """The same bytes as before, or None when they are gone or no longer fit the device."""
        if not download_id:
            return None
        return await self._take_kept(
            wish,
            lambda connection: downloads.find(connection, download_id, device_id=wish.device_id),
            resumed=True,
        )

    async def _kept_snapshot(self, wish: Wish) -> Download | None:
        return await self._take_kept(
            wish,
            lambda connection: downloads.find_variant(
                connection,
                wish.device_id,
                kind=wish.kind,
                variant=_snapshot_variant(connection, wish),
            ),
            resumed=False,
        )

    async def _take_kept(self, wish: Wish, find: _Find, *, resumed: bool) -> Download | None:
        now = self._clock.now()
        kept = await self._database.read(partial(_find_fitting, wish=wish, find=find))
        if kept is None:
            return None
        path = self._folder / kept.path
        if not await asyncio.to_thread(_has_size, path, kept.size):
            return None
        await self._database.write(
            lambda connection: downloads.note_used(connection, kept.download_id, now)
        )
        return _from_kept(kept, path, resumed=resumed)

    async def _make_delta(self, wish: Wish) -> Download:
        download_id = self._identifiers.new()
        writer = ContentWriter(self._folder / f"{download_id.hex()}.delta")
        try:
            made = await self._database.read(
                partial(_build_delta, wish=wish, writer=writer, download_id=download_id)
            )
            await self._keep(wish, made, wish.variant)
        except BaseException:
            writer.abandon()
            raise
        return made

    async def _make_snapshot(self, wish: Wish) -> Download:
        download_id = self._identifiers.new()
        path = self._folder / f"{download_id.hex()}.snapshot"
        made = await snapshots.build(
            self._database,
            wish.device_id,
            cursor_lsn=wish.cursor_lsn,
            known=wish.known,
            download_id=download_id,
            path=path,
        )
        content = Content(made.start.size, made.start.sha256, path=path)
        download = Download(made.start, made.end, content, made.rows)
        await self._keep(wish, download, made.variant)
        return download

    async def _keep(self, wish: Wish, made: Download, variant: bytes) -> None:
        path = made.content.path
        if path is None:
            return
        now = self._clock.now()
        spooled = downloads.SpooledDownload(
            download_id=made.start.download_id,
            device_id=wish.device_id,
            kind=wish.kind,
            variant=variant,
            path=path.name,
            description=_describe(made),
            size=made.content.size,
            made_at=now,
            used_at=now,
        )
        await self._database.write(lambda connection: downloads.add(connection, spooled))

    @contextmanager
    def on_its_way(self, download: Download) -> Iterator[None]:
        """The download stays in the spool while the block sends it, however slow the line."""
        name = download.start.download_id
        self._on_their_way[name] += 1
        try:
            yield
        finally:
            self._on_their_way -= Counter([name])

    async def clear_old(self) -> int:
        """Downloads that nobody asked for or was sent in the last hour leave the spool.

        Returns:
            How many.
        """
        sent = [*self._on_their_way]
        paths = await self._database.write(partial(_take_old, now=self._clock.now(), sent=sent))
        for name in paths:
            (self._folder / name).unlink(missing_ok=True)
        return len(paths)


def _take_old(connection: Transaction, *, now: int, sent: Sequence[bytes]) -> list[str]:
    for name in sent:
        downloads.note_used(connection, name, now)
    return downloads.take_old(connection, used_before=now - _RESUME_US)


def _has_size(path: Path, size: int) -> bool:
    return path.is_file() and path.stat().st_size == size


def _snapshot_variant(connection: Transaction, wish: Wish) -> bytes:
    facts = devices.read_facts(connection, wish.device_id)
    wanted = partitions.device_partitions(connection, facts)
    return snapshot_rows.variant(connection, wanted)


def _find_fitting(
    connection: Transaction, *, wish: Wish, find: _Find
) -> downloads.SpooledDownload | None:
    kept = find(connection)
    if kept is None or kept.kind != wish.kind:
        return None
    if not wish.whole and kept.variant != wish.variant:
        return None
    start, _, _ = _read_description(kept.description)
    facts = devices.read_facts(connection, wish.device_id)
    allowed = partitions.device_partitions(connection, facts)
    return kept if allowed.issuperset(start.partitions) else None


def _describe(made: Download) -> bytes:
    start, end = made.start.SerializeToString(), made.end.SerializeToString()
    return b"".join((made.rows.to_bytes(8, "big"), len(start).to_bytes(8, "big"), start, end))


def _read_description(
    text: bytes,
) -> tuple[session_pb2.DownloadStart, session_pb2.DownloadEnd, int]:
    size = int.from_bytes(text[8:16], "big")
    return (
        session_pb2.DownloadStart.FromString(text[16 : 16 + size]),
        session_pb2.DownloadEnd.FromString(text[16 + size :]),
        int.from_bytes(text[:8], "big"),
    )


def _from_kept(kept: downloads.SpooledDownload, path: Path, *, resumed: bool) -> Download:
    start, end, rows = _read_description(kept.description)
    return Download(start, end, Content(start.size, start.sha256, path=path), rows, resumed)


def _build_delta(
    connection: Transaction,
    *,
    wish: Wish,
    writer: ContentWriter,
    download_id: bytes,
) -> Download:
    facts = devices.read_facts(connection, wish.device_id)
    wanted = partitions.device_partitions(connection, facts)
    check_ahead(connection, wish.cursor_lsn)
    check_served(connection, wanted)
    plan = deltas.plan_delta(connection, cursor_lsn=wish.cursor_lsn, held=wish.held, wanted=wanted)
    rows = 0
    for kind, source in (
        (frames.FrameKind.ROWS, deltas.changed_rows(connection, plan)),
        (frames.FrameKind.REMOVALS, deltas.removed_rows(connection, plan)),
        (
            frames.FrameKind.PROVISIONAL,
            provisional.current_rows(
                connection,
                wanted,
                device_id=wish.device_id,
                own_through=wish.own_through,
            ),
        ),
    ):
        for piece in source:
            rows += piece.row_count
            writer.add(frames.write_frames(frames.pack_frames(kind, piece)))
    content = writer.finish()
    start = session_pb2.DownloadStart(
        download_id=download_id,
        kind=session_pb2.DOWNLOAD_KIND_DELTA,
        size=content.size,
        sha256=content.sha256,
        mark_lsn=plan.mark_lsn,
        partitions=plan.partitions,
        whole=sorted(plan.whole),
        dropped=sorted(plan.dropped),
        ticks=to_ticks(facts, device_epoch=0, contiguous=0),
    )
    found = digests.partition_digests(
        connection, plan.partitions, for_devices=True, known=wish.known
    )
    end = session_pb2.DownloadEnd(digests=[to_digest(row) for row in found])
    return Download(start, end, content, rows)
