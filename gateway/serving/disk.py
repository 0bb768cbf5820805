"""The disk is watched: short of space, downloads stop first, then uploads."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Final

from fieldmesh.basics.errors import Retry

if TYPE_CHECKING:
    from pathlib import Path

_LOOK_S: Final = 2.0
_RETRY_S: Final = 60.0


class DiskWatch:
    """Knows how much is free on the gateway's disk.

    Below twice the floor nothing more is spooled; below the floor uploads are refused too, with
    a problem that says so, while what was acknowledged stays safe.
    """

    def __init__(self, folder: Path, *, floor_bytes: int) -> None:
        """Look once.

        Args:
            folder: any folder on the disk.
            floor_bytes: free bytes below which nothing is written any more; 0 = never refuse.
        """
        self._folder = folder
        self._floor = floor_bytes
        self.free_bytes = 0
        self.look()

    def look(self) -> None:
        """See how much is free now."""
        state = os.statvfs(self._folder)
        self.free_bytes = state.f_bavail * state.f_frsize

    async def watch(self) -> None:
        """Look again and again, for ever."""
        while True:
            await asyncio.sleep(_LOOK_S)
            self.look()

    def has_room(self) -> bool:
        """Whether uploads may be stored."""
        return self.free_bytes >= self._floor

    def check_spool(self) -> None:
        """Downloads may be spooled.

        Raises:
            Retry: ``disk_full``.
        """
        if self.free_bytes < 2 * self._floor:
            raise Retry("disk_full", delay_s=_RETRY_S, free_bytes=self.free_bytes)

    def check_upload(self) -> None:
        """Uploads may be stored.

        Raises:
            Retry: ``disk_full``.
        """
        if self.free_bytes < self._floor:
            raise Retry("disk_full", delay_s=_RETRY_S, free_bytes=self.free_bytes)
