"""A disk that takes nothing, not even the way back: callers hear it, and the next write has a sound connection."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from typing_extensions import override

from fieldmesh.basics.errors import Retry
from fieldmesh.service.database import Database

_WAIT_S = 10.0


class Failing(sqlite3.Connection):
    """Its disk fails at the statements of ``fails``, once each."""

    fails: list[str]

    @override
    def execute(self, sql: str, *values: object) -> sqlite3.Cursor:  # type: ignore[override]
        if sql in self.fails:
            self.fails.remove(sql)
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode = sqlite3.SQLITE_IOERR
            raise error
        return super().execute(sql, *values)  # type: ignore[arg-type]


@pytest.fixture
def fails() -> list[str]:
    """Statements that will fail."""
    return []


@pytest.fixture
async def database(tmp_path: Path, fails: list[str]) -> AsyncIterator[Database]:
    """A database with one table and a disk that fails as it is told."""

    def opened(path: Path) -> sqlite3.Connection:
        connection = sqlite3.connect(  # noqa: TID251 - of a class of its own
            path, isolation_level=None, check_same_thread=False, factory=Failing
        )
        connection.fails = fails
        return connection

    held = Database(tmp_path / "a.db", connector=opened, readers=1)
    await held.write(lambda c: c.execute("CREATE TABLE t (number INTEGER PRIMARY KEY) STRICT"))
    yield held
    async with asyncio.timeout(_WAIT_S):
        await held.close()


async def write(database: Database, number: int) -> str:
    """The problem of one more row; empty = it stands."""
    try:
        async with asyncio.timeout(_WAIT_S):
            await database.write(lambda c: c.execute("INSERT INTO t VALUES (?)", (number,)))
    except Retry as problem:
        return problem.code
    return ""


async def rows(database: Database) -> list[int]:
    """What stands."""
    async with asyncio.timeout(_WAIT_S):
        found = await database.read(lambda c: c.execute("SELECT number FROM t").fetchall())
    return [number for (number,) in found]


async def test_a_write_that_can_not_even_be_rolled_back_is_told_and_the_next_one_stands(
    database: Database, fails: list[str]
) -> None:
    """The writer's thread ended, and everybody waited for ever: sessions hung, and health showed nothing."""
    fails += ["COMMIT", "ROLLBACK"]
    assert await write(database, 1) == "disk_failed"
    assert await write(database, 2) == ""
    assert await rows(database) == [2]


async def test_neighbours_of_such_a_write_hear_it_too(database: Database, fails: list[str]) -> None:
    """One by one on a connection that is given up they would be told that they had begun a transaction twice."""
    fails += ["COMMIT", "ROLLBACK"]
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(write(database, number)) for number in range(20)]
    said = [task.result() for task in tasks]
    assert set(said) == {"disk_failed", ""} or set(said) == {"disk_failed"}
    assert await write(database, 99) == ""
    assert await rows(database) == [number for number, one in enumerate(said) if not one] + [99]


async def test_work_outside_a_transaction_may_leave_one_that_stays(
    database: Database, fails: list[str]
) -> None:
    """As a copy that was cut short."""
    fails.append("ROLLBACK")
    await database.maintain(lambda c: c.execute("BEGIN IMMEDIATE"))
    assert await write(database, 1) == ""


async def test_a_reader_that_can_not_end_its_transaction_is_replaced(
    database: Database, fails: list[str]
) -> None:
    """It would have begun within a transaction for ever after."""
    assert await write(database, 1) == ""
    fails.append("ROLLBACK")
    with pytest.raises(Retry):
        await rows(database)
    assert await rows(database) == [1]
