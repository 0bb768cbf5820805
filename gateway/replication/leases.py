"""Roaming devices: their partitions are asked for, and for as long as they keep coming."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Final

from fieldmesh.basics.errors import Fenced, Rejected
from fieldmesh.wire.v1 import replication_pb2
from gateway.storage import devices

if TYPE_CHECKING:
    from gateway.replication.parts import ReplicationParts
    from gateway.storage.transaction import Transaction

LOG = logging.getLogger(__name__)

_LOOK_S: Final = 300.0
_RENEW_US: Final = 24 * 3_600 * 1_000_000
"""In its last day: the line may be down for hours."""
_FORGET_US: Final = 24 * 3_600 * 1_000_000


async def run_leases(parts: ReplicationParts) -> None:
    """Ask for the leases that are wished for, for ever.

    Raises:
        Retry: the hub is away; the supervisor begins anew later.
    """
    while True:
        count = parts.signals.lease_wished.count
        if parts.signals.hub.reachable:
            await ask_for_leases(parts)
        await parts.signals.lease_wished.after(count, timeout_s=_LOOK_S)


async def ask_for_leases(parts: ReplicationParts) -> None:
    """Every lease that is wished for has been asked for once; whose word the hub did not believe is known."""
    now = parts.clock.now()
    parts.signals.unproven.clear()
    wishes = await parts.database.write(partial(_read_wishes, now=now))
    for wish in wishes:
        device_id = wish.device_id
        request = replication_pb2.LeaseRequest(
            device_id=device_id,
            presence=wish.presence,
            presence_at=wish.presence_at,
            certificate=wish.certificate,
        )
        try:
            payload = await parts.hub("lease", request.SerializeToString())
        except (Rejected, Fenced) as problem:
            LOG.warning(
                "lease_refused",
                extra={"device": device_id.hex(), "problem": problem.code},
            )
            if problem.code == "presence_unproven":
                parts.signals.unproven.add(device_id)
            continue
        reply = replication_pb2.LeaseReply.FromString(payload)
        await parts.database.write(
            partial(devices.note_lease, device_id=device_id, expires_at=reply.expires_at)
        )


def _read_wishes(connection: Transaction, *, now: int) -> list[devices.LeaseWish]:
    devices.forget_lease_wishes(connection, wished_before=now - _FORGET_US)
    return devices.lease_wishes(connection, renew_before=now + _RENEW_US)
