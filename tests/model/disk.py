"""Disks of the model that refuse a commit: what the transaction wrote is gone, and the node is told so."""

from __future__ import annotations

from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any
from unittest import mock

from device_agent.storage.database import DeviceDatabase
from fieldmesh.basics.errors import Retry
from fieldmesh.service.database import Database
from hub.storage.database import HubDatabase

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path


class Disks:
    """Which node's next commits fail."""

    def __init__(self) -> None:
        """All disks are well."""
        self._folder: Path | None = None
        self._good = 0

    @contextmanager
    def full(self, folder: Path, good: int) -> Iterator[None]:
        """In the block one commit below the folder fails: the one after so many good ones."""
        self._folder, self._good = folder, good
        try:
            yield
        finally:
            self._folder = None

    def check(self, file: Path | None) -> None:
        """Called when a transaction is about to be committed.

        Raises:
            Retry: `disk_full`, once.
        """
        if file is None or self._folder is None or self._folder not in file.parents:
            return
        if self._good:
            self._good -= 1
            return
        self._folder = None
        raise Retry("disk_full", place=str(file))

    @contextmanager
    def watched(self) -> Iterator[None]:
        """The databases of all three tiers ask these disks in the block."""
        hub_write = HubDatabase.write

        @asynccontextmanager
        async def write(database: HubDatabase) -> AsyncIterator[Any]:
            async with hub_write(database) as connection:
                yield connection
                self.check(database._file)

        with (
            mock.patch.object(HubDatabase, "write", write),
            mock.patch.object(Database, "write", self._asking(Database.write)),
            mock.patch.object(Database, "write_alone", self._asking(Database.write_alone)),
            mock.patch.object(DeviceDatabase, "write", self._asking(DeviceDatabase.write)),
            mock.patch.object(DeviceDatabase, "apply", self._asking(DeviceDatabase.apply)),
        ):
            yield

    def _asking(self, original: Callable[..., Any]) -> Callable[..., Any]:
        async def write(database: Any, work: Callable[[Any], Any]) -> Any:
            def checked(connection: Any) -> Any:
                result = work(connection)
                self.check(database.path)
                return result

            return await original(database, checked)

        return write
