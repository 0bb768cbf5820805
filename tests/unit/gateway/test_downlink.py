"""The line from the hub, seen from the gateway."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any, cast

from fieldmesh.basics.clock import ManualClock
from gateway.replication.downlink import _consume

if TYPE_CHECKING:
    from fieldmesh.service.bus_pull import BusMessage


class _SilentHub:
    """Nothing comes from it; the time that it is waited for passes."""

    def __init__(self, seed: int) -> None:
        """What the gateway does by chance comes from ``seed``."""
        self.clock, self.random, self.gateway_id = ManualClock(), random.Random(seed), b"g" * 16
        self.bus = self

    async def pull(self, *_place: str, **wanted: float) -> list[BusMessage]:
        """Nothing came in time."""
        self.clock.advance(int(wanted["timeout_s"] * 1_000_000))
        return []


async def test_gateways_say_hello_to_a_silent_hub_one_after_the_other() -> None:
    """750 hellos at once keep a busy hub from sending the mark for which all of them wait."""
    begun = ManualClock().monotonic()
    spoke = []
    for seed in range(100):
        hub = _SilentHub(seed)
        await _consume(cast("Any", hub), None)
        spoke.append(hub.clock.monotonic() - begun)
    assert min(spoke) > 6
    assert max(spoke) < 20
    assert max(spoke.count(second) for second in spoke) < 40
