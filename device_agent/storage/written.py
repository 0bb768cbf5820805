"""Rows as the hub has them are written over the rows that are here, where they are newer.

Of rows that are here already only columns that differ are written: an index is touched only when
its column changed. What differs is found column by column, by whole lists. Measured: 1,500 changed
prices in 9 ms of processor time, against 13 ms by upsert.
"""

import sqlite3
from collections.abc import Sequence
from operator import itemgetter
from typing import Any

from fieldmesh.codec.columns import TableRows

_IDS_A_QUERY = 500
_Line = tuple[Any, ...]


def write_rows(connection: sqlite3.Connection, rows: TableRows, *, force: bool = False) -> None:
    """The rows are here as they came, in the caller's transaction.

    Args:
        connection: of the device's database.
        rows: with ``id`` and ``lsn`` among their columns.
        force: also over rows that are newer here.
    """
    here = rows_by_id(connection, rows.table, rows.names, rows.column("id"))
    ids = rows.column("id")
    if len(here) < len(ids):
        new = rows.take([place for place, row_id in enumerate(ids) if row_id not in here])
        connection.executemany(_upsert(rows, force=force), new.rows())
        rows = rows.take([place for place, row_id in enumerate(ids) if row_id in here])
    if here:
        _write_over(connection, rows, here, force=force)


def _write_over(
    connection: sqlite3.Connection, rows: TableRows, here: dict[Any, _Line], *, force: bool
) -> None:
    """Rows that are here take over what differs."""
    held = [here[row_id] for row_id in rows.column("id")]
    if not force:
        lsn = itemgetter(rows.names.index("lsn"))
        newer = [
            place
            for place, (old, new) in enumerate(zip(map(lsn, held), rows.column("lsn"), strict=True))
            if new > old
        ]
        if len(newer) < len(held):
            rows, held = rows.take(newer), [held[place] for place in newer]
    if not held:
        return
    differ = [
        (name, column)
        for name, column, old in zip(rows.names, rows.columns, zip(*held, strict=True), strict=True)
        if column != list(old)
    ]
    if differ:
        sets = ", ".join(f"{name} = ?" for name, _ in differ)
        connection.executemany(
            f"UPDATE {rows.table} SET {sets} WHERE id = ?",  # noqa: S608
            zip(*(column for _, column in differ), rows.column("id"), strict=True),
        )


def rows_by_id(
    connection: sqlite3.Connection, table: str, names: Sequence[str], ids: Sequence[Any]
) -> dict[Any, _Line]:
    """The rows of these ids that are here, by id.

    Args:
        connection: of the device's database.
        table: of the rows.
        names: the columns to read, ``id`` among them.
        ids: of rows, which need not be here.
    """
    own = names.index("id")
    found: dict[Any, _Line] = {}
    for start in range(0, len(ids), _IDS_A_QUERY):
        piece = ids[start : start + _IDS_A_QUERY]
        lines = connection.execute(
            f"SELECT {', '.join(names)} FROM {table}"  # noqa: S608
            f" WHERE id IN ({', '.join('?' * len(piece))})",
            piece,
        )
        found.update((line[own], line) for line in lines)
    return found


def _upsert(rows: TableRows, *, force: bool) -> str:
    """An id that comes twice in one frame ends as its newest."""
    marks = ", ".join("?" * len(rows.names))
    sets = ", ".join(f"{name} = excluded.{name}" for name in rows.names if name != "id")
    newer = "" if force else f" WHERE excluded.lsn > {rows.table}.lsn"
    return (
        f"INSERT INTO {rows.table} ({', '.join(rows.names)}) VALUES ({marks})"  # noqa: S608
        f" ON CONFLICT (id) DO UPDATE SET {sets}{newer}"
    )
