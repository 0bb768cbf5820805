"""Questions to the copy run in threads of their own, and end as soon as nobody waits for them any more.

No other part of the hub uses these threads, so that heavy questions keep back questions at most: not sign-in, nor what
devices send.
"""

import asyncio
import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import duckdb

from fieldmesh.basics.errors import Retry
from hub.storage.columnar.file import ColumnarFile, Row

MOST_AT_ONCE = 4
MOST_WAITING = 64
"""Questions that wait for a thread; who asks when so many wait is told to come again."""
_AGAIN_S = 0.05
_SOON_S = 3.0


class _Question:
    """One question; its cursor stands as long as it runs, so that it can be ended alone."""

    def __init__(self, file: ColumnarFile, text: str, values: Sequence[Any]) -> None:
        self._file, self._text, self._values = file, text, list(values)
        self._lock = threading.Lock()
        self._cursor: duckdb.DuckDBPyConnection | None = None
        self._has_ended = False

    def rows(self) -> list[Row]:
        """The rows; in a thread.

        Raises:
            duckdb.InterruptException: `end` was called.
        """
        with self._lock:
            if self._has_ended:
                raise duckdb.InterruptException
            cursor = self._cursor = self._file.cursor()
        try:
            return cursor.execute(self._text, self._values).fetchall()
        finally:
            with self._lock:  # nobody interrupts what is being closed
                self._cursor = None
                cursor.close()

    def end(self) -> None:
        """It ends, and no other question does."""
        with self._lock:
            self._has_ended = True
            if self._cursor is not None:
                self._cursor.interrupt()


class Questions:
    """The questions of everybody."""

    def __init__(self, limit_s: float) -> None:
        """No question, its wait for a thread included, takes longer than ``limit_s`` seconds."""
        self._limit_s = limit_s
        self._threads = _threads()
        self._asked: dict[_Question, Future[list[Row]]] = {}

    async def rows(self, file: ColumnarFile, text: str, values: Sequence[Any]) -> list[Row]:
        """The rows of a question. When it is no longer waited for, also because its task was cancelled, it ends.

        Raises:
            Retry: `analysis_busy`, too many wait; `question_too_heavy`, its time is over.
            duckdb.Error: it can't be worked out, or the file is being closed.
        """
        if len(self._asked) >= MOST_AT_ONCE + MOST_WAITING:
            raise Retry("analysis_busy", place="columns", delay_s=_SOON_S)
        question = _Question(file, text, values)
        running = self._threads.submit(question.rows)
        self._asked[question] = running
        try:
            async with asyncio.timeout(self._limit_s):
                return await asyncio.wrap_future(running)
        except TimeoutError:
            seconds = int(self._limit_s)
            raise Retry(
                "question_too_heavy", place="columns", delay_s=_SOON_S, seconds=seconds
            ) from None
        finally:
            del self._asked[question]
            _end(running, question)

    async def close(self) -> None:
        """Every question has ended, and no thread is left; new ones get new threads."""
        threads, self._threads = self._threads, _threads()
        for question, running in self._asked.items():
            _end(running, question)
        await asyncio.to_thread(threads.shutdown)


def _threads() -> ThreadPoolExecutor:
    """None of them runs before somebody asks."""
    return ThreadPoolExecutor(MOST_AT_ONCE, thread_name_prefix="question")


def _end(running: "Future[list[Row]]", question: _Question) -> None:
    """Ended now, and again until it has: a statement that begins just now forgets that it was interrupted."""
    if not running.done():
        question.end()
        asyncio.get_running_loop().call_later(_AGAIN_S, _end, running, question)
