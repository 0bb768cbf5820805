"""The streams of the bus: UP from the gateways, DOWN to them; and that they stand for as long as the hub works."""

import asyncio
import contextlib
from typing import NoReturn

from nats.js import JetStreamContext
from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    DeliverPolicy,
    DiscardPolicy,
    RetentionPolicy,
    StorageType,
    StreamConfig,
)
from nats.js.errors import NotFoundError

from fieldmesh.service.bus import Bus

UP, DOWN = "UP", "DOWN"
_DUPLICATES_S = 30 * 60
_ACK_WAIT_S = 120
_MOST_PENDING = 4_096
_LOOK_S = 5.0


class Streams:
    """Both streams, with a consumer for each lane of UP.

    UP holds a message until the hub has committed its decision; DOWN holds changes for gateways that are away.
    """

    def __init__(self, bus: Bus, *, down_keep_s: float, shards: int, replicas: int) -> None:
        """Nothing is made yet.

        Args:
            bus: the hub's line.
            down_keep_s: how long DOWN holds a message; a gateway that was away longer is seeded anew.
            shards: number of lanes.
            replicas: on how many servers each message stands before it is acknowledged.
        """
        self._bus = bus
        self._consumers = [f"ingest_{shard}" for shard in range(shards)]
        self._configs = (
            StreamConfig(
                name=UP,
                subjects=["up.>"],
                retention=RetentionPolicy.WORK_QUEUE,
                storage=StorageType.FILE,
                discard=DiscardPolicy.NEW,
                duplicate_window=_DUPLICATES_S,
                num_replicas=replicas,
            ),
            StreamConfig(
                name=DOWN,
                subjects=["down.>"],
                retention=RetentionPolicy.LIMITS,
                storage=StorageType.FILE,
                max_age=down_keep_s,
                duplicate_window=min(_DUPLICATES_S, down_keep_s),
                num_replicas=replicas,
            ),
        )

    async def ensure(self) -> None:
        """Both stand with these settings, and the consumers of UP deliver at once. Repeating it is harmless.

        Raises:
            Retry: `bus_unreachable`.
        """
        stream = await self._bus.jetstream()
        with self._bus.administered():
            for config in self._configs:
                try:
                    await stream.stream_info(str(config.name))
                except NotFoundError:
                    await stream.add_stream(config)
                else:
                    await stream.update_stream(config)
            for shard, name in enumerate(self._consumers):
                await _lane(stream, name, shard)

    async def keep(self) -> NoReturn:
        """What a broker has lost with its store is made anew. Never ends by itself.

        Raises:
            Retry: `bus_unreachable`; the caller runs it again.
        """
        while True:
            if not await self._stand():
                await self.ensure()
            await asyncio.sleep(_LOOK_S)

    async def _stand(self) -> bool:
        stream = await self._bus.jetstream()
        with self._bus.administered(), contextlib.suppress(NotFoundError):
            for config in self._configs:
                await stream.stream_info(str(config.name))
            for name in self._consumers:
                await stream.consumer_info(UP, name)
            return True
        return False


async def _lane(stream: JetStreamContext, name: str, shard: int) -> None:
    """Made anew: what a hub that was killed had in its hands is delivered at once, not after the broker's patience."""
    with contextlib.suppress(NotFoundError):
        await stream.delete_consumer(UP, name)
    await stream.add_consumer(
        UP,
        ConsumerConfig(
            durable_name=name,
            filter_subject=f"up.{shard}.>",
            ack_policy=AckPolicy.EXPLICIT,
            deliver_policy=DeliverPolicy.ALL,
            ack_wait=_ACK_WAIT_S,
            max_deliver=-1,
            max_ack_pending=_MOST_PENDING,
        ),
    )
