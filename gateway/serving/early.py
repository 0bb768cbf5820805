"""A delta that is made while the device's batches still come up.

They change nothing in it: what a device brings now is in its own database.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final

from fieldmesh.basics.errors import Retry

if TYPE_CHECKING:
    from fieldmesh.basics.clock import Clock
    from gateway.serving.downloads import Download, DownloadMaker, Wish

FRESH_S: Final = 5.0
"""A long upload leaves the delta behind the gateway's mark: another one is made then."""


class EarlyDelta:
    """At most one delta, made before it is asked for."""

    def __init__(self, downloads: DownloadMaker, clock: Clock) -> None:
        """Nothing was made."""
        self._downloads = downloads
        self._clock = clock
        self._made: Download | None = None
        self._until = 0.0

    async def make(self, wish: Wish) -> None:
        """The delta was made, if that is possible at once; why not, is said when it is asked for."""
        until = self._clock.monotonic() + FRESH_S
        with contextlib.suppress(Retry):
            self._made = await self._downloads.make(wish)
            self._until = until

    def take(self) -> Download | None:
        """What was made, while it is fresh."""
        return self._made if self._clock.monotonic() < self._until else None
