"""Partitions as files of chunks, so that a gateway can take one up where it stopped.

A seed is the state of a partition at one LSN. As long as the partition does not change, the same seed serves every
gateway that gains it.
"""

import asyncio
import os
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from fieldmesh.basics.errors import Rejected
from fieldmesh.codec.columns import TableRows
from fieldmesh.codec.frames import FrameKind, pack_frames
from fieldmesh.service.storage_problems import disk_problem, file_problem
from fieldmesh.wire.v1 import replication_pb2
from hub.storage import contents
from hub.storage.database import HubDatabase

MOST_SEEDS = 512
"""Those that were built, or of which a chunk was fetched, last."""
_CHUNK_BYTES = 512 * 1024


@dataclass(slots=True)
class Seed:
    """A seed on disk."""

    seed_id: bytes
    partition: int
    lsn: int
    horizon_lsn: int
    rows: int = 0
    places: list[tuple[int, int]] = field(default_factory=list)
    """(offset, size) of each chunk."""


class Seeds:
    """Builds and keeps seeds."""

    def __init__(self, database: HubDatabase, folder: Path) -> None:
        """Files go to ``folder``; what an earlier process left there is not used."""
        self._database = database
        self._folder = folder
        self._held: OrderedDict[bytes, Seed] = OrderedDict()
        self._of_partition: dict[int, bytes] = {}
        self._building = asyncio.Lock()

    def clear(self) -> None:
        """The folder stands and is empty; before the first seed."""
        self._folder.mkdir(parents=True, exist_ok=True)
        for old in self._folder.glob("*.seed"):
            old.unlink(missing_ok=True)

    async def seed(self, partition: int) -> Seed:
        """A seed of the partition that is as new as its last change.

        Raises:
            Retry: the disk takes nothing; nothing is left on it.
        """
        async with self._building:
            held = self._held.get(self._of_partition.get(partition, b""))
            if held is not None and await self._is_current(held):
                self._held.move_to_end(held.seed_id)
                return held
            seed_id = os.urandom(16)
            with _whole_or_gone(self._path(seed_id)):
                return await self._build(seed_id, partition)

    async def chunk(self, seed_id: bytes, number: int) -> bytes:
        """A serialized SeedChunk.

        Raises:
            Rejected: `seed_unknown`: ask for the seed again.
        """
        held = self._held.get(seed_id)
        if held is None or number >= len(held.places):
            raise Rejected("seed_unknown", place=f"chunk {number}")
        self._held.move_to_end(seed_id)
        offset, size = held.places[number]
        try:
            return await asyncio.to_thread(_read, self._path(seed_id), offset, size)
        except FileNotFoundError:
            self._held.pop(seed_id, None)
            raise Rejected("seed_unknown", place=f"chunk {number}") from None

    def partition_of(self, seed_id: bytes) -> int:
        """Whose seed it is.

        Raises:
            Rejected: `seed_unknown`: ask for the seed again.
        """
        held = self._held.get(seed_id)
        if held is None:
            raise Rejected("seed_unknown", place="seed")
        return held.partition

    async def _is_current(self, seed: Seed) -> bool:
        async with self._database.read() as connection:
            found = await contents.digests(connection, [seed.partition])
        return all(last <= seed.lsn for _, last in found)

    async def _build(self, seed_id: bytes, partition: int) -> Seed:
        async with self._database.read() as connection:
            lsn = await contents.current_lsn(connection)
            seed = Seed(seed_id, partition, lsn, 0)
            chunk = replication_pb2.SeedChunk()
            size = 0
            async for rows in contents.rows_of_partition(connection, partition):
                seed.rows += rows.row_count
                await self._add(seed, chunk, FrameKind.ROWS, rows, size)
                size = chunk.ByteSize()
            async for rows in contents.removals_of_partition(connection, partition):
                await self._add(seed, chunk, FrameKind.REMOVALS, rows, size)
                size = chunk.ByteSize()
            # Last: whichever removals were forgotten before they were read lie below it.
            seed.horizon_lsn = await contents.removal_horizon(connection)
            if chunk.frames or not seed.places:
                await asyncio.to_thread(self._append, seed, chunk.SerializeToString())
        self._held[seed_id] = seed
        self._of_partition[partition] = seed_id
        while len(self._held) > MOST_SEEDS:
            old, _ = self._held.popitem(last=False)
            self._path(old).unlink(missing_ok=True)
        return seed

    async def _add(
        self,
        seed: Seed,
        chunk: replication_pb2.SeedChunk,
        kind: FrameKind,
        rows: TableRows,
        size: int,
    ) -> None:
        for frame in await asyncio.to_thread(pack_frames, kind, rows):
            if chunk.frames and size + len(frame.table_data_zstd) > _CHUNK_BYTES:
                await asyncio.to_thread(self._append, seed, chunk.SerializeToString())
                chunk.Clear()
                size = 0
            chunk.frames.append(frame)
            size += len(frame.table_data_zstd)

    def _append(self, seed: Seed, content: bytes) -> None:
        with self._path(seed.seed_id).open("ab") as file:
            seed.places.append((file.tell(), len(content)))
            file.write(content)

    def _path(self, seed_id: bytes) -> Path:
        return self._folder / f"{seed_id.hex()}.seed"


@contextmanager
def _whole_or_gone(file: Path) -> Iterator[None]:
    try:
        yield
    except BaseException as error:
        with suppress(OSError):
            file.unlink(missing_ok=True)
        if isinstance(error, OSError):
            problem = file_problem(error, str(file.parent))
            raise problem or disk_problem(str(file.parent), file, str(error)) from error
        raise


def _read(path: Path, offset: int, size: int) -> bytes:
    with path.open("rb") as file:
        file.seek(offset)
        return file.read(size)
