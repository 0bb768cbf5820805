"""The copy follows the database: filled once, then caught up with by LSN, consistent to one LSN at every moment.

    no copy, another shape, another hub epoch → tables emptied → filled in pages → mark, catching up from the LSN before
    otherwise                                 → what changed since the mark, all tables in one transaction with the mark

A crash at any line leaves a copy that stands at its last mark, or one without a mark, which is filled anew.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from fieldmesh.basics.clock import Clock
from fieldmesh.basics.errors import Rejected, Retry
from fieldmesh.service.translation import _
from hub.storage.columnar import feed
from hub.storage.columnar.asking import Questions
from hub.storage.columnar.file import (
    ColumnarFile,
    Mark,
    Row,
    append,
    put_mark,
    replace,
)
from hub.storage.columnar.shape import COPIED
from hub.storage.database import HubDatabase

LOG = logging.getLogger(__name__)

NAME = "columns.duckdb"
_SOON_S = 3.0
_WHOLE = 100
_LOOK_S = 20.0
_MOST_LOGGED = 300


class Limits(NamedTuple):
    """What the copy may use: memory in bytes, threads, seconds of one question."""

    memory_bytes: int = 128 << 20
    threads: int = 2
    question_s: float = 60.0


class Columns:
    """The hub's rows as columns."""

    def __init__(
        self, database: HubDatabase, folder: Path, clock: Clock, limits: Limits | None = None
    ) -> None:
        """Nothing is opened before somebody asks."""
        self._database = database
        self._path = folder / NAME
        self._clock = clock
        self._limits = limits or Limits()
        self._questions = Questions(self._limits.question_s)
        self._file: ColumnarFile | None = None
        self._mark: Mark | None = None
        self._looked_at = 0.0
        self._filled = 0
        self._following = asyncio.Lock()
        self._opening = asyncio.Lock()
        self._is_closed = False
        self.changes = 0
        """Grows before and after each change: who finds it where it was has seen one state all the time."""

    async def run(self) -> None:
        """Follows the database for ever, so that nobody waits who asks."""
        while True:
            await self.follow()
            await asyncio.sleep(_LOOK_S)

    async def follow(self) -> Mark:
        """The copy stands where the database stood at a moment after the call began.

        Raises:
            Retry: `analysis_behind`, it can't be written.
        """
        async with self._following:
            try:
                return await self._follow()
            except duckdb.Error as error:
                said = str(error).partition("\n")[0][:_MOST_LOGGED]
                LOG.error("columns_behind", extra={"error": said})  # noqa: TRY400 - rows may stand in the other lines
                raise Retry("analysis_behind", place="columns", delay_s=_SOON_S) from error

    async def recent(self, age_s: float) -> Mark:
        """The copy has been caught up within the last ``age_s`` seconds.

        Raises:
            Retry: `analysis_prepares`, it is being filled; `analysis_behind`, it can't be written.
        """
        if self._mark is None and self._following.locked():
            share = self._filled * _WHOLE // len(COPIED)
            raise Retry("analysis_prepares", place="columns", delay_s=_SOON_S, share=share)
        if self._mark is not None and self._clock.monotonic() - self._looked_at < age_s:
            return self._mark
        return await self.follow()

    @asynccontextmanager
    async def still(self) -> AsyncIterator[Mark]:
        """The copy stands where the database did at a moment after the call began, and does not follow meanwhile.

        Raises:
            Retry: as `recent`.
        """
        await self.recent(0)
        async with self._following:
            if self._mark is None:
                raise Retry("analysis_behind", place="columns", delay_s=_SOON_S)
            yield self._mark

    async def ask(self, text: str, values: Sequence[Any]) -> list[Row]:
        """The rows of a question, asked of one committed state.

        Raises:
            Retry: `question_too_heavy`, it took too long and was ended; `analysis_busy`, too many wait, or the
                copy is being closed.
            Rejected: `question_wrong`, it can't be worked out.
        """
        file = await self._opened()
        try:
            return await self._questions.rows(file, text, values)
        except duckdb.InterruptException:
            raise Retry("analysis_busy", place="columns", delay_s=_SOON_S) from None
        except duckdb.Error as error:
            LOG.warning("question_refused", extra={"error": str(error)[:_MOST_LOGGED]})
            said = _("its figures can't be worked out; the log of the hub says why")
            raise Rejected("question_wrong", place="columns", text=said) from error

    async def close(self) -> None:
        """Questions have ended and the file is closed, for good. Repeating it is harmless."""
        self._is_closed = True
        if self._file is not None:
            file, self._file, self._mark = self._file, None, None
            await self._questions.close()
            await asyncio.to_thread(file.close)

    # --- within

    async def _follow(self) -> Mark:
        file = await self._opened()
        asked_at = self._clock.monotonic()
        async with self._database.read() as connection:
            lsn, epoch = await feed.standing(connection)
        mark = self._mark
        if mark is None or mark.epoch != epoch or mark.lsn > lsn:
            self._mark = None
            mark = await self._fill(file, Mark(lsn, epoch, self._clock.now()))
        self._mark = await self._catch_up(file, mark)
        self._looked_at = asked_at
        return self._mark

    async def _opened(self) -> ColumnarFile:
        async with self._opening:
            if self._is_closed:
                raise Retry("analysis_busy", place="columns", delay_s=_SOON_S)
            if self._file is None:
                self._file = await asyncio.to_thread(self._open)
                self._mark = await asyncio.to_thread(self._file.mark)
            return self._file

    def _open(self) -> ColumnarFile:
        memory, threads = self._limits.memory_bytes, self._limits.threads
        try:
            return ColumnarFile(self._path, memory_bytes=memory, threads=threads)
        except duckdb.Error as error:
            if "lock" in str(error):
                raise Retry("database_busy", place=str(self._path), delay_s=_SOON_S) from error
            LOG.warning("columns_unreadable", extra={"error": str(error)[:_MOST_LOGGED]})
        for name in (NAME, f"{NAME}.wal"):
            self._path.with_name(name).unlink(missing_ok=True)
        return ColumnarFile(self._path, memory_bytes=memory, threads=threads)

    async def _fill(self, file: ColumnarFile, mark: Mark) -> Mark:
        """Every table is read in pages, without holding one state of the database: catching up mends the rest."""
        self._filled = 0
        self.changes += 1
        await asyncio.to_thread(file.create)
        for table in COPIED:
            after = b""
            while True:
                async with self._database.read() as connection:
                    rows = await feed.page_of(connection, table, after)
                if not rows:
                    break
                await asyncio.to_thread(_append, file, table, rows)
                after = bytes(rows[-1][0] or b"")  # type: ignore[arg-type]
            self._filled += 1
        self.changes += 1
        LOG.info("columns_filled", extra={"lsn": mark.lsn, "tables": len(COPIED)})
        return mark

    async def _catch_up(self, file: ColumnarFile, mark: Mark) -> Mark:
        """One state of the database, taken over in one transaction of the copy."""
        async with self._database.read() as connection:
            lsn, epoch = await feed.standing(connection)
            if lsn == mark.lsn and self._mark is not None:
                return Mark(lsn, epoch, self._clock.now())
            new, cursor = Mark(lsn, epoch, self._clock.now()), file.transaction()
            touched = await feed.touched(connection, mark.lsn)
            writing = await asyncio.to_thread(cursor.__enter__)
            try:
                for table, partitions in touched.items():
                    async for rows in feed.changed(connection, table, partitions, (mark.lsn, lsn)):
                        await asyncio.to_thread(replace, writing, table, rows)
                await asyncio.to_thread(put_mark, writing, new)
            except BaseException as error:
                await asyncio.to_thread(cursor.__exit__, type(error), error, None)
                raise
            self.changes += 1
            await asyncio.to_thread(cursor.__exit__, None, None, None)
            self.changes += 1
        return new


def _append(file: ColumnarFile, table: str, rows: feed.Rows) -> None:
    with file.transaction() as cursor:
        append(cursor, table, rows)
