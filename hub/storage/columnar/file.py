"""The DuckDB file: opened, made, filled, asked. Blocking; `copy` calls it in threads.

No extension is loaded from outside, and memory has a bound: what does not fit goes to the folder beside the file.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from fieldmesh.data.types import Value
from hub.storage.columnar.lines import relation, written
from hub.storage.columnar.shape import column_type, copied_columns, create_statements, signature

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a copy stands: as of which LSN of which hub epoch, taken when (UTC microseconds)."""

    lsn: int
    epoch: int
    took_at: int


class ColumnarFile:
    """One open DuckDB file. Each call has a cursor of its own and sees one committed state."""

    def __init__(self, path: Path, *, memory_bytes: int, threads: int) -> None:
        """The file is open; made when it was not there.

        Raises:
            duckdb.Error: it can't be read.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._connection = duckdb.connect(
            str(path),
            config={
                "memory_limit": f"{memory_bytes >> 20}MiB",
                "threads": threads,
                "temp_directory": str(path.parent / "spill"),
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
                "preserve_insertion_order": False,
            },
        )

    def create(self) -> None:
        """All tables stand, empty, without a mark; those of an earlier shape are gone."""
        with self.transaction() as cursor:
            for (name,) in cursor.execute("SELECT table_name FROM duckdb_tables()").fetchall():
                cursor.execute(f'DROP TABLE "{name}"')
            for statement in create_statements():
                cursor.execute(statement)

    def mark(self) -> Mark | None:
        """Where the copy stands; None when it was never filled to the end, or has another shape."""
        cursor = self._connection.cursor()
        try:
            row = cursor.execute("SELECT lsn, epoch, took_at, shape FROM fm_copy").fetchone()
        except duckdb.CatalogException:
            return None
        finally:
            cursor.close()
        return None if row is None or row[3] != signature() else Mark(row[0], row[1], row[2])

    @contextmanager
    def transaction(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor whose changes are committed when the block ends well, and gone when it does not."""
        cursor = self._connection.cursor()
        try:
            cursor.begin()
            try:
                yield cursor
            except BaseException:
                cursor.rollback()
                raise
            cursor.commit()
        finally:
            cursor.close()

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A connection of its own to the file, which sees one committed state at a time; whoever asks closes it."""
        return self._connection.cursor()

    def close(self) -> None:
        """The file is closed, its content in one piece on disk."""
        self._connection.close()


def put_mark(cursor: duckdb.DuckDBPyConnection, mark: Mark) -> None:
    """The copy stands there, when the cursor's transaction is committed."""
    cursor.execute("DELETE FROM fm_copy")
    values = [mark.lsn, mark.epoch, signature(), mark.took_at]
    cursor.execute("INSERT INTO fm_copy (lsn, epoch, shape, took_at) VALUES (?, ?, ?, ?)", values)


def append(cursor: duckdb.DuckDBPyConnection, table: str, rows: Sequence[Sequence[Value]]) -> None:
    """New rows stand in the table."""
    with written(rows) as name:
        cursor.execute(f'INSERT INTO "{table}" SELECT * FROM {_read(table, name)}')


def replace(cursor: duckdb.DuckDBPyConnection, table: str, rows: Sequence[Sequence[Value]]) -> None:
    """The rows stand as they are given; those that are deleted are gone."""
    with written(rows) as name:
        cursor.execute(f"CREATE OR REPLACE TEMP TABLE fresh AS SELECT * FROM {_read(table, name)}")
    cursor.execute(
        f'DELETE FROM "{table}" WHERE id >= (SELECT min(id) FROM fresh) AND id IN (SELECT id FROM fresh)'
    )
    cursor.execute(f'INSERT INTO "{table}" SELECT * FROM fresh WHERE deleted = 0')
    cursor.execute("DROP TABLE fresh")


def _read(table: str, name: str) -> str:
    """The rows of the file as a relation with the table's types."""
    return relation(name, {one.name: column_type(one) for one in copied_columns(table)})
