"""Outbox → DOWN, in LSN order; then the mark that makes it visible; the mark is the heartbeat, too.

A gateway that hears no mark takes the hub for silent and says hello, and all do at once. So marks also come while the
relay changes what gateways hear, or waits for somebody else to write: of what is out whole by then.

Crash points: published but not forgotten → published again with the same message ids, and a gateway applies it twice
with one effect; forgotten only after the mark. Promises 2 (Once), 4 (Whole), 6 (Scope).
"""

import asyncio
import contextlib
from collections.abc import Iterable, Sequence
from typing import NoReturn

from fieldmesh.basics.clock import Clock
from fieldmesh.service.bus import Bus
from fieldmesh.service.tasks import beside, for_each
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
_CHANGES = 16
"""Consumers that the broker changes at the same time."""


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
        self._turn = asyncio.Lock()
        self._whole: int | None = None
        """Everything up to this LSN is out, and nothing above it; None = not known."""
        self._marked_lsn = 0

    def wake(self) -> None:
        """There is something to publish: it is not waited for the next look."""
        self._wake.set()

    async def run(self) -> None:
        """Never ends by itself.

        Raises:
            Retry: the bus is away; the caller runs it again.
        """
        self._whole = None
        async with beside(self._beats()):
            while True:
                portion = await self._next()
                await self._publish(portion)
                if not portion.remaining:
                    await self._pause()

    async def _beats(self) -> NoReturn:
        while True:
            await asyncio.sleep(HEARTBEAT_S)
            await self._beat()

    async def _beat(self) -> None:
        """Gateways have heard a mark, unless none would be true now."""
        async with self._turn:
            if self._whole is not None:
                await self._mark(self._whole)

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
        is_new = self._whole is not None
        start = 0
        for lsn, gateways in _steps(portion.scope).items():
            end = next(
                (place for place, one in enumerate(payloads) if one.lsn > lsn), len(payloads)
            )
            # What begins a run may be out already, up to anywhere: no mark amidst it would be true.
            await self._send(payloads[start:end], lsn if is_new else None)
            start = end
            await for_each(gateways, self._change_scope, most=_CHANGES)
        await self._send(payloads[start:], portion.up_to)
        if portion.up_to != self._marked_lsn:
            await self._beat()
        if payloads or portion.scope:
            async with self._database.write() as connection:
                await down_outbox.forget_up_to(connection, portion.up_to)
        self._figures.published(len(payloads), portion.up_to)
        self._figures.progressed(len(payloads) if portion.remaining else 0)

    async def _send(self, payloads: Sequence[Payload], whole: int | None) -> None:
        """They are out, and with them everything up to ``whole``."""
        async with self._turn:
            self._whole = None
            await for_each(payloads, self._send_one, most=MOST_MESSAGES)
            self._whole = whole

    async def _send_one(self, payload: Payload) -> None:
        name = f"{payload.lsn}.{payload.partition}.{payload.part}"
        await self._bus.publish(f"down.{payload.partition}", payload.content, name)

    async def _change_scope(self, gateway_id: bytes) -> None:
        async with self._database.read() as connection:
            partitions = await gateway_partitions(connection, gateway_id)
        await self._consumers.change(gateway_id, partitions)

    async def _mark(self, lsn: int) -> None:
        async with self._database.read() as connection:
            epochs = await down_outbox.epochs(connection)
        at = self._clock.now()
        mark = replication_pb2.Mark(lsn=lsn, at=at)
        for epoch, began_after in epochs:
            mark.epochs.add(epoch=epoch, began_after=began_after)
        await self._bus.publish(MARK_SUBJECT, mark.SerializeToString(), f"{lsn}.mark.{at}")
        self._marked_lsn = lsn


def _steps(scope: Iterable[tuple[int, bytes]]) -> dict[int, list[bytes]]:
    """LSN → the gateways whose scope changes then, in LSN order.

    Each once, with its first: what it may hear is read as it is now, and that is not before the last.
    """
    firsts: dict[bytes, int] = {}
    for lsn, gateway_id in scope:
        firsts.setdefault(gateway_id, lsn)
    steps: dict[int, list[bytes]] = {}
    for gateway_id, lsn in firsts.items():
        steps.setdefault(lsn, []).append(gateway_id)
    return steps
