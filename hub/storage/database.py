"""The hub's database: SQLite by default, SQL Server in production; `read` and `write` are the only doors."""

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import (
    ArgumentError,
    DataError,
    DBAPIError,
    IntegrityError,
    InvalidRequestError,
    OperationalError,
    SQLAlchemyError,
    StatementError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from fieldmesh.basics.epochs import make_lsn
from fieldmesh.basics.errors import FieldmeshError, Rejected, Retry
from fieldmesh.data import ddl
from fieldmesh.data.model import Tier
from fieldmesh.service.extras import extra_for
from fieldmesh.service.storage_problems import storage_problem
from hub.storage import growth
from hub.storage.known import Known
from hub.storage.org_tables import ORG_METADATA
from hub.storage.sqlite_line import SLOW_RUNS, Line
from hub.storage.system_tables import HUB, HUB_EPOCH, SYSTEM_METADATA

LOG = logging.getLogger(__name__)
BUSY_TIMEOUT_MS = 30_000
FIRST_EPOCH = 1
_READ_CACHE_KIB, _WRITE_CACHE_KIB = 8 << 10, 64 << 10
"""Of one connection. There are up to 16 that read, and each keeps pages of its own."""
_SETTINGS = (
    "journal_mode = WAL",
    "synchronous = FULL",
    "foreign_keys = ON",
    f"busy_timeout = {BUSY_TIMEOUT_MS}",
    "temp_store = MEMORY",
)

_SQLSTATE_CHARACTERS = 5
_AWAY_CLASSES = {"08"}
"""Of SQLSTATEs: the connection could not be made, or broke."""
_AWAY_STATES = {"HYT00", "HYT01", "40001"}
"""Timeouts, and a deadlock that ended with this transaction."""

_MOST_LOGGED = 500
_QUOTED_VALUE = re.compile(r"(?<=value)(?: is|:)? [('\"]")
"""Where SQL Server's words go on with what stands in a row: a value twice, too long, or of another type."""
_LONG_LISTS = 16
"""A list that was too long to be counted is taken for as long so many times."""


class HubDatabase:
    """One database; writes happen one at a time, reads beside them see committed states."""

    def __init__(self, url: str) -> None:
        """Nothing is opened yet.

        Args:
            url: SQLAlchemy URL, ``sqlite+aiosqlite:///path`` or ``mssql+aioodbc://…``.

        Raises:
            Rejected: `settings_invalid`, it is none, or its driver is missing.
        """
        self.url = url
        self._file = _file_of(url)
        slow = Known(SLOW_RUNS)
        self._engine = _engine(url, partial(_reading_line, slow), pool_size=8, max_overflow=8)
        self._write_engine = _engine(url, _writing_line, pool_size=1, max_overflow=0)
        self._writing = asyncio.Lock()
        self.long_lists = Known(_LONG_LISTS)
        """Lists that have more rows than people are told."""

    @property
    def dialect(self) -> str:
        """``sqlite`` or ``mssql``."""
        return self._engine.dialect.name

    @property
    def is_writing(self) -> bool:
        """Whether a transaction that writes is open in this process."""
        return self._writing.locked()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A connection that sees one committed state for as long as the block lasts."""
        with _Translated(self._file):
            async with self._engine.connect() as connection:
                yield connection

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """A connection whose changes are committed when the block ends well, and gone when it does not.

        On SQLite the transaction begins IMMEDIATE with its first statement, so that a read in it can't grow stale. It
        is always the same connection, because SQLite forgets the pages that it holds when another one has written.
        Never await a network inside. Durability: committed to disk when the block has been left.

        Raises:
            Retry: `database_busy`, `disk_full` or `disk_failed`.
        """
        async with self._writing:
            with _Translated(self._file):
                async with self._write_engine.begin() as connection:
                    yield connection

    @asynccontextmanager
    async def trial(self) -> AsyncIterator[AsyncConnection]:
        """As `write`, but everything is taken back at the end: what a change would do, seen without it."""
        async with self._writing:
            with _Translated(self._file):
                async with self._write_engine.connect() as connection:
                    begun = await connection.begin()
                    try:
                        yield connection
                    finally:
                        await begun.rollback()

    async def create(self, now: int) -> None:
        """All tables stand, empty, in hub epoch 1.

        Args:
            now: UTC microseconds.
        """
        async with self.write() as connection:
            for statement in ddl.create_statements(Tier.HUB, self.dialect):
                await connection.exec_driver_sql(statement)
            await connection.run_sync(SYSTEM_METADATA.create_all)
            await connection.run_sync(ORG_METADATA.create_all)
            await connection.execute(
                sa.insert(HUB).values(
                    one=1,
                    epoch=FIRST_EPOCH,
                    lsn=make_lsn(FIRST_EPOCH, 0),
                    published_lsn=make_lsn(FIRST_EPOCH, 0),
                    created_at=now,
                    removal_horizon=0,
                    access_lsn=0,
                    **growth.signature(),
                )
            )
            await connection.execute(sa.insert(HUB_EPOCH).values(epoch=FIRST_EPOCH, began_after=0))

    async def exists(self) -> bool:
        """Whether the tables stand."""
        async with self.read() as connection:
            return bool(await connection.run_sync(lambda c: sa.inspect(c).has_table("fm_hub")))

    async def follow_release(self) -> None:
        """The database has the tables and columns of this release.

        Durability: one transaction; a program of the release before may go on working meanwhile.

        Raises:
            Rejected: `database_missing` or `database_too_new`.
        """
        if not await self.exists():
            raise Rejected("database_missing", place=_shown(self.url))
        async with self.read() as connection:
            if not await growth.is_needed(connection, _shown(self.url)):
                return
        async with self.write() as connection:
            if await growth.is_needed(connection, _shown(self.url)):
                await growth.grow(connection)

    async def close(self) -> None:
        """All connections are closed; repeating it is harmless."""
        await self._engine.dispose()
        await self._write_engine.dispose()


def sqlite_url(path: Path) -> str:
    """The URL of a SQLite file."""
    return f"sqlite+aiosqlite:///{path}"


def _shown(url: str) -> str:
    return sa.make_url(url).render_as_string(hide_password=True)


def _file_of(url: str) -> Path | None:
    """SQLite's file; None = the database stands elsewhere."""
    name = sa.make_url(url).database if url.startswith("sqlite") else None
    return Path(name) if name else None


def _engine(url: str, line: Callable[[Path], Line], **pool: int) -> AsyncEngine:
    file = _file_of(url)
    if file is not None:
        return create_async_engine(
            url,
            async_creator=partial(line, file),
            pool_use_lifo=True,
            hide_parameters=True,
            **pool,
        )
    try:
        with extra_for("database.url", "sqlserver"):
            return create_async_engine(
                url, pool_pre_ping=True, fast_executemany=True, hide_parameters=True, **pool
            )
    except (ArgumentError, InvalidRequestError) as error:  # neither tells the password
        raise Rejected("settings_invalid", place="database.url", text=str(error)) from None


def _reading_line(slow: Known, file: Path) -> Line:
    settings = (*_SETTINGS, f"cache_size = -{_READ_CACHE_KIB}", "query_only = ON")
    return Line(file, settings, begin="BEGIN", slow=slow)


def _writing_line(file: Path) -> Line:
    return Line(file, (*_SETTINGS, f"cache_size = -{_WRITE_CACHE_KIB}"), begin="BEGIN IMMEDIATE")


@contextmanager
def refusing_rows() -> Iterator[None]:
    """What the database says against rows, at once and not only at the end of the transaction.

    Raises:
        Rejected: `rows_refused`. The line's and the disk's errors go through.
    """
    try:
        yield
    except (IntegrityError, DataError) as error:
        raise _refused(error) from None  # The driver's own words may quote a row.


class _Translated:
    """Errors of the database become typed ones; ``file`` is SQLite's."""

    def __init__(self, file: Path | None) -> None:
        self._file = file

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, DBAPIError) and _passes(error):
            raise Retry("database_busy", delay_s=1.0) from error
        if isinstance(error, OperationalError):
            raise _named(error, self._file) from error
        if isinstance(error, PoolTimeout):
            raise Retry("database_busy", delay_s=2.0) from error
        if isinstance(error, SQLAlchemyError):
            raise _refused(error) from None


def _refused(error: SQLAlchemyError) -> Rejected:
    _log("rows_refused", error)
    return Rejected("rows_refused", place="database")


def _log(code: str, error: SQLAlchemyError) -> None:
    """What the database said stands in the log: it names tables and columns, which are no answer to a person.

    What was written is left out: it may be anybody's name or telephone number. So is what SQL Server quotes of it.
    """
    said = str(error.orig) if isinstance(error, DBAPIError) else type(error).__name__
    said = _QUOTED_VALUE.split(said)[0]
    statement = error.statement if isinstance(error, StatementError) else None
    extra = {
        "problem": code,
        "said": said[:_MOST_LOGGED],
        "statement": (statement or "")[:_MOST_LOGGED],
    }
    LOG.error("database_refused", extra=extra)


def _passes(error: DBAPIError) -> bool:
    """Whether nothing is wrong with what was asked: the line broke, the server is away or slow, or ended a deadlock.

    ODBC says so by an SQLSTATE before its text; which class of error a driver makes of it differs.
    """
    said = error.orig.args[0] if error.orig is not None and error.orig.args else ""
    state = said if isinstance(said, str) and len(said) == _SQLSTATE_CHARACTERS else ""
    return error.connection_invalidated or state[:2] in _AWAY_CLASSES or state in _AWAY_STATES


def _named(error: OperationalError, file: Path | None) -> FieldmeshError:
    text = str(error.orig)
    if "locked" in text or "busy" in text or "1205" in text:
        return Retry("database_busy", delay_s=0.5)
    place = "database" if file is None else str(file)
    known = None if error.orig is None else storage_problem(error.orig, place, file=file)
    if known is not None:
        return known
    if "full" in text:
        return Retry("disk_full", place=place, delay_s=5.0)
    if "I/O" in text or "readonly" in text:
        return Retry("disk_failed", place=place, delay_s=5.0, text=text)
    _log("database_unreadable", error)
    return Rejected("database_unreadable", place=place)
