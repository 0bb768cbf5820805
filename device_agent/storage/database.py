"""One encrypted database, one connection, one thread; `read` and `write` are its only doors.

A whole function runs in the connection's thread in one hop, inside one transaction: measured, a
hop costs about 60 µs, so a hop per statement would cost more than the statements.

The file is SQLCipher with a raw 32-byte key; WAL and synchronous FULL, so that what `write` has
returned from survives a power cut.
"""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, cast
from urllib.parse import quote

import aiosqlite
from sqlcipher3 import dbapi2 as sqlcipher

from fieldmesh.basics.errors import FieldmeshError, Rejected, Retry
from fieldmesh.service.storage_problems import storage_problem

T = TypeVar("T")
Connection = sqlite3.Connection
"""What `read` and `write` hand to their function; the rest of the agent knows it by this name."""
BUSY_TIMEOUT_MS = 10_000
CIPHER = "PRAGMA cipher_hmac_algorithm = HMAC_SHA256"
"""How pages are sealed. Measured: 3.2 ns a byte instead of 4.6: processors have SHA-256 built in."""
_MEANINGS: tuple[tuple[str, type[Rejected | Retry], str], ...] = (
    ("it is locked", Rejected, "device_locked"),
    ("was replaced", Rejected, "database_replaced"),
    ("disk is full", Retry, "disk_full"),
    ("not a database", Rejected, "database_unreadable"),
    ("disk image is malformed", Rejected, "database_unreadable"),
    ("malformed database schema", Rejected, "database_unreadable"),
)
"""Part of SQLite's or a trigger's message, and what it means; the first that fits counts."""
sqlcipher.register_adapter(bytes, sqlcipher.Binary)
# Bytes that are given without an adapter are searched for one, value by value: binding a row of two
# identifiers took 3.5 µs instead of 1.6 (sqlcipher3 0.6), writing 1,500 prices 7.1 ms instead of 5.4.


@contextmanager
def uncaptured(connection: sqlite3.Connection) -> Iterator[None]:
    """What the block writes to replicated tables is not captured.

    Only the agent's own applying of what head office sent stands in such a block. The switch is
    part of the caller's transaction: a crash cannot leave it on.
    """
    before = connection.execute("SELECT applying FROM fm_state").fetchone()[0]
    connection.execute("UPDATE fm_state SET applying = 1")
    yield
    connection.execute("UPDATE fm_state SET applying = ?", (before,))


def connect(path: Path, key: bytes, *, create: bool = False) -> sqlite3.Connection:
    """An open connection to the encrypted file; made when missing if the caller says so.

    The connection is in autocommit: whoever uses it begins and ends transactions. SQLite takes any bytes as text: what
    a program wrote that is not UTF-8 is read all the same, its bad bytes as U+FFFD.

    Raises:
        Rejected: `database_unreadable`: another key, a damaged file, or none.
    """
    if not create and not path.is_file():
        raise Rejected("database_unreadable", place=str(path))
    address = f"file:{quote(str(path))}?mode={'rwc' if create else 'rw'}"
    connection = sqlcipher.connect(address, uri=True, isolation_level=None, check_same_thread=False)
    connection.text_factory = partial(str, encoding="utf-8", errors="replace")
    try:
        connection.execute("PRAGMA cipher_log_level = NONE")
        connection.execute(f"PRAGMA key=\"x'{key.hex()}'\"")
        connection.execute(CIPHER)
        connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA trusted_schema=OFF")
        connection.execute("PRAGMA cache_size=-8192")
        connection.execute("PRAGMA temp_store=MEMORY")
    except sqlcipher.Error as error:
        connection.close()
        raise problem_of(error, str(path), path) from error
    return cast("sqlite3.Connection", connection)


def problem_of(error: Exception, place: str, file: Path) -> FieldmeshError:
    """What an error of the database file means to the person in front of the device."""
    text = str(error)
    for part, kind, code in _MEANINGS:
        if part in text:
            return kind(code, place=place, text=text)
    return storage_problem(error, place, file=file) or Rejected(
        "sql_refused", place=place, text=text
    )


class DeviceDatabase:
    """The device's database. Open it with `DeviceDatabase.open`; close it once."""

    def __init__(self, path: Path, key: bytes, connection: aiosqlite.Connection) -> None:
        """Use `open`."""
        self.path = path
        self.key = key
        self._connection = connection

    @classmethod
    async def open(cls, path: Path, key: bytes) -> "DeviceDatabase":
        """The database at the path.

        Raises:
            Rejected: `database_unreadable`.
        """
        connection = await aiosqlite.Connection(lambda: connect(path, key), 64)
        return cls(path, key, connection)

    @classmethod
    async def adopt(
        cls, path: Path, key: bytes, connection: sqlite3.Connection
    ) -> "DeviceDatabase":
        """The database behind an open connection from `connect`, which belongs to it from now on.

        Opening anew would have SQLite read the whole schema once more (10 ms).
        """
        return cls(path, key, await aiosqlite.Connection(lambda: connection, 64))

    async def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """What the function returns; it sees one unchanging state of the database."""
        return await self._run(work, begin="BEGIN", applying=False)

    async def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """What the function returns, after all that it wrote is durable; or nothing is written.

        Changes that it makes to replicated tables are captured, as any program's are.
        """
        return await self._run(work, begin="BEGIN IMMEDIATE", applying=False)

    async def apply(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """As `write`, with everything `uncaptured`: for the applying of downloads."""
        return await self._run(work, begin="BEGIN IMMEDIATE", applying=True)

    async def maintain(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """What the function returns; it handles transactions itself (ATTACH, checkpoints)."""
        return await self._hop(lambda: work(self._raw()))

    async def close(self) -> None:
        """The connection is closed and its thread has ended. Repeating is harmless."""
        await self._connection.close()

    def _raw(self) -> sqlite3.Connection:
        return self._connection._conn  # noqa: SLF001  (aiosqlite offers no door for whole functions)

    async def _run(
        self, work: Callable[[sqlite3.Connection], T], *, begin: str, applying: bool
    ) -> T:
        def transaction() -> T:
            connection = self._raw()
            connection.execute(begin)
            try:
                with uncaptured(connection) if applying else nullcontext():
                    result = work(connection)
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
            return result

        return await self._hop(transaction)

    async def _hop(self, function: Callable[[], T]) -> T:
        run = cast("Callable[..., Awaitable[Any]]", self._connection._execute)  # noqa: SLF001
        try:
            # A cancelled caller must not leave with its transaction still running.
            return cast("T", await asyncio.shield(run(function)))
        except sqlcipher.Error as error:
            raise problem_of(error, str(self.path), self.path) from error
