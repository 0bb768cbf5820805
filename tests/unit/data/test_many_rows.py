"""Many rows in few statements stand as if they had been inserted one by one."""

import random
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from fieldmesh.data.many_rows import ROWS_AT_ONCE, values_of
from fieldmesh.data.types import Value
from fieldmesh.service.database import connect


@pytest.fixture
def table(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """An empty table of four columns."""
    connection = connect(tmp_path / "t.db")
    connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, a BLOB, b TEXT, c INTEGER)")
    connection.execute("BEGIN")
    yield connection
    connection.close()


def _columns(count: int, shared: tuple[bool, bool, bool]) -> list[list[Value]]:
    choose = random.Random(count)
    made: list[list[Value]] = [list(range(count))]
    for place, common in enumerate(shared):
        values: list[Value] = [
            (choose.randbytes(3), f"{n}?1'", None)[place] if n % 3 else None for n in range(count)
        ]
        made.append([values[-1]] * count if common and count else values)
    return made


@pytest.mark.parametrize("shared", [(False, False, False), (True, False, True), (True, True, True)])
@pytest.mark.parametrize("count", [0, 1, ROWS_AT_ONCE - 1, ROWS_AT_ONCE, ROWS_AT_ONCE * 3 + 7])
def test_every_row_stands_once_with_its_own_values(
    table: sqlite3.Connection, count: int, shared: tuple[bool, bool, bool]
) -> None:
    """A value bound in a wrong place would be another row's: nobody would notice before a digest differs."""
    columns = _columns(count, shared)
    for places, lines in values_of(columns):
        table.executemany(f"INSERT INTO t VALUES {places}", lines)
    assert table.execute("SELECT * FROM t ORDER BY id").fetchall() == list(
        zip(*columns, strict=True)
    )


def test_rows_that_are_all_the_same_are_not_lost(table: sqlite3.Connection) -> None:
    """If every value were taken for a common one, no row would be left to write."""
    table.execute("CREATE TABLE same (a INTEGER, b INTEGER)")
    for places, lines in values_of([[1] * 200, [2] * 200]):
        table.executemany(f"INSERT INTO same VALUES {places}", lines)
    assert table.execute("SELECT count(*) FROM same WHERE a = 1 AND b = 2").fetchone() == (200,)
