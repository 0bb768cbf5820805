"""Many rows at once, as SQL text made from the schema; fit for SQLite and SQL Server.

Values go in and come out in storage form. On SQLite nothing is converted; on SQL Server whole columns are.
"""

import asyncio
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import islice
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from fieldmesh.data.many_rows import values_of
from fieldmesh.data.model import HUB_COLUMNS, ReplicatedColumn, ReplicatedTable
from fieldmesh.data.types import Value

PARAMETERS = 500
"""Values of one IN list; SQL Server takes 2,100 parameters a statement."""

SQLITE_PARAMETERS = 8_000
"""The same for SQLite, which takes 32,766."""

Row = tuple[Value, ...]


def columns_of(table: ReplicatedTable, names: Sequence[str]) -> list[ReplicatedColumn]:
    """The columns of these names, the hub's own ones included."""
    hub = {column.name: column for column in HUB_COLUMNS}
    return [hub.get(name) or table.column(name) for name in names]


@lru_cache(maxsize=1024)
def update_text(table: str, names: tuple[str, ...]) -> str:
    """UPDATE of one row by id, the id last."""
    sets = ", ".join(f'"{name}" = ?' for name in names)
    return f'UPDATE "{table}" SET {sets} WHERE "id" = ?'


async def execute_many(
    connection: AsyncConnection, text: str, kinds: Sequence[ReplicatedColumn], rows: list[Row]
) -> None:
    """The statement is run for every row.

    Args:
        connection: of a write transaction.
        text: with question marks.
        kinds: the column behind each question mark; none when all are numbers and identifiers.
        rows: values in storage form.
    """
    if not rows:
        return
    if connection.dialect.name == "mssql" and kinds:
        rows = _native(connection, kinds, rows)
    await connection.exec_driver_sql(text, rows)


async def insert_columns(
    connection: AsyncConnection,
    table: str,
    names: tuple[str, ...],
    columns: Sequence[list[Value]],
    kinds: Sequence[ReplicatedColumn] = (),
) -> None:
    """New rows stand, given column by column.

    Args:
        connection: of a write transaction.
        table: its name.
        names: of the columns.
        columns: one list of values a name, all equally long.
        kinds: one column a name; none when all are numbers and identifiers.
    """
    if not columns[0]:
        return
    quoted = ", ".join(f'"{name}"' for name in names)
    head = f'INSERT INTO "{table}" ({quoted}) VALUES '
    if connection.dialect.name == "sqlite":
        for places, lines in values_of(columns):
            await connection.exec_driver_sql(head + places, lines)
        return
    places = f"({', '.join('?' * len(names))})"
    await execute_many(connection, head + places, kinds, list(zip(*columns, strict=True)))


async def store_where_in(
    connection: AsyncConnection, table: str, column: str, value: Value, ids: Iterable[Value]
) -> None:
    """Rows of any number of ids hold the value in the column.

    Args:
        connection: of a write transaction.
        table: its name.
        column: of numbers.
        value: of all the rows.
        ids: of the rows.
    """
    source = iter(ids)
    while piece := tuple(islice(source, _most_of(connection))):
        marks = ", ".join("?" * len(piece))
        text = f'UPDATE "{table}" SET "{column}" = ? WHERE id IN ({marks})'
        await connection.exec_driver_sql(text, (value, *piece))


async def fetch_in(
    connection: AsyncConnection,
    head: str,
    values: Iterable[Value],
    kinds: Sequence[ReplicatedColumn],
    tail: str = "",
) -> list[Row]:
    """Rows of ``head IN (values) tail`` for any number of values."""
    found: list[Row] = []
    source = iter(values)
    while piece := tuple(islice(source, _most_of(connection))):
        marks = ", ".join("?" * len(piece))
        result = await connection.exec_driver_sql(f"{head} IN ({marks}) {tail}", piece)
        found.extend(result.fetchall())
    return stored(connection, kinds, found)


async def page_after(
    connection: AsyncConnection,
    head: str,
    after: bytes,
    most: int,
    kinds: Sequence[ReplicatedColumn],
) -> list[Row]:
    """The next rows of ``SELECT head`` in the order of their id, which comes first in each; empty at the end.

    The statement itself has an end: SQLAlchemy fetches every row of one that is not streamed.

    Args:
        connection: to the hub's database.
        head: columns, FROM, and WHERE with a condition.
        after: id of the row before.
        most: rows.
        kinds: of the columns.
    """
    top, limit = ("", f"LIMIT {most}")
    if connection.dialect.name == "mssql":
        top, limit = (f"TOP {most}", "")
    text = f"SELECT {top} {head} AND id > ? ORDER BY id {limit}"
    result = await connection.exec_driver_sql(text, (after,))
    return await stored_aside(connection, kinds, result.fetchall())


def _most_of(connection: AsyncConnection) -> int:
    return SQLITE_PARAMETERS if connection.dialect.name == "sqlite" else PARAMETERS


def _native(
    connection: AsyncConnection, kinds: Sequence[ReplicatedColumn], rows: list[Row]
) -> list[Row]:
    dialect = connection.dialect
    types = [column.kind.sql_type() for column in kinds]
    columns = [
        [kind.process_bind_param(value, dialect) for value in column]  # type: ignore[attr-defined]
        for kind, column in zip(types, zip(*rows, strict=True), strict=True)
    ]
    return list(zip(*columns, strict=True))


async def stored_aside(
    connection: AsyncConnection, kinds: Sequence[ReplicatedColumn], rows: Sequence[Sequence[Any]]
) -> list[Row]:
    """Many rows as the database gave them, in storage form; made in a thread, because a page takes up to 0.1 s."""
    return await asyncio.to_thread(lambda: stored(connection, kinds, [tuple(row) for row in rows]))


def stored(
    connection: AsyncConnection, kinds: Sequence[ReplicatedColumn], rows: list[Row]
) -> list[Row]:
    """Rows that the database gave, in storage form."""
    if connection.dialect.name != "mssql" or not rows:
        return rows
    dialect = connection.dialect
    types = [column.kind.sql_type() for column in kinds]
    columns = [
        [kind.process_result_value(value, dialect) for value in column]  # type: ignore[attr-defined]
        for kind, column in zip(types, zip(*rows, strict=True), strict=True)
    ]
    return list(zip(*columns, strict=True))
