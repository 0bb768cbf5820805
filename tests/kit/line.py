"""A line that counts what passes, and fails at the worst moment: after so many bytes, or in one direction only."""

import asyncio
from enum import Enum

from deploy.demo.proxy import Line

_PIECE = 4 * 1024
_ARRIVE_S = 0.3
"""What has passed is given so long to be read before the line breaks: a reset would take it back."""


class Way(Enum):
    """Where bytes go."""

    UP = "up"
    DOWN = "down"


class FailingLine(Line):
    """A line whose failures are chosen to the byte.

    `passed` counts what has gone through each way. Up is towards the target.
    """

    def __init__(self, target_port: int) -> None:
        """The line is whole."""
        super().__init__(target_port)
        self.passed = {Way.UP: 0, Way.DOWN: 0}
        self._cut_at: dict[Way, int] = {}
        self._mute_from: int | None = None
        self._speaks = asyncio.Event()
        self._speaks.set()

    @property
    def is_mute(self) -> bool:
        """Whether nothing comes down."""
        return not self._speaks.is_set()

    def count_anew(self) -> None:
        """What has passed so far is forgotten."""
        self.passed = {Way.UP: 0, Way.DOWN: 0}

    def cut_after(self, way: Way, count: int) -> None:
        """The line breaks when exactly so many bytes have passed that way, counted from now."""
        self.count_anew()
        self._cut_at = {way: count}

    def mute_after_up(self, count: int) -> None:
        """When so many bytes have gone up from now on, nothing comes down any more; up still passes."""
        self.count_anew()
        self._mute_from = count

    def mute(self) -> None:
        """Nothing comes down any more; up still passes."""
        self._speaks.clear()

    def cut(self) -> None:
        """What is open breaks, and nothing new gets through."""
        super().cut()
        self._speaks.set()

    def mend(self) -> None:
        """Everything passes again on new connections, and no failure is planned."""
        self._cut_at.clear()
        self._mute_from = None
        self._speaks.set()
        super().mend()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = writer.get_extra_info("peername")
        way = Way.UP if peer and peer[1] == self.target_port else Way.DOWN
        while piece := await reader.read(_PIECE):
            if way is Way.DOWN:
                await self._speaks.wait()
                if self.is_cut or writer.is_closing():
                    return
            room = self._cut_at.get(way, self.passed[way] + len(piece)) - self.passed[way]
            writer.write(piece[:room])
            await writer.drain()
            self.passed[way] += min(room, len(piece))
            if self._mute_from is not None and self.passed[Way.UP] >= self._mute_from:
                self.mute()
            if self.passed[way] >= self._cut_at.get(way, self.passed[way] + 1):
                await asyncio.sleep(_ARRIVE_S)
                self.cut()
                return
        writer.transport.abort()
