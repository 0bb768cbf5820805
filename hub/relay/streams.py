"""The streams of the bus: UP from the gateways, DOWN to them."""

import contextlib

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


async def ensure_streams(bus: Bus, *, down_keep_s: float, shards: int) -> None:
    """Both streams stand with these settings, and a consumer for each lane of UP.

    Repeating it is harmless.

    UP holds a message until the hub has committed its decision; DOWN holds changes for gateways
    that are away.

    Args:
        bus: the hub's line.
        down_keep_s: how long DOWN holds a message; a gateway that was away longer is seeded anew.
        shards: number of lanes.

    Raises:
        Retry: `bus_unreachable`.
    """
    up = StreamConfig(
        name=UP,
        subjects=["up.>"],
        retention=RetentionPolicy.WORK_QUEUE,
        storage=StorageType.FILE,
        discard=DiscardPolicy.NEW,
        duplicate_window=_DUPLICATES_S,
    )
    down = StreamConfig(
        name=DOWN,
        subjects=["down.>"],
        retention=RetentionPolicy.LIMITS,
        storage=StorageType.FILE,
        max_age=down_keep_s,
        duplicate_window=min(_DUPLICATES_S, down_keep_s),
    )
    stream = await bus.jetstream()
    for config in (up, down):
        try:
            await stream.stream_info(str(config.name))
        except NotFoundError:
            await stream.add_stream(config)
        else:
            await stream.update_stream(config)
    for shard in range(shards):
        # Made anew: what a hub that was killed had in its hands is delivered at once, not after the broker's patience.
        with contextlib.suppress(NotFoundError):
            await stream.delete_consumer(UP, f"ingest_{shard}")
        await stream.add_consumer(
            UP,
            ConsumerConfig(
                durable_name=f"ingest_{shard}",
                filter_subject=f"up.{shard}.>",
                ack_policy=AckPolicy.EXPLICIT,
                deliver_policy=DeliverPolicy.ALL,
                ack_wait=_ACK_WAIT_S,
                max_deliver=-1,
                max_ack_pending=_MOST_PENDING,
            ),
        )
