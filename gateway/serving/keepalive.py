"""A device that waits for its download hears from time to time that the gateway is at it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

T = TypeVar("T")


async def saying(
    say: Callable[[], Awaitable[None]], every_s: float, work: Coroutine[None, None, T]
) -> T:
    """The result of the work; as long as it takes, ``say`` is called every so many seconds.

    Cancellation: ends the work too, as an error of ``say`` does. An error of the work may cut what is being said.
    """
    try:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(work)
            while not (await asyncio.wait({task}, timeout=every_s))[0]:
                await say()
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return task.result()
