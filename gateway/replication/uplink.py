"""The outbox goes to the hub: in order for each device, many devices at once.

Promises 1 to 3. The broker's acknowledgement means "in flight": the entry stays until the hub's
receipt, and is published again under a new message id when none comes for a while.
"""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import TYPE_CHECKING, Final

from fieldmesh.basics.errors import Rejected, Retry
from fieldmesh.wire.v1 import replication_pb2
from gateway.storage import cursors, outbox

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.replication.parts import ReplicationParts
    from gateway.storage.transaction import Transaction

LOG = logging.getLogger(__name__)

_MOST_ENTRIES: Final = 512
_MOST_BYTES: Final = 32 * 1024 * 1024
_LANES: Final = 32
_IDLE_S: Final = 5.0
_MICROSECONDS: Final = 1_000_000


async def run_uplink(parts: ReplicationParts) -> None:
    """Publish what waits, for ever.

    Raises:
        Retry: the broker cannot be reached; the supervisor begins anew later.
    """
    while True:
        count = parts.signals.outbox_grown.count
        published = await publish_waiting(parts)
        parts.metrics.progressed("uplink")
        if not published:
            await parts.signals.outbox_grown.after(count, timeout_s=_IDLE_S)


async def publish_waiting(parts: ReplicationParts) -> int:
    """The oldest waiting entries are in flight.

    Returns:
        How many were tried.

    Raises:
        Retry: some could not be published; those that could are marked so.
    """
    now = parts.clock.now()
    before = now - int(parts.limits.republish_after_s * _MICROSECONDS)
    waiting, shards = await parts.database.read(partial(_read_waiting, before=before, after=now))
    if not waiting:
        return 0
    lanes: dict[bytes, list[outbox.Waiting]] = {}
    for entry in waiting:
        lanes.setdefault(entry.device_id, []).append(entry)
    done: list[int] = []
    places = asyncio.Semaphore(_LANES)
    problems: list[Retry] = []
    try:
        async with asyncio.TaskGroup() as group:
            for lane in lanes.values():
                group.create_task(
                    _publish_lane(parts, lane, places, shards=shards, done=done, problems=problems)
                )
    finally:
        if done:
            now = parts.clock.now()
            await parts.database.write(lambda c: outbox.mark_published(c, done, now))
    if problems:
        raise problems[0]
    return len(done)


def _read_waiting(
    connection: Transaction, *, before: int, after: int
) -> tuple[list[outbox.Waiting], int]:
    waiting = outbox.to_publish(
        connection, before=before, after=after, most=_MOST_ENTRIES, most_bytes=_MOST_BYTES
    )
    return waiting, cursors.read_state(connection).shards


async def _publish_lane(
    parts: ReplicationParts,
    lane: Sequence[outbox.Waiting],
    places: asyncio.Semaphore,
    *,
    shards: int,
    done: list[int],
    problems: list[Retry],
) -> None:
    """One device's entries, one after the other; the first for which the line fails ends the lane.

    One that the broker never takes is told in the log and tried again with those without a receipt: it may hold up
    neither other devices nor, since the hub waits for what is missing, the entries behind it.
    """
    gateway = parts.gateway_id.hex()
    async with places:
        for entry in lane:
            shard = entry.device_id[-1] % shards
            try:
                await parts.bus.publish(
                    f"up.{shard}.{gateway}",
                    to_message(entry, parts.gateway_id),
                    message_id=f"{gateway}.{entry.outbox_number}.{entry.attempts}",
                )
            except Retry as problem:
                problems.append(problem)
                return
            except Rejected as problem:
                LOG.warning(
                    "entry_not_sent",
                    extra={
                        "device": entry.device_id.hex(),
                        "outbox_number": entry.outbox_number,
                        "problem": problem.code,
                    },
                )
            done.append(entry.outbox_number)


def to_message(entry: outbox.Waiting, gateway_id: bytes) -> bytes:
    """The entry as it travels; the bytes that the device signed stay as they are."""
    message = replication_pb2.UpMessage(gateway_id=gateway_id, outbox_number=entry.outbox_number)
    if entry.kind == "batch":
        message.batch.MergeFromString(entry.payload)
    else:
        message.session.MergeFromString(entry.payload)
    return message.SerializeToString()
