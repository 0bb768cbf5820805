"""The database's doors: durable, isolated, fair."""

import asyncio
import sqlite3
import threading
import time
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from fieldmesh.basics.errors import FieldmeshError, Rejected, Retry
from fieldmesh.service.database import Database, connect, open_connection

_MANY = 20_000


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    """A database with one table."""
    opened = Database(tmp_path / "a.db")
    await opened.write(
        lambda c: c.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, text TEXT UNIQUE) STRICT")
    )
    yield opened
    await opened.close()


def insert(text: str, connection: sqlite3.Connection) -> int:
    """One more row."""
    connection.execute("INSERT INTO t (text) VALUES (?)", (text,))
    return int(connection.execute("SELECT count(*) FROM t").fetchone()[0])


def count(connection: sqlite3.Connection) -> int:
    """How many rows there are."""
    return int(connection.execute("SELECT count(*) FROM t").fetchone()[0])


async def test_many_writes_share_a_commit(database: Database) -> None:
    """Without it each of 64 sessions would pay for an fsync of its own."""
    async with asyncio.TaskGroup() as group:
        for number in range(640):
            group.create_task(database.write(lambda c, n=number: insert(f"row {n}", c)))
    assert await database.read(count) == 640
    assert database.figures.commits < 320
    assert database.figures.largest_group > 1


async def test_one_write_that_fails_leaves_the_others_of_its_group(database: Database) -> None:
    """One bad batch must not undo its neighbours, and half of it must not stay."""

    def half(connection: sqlite3.Connection) -> None:
        insert("half", connection)
        insert("first", connection)

    def good(number: int) -> str:
        return f"good {number}"

    await database.write(lambda c: insert("first", c))
    results = await collect(
        *(database.write(lambda c, n=number: insert(good(n), c)) for number in range(10)),
        database.write(half),
        *(database.write(lambda c, n=number: insert(good(n), c)) for number in range(10, 20)),
    )
    assert isinstance(results[10], sqlite3.IntegrityError)
    assert await database.read(count) == 21
    held = await database.read(
        lambda c: c.execute("SELECT text FROM t WHERE text = 'half'").fetchall()
    )
    assert held == []


async def collect(*calls: object) -> list[object]:
    """Each call's result or error, all begun at once."""
    results: list[object] = [None] * len(calls)

    async def one(number: int) -> None:
        try:
            results[number] = await calls[number]  # type: ignore[misc]
        except (sqlite3.Error, FieldmeshError, ValueError) as error:
            results[number] = error

    async with asyncio.TaskGroup() as group:
        for number in range(len(calls)):
            group.create_task(one(number))
    return results


async def test_a_broken_reference_at_commit_fails_only_its_own_write(tmp_path: Path) -> None:
    """A deferred reference is checked at the group's commit; the innocent must not pay for it."""
    database = Database(tmp_path / "a.db")

    def create(connection: sqlite3.Connection) -> None:
        connection.execute("CREATE TABLE parent (id INTEGER PRIMARY KEY) STRICT")
        connection.execute(
            "CREATE TABLE child (id INTEGER PRIMARY KEY,"
            " parent INTEGER REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED) STRICT"
        )

    def parent(number: int, connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO parent VALUES (?)", (number,))

    def orphan(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO child VALUES (1, 99)")

    await database.write(create)
    results = await collect(
        *(database.write(partial(parent, number)) for number in range(8)),
        database.write(orphan),
        *(database.write(partial(parent, number)) for number in range(20, 28)),
    )
    assert isinstance(results[8], sqlite3.IntegrityError)
    parents = await database.read(lambda c: c.execute("SELECT count(*) FROM parent").fetchone()[0])
    assert parents == 16
    await database.close()


async def test_a_full_disk_is_a_wait_with_nothing_half_written(tmp_path: Path) -> None:
    """A gateway with a full disk must refuse, not confirm, and go on when there is room."""

    def tiny(path: Path) -> sqlite3.Connection:
        connection = open_connection(path)
        connection.execute("PRAGMA max_page_count = 12")
        return connection

    database = Database(tmp_path / "a.db", connector=tiny)
    await database.write(lambda c: c.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, text TEXT)"))

    def large(connection: sqlite3.Connection) -> None:
        insert("small part", connection)
        insert("x" * 100_000, connection)

    results = await collect(
        database.write(lambda c: insert("one", c)),
        database.write(large),
        database.write(lambda c: insert("two", c)),
    )
    assert isinstance(results[1], Retry)
    assert results[1].code == "disk_full"
    texts = await database.read(lambda c: [row[0] for row in c.execute("SELECT text FROM t")])
    assert sorted(texts) == ["one", "two"]
    await database.close()


async def test_a_read_sees_one_state_while_others_write(database: Database) -> None:
    """A snapshot for a device must not hold half of a mark."""
    first_looked = threading.Event()
    written = threading.Event()

    def look_twice(connection: sqlite3.Connection) -> tuple[int, int]:
        before = count(connection)
        first_looked.set()
        assert written.wait(10)
        return before, count(connection)

    async with asyncio.TaskGroup() as group:
        looking = group.create_task(database.read(look_twice))
        await asyncio.to_thread(first_looked.wait, 10)
        await database.write(lambda c: insert("while looking", c))
        written.set()
    before, after = looking.result()
    assert before == after == 0
    assert await database.read(count) == 1


async def test_a_reader_cannot_write(database: Database) -> None:
    """A write through the wrong door would bypass the one writer."""
    with pytest.raises(FieldmeshError) as caught:
        await database.read(lambda c: insert("no", c))
    assert caught.value.code == "disk_failed"


async def test_the_first_write_of_a_group_that_fails_is_undone(database: Database) -> None:
    """It has no savepoint: what it wrote must go all the same, and what comes behind it must stay."""

    def half(connection: sqlite3.Connection) -> None:
        insert("half", connection)
        raise ValueError("half")

    results = await collect(
        database.write(half), *(database.write(partial(insert, f"row {n}")) for n in range(5))
    )
    assert isinstance(results[0], ValueError)
    assert results[1:] == [1, 2, 3, 4, 5]
    assert await database.read(count) == 5


@pytest.mark.parametrize("door", ["write", "write_alone"])
async def test_many_rows_of_a_table_with_triggers_cost_what_they_cost_without_the_doors(
    tmp_path: Path, door: str
) -> None:
    """In a savepoint each row costs as much as all pages that were touched: a gateway would need minutes for a day."""
    plain = open_connection(tmp_path / "plain.db")
    fill_many(plain)
    plain.execute("BEGIN IMMEDIATE")
    without = empty_many(plain)
    plain.close()
    opened = Database(tmp_path / "b.db")
    await opened.maintain(fill_many)
    within = await getattr(opened, door)(empty_many)
    await opened.close()
    assert within < 4 * without


def fill_many(connection: sqlite3.Connection) -> None:
    """A table with a trigger holds many rows, committed."""
    for statement in (
        "BEGIN IMMEDIATE",
        "CREATE TABLE many (id BLOB PRIMARY KEY NOT NULL, text TEXT NOT NULL)",
        "CREATE TABLE sums (one INTEGER PRIMARY KEY, total INTEGER NOT NULL)",
        "CREATE TRIGGER less AFTER DELETE ON many BEGIN"
        " UPDATE sums SET total = total - 1 WHERE one = 1; END",
        "INSERT INTO sums VALUES (1, 0)",
    ):
        connection.execute(statement)
    lines = [(number.to_bytes(16, "little"), "x" * 200) for number in range(_MANY)]
    connection.executemany("INSERT INTO many VALUES (?, ?)", lines)
    connection.execute("COMMIT")


def empty_many(connection: sqlite3.Connection) -> float:
    """All rows are deleted one by one. Returns the processor seconds of it."""
    ids = [(number.to_bytes(16, "little"),) for number in range(_MANY)]
    began = time.thread_time()
    connection.executemany("DELETE FROM many WHERE id = ?", ids)
    return time.thread_time() - began


async def test_write_alone_shares_its_commit_with_nobody(database: Database) -> None:
    """A seed's chunk must not be rolled back and run again because of a neighbour."""
    commits = database.figures.commits
    async with asyncio.TaskGroup() as group:
        for number in range(5):
            group.create_task(database.write_alone(lambda c, n=number: insert(f"{n}", c)))
    assert database.figures.commits == commits + 5


async def test_closing_writes_what_waits_and_then_refuses(tmp_path: Path) -> None:
    """An orderly stop loses nothing, and nothing sneaks in behind it."""
    database = Database(tmp_path / "a.db")
    await database.write(
        lambda c: c.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, text TEXT) STRICT")
    )
    async with asyncio.TaskGroup() as group:
        for number in range(50):
            group.create_task(database.write(lambda c, n=number: insert(f"{n}", c)))
        await asyncio.sleep(0)
        group.create_task(database.close())
    await database.close()
    with pytest.raises(Retry):
        await database.write(count)
    connection = connect(tmp_path / "a.db", read_only=True)
    assert count(connection) == 50
    connection.close()


async def test_a_damaged_file_is_refused_with_words(tmp_path: Path) -> None:
    """A person must learn that the file is no database, not see a stack of calls."""
    path = tmp_path / "a.db"
    path.write_bytes(b"this is not a database at all" * 200)
    database = Database(path)
    with pytest.raises(Rejected) as caught:
        await database.write(count)
    assert caught.value.code == "database_unreadable"
    await database.close()


async def test_a_cancelled_write_that_had_not_begun_does_not_take_place(database: Database) -> None:
    """A session that is gone must not keep the writer busy."""
    gate = threading.Event()

    def block(_: sqlite3.Connection) -> None:
        assert gate.wait(10)

    async with asyncio.TaskGroup() as group:
        group.create_task(database.write_alone(block))
        await asyncio.sleep(0.05)
        late = group.create_task(database.write(lambda c: insert("late", c)))
        await asyncio.sleep(0)
        late.cancel()
        await asyncio.sleep(0)
        gate.set()
    assert await database.read(count) == 0
