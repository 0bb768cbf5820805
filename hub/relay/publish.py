"""Outbox → DOWN, in LSN order; then the mark that makes it visible; when idle, the mark is the heartbeat.

Crash points: published but not forgotten → published again with the same message ids, and a gateway applies it twice
with one effect; forgotten only after the mark. Promises 2 (Once), 4 (Whole), 6 (Scope).
"""

import asyncio
import contextlib
from collections.abc import Sequence

from fieldmesh.basics.clock import Clock
from fieldmesh.service.bus import Bus
from fieldmesh.service.tasks import for_each
from fieldmesh.wire.v1 import replication_pb2
from hub.metrics import RelayFigures
from hub.relay.consumers import MARK_SUBJECT, Consumers
from hub.storage import down_outbox
from hub.storage.database import HubDatabase
from hub.storage.down_outbox import Payload, Portion
from hub.storage.scopes import gateway_partitions

MOST_MESSAGES = 512
LOOK_S = 0.1
HEARTBEAT_S = 1.0


class Relay:
    """The one publisher of DOWN."""

    def __init__(
        self, database: HubDatabase, bus: Bus, clock: Clock, figures: RelayFigures
    ) -> None:
        """From ``database`` to ``bus``."""
        self._database = database
        self._bus = bus
        self._clock = clock
        self._figures = figures
        self._consumers = Consumers(bus)
        self._wake = asyncio.Event()
        self._marked_lsn = 0
        self._marked_at = 0.0

    def wake(self) -> None:
        """There is something to publish: it is not waited for the next look."""
        self._wake.set()

    async def run(self) -> None:
        """Never ends by itself.

        Raises:
            Retry: the bus is away; the caller runs it again.
        """
        while True:
            portion = await self._next()
            await self._publish(portion)
            if not portion.remaining:
                await self._pause()

    async def _pause(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LOOK_S):
                await self._wake.wait()
        self._wake.clear()

    async def _next(self) -> Portion:
        async with self._database.read() as connection:
            return await down_outbox.next_portion(connection, MOST_MESSAGES)

    async def _publish(self, portion: Portion) -> None:
        payloads = portion.payloads
        start = 0
        for lsn, gateway_id in portion.scope:
            end = next(
                (place for place, one in enumerate(payloads) if one.lsn > lsn), len(payloads)
            )
            await self._send(payloads[start:end])
            start = max(start, end)
            await self._change_scope(gateway_id)
        await self._send(payloads[start:])
        await self._mark(portion)
        if payloads or portion.scope:
            async with self._database.write() as connection:
                await down_outbox.forget_up_to(connection, portion.up_to)
        self._figures.published(len(payloads), portion.up_to)
        self._figures.progressed(len(payloads) if portion.remaining else 0)

    async def _send(self, payloads: Sequence[Payload]) -> None:
        await for_each(payloads, self._send_one, most=MOST_MESSAGES)

    async def _send_one(self, payload: Payload) -> None:
        name = f"{payload.lsn}.{payload.partition}.{payload.part}"
        await self._bus.publish(f"down.{payload.partition}", payload.content, name)

    async def _change_scope(self, gateway_id: bytes) -> None:
        async with self._database.read() as connection:
            partitions = await gateway_partitions(connection, gateway_id)
        await self._consumers.change(gateway_id, partitions)

    async def _mark(self, portion: Portion) -> None:
        now = self._clock.monotonic()
        if portion.up_to == self._marked_lsn and now - self._marked_at < HEARTBEAT_S:
            return
        async with self._database.read() as connection:
            epochs = await down_outbox.epochs(connection)
        at = self._clock.now()
        mark = replication_pb2.Mark(lsn=portion.up_to, at=at)
        for epoch, began_after in epochs:
            mark.epochs.add(epoch=epoch, began_after=began_after)
        await self._bus.publish(
            MARK_SUBJECT, mark.SerializeToString(), f"{portion.up_to}.mark.{at}"
        )
        self._marked_lsn, self._marked_at = portion.up_to, now
