"""Partitions that the gateway gains are fetched whole; those that it loses are let go.

A persisted state machine: after a restart a seed goes on with the next chunk. A partition that
devices are already given keeps its old rows until the new ones replace them in one transaction.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final, cast

from fieldmesh.basics.errors import FieldmeshError, Retry
from fieldmesh.codec import frames
from fieldmesh.wire.v1 import replication_pb2
from gateway.replication import subscription
from gateway.storage import cache, cursors, devices, partitions
from gateway.storage.partitions import PartitionState

if TYPE_CHECKING:
    from gateway.replication.parts import ReplicationParts
    from gateway.storage.partitions import Partition
    from gateway.storage.transaction import Transaction

LOG = logging.getLogger(__name__)

_AT_ONCE: Final = 4
_IDLE_S: Final = 5.0
_MARK_WAIT_S: Final = 2.0
_REQUEST_S: Final = 60.0


async def run_seeding(parts: ReplicationParts) -> None:
    """Fetch what is wanted, let go what is not, for ever.

    Raises:
        Retry: the hub is away; the supervisor begins anew later.
    """
    while True:
        count = parts.signals.partitions_changed.count
        rows = await parts.database.read(partitions.list_partitions)
        parts.metrics.partitions(rows)
        for row in rows:
            if row.state is PartitionState.LEAVING:
                await _let_go(parts, row.partition)
        open_rows = [
            row
            for row in rows
            if row.state in {PartitionState.WANTED, PartitionState.SEEDING, PartitionState.SEEDED}
        ]
        parts.metrics.progressed("seeding")
        if not open_rows or not parts.signals.hub.reachable:
            await parts.signals.partitions_changed.after(count, timeout_s=_IDLE_S)
            continue
        await _seed_all(parts, open_rows)


@dataclass(slots=True)
class _Round:
    """One round over all partitions that are not ready.

    A line that fails ends it for all. A refusal is of one partition only, and no reason to leave others
    waiting: it may be theirs to tell that the refused one is not wanted any more.
    """

    places: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))
    cut: Retry | None = None
    refused: bool = False


async def _seed_all(parts: ReplicationParts, rows: list[Partition]) -> None:
    now = _Round()
    async with asyncio.TaskGroup() as group:
        for row in rows:
            group.create_task(_seed_in_turn(parts, row, now))
    if now.cut is not None:
        raise now.cut
    if now.refused:
        raise Retry("seed_refused", delay_s=_IDLE_S)


async def _seed_in_turn(parts: ReplicationParts, row: Partition, now: _Round) -> None:
    async with now.places:
        if now.cut is not None:
            return
        try:
            await seed(parts, row)
        except Retry as problem:
            now.cut = problem
            await _note_problem(parts, row.partition, problem)
        except FieldmeshError as problem:
            LOG.warning(
                "seed_refused",
                extra={"partition": row.partition, "problem": problem.code},
            )
            now.refused = True
            await _note_problem(parts, row.partition, problem)


async def _note_problem(parts: ReplicationParts, partition: int, problem: FieldmeshError) -> None:
    code = problem.code
    await parts.database.write(lambda c: partitions.set_problem(c, partition, problem=code))


async def seed(parts: ReplicationParts, row: Partition) -> None:
    """The partition is ready.

    Raises:
        Retry: the hub is away, or asks to begin anew.
        Rejected: the hub refuses: the partition is not in this gateway's scope.
    """
    partition = row.partition
    if row.state is not PartitionState.SEEDED:
        reply = await parts.hub.ask(
            "seed",
            replication_pb2.SeedRequest(partition=partition).SerializeToString(),
            timeout_s=_REQUEST_S,
        )
        begun = replication_pb2.SeedReply.FromString(reply)
        next_chunk = await parts.database.write(
            partial(_begin, partition=partition, begun=begun, now=parts.clock.now())
        )
        for chunk in range(next_chunk, begun.chunks):
            payload = b"" if chunk else begun.first_chunk
            payload = payload or await _fetch_chunk(parts, begun.seed_id, chunk)
            await _take_chunk(parts, row, begun.seed_id, chunk, payload)
        now = parts.clock.now()
        await parts.database.write(
            lambda c: partitions.set_seeded(c, partition, seed_id=begun.seed_id, now=now)
        )
    await _finish(parts, partition)


def _begin(
    connection: Transaction,
    *,
    partition: int,
    begun: replication_pb2.SeedReply,
    now: int,
) -> int:
    if cursors.is_lost(begun.lsn, cursors.read_state(connection).epochs):
        raise Retry("hub_unreachable", delay_s=_MARK_WAIT_S)  # answered before the restore
    seed_begun = partitions.SeedBegun(
        begun.seed_id, begun.lsn, begun.horizon_lsn, begun.chunks, begun.rows
    )
    next_chunk = partitions.begin_seed(connection, partition, seed_begun, now)
    held = partitions.read_partition(connection, partition)
    if next_chunk == 0 and held is not None and not held.served:
        cache.keep_only(connection, partition, {}, up_to_lsn=begun.lsn)
    return next_chunk


async def _fetch_chunk(parts: ReplicationParts, seed_id: bytes, chunk: int) -> bytes:
    request = replication_pb2.SeedChunkRequest(seed_id=seed_id, chunk=chunk)
    return await parts.hub.ask("seed_chunk", request.SerializeToString(), timeout_s=_REQUEST_S)


async def _take_chunk(
    parts: ReplicationParts, row: Partition, seed_id: bytes, chunk: int, payload: bytes
) -> None:
    now = parts.clock.now()
    if row.served:
        await parts.database.write(
            lambda c: partitions.keep_chunk(
                c, row.partition, seed_id=seed_id, chunk=chunk, payload=payload, now=now
            )
        )
        return
    content = await asyncio.to_thread(decode_chunk, payload)
    await parts.database.write_alone(
        partial(_apply_chunk, row=row, seed_id=seed_id, chunk=chunk, content=content, now=now)
    )


def decode_chunk(payload: bytes) -> list[frames.UnpackedFrame]:
    """The frames of a chunk. Takes CPU time: call it in a thread."""
    return [
        frames.unpack_frame(frame) for frame in replication_pb2.SeedChunk.FromString(payload).frames
    ]


def _apply_chunk(
    connection: Transaction,
    *,
    row: Partition,
    seed_id: bytes,
    chunk: int,
    content: list[frames.UnpackedFrame],
    now: int,
) -> None:
    _apply_frames(connection, content)
    partitions.note_chunk(connection, row.partition, seed_id=seed_id, chunk=chunk, now=now)


def _apply_frames(connection: Transaction, content: list[frames.UnpackedFrame]) -> None:
    """Rows are written also over the same version: held ones may lack a column that is new here."""
    for frame in content:
        if frame.kind == frames.FrameKind.REMOVALS:
            cache.apply_removals(connection, frame.rows)
        else:
            cache.repair_rows(connection, frame.rows)


async def _finish(parts: ReplicationParts, partition: int) -> None:
    """Wait for the mark to reach the seed, then serve it."""
    while True:
        count = parts.signals.mark_applied.count
        row, mark, payloads = await parts.database.read(partial(_read_seeded, partition=partition))
        if row is None or row.state is not PartitionState.SEEDED:
            return
        if mark >= row.seed_lsn:
            break
        if not parts.signals.hub.reachable:
            raise Retry("hub_unreachable", delay_s=_MARK_WAIT_S)
        await parts.signals.mark_applied.after(count, timeout_s=_MARK_WAIT_S)
    content = await asyncio.to_thread(
        lambda: [frame for payload in payloads for frame in decode_chunk(payload)]
    )
    changed = await parts.database.write_alone(
        partial(finish_seed, partition=partition, content=content, now=parts.clock.now())
    )
    LOG.info("partition_ready", extra={"partition": partition, "rows": row.seed_rows})
    parts.signals.mark_applied.give()
    if changed:
        parts.signals.partitions_changed.give()


def _read_seeded(
    connection: Transaction, *, partition: int
) -> tuple[Partition | None, int, list[bytes]]:
    return (
        partitions.read_partition(connection, partition),
        cursors.mark_lsn(connection),
        partitions.kept_chunks(connection, partition),
    )


def finish_seed(
    connection: Transaction,
    *,
    partition: int,
    content: list[frames.UnpackedFrame],
    now: int,
) -> bool:
    """The seed's rows are what devices are given.

    Args:
        connection: open write transaction.
        partition: which one.
        content: frames kept while older rows were served; empty for a first seed.
        now: gateway clock.

    Returns:
        Whether the rows that came name partitions that were not wanted before.
    """
    row = partitions.read_partition(connection, partition)
    if row is None or row.state is not PartitionState.SEEDED:
        return False
    if row.served:
        seeded: dict[str, set[bytes]] = {}
        for frame in content:
            if frame.kind != frames.FrameKind.REMOVALS:
                seeded.setdefault(frame.rows.table, set()).update(
                    cast("list[bytes]", frame.rows.column("id"))
                )
        cache.keep_only(connection, partition, seeded, up_to_lsn=row.seed_lsn)
    _apply_frames(connection, content)
    cache.hide_removed(connection, partition)
    partitions.set_ready(connection, partition, now)
    return subscription.refresh(connection, now)


async def _let_go(parts: ReplicationParts, partition: int) -> None:
    def forget(connection: Transaction) -> None:
        row = partitions.read_partition(connection, partition)
        if row is not None and row.state is PartitionState.LEAVING:
            devices.keep_ticks(connection, partition)
            cache.forget_partition(connection, partition)
            partitions.drop(connection, partition)

    await parts.database.write(forget)
    LOG.info("partition_left", extra={"partition": partition})
