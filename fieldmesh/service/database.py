"""One SQLite file: many readers, one writer, and one fsync for many small writes.

    read(fn)   a pool of read-only connections; each fn sees one unchanging snapshot (WAL)
    write(fn)  queue → writer thread: BEGIN IMMEDIATE, SAVEPOINT fn RELEASE, SAVEPOINT fn …, COMMIT
               → every caller of the group hears of the same commit

While one group's COMMIT waits for the disk, the next group gathers: the busier the node, the more
writes share an fsync. A function that raises rolls back only itself. A group that fails as a whole
(full disk, a broken deferred reference) is rolled back and its functions run again one by one, so
that each hears its own verdict; so a function may be called twice, and must do nothing but SQL.

Durability: what ``write`` has returned from survives a power cut (WAL, synchronous FULL).
"""

from __future__ import annotations

import asyncio
import logging
import queue
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum, auto
from functools import partial
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar, cast

from fieldmesh.basics.errors import FieldmeshError, Rejected, Retry

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")

LOG = logging.getLogger(__name__)

BUSY_TIMEOUT_MS: Final = 10_000
MOST_WAITING_WRITES: Final = 1_024
MOST_WRITES_IN_GROUP: Final = 256
MOST_GROUP_S: Final = 0.1
READERS: Final = 4
RETRY_S: Final = 5.0

_DISK_FULL: Final = {
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR_WRITE,
    sqlite3.SQLITE_IOERR_SHMSIZE,
    sqlite3.SQLITE_IOERR_TRUNCATE,
}
_DAMAGED: Final = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_BUSY: Final = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_PRIMARY_CODE: Final = 0xFF


class _Kind(Enum):
    GROUPED = auto()
    ALONE = auto()
    OUTSIDE = auto()


@dataclass(slots=True)
class _Write(Generic[T]):
    """One call that waits for the writer."""

    work: Callable[[sqlite3.Connection], T]
    kind: _Kind
    future: asyncio.Future[T]
    loop: asyncio.AbstractEventLoop
    abandoned: bool = False
    result: T | None = None
    error: BaseException | None = None


@dataclass(slots=True)
class DatabaseFigures:
    """Counts since the database was opened."""

    commits: int = 0
    writes: int = 0
    largest_group: int = 0
    failed_groups: int = 0
    waiting: int = 0


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


def storage_problem(error: BaseException, place: str = "") -> FieldmeshError | None:
    """What an error of the database means to a person, or None if it is about the statement."""
    code = getattr(error, "sqlite_errorcode", None)
    if not isinstance(code, int):
        return None
    primary = code & _PRIMARY_CODE
    if code in _DISK_FULL or primary == sqlite3.SQLITE_FULL:
        return Retry("disk_full", place=place, delay_s=RETRY_S)
    if primary in {sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY}:
        return Retry("disk_failed", place=place, delay_s=RETRY_S, text=str(error))
    if primary in _BUSY:
        return Retry("database_busy", place=place, delay_s=RETRY_S)
    if primary in _DAMAGED:
        return Rejected("database_unreadable", place=place)
    return None


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
        self.figures = DatabaseFigures()
        self._connector = connector or open_connection
        self._queue: queue.SimpleQueue[_Write[Any] | None] = queue.SimpleQueue()
        self._places = asyncio.Semaphore(MOST_WAITING_WRITES)
        self._read_places = asyncio.Semaphore(readers)
        self._readers = ThreadPoolExecutor(readers, thread_name_prefix=f"read-{path.stem}")
        self._reading = threading.local()
        self._read_connections: list[sqlite3.Connection] = []
        self._writer: threading.Thread | None = None
        self._closed = False

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
        return await self._enqueue(work, _Kind.GROUPED)

    async def write_alone(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """As `write`, in a transaction that no other write shares; ``work`` runs once."""
        return await self._enqueue(work, _Kind.ALONE)

    async def maintain(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """What ``work`` returns; it runs in the writer outside a transaction (VACUUM, backup)."""
        return await self._enqueue(work, _Kind.OUTSIDE)

    async def close(self) -> None:
        """What waited is written, all connections are closed. Repeating it is harmless."""
        if self._closed:
            return
        self._closed = True
        if self._writer is not None:
            self._queue.put(None)
            await asyncio.to_thread(self._writer.join)
        await asyncio.to_thread(self._readers.shutdown)
        for connection in self._read_connections:
            connection.close()
        self._read_connections.clear()

    def _refuse_when_closed(self) -> None:
        if self._closed:
            raise Retry("database_busy", place=self.path.name)

    async def _ensure_file(self) -> None:
        """A reader must not be the one that makes the file."""
        if self._writer is None and not self.path.exists():
            await self.maintain(lambda _: None)

    async def _enqueue(self, work: Callable[[sqlite3.Connection], T], kind: _Kind) -> T:
        self._refuse_when_closed()
        async with self._places:
            self._refuse_when_closed()
            self._start_writer()
            loop = asyncio.get_running_loop()
            future: asyncio.Future[T] = loop.create_future()
            call = _Write(work, kind, future, loop)
            self._queue.put(call)
            self.figures.waiting += 1
            try:
                return await future
            except asyncio.CancelledError:
                call.abandoned = True
                raise
            finally:
                self.figures.waiting -= 1

    def _start_writer(self) -> None:
        if self._writer is None:
            name = f"write-{self.path.stem}"
            self._writer = threading.Thread(target=self._write_for_ever, name=name)
            self._writer.daemon = True
            self._writer.start()

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
            raise self._translated(error) from error

    def _reader(self) -> sqlite3.Connection:
        connection = cast("sqlite3.Connection | None", getattr(self._reading, "held", None))
        if connection is None:
            connection = self._connector(self.path)
            connection.execute("PRAGMA query_only = ON")
            self._reading.held = connection
            self._read_connections.append(connection)
        return connection

    def _translated(self, error: BaseException) -> BaseException:
        return storage_problem(error, self.path.name) or error

    def _write_for_ever(self) -> None:
        """The writer thread: one group after the other until the queue says None."""
        connection: sqlite3.Connection | None = None
        held: _Write[Any] | None = None
        while True:
            call = held or self._queue.get()
            held = None
            if call is None:
                break
            if connection is None:
                try:
                    connection = self._connector(self.path)
                except Exception as error:  # noqa: BLE001 - the caller gets it
                    call.error = self._translated(error)
                    _deliver([call])
                    continue
            if call.kind is _Kind.OUTSIDE:
                self._outside(connection, call)
            else:
                held = self._group(connection, call)
        if connection is not None:
            connection.close()

    def _outside(self, connection: sqlite3.Connection, call: _Write[Any]) -> None:
        try:
            call.result = call.work(connection)
        except Exception as error:  # noqa: BLE001 - the caller gets it
            call.error = self._translated(error)
        finally:
            _roll_back(connection)
        _deliver([call])

    def _group(self, connection: sqlite3.Connection, first: _Write[Any]) -> _Write[Any] | None:
        """The first call and what waits behind it are committed together.

        Returns:
            A call that was taken from the queue and must not join this group.
        """
        calls: list[_Write[Any]] = []
        held: _Write[Any] | None = None
        call: _Write[Any] | None = first
        until = monotonic() + MOST_GROUP_S
        try:
            connection.execute("BEGIN IMMEDIATE")
            while call is not None:
                calls.append(call)
                _run_within(connection, call)
                call = None
                full = len(calls) >= MOST_WRITES_IN_GROUP or monotonic() > until
                if first.kind is _Kind.GROUPED and not full:
                    call, held = self._next_of_group()
            connection.execute("COMMIT")
        except Exception as error:  # noqa: BLE001 - each caller gets its own verdict
            _roll_back(connection)
            self._one_by_one(connection, calls or [first], error)
            return held
        self._count(len(calls))
        _deliver(calls)
        return held

    def _next_of_group(self) -> tuple[_Write[Any] | None, _Write[Any] | None]:
        """The next call that may join, and one that may not."""
        try:
            call = self._queue.get_nowait()
        except queue.Empty:
            return None, None
        if call is None:
            self._queue.put(None)
            return None, None
        return (call, None) if call.kind is _Kind.GROUPED else (None, call)

    def _one_by_one(
        self, connection: sqlite3.Connection, calls: Sequence[_Write[Any]], error: Exception
    ) -> None:
        """The group failed with ``error``: each call gets a transaction and verdict of its own."""
        self.figures.failed_groups += 1
        LOG.info("write_group_failed", extra={"writes": len(calls), "problem": repr(error)})
        if len(calls) == 1:
            self._blame(calls[0], error)
            _deliver(calls)
            return
        for call in calls:
            call.result, call.error = None, None
            try:
                connection.execute("BEGIN IMMEDIATE")
                _run_within(connection, call)
                connection.execute("COMMIT")
                self._count(1)
            except Exception as own:  # noqa: BLE001 - the caller gets it
                self._blame(call, own)
                _roll_back(connection)
            _deliver([call])

    def _blame(self, call: _Write[Any], error: Exception) -> None:
        """The call hears its own error if it has one, otherwise that of its transaction."""
        call.error = call.error or self._translated(error)

    def _count(self, writes: int) -> None:
        figures = self.figures
        figures.commits += 1
        figures.writes += writes
        figures.largest_group = max(figures.largest_group, writes)


def _run_within(connection: sqlite3.Connection, call: _Write[Any]) -> None:
    """The call's statements stand in the transaction, or none of them and its error is kept.

    Raises:
        Exception: the transaction itself is gone or cannot go on.
    """
    if call.abandoned:
        return
    connection.execute("SAVEPOINT one_write")
    try:
        call.result = call.work(connection)
    except Exception as error:
        if storage_problem(error) is not None:
            raise
        call.error = error
        if not connection.in_transaction:
            raise
        connection.execute("ROLLBACK TO one_write")
    connection.execute("RELEASE one_write")


def _roll_back(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:
        connection.execute("ROLLBACK")


def _deliver(calls: Sequence[_Write[Any]]) -> None:
    """The callers hear their results, in their own loop, with one wake-up for the group."""
    try:
        calls[0].loop.call_soon_threadsafe(partial(_settle, calls))
    except RuntimeError:
        # The loop is closed: nobody waits any more, and what was committed stays committed.
        LOG.warning("write_results_unheard", extra={"writes": len(calls)})


def _settle(calls: Sequence[_Write[Any]]) -> None:
    for call in calls:
        if call.future.done():
            continue
        if call.error is not None:
            call.future.set_exception(call.error)
        else:
            call.future.set_result(call.result)
