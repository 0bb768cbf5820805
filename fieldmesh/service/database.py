"""One SQLite file: many readers, one writer, and one fsync for many small writes.

    read(fn)   a pool of read-only connections; each fn sees one unchanging snapshot (WAL)
    write(fn)  queue → writer thread: BEGIN IMMEDIATE, SAVEPOINT fn RELEASE, SAVEPOINT fn …, COMMIT
               → every caller of the group hears of the same commit

The busier the node, the more writes share an fsync. A function that raises rolls back only itself.
A group that fails as a whole (full disk, a broken deferred reference) is rolled back and its
functions run again one by one; so a function may be called twice, and must do nothing but SQL.

Durability: what ``write`` has returned from survives a power cut (WAL, synchronous FULL).
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar, cast

from fieldmesh.basics.errors import Retry
from fieldmesh.service.database_writer import DatabaseFigures, Write, WriteKind, Writer
from fieldmesh.service.storage_problems import storage_problem

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

BUSY_TIMEOUT_MS: Final = 10_000
MOST_WAITING_WRITES: Final = 1_024
READERS: Final = 4
sqlite3.register_adapter(bytes, memoryview)
# Bytes that are given without an adapter are searched for one, value by value: measured with CPython
# 3.11, inserting rows of two identifiers took 2.4 µs instead of 2.0, the search of 500 ids 380 µs
# instead of 310.


def connect(path: Path | str, *, read_only: bool = False) -> sqlite3.Connection:
    """A bare connection in autocommit mode, for any thread, that also takes ``file:`` addresses.

    Nothing about the journal is set: whoever builds a file of its own chooses.
    """
    address = Path(path).absolute().as_uri() + ("?mode=ro" if read_only else "")
    return sqlite3.connect(  # noqa: TID251 - this is the one door
        address, uri=True, isolation_level=None, check_same_thread=False
    )


def open_connection(path: Path) -> sqlite3.Connection:
    """A connection with the settings of a database that must not lose what it has committed."""
    connection = connect(path)
    try:
        connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.execute("PRAGMA cache_size = -32768")
        connection.execute("PRAGMA journal_size_limit = 67108864")
    except BaseException:
        connection.close()
        raise
    return connection


class Database:
    """The doors to one SQLite file. Made in an event loop, used from that loop, closed once."""

    def __init__(
        self,
        path: Path,
        *,
        connector: Callable[[Path], sqlite3.Connection] | None = None,
        readers: int = READERS,
    ) -> None:
        """The file at ``path`` is opened at the first use, and made when it is missing.

        Args:
            path: the database file.
            connector: opens a connection in autocommit mode; the default is `open_connection`.
            readers: how many reads run at once.
        """
        self.path = path
        self._connector = connector or open_connection
        self._writer = Writer(lambda: self._connector(path), path)
        self._places = asyncio.Semaphore(MOST_WAITING_WRITES)
        self._read_places = asyncio.Semaphore(readers)
        self._readers = ThreadPoolExecutor(readers, thread_name_prefix=f"read-{path.stem}")
        self._reading = threading.local()
        self._read_connections: list[sqlite3.Connection] = []
        self._closed = False

    @property
    def figures(self) -> DatabaseFigures:
        """What the writer has done so far."""
        return self._writer.figures

    async def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """What ``work`` returns; all its statements see one state of the database.

        Raises:
            Retry: `disk_failed` or `database_busy`.
        """
        self._refuse_when_closed()
        await self._ensure_file()
        await self._read_places.acquire()
        try:
            loop = asyncio.get_running_loop()
            future = loop.run_in_executor(self._readers, self._read, work)
        except BaseException:
            self._read_places.release()
            raise
        future.add_done_callback(lambda _: self._read_places.release())
        return await future

    async def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """What ``work`` returns, after all that it wrote is durable; or nothing of it is written.

        Ordering: writes take effect in the order of the calls. A caller that is cancelled does not
        learn whether its write took place. ``work`` may run twice; it must not begin, commit or
        roll back.

        Raises:
            Retry: `disk_full`, `disk_failed` or `database_busy`; nothing of it is written.
        """
        return await self._enqueue(work, WriteKind.GROUPED)

    async def write_alone(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """As `write`, in a transaction that no other write shares; ``work`` runs once. For many rows."""
        return await self._enqueue(work, WriteKind.ALONE)

    async def maintain(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """What ``work`` returns; it runs in the writer outside a transaction (VACUUM, backup)."""
        return await self._enqueue(work, WriteKind.OUTSIDE)

    async def close(self) -> None:
        """What waited is written, all connections are closed. Repeating it is harmless."""
        if self._closed:
            return
        self._closed = True
        await asyncio.to_thread(self._writer.end)
        await asyncio.to_thread(self._readers.shutdown)
        for connection in self._read_connections:
            connection.close()
        self._read_connections.clear()

    def _refuse_when_closed(self) -> None:
        if self._closed:
            raise Retry("database_busy", place=self.path.name)

    async def _ensure_file(self) -> None:
        """A reader must not be the one that makes the file."""
        if not self._writer.is_started and not self.path.exists():
            await self.maintain(lambda _: None)

    async def _enqueue(self, work: Callable[[sqlite3.Connection], T], kind: WriteKind) -> T:
        self._refuse_when_closed()
        async with self._places:
            self._refuse_when_closed()
            loop = asyncio.get_running_loop()
            future: asyncio.Future[T] = loop.create_future()
            call = Write(work, kind, future, loop)
            self._writer.put(call)
            self.figures.waiting += 1
            try:
                return await future
            except asyncio.CancelledError:
                call.abandoned = True
                raise
            finally:
                self.figures.waiting -= 1

    def _read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            connection = self._reader()
            connection.execute("BEGIN")
            try:
                return work(connection)
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
        except Exception as error:
            problem = storage_problem(error, self.path.name, file=self.path)
            if problem is None:
                raise
            raise problem from error

    def _reader(self) -> sqlite3.Connection:
        connection = cast("sqlite3.Connection | None", getattr(self._reading, "held", None))
        if connection is not None and connection.in_transaction:  # It could not be ended.
            self._read_connections.remove(connection)
            connection.close()
            connection = None
        if connection is None:
            connection = self._connector(self.path)
            connection.execute("PRAGMA query_only = ON")
            self._reading.held = connection
            self._read_connections.append(connection)
        return connection
