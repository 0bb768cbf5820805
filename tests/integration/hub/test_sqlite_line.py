"""A reading line to SQLite: quick statements where they are asked for, slow ones beside the event loop."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from fieldmesh.basics.errors import FieldmeshError
from hub.storage.database import HubDatabase, sqlite_url

ROWS = 5_000
SLOW = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < {}) SELECT max(x) FROM n"
STEPS = 1_000_000
"""Some tenths of a second: a hundred times what the event loop gives."""


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[HubDatabase]:
    """A database with one table of numbers."""
    made = HubDatabase(sqlite_url(tmp_path / "hub.db"))
    async with made.write() as connection:
        await connection.exec_driver_sql("CREATE TABLE number (n INTEGER)")
        lines = [(n,) for n in range(ROWS)]
        await connection.exec_driver_sql("INSERT INTO number (n) VALUES (?)", lines)
    yield made
    await made.close()


async def test_a_slow_question_leaves_the_event_loop_to_others(database: HubDatabase) -> None:
    """One person's long list that stopped everybody's pages, and what devices have sent, would stop the hub."""
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0.001)
            turns += 1

    async with asyncio.TaskGroup() as group:
        beside = group.create_task(others())
        for _ in range(2):  # the first time it is interrupted and begun again
            turns = 0
            async with database.read() as connection:
                found = await connection.exec_driver_sql(SLOW.format(STEPS))
                assert found.scalar_one() == STEPS
            assert turns > 10
        beside.cancel()


async def test_a_quick_question_is_answered_without_a_turn(database: HubDatabase) -> None:
    """A page asks fifteen things: a trip to a thread for each is what made pages late."""
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    async with database.read() as connection, asyncio.TaskGroup() as group:
        beside = group.create_task(others())
        await asyncio.sleep(0)
        before = turns
        for n in range(10):
            found = await connection.exec_driver_sql("SELECT n FROM number LIMIT 1 OFFSET ?", (n,))
            assert found.scalar_one() == n
        assert turns - before < 10
        beside.cancel()


@pytest.mark.parametrize("portion", [1, 700, 2_000])
async def test_every_row_comes_once_and_in_order(database: HubDatabase, portion: int) -> None:
    """The columnar copy streams whole tables: a row that is lost between two portions is missing in every report."""
    query = "SELECT n FROM number ORDER BY n LIMIT 3000"
    async with database.read() as connection:
        whole = [row[0] for row in await connection.exec_driver_sql(query)]
        found = await connection.stream(sa.text(query))
        parts = [row[0] async for part in found.partitions(portion) for row in part]
    assert whole == parts == list(range(3_000))


async def test_a_block_sees_one_state_while_others_write(database: HubDatabase) -> None:
    """A list and its number of rows that come from two states do not fit each other."""
    count = "SELECT count(*) FROM number"
    async with database.read() as reading:
        before = (await reading.exec_driver_sql(count)).scalar_one()
        async with database.write() as writing:
            await writing.exec_driver_sql("DELETE FROM number")
        assert (await reading.exec_driver_sql(count)).scalar_one() == before == ROWS
    async with database.read() as reading:
        assert (await reading.exec_driver_sql(count)).scalar_one() == 0


async def test_nothing_is_written_where_it_is_read(database: HubDatabase) -> None:
    """A change beside the one writer would have no LSN and no place in the journal."""
    with pytest.raises(FieldmeshError):
        async with database.read() as connection:
            await connection.exec_driver_sql("DELETE FROM number")
    async with database.read() as connection:
        found = await connection.exec_driver_sql("SELECT count(*) FROM number")
        assert found.scalar_one() == ROWS


async def test_whoever_goes_away_leaves_a_line_that_works(database: HubDatabase) -> None:
    """People close pages that take long: lines that were lost with them would be all gone by the evening."""
    for _ in range(20):
        async with asyncio.timeout(5):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.01), database.read() as connection:
                    await connection.exec_driver_sql(SLOW.format(STEPS // 2))
    async with database.read() as connection:
        found = await connection.exec_driver_sql("SELECT count(*) FROM number")
        assert found.scalar_one() == ROWS


async def test_a_transaction_that_was_taken_back_takes_nothing_more(database: HubDatabase) -> None:
    """Promise 4: after a full disk SQLite takes a transaction back; what came after it must not be committed alone."""

    async def write() -> None:
        async with database.write() as connection:
            await connection.exec_driver_sql("DELETE FROM number WHERE n = 1")
            await connection.exec_driver_sql("ROLLBACK")
            await connection.exec_driver_sql("DELETE FROM number WHERE n = 2")

    with pytest.raises(FieldmeshError):
        await write()
    async with database.write() as connection:
        await connection.exec_driver_sql("DELETE FROM number WHERE n = 3")
    async with database.read() as connection:
        found = await connection.exec_driver_sql("SELECT n FROM number WHERE n < 5")
        assert [row[0] for row in found] == [0, 1, 2, 4]
