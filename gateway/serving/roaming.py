"""A device that is not at home here: its lease is wished for, its partitions are waited for, a short time."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from fieldmesh.basics.errors import Retry
from gateway.storage import devices, partitions

if TYPE_CHECKING:
    from gateway.serving.parts import ServingParts
    from gateway.storage.devices import LeaseWish
    from gateway.storage.transaction import Transaction

_READY_POLL_S: Final = 1.0
_LEASE_RETRY_S: Final = 10.0


async def wish_lease(parts: ServingParts, wish: LeaseWish) -> None:
    """The hub will be asked for what the device's position needs."""
    now = parts.clock.now()
    await parts.database.write(lambda c: devices.wish_lease(c, wish, now))
    parts.signals.lease_wished.give()


async def until_ready(parts: ServingParts, wish: LeaseWish, *, wished: bool) -> None:
    """Everything that the device may see can be given to it.

    Args:
        parts: of the gateway.
        wish: who is here, in its own word.
        wished: whether its lease was wished for in this session.

    Raises:
        Retry: ``partition_not_ready``: it takes longer than a session waits, or the hub is away;
            ``presence_unproven``: the hub does not believe that the device is here.
    """
    deadline = parts.clock.monotonic() + parts.limits.ready_wait_s
    while True:
        count = parts.signals.mark_applied.count
        missing = await parts.database.read(partial(_missing, device_id=wish.device_id))
        if not missing:
            return
        if not wished:
            await wish_lease(parts, wish)
            wished = True
        if parts.clock.monotonic() >= deadline or not parts.signals.hub.reachable:
            raise await _why_not(parts, wish.device_id, missing)
        await parts.signals.mark_applied.after(count, timeout_s=_READY_POLL_S)


async def _why_not(parts: ServingParts, device_id: bytes, missing: int) -> Retry:
    at_home = partial(devices.is_served, device_id=device_id)
    if device_id in parts.signals.unproven and not await parts.database.read(at_home):
        return Retry("presence_unproven", delay_s=_LEASE_RETRY_S)
    return Retry("partition_not_ready", delay_s=_LEASE_RETRY_S, partitions=missing)


def _missing(connection: Transaction, *, device_id: bytes) -> int:
    facts = devices.read_facts(connection, device_id)
    if not facts.known:
        return 1
    wanted = partitions.device_partitions(connection, facts)
    return len(partitions.not_served(connection, wanted))
