"""Which partitions this gateway wants, worked out anew whenever the rows that say so change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.replication import replay
from gateway.storage import cursors, partitions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.storage.transaction import Transaction

TABLES: Final = frozenset({"gateway_position", "subscription", "device"})
"""A change in one of these may change what is wanted."""


def refresh(connection: Transaction, now: int) -> bool:
    """The gateway wants what its positions need now.

    Returns:
        Whether a partition was gained or lost.
    """
    gateway_id = cursors.read_state(connection).gateway_id
    wanted = partitions.wanted_partitions(connection, gateway_id)
    return any(partitions.want(connection, wanted, now))


def take_epochs(connection: Transaction, epochs: Sequence[cursors.EpochStart], now: int) -> bool:
    """The hub's epochs are known; after a restore, what it lost is sent and fetched again.

    Where something counts again that was undone here, no stream brings it any more: everything is fetched.

    Returns:
        Whether there are partitions to seed.
    """
    heard = cursors.learn_epochs(connection, epochs)
    if heard is cursors.Restored.NOTHING_NEW:
        return False
    replay.recover(connection, now)
    if heard is cursors.Restored.COME_BACK:
        partitions.seed_again(connection, None, now, whole=False)
    return True
