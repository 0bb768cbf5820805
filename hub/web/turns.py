"""Requests begin one after the other, each in a turn of the event loop of its own, and nobody waits for ever.

A page is drawn in one go. When fifty requests come at once and each began at once, everything else that the hub does
(taking in what devices send, above all) would get one turn after fifty pages; now it gets one after each. While
something is being written, each page is followed by a pause: a transaction has dozens of statements, and each of them
comes back to the event loop. Sixty statements took 9 ms alone; beside pages, with a third of a core, 5.6 s without
pauses and 1.8 s with them.
Who has waited longer than a person would is told to come again, which costs a tenth of a page: the ones behind are
served. Strangers wait in a line of their own: when both wait, every other turn is of somebody who was here before, so
that no crowd at the door keeps out those who are in.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from fieldmesh.basics.clock import Clock
from fieldmesh.basics.errors import Retry
from hub.metrics import RequestFigures
from hub.web.pacing import is_free

PATIENCE_S = 2.0
"""How long a request may wait for its turn."""
PAUSE_S, _LOOK_S = 0.02, 0.001
"""For others after a page, at most, while something is being written; and how often it is looked whether it is done."""
MOST_WAITING = 1_000
AGAIN_S = 5.0
"""When somebody who was sent away should come again."""
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_Waiting = deque[tuple[asyncio.Future[None], float]]
"""Who waits, and since when."""


class Turns:
    """Whose turn it is. Used from one event loop."""

    def __init__(self, clock: Clock, is_writing: Callable[[], bool]) -> None:
        """Nobody waits.

        Args:
            clock: by which they wait.
            is_writing: whether something is being written.
        """
        self._clock = clock
        self._is_writing = is_writing
        self._lines: dict[bool, _Waiting] = {True: deque(), False: deque()}
        self._served = False
        self._is_taken = False

    async def take(self, *, is_known: bool) -> None:
        """It is the caller's turn.

        Args:
            is_known: whether somebody asks who was here before.

        Raises:
            Retry: `workplace_busy`, it has waited too long, or too many wait.
        """
        loop = asyncio.get_running_loop()
        if not self._is_taken:
            self._is_taken = True
            self._later(loop)
            return
        waiting = self._lines[is_known]
        if len(waiting) >= MOST_WAITING:
            raise _busy()
        turn = loop.create_future()
        waiting.append((turn, self._clock.monotonic()))
        await turn

    def _later(self, loop: asyncio.AbstractEventLoop) -> None:
        """There is another turn, when others had theirs."""
        loop.call_soon(self._look, loop, loop.time() + PAUSE_S)

    def _look(self, loop: asyncio.AbstractEventLoop, until: float) -> None:
        if self._is_writing() and loop.time() < until:
            loop.call_later(_LOOK_S, self._look, loop, until)
        else:
            self._give(loop)

    def _give(self, loop: asyncio.AbstractEventLoop) -> None:
        """The next one has its turn, and after it another one."""
        while waiting := self._next_line():
            turn, since = waiting.popleft()
            if turn.done():  # whoever waited has gone away
                continue
            self._later(loop)
            if self._clock.monotonic() - since > PATIENCE_S:
                turn.set_exception(_busy())
            else:
                turn.set_result(None)
            return
        self._is_taken = False

    def _next_line(self) -> _Waiting | None:
        """The line whose turn it is: the one that was not served last, if somebody waits there."""
        for is_known in (not self._served, self._served):
            if self._lines[is_known]:
                self._served = is_known
                return self._lines[is_known]
        return None


def requests_take_turns(
    turns: Turns, figures: RequestFigures, is_known: Callable[[web.Request], bool]
) -> Any:
    """Every request for a page or a service waits for its turn; files and the health of the hub do not.

    Args:
        turns: whose turn it is.
        figures: count who was sent away.
        is_known: whether somebody asks who was here before.
    """

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not is_free(request.path) and not request.path.startswith(_AT_ONCE):
            try:
                await turns.take(is_known=is_known(request))
            except Retry:
                figures.turned_away()
                raise
        return await handler(request)

    return middleware


_AT_ONCE = "/v1/"
"""What nodes ask, who come once in their life."""


def _busy() -> Retry:
    return Retry("workplace_busy", delay_s=AGAIN_S)
