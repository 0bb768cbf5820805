"""Lines that fail: cut, mute in one direction, late, lossy, narrow; between devices and gateways, gateways and hub."""

import random
from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from typing_extensions import override

from tests.chaos.arena import Arena
from tests.chaos.faults.fault import Fault, registered
from tests.chaos.line import Weather
from tests.chaos.shape import Shape
from tests.kit.line import Way

_NARROW_BYTES_PER_S = (2_000, 20_000)
_DELAY_S = (0.05, 0.4)
_LOSS = (0.05, 0.25)


class _OfLines(Fault):
    """A line under some weather; what was open before it may be cut at its end, as a router that comes back does."""

    weight = 3

    @classmethod
    @override
    def nodes(cls, shape: Shape) -> Sequence[str]:
        return (*shape.bus_lines, *shape.field_lines)

    @override
    async def begin(self, network: Arena, choose: random.Random) -> str:
        weather, words = self.weather(choose)
        self.breaks_at_end = choose.random() < 0.3
        await network.lines[self.node].under(weather)
        return f"{self.node} {words}"

    @override
    async def heal(self, network: Arena) -> None:
        line = network.lines[self.node]
        if self.breaks_at_end:
            line.cut()
        await line.clear()

    @abstractmethod
    def weather(self, choose: random.Random) -> tuple[Weather, str]:
        """The weather, and words for it."""


@registered
class CutLine(_OfLines):
    """What is open breaks, and nothing new gets through."""

    name = "cut"

    @override
    async def begin(self, network: Arena, choose: random.Random) -> str:
        network.lines[self.node].cut()
        return f"{self.node} is cut"

    @override
    async def heal(self, network: Arena) -> None:
        await network.lines[self.node].clear()

    @override
    def weather(self, choose: random.Random) -> tuple[Weather, str]:
        return Weather(), "is cut"


class _Mute(_OfLines):
    """One direction is dead: what is said arrives, and the answer does not, or the other way round."""

    long_share = 0.25
    way: ClassVar[Way]

    @override
    def weather(self, choose: random.Random) -> tuple[Weather, str]:
        return Weather(mute={self.way}), f"passes nothing {self.way.value}"


@registered
class MuteDown(_Mute):
    """What is sent arrives; no answer comes back: it is delivered again later."""

    name = "one_way_down"
    way = Way.DOWN


@registered
class MuteUp(_Mute):
    """Nothing arrives, while what the other side says does."""

    name = "one_way_up"
    way = Way.UP


@registered
class LateLine(_OfLines):
    """Every piece is late, each by another time."""

    name = "delay"

    @override
    def weather(self, choose: random.Random) -> tuple[Weather, str]:
        delay_s = choose.uniform(*_DELAY_S)
        return Weather(delay_s=delay_s, jitter_s=delay_s), f"is {delay_s:.2f} s late"


@registered
class LossyLine(_OfLines):
    """Pieces are lost and sent again; some take their connection with them."""

    name = "loss"

    @override
    def weather(self, choose: random.Random) -> tuple[Weather, str]:
        loss = choose.uniform(*_LOSS)
        return Weather(loss=loss), f"loses {loss:.0%} of its pieces"


@registered
class NarrowLine(_OfLines):
    """A line of a village: a few kilobytes a second."""

    name = "throttle"

    @override
    def weather(self, choose: random.Random) -> tuple[Weather, str]:
        width = choose.uniform(*_NARROW_BYTES_PER_S)
        return Weather(bytes_per_s=width), f"carries {width / 1000:.0f} kB a second"
