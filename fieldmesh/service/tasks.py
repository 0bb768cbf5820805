"""Eternal loops with an owner, work beside a block or side by side, queues that are never without a bound."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Generic, Self, TypeVar

from fieldmesh.basics.backoff import Backoff
from fieldmesh.basics.errors import Defect, FieldmeshError, Retry

if TYPE_CHECKING:
    import random
    from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable
    from types import TracebackType

    from fieldmesh.basics.clock import Clock

T = TypeVar("T")

LOG = logging.getLogger(__name__)

FIRST_DELAY_S: Final = 0.1
MOST_DELAY_S: Final = 30.0
STEADY_S: Final = 60.0
"""A loop that ran so long before it failed starts again with the shortest delay."""
CANCEL_AGAIN_S: Final = 3.0
"""A loop that is still not at its end so long after it was cancelled is cancelled again."""


@dataclass(slots=True)
class LoopFigures:
    """How one loop fares.

    Attributes:
        restarts: how often it failed or ended and was started again.
        running: whether it runs now (False while it waits to be started again).
        last_problem: code of the problem, or class of the error, that ended it last.
    """

    restarts: int = 0
    running: bool = False
    last_problem: str = ""


class Supervisor:
    """Owns the loops of one node: ``async with Supervisor(clock, random) as loops: loops.run(…)``.

    A loop that raises is started again after a delay that grows; one that returns although nobody
    stopped it is treated as failed. On exit of the context all loops are cancelled and awaited.
    """

    def __init__(self, clock: Clock, randomness: random.Random) -> None:
        """Delays are drawn from ``randomness``, steadiness is measured with ``clock``."""
        self.loops: dict[str, LoopFigures] = {}
        self._clock = clock
        self._random = randomness
        self._group = asyncio.TaskGroup()
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def __aenter__(self) -> Self:
        """Loops may be run."""
        await self._group.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Every loop has ended."""
        await _end(self._tasks.values())
        # Without the error: it goes on by itself, not wrapped in a group.
        await self._group.__aexit__(None, None, None)

    def run(self, name: str, loop: Callable[[], Awaitable[None]]) -> None:
        """The loop runs until the context ends or `stop` is called.

        Raises:
            Defect: a loop with that name runs already.
        """
        if name in self._tasks and not self._tasks[name].done():
            raise Defect("defect", place=name, reason="a loop with this name runs already")
        self.loops[name] = LoopFigures()
        self._tasks[name] = self._group.create_task(self._for_ever(name, loop), name=name)

    async def stop(self, *names: str) -> None:
        """The named loops have ended, in the order given; all of them when none is named."""
        for name in names or tuple(self._tasks):
            task = self._tasks.get(name)
            if task is not None:
                await _end([task])

    async def _for_ever(self, name: str, loop: Callable[[], Awaitable[None]]) -> None:
        figures = self.loops[name]
        backoff = Backoff(FIRST_DELAY_S, MOST_DELAY_S, self._random)
        while True:
            began = self._clock.monotonic()
            delay_s = 0.0
            figures.running = True
            try:
                await loop()
                figures.last_problem = "ended"
                LOG.error("loop_ended", extra={"loop": name})
            except FieldmeshError as error:
                figures.last_problem = error.code
                delay_s = error.delay_s if isinstance(error, Retry) else 0.0
                level = logging.WARNING if isinstance(error, Retry) else logging.ERROR
                LOG.log(level, "loop_failed", extra={"loop": name, "problem": error.code})
            except Exception as error:
                figures.last_problem = type(error).__name__
                LOG.exception("loop_failed", extra={"loop": name, "problem": repr(error)})
            finally:
                figures.running = False
            if self._clock.monotonic() - began > STEADY_S:
                backoff.reset()
            figures.restarts += 1
            await asyncio.sleep(max(delay_s, backoff.next_delay()))


async def _end(tasks: Iterable[asyncio.Task[None]]) -> None:
    """The tasks have ended.

    A task may survive a cancellation: asyncio.wait_for of Python 3.11 drops one that comes together with its
    result, and nats-py drops one while it closes a connection. It is cancelled again.
    """
    running = {task for task in tasks if not task.done()}
    while running:
        for task in running:
            task.cancel()
        _, running = await asyncio.wait(running, timeout=CANCEL_AGAIN_S)


@asynccontextmanager
async def beside(work: Coroutine[None, None, object]) -> AsyncIterator[None]:
    """The work runs while the block does; when the block has been left, both have ended.

    An error of either ends the other, and goes on by itself, not wrapped in a group.
    """
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(work)
            yield
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None


async def for_each(things: Iterable[T], do: Callable[[T], Awaitable[object]], *, most: int) -> None:
    """It is done for all of them; for ``most`` at the same time, begun in their order.

    The first error ends the others, and goes on by itself, not wrapped in a group.
    """
    places = asyncio.Semaphore(most)

    async def in_turn(thing: T) -> None:
        async with places:
            await do(thing)

    try:
        async with asyncio.TaskGroup() as group:
            for thing in things:
                group.create_task(in_turn(thing))
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None


class BoundedQueue(Generic[T]):
    """A queue with a limit: `put` waits for room, `offer` says no, `get` waits for a thing.

    Ordering: first in, first out. For one event loop.
    """

    def __init__(self, size: int, name: str) -> None:
        """At most ``size`` things wait in the queue called ``name``."""
        self.size = size
        self.name = name
        self._things: deque[T] = deque()
        self._changed = asyncio.Condition()

    def __len__(self) -> int:
        """How many things wait."""
        return len(self._things)

    async def put(self, thing: T) -> None:
        """The thing waits in the queue; the caller has waited for room."""
        async with self._changed:
            await self._changed.wait_for(lambda: len(self._things) < self.size)
            self._things.append(thing)
            self._changed.notify_all()

    async def offer(self, thing: T) -> bool:
        """Whether there was room for the thing; it is in the queue then."""
        async with self._changed:
            if len(self._things) >= self.size:
                return False
            self._things.append(thing)
            self._changed.notify_all()
            return True

    async def get(self) -> T:
        """The oldest thing, taken out of the queue."""
        async with self._changed:
            await self._changed.wait_for(lambda: len(self._things) > 0)
            thing = self._things.popleft()
            self._changed.notify_all()
            return thing

    async def get_many(self, most: int) -> list[T]:
        """The oldest things, at least one and at most ``most``, taken out of the queue."""
        async with self._changed:
            await self._changed.wait_for(lambda: len(self._things) > 0)
            things = [self._things.popleft() for _ in range(min(most, len(self._things)))]
            self._changed.notify_all()
            return things
