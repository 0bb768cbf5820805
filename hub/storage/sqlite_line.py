"""A line to a SQLite file for SQLAlchemy: one trip to the line's thread for a statement, and none for a quick read.

aiosqlite makes four trips for a statement (cursor, execute, fetch, close). While the event loop works, each trip, and
each row that the thread fetches, waits for the interpreter's lock: a page of fifteen statements of a tenth of a
millisecond each took a hundred. So a reading line runs a statement where it is asked for, interrupts it when it takes
longer than a template does, and begins it again in the thread. docs/decisions/0015-read-where-it-is-asked.md
"""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Self, TypeVar

import aiosqlite
from typing_extensions import override

from fieldmesh.service.database import connect
from hub.storage.known import Known

T = TypeVar("T")
Row = tuple[Any, ...]
QUICK_S = 0.003
"""Processor time that a statement may take in the event loop; while others have the processor it is not slow."""
TURN_S = 0.01
"""What a line may take in the event loop before others have their turn."""
SLOW_RUNS = 64
"""So often a statement that took longer goes to the thread at once, before it is tried in the event loop again."""
_OPERATIONS = 1_000
"""Steps of SQLite's machine between two looks at the time: less than a tenth of a millisecond."""
_FIRST_ROWS = 1_024
"""Rows that come with the answer to a statement; a stream fetches the rest."""


class Line(aiosqlite.Connection):
    """A connection; a transaction begins with its first statement."""

    def __init__(
        self, path: Path, pragmas: Sequence[str], *, begin: str, slow: Known | None = None
    ) -> None:
        """It is opened when it is awaited.

        Args:
            path: of the file.
            pragmas: its settings.
            begin: begins a transaction.
            slow: of the database, for a line that only reads; None = everything runs in the thread.
        """
        super().__init__(partial(_opened, path, pragmas), _FIRST_ROWS)
        self._thread.daemon = True
        self._begin = begin
        self._has_begun = False
        self._slow = slow
        self._at_work = 0
        self._turn_s = 0.0

    @override
    def cursor(self) -> "Cursor":  # type: ignore[override]
        """A cursor, without a trip."""
        return Cursor(self)

    @override
    async def rollback(self) -> None:
        """The transaction is over; of one that has only read this takes no time."""
        self._has_begun = False
        if self._slow is not None and not self._at_work:
            self._conn.rollback()
        else:
            await self.there(self._conn.rollback)

    @override
    async def commit(self) -> None:
        """The transaction is on disk."""
        await self.there(self._conn.commit)
        self._has_begun = False

    async def run(self, statement: str, values: Sequence[Any]) -> tuple[sqlite3.Cursor, list[Row]]:
        """The statement has run: its cursor, and its first rows; it has more when there are `_FIRST_ROWS` of them."""
        if self._slow is not None and not self._at_work and not self._slow.take(statement):
            began = time.thread_time()
            found = self._here(statement, values, began + QUICK_S)
            self._turn_s += time.thread_time() - began
            if self._turn_s > TURN_S:
                self._turn_s = 0.0
                await asyncio.sleep(0)
            if found is not None:
                return found
            self._slow.add(statement)
        return await self.there(self._executed, statement, values)

    async def rows(self, statement: str, values: Sequence[Any]) -> list[Row]:
        """All rows of the statement."""
        cursor, rows = await self.run(statement, values)
        if len(rows) == _FIRST_ROWS:
            rows += await self.there(cursor.fetchall)
        return rows

    async def run_many(self, statement: str, lines: Iterable[Sequence[Any]]) -> sqlite3.Cursor:
        """The statement has run once for each line of values."""

        def work() -> sqlite3.Cursor:
            self._begun()
            return self._conn.executemany(statement, lines)

        return await self.there(work)

    async def there(self, work: Callable[..., T], *values: Any) -> T:
        """What the work returns, from the line's thread."""
        self._at_work += 1

        def done() -> T:
            try:
                return work(*values)
            finally:
                self._at_work -= 1

        result: T = await self._execute(done)  # type: ignore[no-untyped-call]
        return result

    def _here(
        self, statement: str, values: Sequence[Any], until: float
    ) -> tuple[sqlite3.Cursor, list[Row]] | None:
        """The answer, if it comes in time."""
        self._conn.set_progress_handler(lambda: time.thread_time() > until, _OPERATIONS)
        try:
            return self._executed(statement, values)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
                return None
            raise
        finally:
            self._conn.set_progress_handler(None, 0)

    def _executed(self, statement: str, values: Sequence[Any]) -> tuple[sqlite3.Cursor, list[Row]]:
        self._begun()
        cursor = self._conn.execute(statement, values)
        return cursor, cursor.fetchmany(_FIRST_ROWS) if cursor.description else []

    def _begun(self) -> None:
        """A transaction is open.

        Raises:
            sqlite3.OperationalError: SQLite has taken it back (a full disk): what follows must not stand alone.
        """
        if self._conn.in_transaction:
            return
        if self._has_begun:
            raise sqlite3.OperationalError("disk I/O error: the transaction was taken back")
        self._conn.execute(self._begin)
        self._has_begun = True


class Cursor:
    """What SQLAlchemy takes for a cursor of its driver (`sqlalchemy.connectors.asyncio.AsyncIODBAPICursor`)."""

    arraysize = 1

    def __init__(self, line: Line) -> None:
        """Nothing has run."""
        self._line = line
        self._cursor: sqlite3.Cursor | None = None
        self._rows: list[Row] = []
        self._has_more = False

    async def __aenter__(self) -> Self:
        """The cursor itself."""
        return self

    @property
    def description(self) -> Any:
        """Names of the columns; None = the statement gives no rows."""
        return self._cursor.description if self._cursor is not None else None

    @property
    def rowcount(self) -> int:
        """Rows that were changed."""
        return self._cursor.rowcount if self._cursor is not None else -1

    @property
    def lastrowid(self) -> int | None:
        """Number of the row that was inserted last."""
        return self._cursor.lastrowid if self._cursor is not None else None

    async def execute(self, statement: str, values: Sequence[Any] = ()) -> None:
        """The statement has run, and its first rows are here."""
        self._cursor, self._rows = await self._line.run(statement, values)
        self._has_more = len(self._rows) == _FIRST_ROWS

    async def executemany(self, statement: str, lines: Iterable[Sequence[Any]]) -> None:
        """The statement has run once for each line of values."""
        self._cursor = await self._line.run_many(statement, lines)

    async def fetchone(self) -> Row | None:
        """The next row; None = there is none."""
        return next(iter(await self.fetchmany(1)), None)

    async def fetchmany(self, size: int | None = None) -> list[Row]:
        """So many of the next rows, or as many as there are."""
        most = size or self.arraysize
        if self._has_more and len(self._rows) < most and self._cursor is not None:
            rows = await self._line.there(self._cursor.fetchmany, most)
            self._has_more = len(rows) == most
            self._rows += rows
        given, self._rows = self._rows[:most], self._rows[most:]
        return given

    async def fetchall(self) -> list[Row]:
        """All rows that are left."""
        given, self._rows = self._rows, []
        if self._has_more and self._cursor is not None:
            self._has_more = False
            given += await self._line.there(self._cursor.fetchall)
        return given

    async def close(self) -> None:
        """Its rows are gone."""
        self._rows = []
        if self._has_more and self._cursor is not None:
            self._has_more = False
            await self._line.there(self._cursor.close)


def _opened(path: Path, pragmas: Sequence[str]) -> sqlite3.Connection:
    connection = connect(path)
    try:
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")
    except BaseException:
        connection.close()
        raise
    return connection
