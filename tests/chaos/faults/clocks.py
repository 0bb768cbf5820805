"""Clocks that jump while their process works, forth and back: of head office, of a gateway, of a crew's devices."""

import random
from typing import ClassVar

from typing_extensions import override

from tests.chaos.arena import Arena
from tests.chaos.faults.fault import Fault, OfCrews, OfGateways, OfHub, registered
from tests.chaos.ground import Need

_HOUR_S = 3_600.0
_JUMPS_S = ((0.5, 5.0), (60.0, 600.0), (_HOUR_S, 12 * _HOUR_S), (24 * _HOUR_S, 72 * _HOUR_S))
_MOST_AT_HUB_S = 40 * _HOUR_S
"""Certificates hold from two days before the hub's clock on: with one that is further ahead nobody could be let in."""


class _Jumps(Fault):
    """The clock is wrong by seconds, minutes, hours or days, either way, and right again afterwards."""

    needs: ClassVar[frozenset[Need]] = frozenset({Need.CLOCKS})
    lasts_s = (2.0, 8.0)
    most_s: ClassVar[float] = float("inf")

    @override
    async def begin(self, network: Arena, choose: random.Random) -> str:
        seconds = min(choose.uniform(*choose.choice(_JUMPS_S)), self.most_s)
        seconds *= choose.choice((-1, 1))
        network.ground.clocks[self.node].jump(seconds)
        way = "fast" if seconds > 0 else "slow"
        return f"the clock of {self.node} is {abs(seconds):,.0f} s {way}"

    @override
    async def heal(self, network: Arena) -> None:
        network.ground.clocks[self.node].jump(0.0)


@registered
class HubClock(_Jumps, OfHub):
    """Head office decides by a wrong clock; the broker keeps the right one."""

    name = "clock_hub"
    most_s = _MOST_AT_HUB_S


@registered
class GatewayClock(_Jumps, OfGateways):
    """A gateway works by a wrong clock."""

    name = "clock_gateway"


@registered
class DeviceClock(_Jumps, OfCrews):
    """Reps work by a wrong clock, as they do everywhere."""

    name = "clock_devices"
