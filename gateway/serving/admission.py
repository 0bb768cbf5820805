"""Who may come in: a pool per kind of work, each with a short waiting room; and no device with many sessions."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Final, cast

from fieldmesh.basics.errors import Retry

if TYPE_CHECKING:
    import random
    from collections.abc import AsyncIterator, Iterator

    from fieldmesh.basics.clock import Clock

_FIRST_GUESS_S: Final = 1.0
_LONGEST_RETRY_S: Final = 60.0
_MEMORY: Final = 0.9


class Pool:
    """At most ``places`` at once; at most ``waiting`` more wait for at most ``wait_s`` seconds."""

    def __init__(
        self,
        name: str,
        *,
        places: int,
        waiting: int,
        wait_s: float,
        clock: Clock,
        random: random.Random,
    ) -> None:
        """Nobody is in.

        Args:
            name: kind of work, for metrics and problems.
            places: how many at once.
            waiting: how many more may wait.
            wait_s: longest wait, seconds.
            clock: to learn how long a place is held.
            random: jitter of the retry-after.
        """
        self.name = name
        self.places = places
        self._waiting_room = waiting
        self._wait_s = wait_s
        self._clock = clock
        self._random = random
        self._free = asyncio.Semaphore(places)
        self._mean_s = _FIRST_GUESS_S
        self.inside = 0
        self.waiting = 0
        self.refused = 0

    @property
    def load(self) -> float:
        """0 idle to 1 full."""
        return min(1.0, (self.inside + self.waiting) / self.places)

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Hold a place while the block runs.

        Raises:
            Retry: ``gateway_busy`` with a delay, when the waiting room is full or the wait was
                too long.
        """
        await self._enter()
        began = self._clock.monotonic()
        try:
            yield
        finally:
            held = self._clock.monotonic() - began
            self._mean_s = _MEMORY * self._mean_s + (1 - _MEMORY) * held
            self.inside -= 1
            self._free.release()

    async def _enter(self) -> None:
        if self._free.locked() and self.waiting >= self._waiting_room:
            raise self._busy()
        self.waiting += 1
        try:
            async with asyncio.timeout(self._wait_s):
                await self._free.acquire()
        except TimeoutError as error:
            raise self._busy() from error
        finally:
            self.waiting -= 1
        self.inside += 1

    def _busy(self) -> Retry:
        self.refused += 1
        queue = (self.waiting + 1) / self.places
        delay = min(_LONGEST_RETRY_S, max(0.2, self._mean_s * queue))
        return Retry(
            "gateway_busy",
            delay_s=delay * self._random.uniform(0.5, 1.5),
            pool=self.name,
        )


class Guests:
    """The open sessions of each device. One too many ends the oldest: that line is lost, or was never meant well."""

    def __init__(self, *, most: int) -> None:
        """Nobody is here; ``most`` sessions of a device may be open at once."""
        self._most = most
        self._superseded: set[asyncio.Task[object]] = set()
        self._open: dict[bytes, list[asyncio.Task[object]]] = {}

    @contextmanager
    def visit(self, device_id: bytes) -> Iterator[None]:
        """The calling task is a session of the device while the block runs.

        Raises:
            Retry: ``session_superseded``, a newer one came and this was the oldest of too many.
        """
        task = cast("asyncio.Task[object]", asyncio.current_task())
        sessions = self._open.setdefault(device_id, [])
        if len(sessions) >= self._most:
            oldest = sessions.pop(0)
            self._superseded.add(oldest)
            oldest.cancel()
        sessions.append(task)
        try:
            yield
        except asyncio.CancelledError:
            if task not in self._superseded or task.uncancel() > 0:
                raise
            raise Retry("session_superseded", delay_s=_FIRST_GUESS_S) from None
        finally:
            self._superseded.discard(task)
            if task in sessions:
                sessions.remove(task)
            if not sessions and self._open.get(device_id) is sessions:
                self._open.pop(device_id, None)
