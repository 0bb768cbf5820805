"""Rows from the hub: applied, removed, replaced by range. The higher LSN wins.

Every function runs inside the one transaction that also moves the mark (promise 4, Whole).
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from fieldmesh.data.many_rows import ROWS_AT_ONCE, values_of
from gateway.storage.cursors import lost_sql
from gateway.storage.schema import CACHED_TABLES, TABLE_NUMBER, WIRE_COLUMNS

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from fieldmesh.codec.columns import TableRows
    from fieldmesh.data.types import Value

_LEFT = (
    "EXISTS (SELECT 1 FROM fm_removal AS r WHERE r.partition = {table}.partition AND r.table_no = ?"
    " AND r.row_id = {table}.id AND r.lsn > {table}.lsn)"
)
"""The row has left the partition in which it stands, later than it was written."""


@cache
def _upsert(table: str, names: tuple[str, ...], comparison: str) -> tuple[str, str]:
    """The statement before and after its VALUES."""
    changed = ", ".join(f"{name} = excluded.{name}" for name in names if name != "id")
    return (
        f"INSERT INTO {table} ({', '.join(names)}) VALUES ",
        f" ON CONFLICT (id) DO UPDATE SET {changed}"
        f" WHERE excluded.lsn {comparison} {table}.lsn OR {lost_sql(f'{table}.lsn')}",
    )


def _known(rows: TableRows) -> tuple[str, ...]:
    wire = WIRE_COLUMNS[rows.table]
    return tuple(name for name in rows.names if name in wire)


def apply_rows(connection: sqlite3.Connection, rows: TableRows) -> int:
    """Each row stands as the hub says, unless a newer version is held already or it has left the partition since.

    Columns that this version does not know are left out. Repeating it is harmless, also after what came later: the
    broker may deliver a message again, or behind the next one.

    Returns:
        The number of rows given.
    """
    count = _write_rows(connection, rows, ">")
    if count:
        _hide_left(connection, rows)
    return count


def _hide_left(connection: sqlite3.Connection, rows: TableRows) -> None:
    least = min(lsn for lsn in rows.column("lsn") if isinstance(lsn, int))
    later = "SELECT 1 FROM fm_removal WHERE partition = ? AND lsn > ? LIMIT 1"
    if any(
        connection.execute(later, (partition, least)).fetchone()
        for partition in set(rows.column("partition"))
    ):
        ids, table = rows.column("id"), rows.table
        for start in range(0, len(ids), ROWS_AT_ONCE):
            piece = ids[start : start + ROWS_AT_ONCE]
            places = ", ".join("?" * len(piece))
            connection.execute(
                f"DELETE FROM {table} WHERE id IN ({places}) AND {_LEFT.format(table=table)}",
                (*piece, TABLE_NUMBER[table]),
            )


def _write_rows(connection: sqlite3.Connection, rows: TableRows, comparison: str) -> int:
    if rows.table not in WIRE_COLUMNS or not rows.row_count:
        return 0
    names = _known(rows)
    before, after = _upsert(rows.table, names, comparison)
    for places, lines in values_of([rows.column(name) for name in names]):
        connection.executemany(before + places + after, lines)
    return rows.row_count


def apply_removals(connection: sqlite3.Connection, removals: TableRows) -> int:
    """Rows that left their partition at an LSN are gone, and the removal is kept for devices.

    A row that has meanwhile come back, or moved on, stays.
    """
    if removals.table not in WIRE_COLUMNS or not removals.row_count:
        return 0
    ids, where, lsns = (removals.column(name) for name in ("id", "partition", "lsn"))
    for (partition, lsn), held in _together(ids, where, lsns).items():
        _remove(connection, removals.table, held, partition, lsn)
    number = TABLE_NUMBER[removals.table]
    for places, lines in values_of([ids, where, lsns, [number] * len(ids)]):
        connection.executemany(
            f"INSERT OR IGNORE INTO fm_removal (row_id, partition, lsn, table_no) VALUES {places}",
            lines,
        )
    return len(ids)


def _together(
    ids: list[Value], where: list[Value], lsns: list[Value]
) -> dict[tuple[Value, Value], list[Value]]:
    """(partition, lsn) → the rows that left it then."""
    if where.count(where[0]) == lsns.count(lsns[0]) == len(ids):
        return {(where[0], lsns[0]): ids}
    found: dict[tuple[Value, Value], list[Value]] = {}
    for row_id, partition, lsn in zip(ids, where, lsns, strict=True):
        found.setdefault((partition, lsn), []).append(row_id)
    return found


def _remove(
    connection: sqlite3.Connection, table: str, ids: list[Value], partition: Value, lsn: Value
) -> None:
    # The plus keeps SQLite from walking over the whole partition instead of looking for each id.
    for start in range(0, len(ids), ROWS_AT_ONCE):
        piece = ids[start : start + ROWS_AT_ONCE]
        places = ", ".join("?" * len(piece))
        connection.execute(
            f"DELETE FROM {table} WHERE +partition = ? AND (lsn < ? OR {lost_sql(f'{table}.lsn')})"
            f" AND id IN ({places})",
            (partition, lsn, *piece),
        )


def hide_removed(connection: sqlite3.Connection, partition: int) -> None:
    """Rows of a seed that the stream has removed since are gone again."""
    for table in CACHED_TABLES:
        connection.execute(
            f"DELETE FROM {table} WHERE partition = ? AND {_LEFT.format(table=table)}",
            (partition, TABLE_NUMBER[table]),
        )


def keep_only(
    connection: sqlite3.Connection,
    partition: int,
    seeded: dict[str, set[bytes]],
    *,
    up_to_lsn: int,
) -> int:
    """Rows of the partition that a whole seed at ``up_to_lsn`` does not have are gone.

    Returns:
        How many went.
    """
    gone = 0
    for table in CACHED_TABLES:
        keep = seeded.get(table, set())
        stale = [
            (row_id,)
            for (row_id,) in connection.execute(
                f"SELECT id FROM {table} WHERE partition = ? AND (lsn <= ?"
                f" OR {lost_sql(f'{table}.lsn')})",
                (partition, up_to_lsn),
            )
            if row_id not in keep
        ]
        connection.executemany(f"DELETE FROM {table} WHERE id = ?", stale)
        gone += len(stale)
    return gone


def forget_partition(connection: sqlite3.Connection, partition: int) -> int:
    """No row of the partition is held here any more, nor its removals.

    Returns:
        How many rows went.
    """
    gone = 0
    for table in CACHED_TABLES:
        gone += connection.execute(
            f"DELETE FROM {table} WHERE partition = ?", (partition,)
        ).rowcount
    connection.execute("DELETE FROM fm_removal WHERE partition = ?", (partition,))
    return gone


def replace_range(
    connection: sqlite3.Connection,
    rows: TableRows,
    *,
    partition: int,
    byte_range: tuple[int, int],
    at_lsn: int,
) -> int:
    """One range of one table is exactly what the hub holds at ``at_lsn``; newer rows stay.

    Returns:
        The number of rows written.
    """
    if rows.table not in WIRE_COLUMNS:
        return 0
    first, last = (bytes([value]) for value in byte_range)
    connection.execute(
        f"DELETE FROM {rows.table} WHERE partition = ? AND substr(id, 16, 1) BETWEEN ? AND ?"
        f" AND (lsn <= ? OR {lost_sql(f'{rows.table}.lsn')})",
        (partition, first, last, at_lsn),
    )
    return repair_rows(connection, rows)


def repair_rows(connection: sqlite3.Connection, rows: TableRows) -> int:
    """Rows stand as the hub says, also over the same LSN; a newer version stays."""
    return _write_rows(connection, rows, ">=")


def prune_removals(connection: sqlite3.Connection, *, through_lsn: int) -> int:
    """Old removals are gone; a device with an older cursor gets those partitions whole.

    Returns:
        How many went.
    """
    connection.execute(
        "UPDATE fm_partition SET horizon_lsn = ?1 WHERE horizon_lsn < ?1 AND partition IN"
        " (SELECT DISTINCT partition FROM fm_removal WHERE lsn <= ?1)",
        (through_lsn,),
    )
    return connection.execute("DELETE FROM fm_removal WHERE lsn <= ?", (through_lsn,)).rowcount


def partitions_with_lost_rows(connection: sqlite3.Connection) -> set[int]:
    """Partitions that hold rows or removals of a lost future."""
    found: set[int] = set()
    selects: Sequence[str] = [
        *(f"SELECT DISTINCT partition FROM {table} AS t" for table in CACHED_TABLES),
        "SELECT DISTINCT partition FROM fm_removal AS t",
    ]
    for select in selects:
        found.update(row[0] for row in connection.execute(f"{select} WHERE {lost_sql('t.lsn')}"))
    return found


def forget_lost_removals(connection: sqlite3.Connection) -> int:
    """Removals of a lost future never happened.

    Returns:
        How many went.
    """
    return connection.execute(f"DELETE FROM fm_removal WHERE {lost_sql('fm_removal.lsn')}").rowcount
