"""The one thread that writes to a database file; many small writes share a commit.

    queue → BEGIN IMMEDIATE, fn, SAVEPOINT fn RELEASE, SAVEPOINT fn …, COMMIT → every caller hears

While one group's COMMIT waits for the disk, the next group gathers. A function that raises rolls
back only itself. A group that fails as a whole is rolled back and its functions run again one by
one, so that each hears its own verdict.

Within a savepoint SQLite keeps a copy of every page that a statement changes, for each statement
of a table with triggers: measured, 270 µs a row instead of 8. So the first function of a
transaction has none, and what writes many rows asks to be alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any, Final, Generic, TypeVar

from fieldmesh.service.storage_problems import storage_problem

T = TypeVar("T")

LOG = logging.getLogger(__name__)

MOST_WRITES_IN_GROUP: Final = 256
MOST_GROUP_S: Final = 0.1


class WriteKind(Enum):
    """Whether a write shares its commit, has its own, or runs outside any transaction."""

    GROUPED = auto()
    ALONE = auto()
    OUTSIDE = auto()


@dataclass(slots=True)
class Write(Generic[T]):
    """One call that waits for the writer."""

    work: Callable[[sqlite3.Connection], T]
    kind: WriteKind
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


class Writer:
    """The thread, its connection and its queue. Started at the first write, ended once."""

    def __init__(self, connector: Callable[[], sqlite3.Connection], path: Path) -> None:
        """Nothing runs yet; ``connector`` is called in the thread, ``path`` is the file."""
        self.figures = DatabaseFigures()
        self._connector = connector
        self._path = path
        self._queue: queue.SimpleQueue[Write[Any] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._is_sound = True

    @property
    def is_started(self) -> bool:
        """Whether there was a write."""
        return self._thread is not None

    def put(self, call: Write[Any]) -> None:
        """The call waits for its turn."""
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(
                target=self.run, name=f"write-{self._path.name}", daemon=True
            )
            self._thread.start()
        self._queue.put(call)

    def end(self) -> None:
        """What waited is done, and the thread has ended. Takes time: call it in a thread."""
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join()

    def run(self) -> None:
        """The writer thread: one group after the other until the queue says None."""
        connection: sqlite3.Connection | None = None
        held: Write[Any] | None = None
        while True:
            call = held or self._queue.get()
            held = None
            if call is None:
                break
            if connection is None:
                try:
                    connection = self._connector()
                except Exception as error:  # noqa: BLE001 - the caller gets it
                    call.error = self._translated(error)
                    _deliver([call])
                    continue
            if call.kind is WriteKind.OUTSIDE:
                self._outside(connection, call)
            else:
                held = self._group(connection, call)
            if not self._is_sound:
                _give_up(connection)
                connection, self._is_sound = None, True
        if connection is not None:
            connection.close()

    def _outside(self, connection: sqlite3.Connection, call: Write[Any]) -> None:
        try:
            call.result = call.work(connection)
        except Exception as error:  # noqa: BLE001 - the caller gets it
            call.error = self._translated(error)
        finally:
            self._roll_back(connection)
        _deliver([call])

    def _group(self, connection: sqlite3.Connection, first: Write[Any]) -> Write[Any] | None:
        """The first call and what waits behind it are committed together.

        Returns:
            A call that was taken from the queue and must not join this group.
        """
        calls: list[Write[Any]] = []
        held: Write[Any] | None = None
        call: Write[Any] | None = first
        until = monotonic() + MOST_GROUP_S
        try:
            connection.execute("BEGIN IMMEDIATE")
            while call is not None:
                calls.append(call)
                _run(connection, call, first=call is first)
                call = None
                full = len(calls) >= MOST_WRITES_IN_GROUP or monotonic() > until
                if first.kind is WriteKind.GROUPED and not full:
                    call, held = self._next_of_group()
            connection.execute("COMMIT")
        except Exception as error:  # noqa: BLE001 - each caller gets its own verdict
            self._roll_back(connection)
            self._one_by_one(connection, calls or [first], error)
            return held
        self._count(len(calls))
        _deliver(calls)
        return held

    def _next_of_group(self) -> tuple[Write[Any] | None, Write[Any] | None]:
        """The next call that may join, and one that may not."""
        try:
            call = self._queue.get_nowait()
        except queue.Empty:
            return None, None
        if call is None:
            self._queue.put(None)
            return None, None
        return (call, None) if call.kind is WriteKind.GROUPED else (None, call)

    def _one_by_one(
        self, connection: sqlite3.Connection, calls: Sequence[Write[Any]], error: Exception
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
            if not self._is_sound:
                self._blame(call, error)
                _deliver([call])
                continue
            try:
                connection.execute("BEGIN IMMEDIATE")
                _run(connection, call, first=True)
                connection.execute("COMMIT")
                self._count(1)
            except Exception as own:  # noqa: BLE001 - the caller gets it
                self._blame(call, own)
                self._roll_back(connection)
            _deliver([call])

    def _blame(self, call: Write[Any], error: Exception) -> None:
        """The call hears its own error if it has one, otherwise that of its transaction."""
        call.error = call.error or self._translated(error)

    def _roll_back(self, connection: sqlite3.Connection) -> None:
        """Nothing of a transaction is left; or the connection is given up, and the next write opens another one."""
        try:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        except sqlite3.Error as error:
            LOG.warning("write_not_rolled_back", extra={"problem": repr(error)})
            self._is_sound = False

    def _count(self, writes: int) -> None:
        figures = self.figures
        figures.commits += 1
        figures.writes += writes
        figures.largest_group = max(figures.largest_group, writes)

    def _translated(self, error: BaseException) -> BaseException:
        return storage_problem(error, self._path.name, file=self._path) or error


def _run(connection: sqlite3.Connection, call: Write[Any], *, first: bool) -> None:
    """The call's statements stand in the transaction, or none of them and its error is kept.

    Raises:
        Exception: the transaction itself is gone or cannot go on.
    """
    if call.abandoned:
        return
    if not first:
        connection.execute("SAVEPOINT one_write")
    try:
        call.result = call.work(connection)
    except Exception as error:
        if storage_problem(error) is not None:
            raise
        call.error = error
        if not connection.in_transaction:
            raise
        if first:
            connection.execute("ROLLBACK")
            connection.execute("BEGIN IMMEDIATE")
        else:
            connection.execute("ROLLBACK TO one_write")
    if not first:
        connection.execute("RELEASE one_write")


def _give_up(connection: sqlite3.Connection) -> None:
    """What it left behind is rolled back by the next connection to the file."""
    with contextlib.suppress(sqlite3.Error):
        connection.close()


def _deliver(calls: Sequence[Write[Any]]) -> None:
    """The callers hear their results, in their own loop, with one wake-up for the group."""
    try:
        calls[0].loop.call_soon_threadsafe(partial(_settle, calls))
    except RuntimeError:
        # The loop is closed: nobody waits any more, and what was committed stays committed.
        LOG.warning("write_results_unheard", extra={"writes": len(calls)})


def _settle(calls: Sequence[Write[Any]]) -> None:
    for call in calls:
        if call.future.done():
            continue
        if call.error is not None:
            call.future.set_exception(call.error)
        else:
            call.future.set_result(call.result)
