"""Commit numbers and epochs.

LSN = hub epoch << 40 | counter, so a restored hub stands above its lost future.
"""

from typing import NewType

Lsn = NewType("Lsn", int)
HubEpoch = NewType("HubEpoch", int)
DeviceEpoch = NewType("DeviceEpoch", int)
BatchSequence = NewType("BatchSequence", int)

COUNTER_BITS = 40


def make_lsn(epoch: int, counter: int) -> Lsn:
    """The commit number of the ``counter``-th transaction of a hub epoch."""
    return Lsn((epoch << COUNTER_BITS) | counter)


def hub_epoch_of(lsn: int) -> HubEpoch:
    """The hub epoch in which that commit was made."""
    return HubEpoch(lsn >> COUNTER_BITS)
