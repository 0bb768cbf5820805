"""Wake-ups between the parts of one gateway process, given after a commit.

A signal carries nothing but "look again": what there is to do stands in the database, so a lost
or doubled wake-up is harmless and a restart begins where the last commit left off.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field


class Signal:
    """A wake-up that many may wait for; those who were busy when it came miss nothing."""

    def __init__(self) -> None:
        """Nothing has happened yet."""
        self._count = 0
        self._changed = asyncio.Event()

    @property
    def count(self) -> int:
        """How often it was given; keep it before looking, hand it to :meth:`after`."""
        return self._count

    def give(self) -> None:
        """Everyone who waits looks again."""
        self._count += 1
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def after(self, count: int, *, timeout_s: float) -> bool:
        """Wait until it was given more than ``count`` times, or for ``timeout_s`` seconds.

        Returns:
            Whether it was given.
        """
        if self._count != count:
            return True
        try:
            async with asyncio.timeout(timeout_s):
                await self._changed.wait()
        except TimeoutError:
            return False
        return True


@dataclass(slots=True)
class HubLine:
    """What this process knows of the line to the hub."""

    reachable: bool = False
    since: int = 0
    problem: str = ""
    hub_lsn: int = 0
    authorities: bytes = b""


@dataclass(frozen=True, slots=True)
class Signals:
    """All wake-ups of one gateway, and the state of its line to the hub.

    ``unproven`` are the devices whose word that they are here the hub has not believed, when it was asked last.
    """

    line_up: Signal = field(default_factory=Signal)
    outbox_grown: Signal = field(default_factory=Signal)
    mark_applied: Signal = field(default_factory=Signal)
    partitions_changed: Signal = field(default_factory=Signal)
    lease_wished: Signal = field(default_factory=Signal)
    blob_completed: Signal = field(default_factory=Signal)
    hub: HubLine = field(default_factory=HubLine)
    unproven: set[bytes] = field(default_factory=set)
