"""Commit numbers and epochs.

LSN = hub epoch << 32 | counter, so a restored hub stands above its lost future. The epoch of a
restore is the second in which it happened: the same backup may be restored twice, and what the hub
did in between is then a lost future too, which no number in the backup can know of.
"""

from typing import NewType

Lsn = NewType("Lsn", int)
HubEpoch = NewType("HubEpoch", int)
DeviceEpoch = NewType("DeviceEpoch", int)
BatchSequence = NewType("BatchSequence", int)

COUNTER_BITS = 32
"""More commits than that run into the next epoch's number, which is long past by then."""
EPOCH_ZERO_S = 1_577_836_800
"""2020-01-01T00:00:00Z in seconds of Unix time; 31 bits last until 2088."""
SECOND_US = 1_000_000


def make_lsn(epoch: int, counter: int) -> Lsn:
    """The commit number of the ``counter``-th transaction of a hub epoch."""
    return Lsn((epoch << COUNTER_BITS) | counter)


def hub_epoch_of(lsn: int) -> HubEpoch:
    """The hub epoch in which that commit was made."""
    return HubEpoch(lsn >> COUNTER_BITS)


def epoch_after_restore(held: int, now: int) -> HubEpoch:
    """The epoch that a restored hub begins: the second that comes next, above every epoch before it.

    Args:
        held: the epoch that the backup knows.
        now: UTC microseconds.
    """
    return HubEpoch(max(held, now // SECOND_US - EPOCH_ZERO_S) + 1)
