"""What changes when a subscription changes."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ScopeDifference:
    """Partitions that come and go."""

    gained: frozenset[int]
    lost: frozenset[int]


def diff(held: AbstractSet[int], wanted: AbstractSet[int]) -> ScopeDifference:
    """What a node that holds ``held`` must gain and lose to hold ``wanted``."""
    return ScopeDifference(frozenset(wanted - held), frozenset(held - wanted))
