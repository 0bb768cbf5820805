"""A TCP line under bad weather: cut, mute in one direction, slow, narrow, losing pieces and connections; seeded."""

import asyncio
import random
from dataclasses import dataclass, field

from deploy.demo.proxy import Line
from tests.kit.line import Way

_PIECE = 16 * 1024
_RESENT_S = (0.2, 1.2)
"""How late a lost piece comes: a TCP sender waits so long before it sends again."""
_LOST_TWICE = 0.1
"""Of lost pieces, how many take the connection with them."""


@dataclass(slots=True)
class Weather:
    """What a line does to pieces of at most 16 KiB. As it is made, it does nothing."""

    delay_s: float = 0.0
    """Each piece comes so late …"""
    jitter_s: float = 0.0
    """… and up to so much later."""
    bytes_per_s: float = 0.0
    """No more than that; 0 = as fast as it goes."""
    loss: float = 0.0
    """Probability that a piece is lost."""
    mute: set[Way] = field(default_factory=set)
    """Nothing passes these ways; what is sent waits, as it would in a sender's buffer."""


class StormyLine(Line):
    """A line with a weather that changes while it is used. Up is towards the target."""

    def __init__(self, target_port: int, choose: random.Random, *, port: int = 0) -> None:
        """The sky is clear."""
        super().__init__(target_port, port=port)
        self.weather = Weather()
        self._choose = choose
        self._changed = asyncio.Condition()

    async def under(self, weather: Weather) -> None:
        """The line is as the weather makes it; what waited for the old one goes on."""
        self.weather = weather
        async with self._changed:
            self._changed.notify_all()

    async def clear(self) -> None:
        """The line is whole."""
        self.mend()
        await self.under(Weather())

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = writer.get_extra_info("peername")
        way = Way.UP if peer and peer[1] == self.target_port else Way.DOWN
        while piece := await reader.read(_PIECE):
            if not await self._arrives(way, len(piece)):
                break
            async with self._changed:
                await self._changed.wait_for(lambda: way not in self.weather.mute)
            if writer.is_closing():
                return
            writer.write(piece)
            await writer.drain()
        writer.transport.abort()

    async def _arrives(self, way: Way, size: int) -> bool:
        """Whether a piece gets through at all, after the time that it takes."""
        weather, late = self.weather, 0.0
        if way in weather.mute:
            return True
        late = weather.delay_s + self._choose.random() * weather.jitter_s
        if weather.bytes_per_s:
            late += size / weather.bytes_per_s
        if weather.loss and self._choose.random() < weather.loss:
            late += self._choose.uniform(*_RESENT_S)
            if self._choose.random() < _LOST_TWICE:
                return False
        if late:
            await asyncio.sleep(late)
        return True
