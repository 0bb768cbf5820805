"""Saying hello: where this gateway stands, and what the hub answers to it."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING

from fieldmesh.data.schema import SCHEMA_VERSION
from fieldmesh.wire.v1 import replication_pb2
from gateway.replication import subscription
from gateway.storage import cursors, outbox, partitions

if TYPE_CHECKING:
    from gateway.replication.parts import ReplicationParts
    from gateway.storage.transaction import Transaction

LOG = logging.getLogger(__name__)


async def say_hello(parts: ReplicationParts) -> int | None:
    """The hub's consumer for this gateway stands at the gateway's own place in the stream.

    Returns:
        The number of the delivery that comes next; None when the hub does not tell.

    Raises:
        Retry: ``hub_unreachable``.
    """
    hello = await parts.database.read(partial(_read_hello, version=parts.version))
    reply = await parts.hub("hello", hello.SerializeToString())
    welcome = replication_pb2.GatewayWelcome.FromString(reply)
    now = parts.clock.now()
    await parts.database.write(partial(take_welcome, welcome=welcome, now=now))
    line = parts.signals.hub
    line.reachable, line.since, line.problem = True, now, ""
    line.hub_lsn = max(line.hub_lsn, welcome.lsn)
    line.authorities = welcome.authorities
    LOG.info("hub_reached", extra={"hub_lsn": welcome.lsn, "mark_lsn": hello.mark_lsn})
    parts.signals.line_up.give()
    parts.signals.outbox_grown.give()
    parts.signals.lease_wished.give()
    parts.signals.blob_completed.give()
    # Given also when nothing changed: seeds that waited for the line go on now.
    parts.signals.partitions_changed.give()
    return welcome.next_delivery or None


def _read_hello(connection: Transaction, *, version: str) -> replication_pb2.GatewayHello:
    state = cursors.read_state(connection)
    return replication_pb2.GatewayHello(
        gateway_id=state.gateway_id,
        mark_lsn=state.mark_lsn,
        version=version,
        schema_version=SCHEMA_VERSION,
        outbox_depth=outbox.depth(connection).entries,
        down_sequence=state.down_sequence,
    )


def take_welcome(
    connection: Transaction, *, welcome: replication_pb2.GatewayWelcome, now: int
) -> bool:
    """What the hub said is known, also after a restart.

    Returns:
        Whether there are partitions to seed.
    """
    cursors.set_shards(connection, max(1, welcome.shards))
    cursors.set_hub_schema(connection, welcome.schema_version)
    epochs = [cursors.EpochStart(epoch.epoch, epoch.began_after) for epoch in welcome.epochs]
    changed = subscription.take_epochs(connection, epochs, now)
    changed = _take_scope(connection, set(welcome.partitions), now) or changed
    state = cursors.read_state(connection)
    oldest = welcome.oldest_lsn
    if state.mark_lsn < oldest and partitions.holds_older(connection, oldest):
        again = partitions.seed_again(connection, None, now, whole=False)
        cursors.forget_stream_place(connection)
        LOG.warning("away_too_long", extra={"partitions": again})
        changed = True
    return subscription.refresh(connection, now) or changed


def _take_scope(connection: Transaction, heard: set[int], now: int) -> bool:
    """What the hub no longer publishes to this gateway is incomplete from now on, and no device is given it.

    Most of it will be let go, once the stream comes to the loss; what has been gained again by then is seeded.

    Returns:
        Whether there was such a partition.
    """
    if not heard:
        return False
    held = partitions.list_partitions(connection)
    beside = {row.partition for row in held if row.partition not in heard}
    return bool(beside and partitions.seed_again(connection, beside, now, whole=False))
