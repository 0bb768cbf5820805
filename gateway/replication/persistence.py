"""Loops to the hub go on by themselves when the line comes back: soon, and not all at once."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from fieldmesh.basics.backoff import Backoff
from fieldmesh.basics.errors import Retry

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from gateway.replication.parts import ReplicationParts

LOG = logging.getLogger(__name__)

_FIRST_S: Final = 0.2
_MOST_S: Final = 4.0
_STEADY_S: Final = 20.0


async def keep_trying(
    parts: ReplicationParts,
    loop: Callable[[], Awaitable[None]],
    *,
    needs_hello: bool,
) -> None:
    """Run the loop for ever; after a Retry wait a little, with jitter, and run it again.

    Args:
        parts: the replication's parts.
        loop: runs until the line is away.
        needs_hello: wait for the next hello instead, at most the longest delay (everything
            but the loop that says hello).
    """
    backoff = Backoff(_FIRST_S, _MOST_S, parts.random)
    while True:
        began = parts.clock.monotonic()
        count = parts.signals.line_up.count
        try:
            await loop()
        except Retry as problem:
            LOG.debug("line_away", extra={"problem": problem.code})
        if parts.clock.monotonic() - began > _STEADY_S:
            backoff.reset()
        delay_s = backoff.next_delay()
        if needs_hello:
            await parts.signals.line_up.after(count, timeout_s=delay_s)
        else:
            await asyncio.sleep(delay_s)
