"""Rows from the hub: held back until a mark, then made visible in one transaction.

Promise 4 (Whole). The place in the stream stands in the gateway's own database, in the same commit
as the rows: after any break the hub starts the consumer right there. A hole in the consumer's
numbering means that deliveries were lost on the way; then nothing is applied, and the gateway says
hello again.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final

from fieldmesh.codec import frames
from fieldmesh.wire.v1 import replication_pb2
from gateway.replication import receipts, subscription
from gateway.replication.hello import say_hello
from gateway.storage import cache, cursors, partitions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fieldmesh.service.bus_pull import BusMessage
    from gateway.replication.parts import ReplicationParts
    from gateway.storage.transaction import Transaction

LOG = logging.getLogger(__name__)

STREAM: Final = "DOWN"
MARK_SUBJECT: Final = "down.mark"
_PULL_MESSAGES: Final = 500
_PULL_S: Final = 2.0
_SILENCE_S: Final = 6.0
_SPREAD_S: Final = 10.0
"""What all gateways miss, they miss at once: each waits some of this longer by chance, and may hear a mark by then."""


@dataclass(slots=True)
class Content:
    """Decoded messages of one mark."""

    lsn: int
    marked_at: int
    epochs: list[cursors.EpochStart]
    frames: list[frames.UnpackedFrame] = field(default_factory=list)
    receipts: list[replication_pb2.Receipt] = field(default_factory=list)
    places: list[tuple[int, int]] = field(default_factory=list)


async def run_downlink(parts: ReplicationParts) -> None:
    """Stay connected and apply what comes, for ever.

    Raises:
        Retry: the line is away; the supervisor begins anew later.
    """
    try:
        while True:
            await parts.bus.stop_pulling(STREAM, consumer_of(parts))
            await _consume(parts, await say_hello(parts))
    finally:
        parts.signals.hub.reachable = False


def consumer_of(parts: ReplicationParts) -> str:
    """The name of this gateway's durable consumer."""
    return f"gw_{parts.gateway_id.hex()}"


async def _consume(parts: ReplicationParts, next_delivery: int | None) -> None:
    """Apply marks until a delivery is missing or the hub is silent."""
    consumer = consumer_of(parts)
    buffer: list[BusMessage] = []
    heard_at = parts.clock.monotonic()
    patience_s = _SILENCE_S + parts.random.uniform(0.0, _SPREAD_S)
    while True:
        messages = await parts.bus.pull(STREAM, consumer, batch=_PULL_MESSAGES, timeout_s=_PULL_S)
        now = parts.clock.monotonic()
        if not messages and now - heard_at > patience_s:
            LOG.warning("hub_silent", extra={"seconds": now - heard_at})
            return
        for message in messages:
            heard_at = now
            if next_delivery is not None and message.consumer_sequence != next_delivery:
                LOG.info("delivery_missing", extra={"expected": next_delivery})
                return
            next_delivery = message.consumer_sequence + 1
            buffer.append(message)
            if message.subject == MARK_SUBJECT:
                await _apply(parts, buffer)
                buffer = []


async def _apply(parts: ReplicationParts, buffer: Sequence[BusMessage]) -> None:
    content = await asyncio.to_thread(decode, buffer)
    now = parts.clock.now()
    changed = await parts.database.write_alone(
        partial(apply_content, content=content, place=buffer[-1].stream_sequence, now=now)
    )
    for message in buffer:
        await message.ack()
    parts.signals.hub.reachable = True
    parts.signals.hub.hub_lsn = max(parts.signals.hub.hub_lsn, content.lsn)
    parts.metrics.marked(content.lsn, lag_us=max(0, now - content.marked_at))
    parts.metrics.progressed("downlink")
    parts.signals.mark_applied.give()
    if changed:
        parts.signals.partitions_changed.give()
        parts.signals.outbox_grown.give()
        parts.signals.blob_completed.give()


def decode(buffer: Sequence[BusMessage]) -> Content:
    """All messages up to and with the mark, decoded. Takes CPU time: call it in a thread."""
    mark = replication_pb2.Mark.FromString(buffer[-1].data)
    content = Content(
        mark.lsn,
        mark.at,
        [cursors.EpochStart(epoch.epoch, epoch.began_after) for epoch in mark.epochs],
    )
    for message in buffer[:-1]:
        if message.subject == MARK_SUBJECT:
            continue
        down = replication_pb2.DownMessage.FromString(message.data)
        for frame in down.frames:
            content.frames.append(frames.unpack_frame(frame))
            content.places.append((down.partition, down.lsn))
        content.receipts.extend(down.receipts)
    return content


def apply_content(connection: Transaction, *, content: Content, place: int, now: int) -> bool:
    """Everything up to the mark is visible, or nothing is.

    Returns:
        Whether there are partitions to seed or to let go.
    """
    restored = bool(content.epochs) and subscription.take_epochs(connection, content.epochs, now)
    held = {
        row.partition
        for row in partitions.list_partitions(connection)
        if row.state is not partitions.PartitionState.LEAVING
    }
    touched: set[str] = set()
    epochs = cursors.read_state(connection).epochs
    for frame, (partition, lsn) in zip(content.frames, content.places, strict=True):
        if partition in held and not cursors.is_lost(lsn, epochs):
            _apply_frame(connection, frame)
            touched.add(frame.rows.table)
    receipts.apply_receipts(connection, content.receipts, now)
    mark = 0 if cursors.is_lost(content.lsn, epochs) else content.lsn
    cursors.set_mark(connection, mark, marked_at=content.marked_at, down_sequence=place)
    changed = bool(touched & subscription.TABLES) and subscription.refresh(connection, now)
    return restored or changed


def _apply_frame(connection: Transaction, frame: frames.UnpackedFrame) -> None:
    if frame.kind == frames.FrameKind.REMOVALS:
        cache.apply_removals(connection, frame.rows)
        return
    cache.apply_rows(connection, frame.rows)
    if frame.rows.table == "device_tick":
        receipts.apply_ticks(connection, frame.rows)
