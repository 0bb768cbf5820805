"""Rows that a device brought and the hub has not applied yet: shown, marked by lsn 0.

They go in with their batch (one transaction) and go out in the same transaction as the mark that
brings the confirmed rows, or as the tick that says that the hub has decided (promise 8, Offline).
"""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Final

from fieldmesh.codec.columns import TableRows, from_rows
from fieldmesh.data.policy import (
    First,
    Follows,
    Global,
    Keyed,
    Own,
    PartitionKind,
    Patched,
    rule_columns,
)
from fieldmesh.data.schema import TABLES
from fieldmesh.replica.partition import partition_id
from gateway.storage.cursors import lost_sql
from gateway.storage.schema import (
    DOWNLOAD_ORDER,
    PROVISIONAL_TABLES,
    TABLE_NUMBER,
    WIRE_COLUMNS,
    provisional,
)

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterable, Sequence

    from fieldmesh.codec.batch import Change
    from fieldmesh.data.policy import PartitionRule
    from fieldmesh.data.types import Value

INSERT: Final = 1
UPDATE: Final = 2
DELETE: Final = 3

_SET_HERE: Final = frozenset({"partition", "lsn", "row_hash"})
_NAME_OF_NUMBER: Final = {TABLE_NUMBER[name]: name for name in PROVISIONAL_TABLES}
_ORIGIN: Final = "device_id, device_epoch, sequence, operation"


def add(
    connection: sqlite3.Connection,
    key: tuple[bytes, int, int],
    changes: Sequence[Change],
) -> None:
    """The rows of one batch are shown as provisional.

    Updates and deletes are laid over the row as this gateway knows it, and stay in its partition with what follows
    it; a row that it does not know stays out, since only the hub can say what it looks like.
    """
    connection.create_function("fm_partition_id", 2, _partition_id, deterministic=True)
    touched: dict[str, None] = {}
    placed: set[tuple[str, int]] = set()
    for change in changes:
        table = change.rows.table
        if table not in PROVISIONAL_TABLES or not change.rows.row_count:
            continue
        operation = int(change.operation)
        if operation == INSERT:
            _insert(connection, key, change.rows)
        else:
            _overlay(connection, key, change.rows, operation=operation)
        touched[table] = None
        says_where = rule_columns(TABLES[table].policy.partition)
        if operation == INSERT or set(says_where) & set(change.rows.names):
            placed.add((table, operation))
    for table, operation in sorted(placed, key=_parents_first):
        connection.execute(_set_partition_statement(table), (*key, operation))
    connection.executemany(
        "INSERT OR IGNORE INTO fm_provisional_batch (device_id, device_epoch, sequence, table_no)"
        " VALUES (?, ?, ?, ?)",
        [(*key, TABLE_NUMBER[table]) for table in touched],
    )


def _insert(connection: sqlite3.Connection, key: tuple[bytes, int, int], rows: TableRows) -> None:
    given = _stored_names(rows)
    left_out = _filled_in(rows.table, frozenset(given))
    columns = ", ".join((*given, *left_out))
    marks = ", ".join("?" * (len(given) + len(left_out)))
    origin = f"x'{key[0].hex()}', {key[1]:d}, {key[2]:d}, {INSERT}"
    values = [rows.column(name) for name in given]
    values += [[value] * rows.row_count for value in left_out.values()]
    connection.executemany(
        f"INSERT OR REPLACE INTO {provisional(rows.table)} ({columns}, {_ORIGIN})"
        f" VALUES ({marks}, {origin})",
        zip(*values, strict=True),
    )


@cache
def _filled_in(table: str, given: frozenset[str]) -> dict[str, Value]:
    """What columns that may not be empty get where a device leaves them out; head office fills in the same."""
    return {
        column.name: column.neutral
        for column in TABLES[table].wire_columns
        if not column.nullable and column.name not in given | _SET_HERE
    }


def _overlay(
    connection: sqlite3.Connection,
    key: tuple[bytes, int, int],
    rows: TableRows,
    *,
    operation: int,
) -> None:
    given = [name for name in _stored_names(rows) if name != "id"] if operation == UPDATE else []
    place = {name: f"?{number + 2}" for number, name in enumerate(given)}
    place |= {"lsn": "0", "row_hash": "0"}
    wire = WIRE_COLUMNS[rows.table]
    columns = ", ".join(wire)
    picked = ", ".join(place.get(name, name) for name in wire)
    shadow = provisional(rows.table)
    origin = f"x'{key[0].hex()}', {key[1]:d}, {key[2]:d}, {operation:d}"
    connection.executemany(
        f"INSERT OR REPLACE INTO {shadow} ({columns}, {_ORIGIN})"
        f" SELECT {picked}, {origin} FROM ("
        f"SELECT {columns} FROM (SELECT {columns} FROM {shadow} WHERE id = ?1"
        f" ORDER BY rowid DESC LIMIT 1)"
        f" UNION ALL SELECT {columns} FROM {rows.table} WHERE id = ?1) LIMIT 1",
        zip(*(rows.column(name) for name in ("id", *given)), strict=True),
    )


def _stored_names(rows: TableRows) -> list[str]:
    known = WIRE_COLUMNS[rows.table]
    return [name for name in rows.names if name in known and name not in _SET_HERE]


def _partition_id(kind: str, key: bytes) -> int:
    return partition_id(PartitionKind(kind), key)


@cache
def _set_partition_statement(table: str) -> str:
    value = _partition_sql(TABLES[table].policy.partition)
    return (
        f"UPDATE {provisional(table)} AS p SET partition = COALESCE({value}, 0)"
        " WHERE device_id = ? AND device_epoch = ? AND sequence = ? AND operation = ?"
    )


def _parents_first(placed: tuple[str, int]) -> tuple[int, int]:
    table, operation = placed
    return list(TABLES).index(table), operation


def _partition_sql(rule: PartitionRule) -> str:  # noqa: PLR0911 - one answer for each rule
    match rule:
        case Global():
            return str(partition_id(PartitionKind.GLOBAL))
        case Own(kind):
            return f"fm_partition_id('{kind.value}', p.id)"
        case Keyed(kind, column):
            return _keyed_sql(kind, column)
        case Patched(column):
            return _keyed_sql(PartitionKind.PATCH, column)
        case Follows(parent, column):
            return _parent_sql(parent, column)
        case First(rules):
            return f"COALESCE({', '.join(_partition_sql(part) for part in rules)}, NULL)"
        case _:
            return "0"


def _keyed_sql(kind: PartitionKind, column: str) -> str:
    return f"CASE WHEN p.{column} IS NOT NULL THEN fm_partition_id('{kind.value}', p.{column}) END"


def _parent_sql(parent: str, column: str) -> str:
    """The partition of the parent as it is shown.

    What a restore of head office undid counts last: it leaves before the row does, and then the row's own parent shows.
    """
    found = f"SELECT partition FROM {parent} AS c WHERE c.id = p.{column}"
    if parent not in PROVISIONAL_TABLES:
        return f"({found})"
    # A device that signs its batches again brings a row twice, and the row may have moved between: as it is shown.
    shadow = f"SELECT partition FROM {provisional(parent)} WHERE id = p.{column}"
    stands = f"NOT {lost_sql('c.lsn')}"
    return f"COALESCE(({found} AND {stands}), ({shadow} ORDER BY rowid DESC LIMIT 1), ({found}))"


def forget_through(
    connection: sqlite3.Connection,
    device_id: bytes,
    *,
    device_epoch: int,
    sequence: int,
) -> int:
    """The hub has decided on all up to (epoch, sequence): those rows are provisional no more.

    Returns:
        How many batches had provisional rows.
    """
    batches = connection.execute(
        "SELECT device_epoch, sequence, table_no FROM fm_provisional_batch WHERE device_id = ?"
        " AND (device_epoch < ? OR (device_epoch = ? AND sequence <= ?))",
        (device_id, device_epoch, device_epoch, sequence),
    ).fetchall()
    return _forget(connection, [(device_id, *batch) for batch in batches])


def forget_batches(connection: sqlite3.Connection, keys: Iterable[tuple[bytes, int, int]]) -> int:
    """These batches' rows are provisional no more.

    Returns:
        How many of them had provisional rows.
    """
    found: list[tuple[bytes, int, int, int]] = []
    for key in keys:
        found += [
            (*key, number)
            for (number,) in connection.execute(
                "SELECT table_no FROM fm_provisional_batch"
                " WHERE device_id = ? AND device_epoch = ? AND sequence = ?",
                key,
            )
        ]
    return _forget(connection, found)


def _forget(connection: sqlite3.Connection, batches: Sequence[tuple[bytes, int, int, int]]) -> int:
    for device_id, epoch, sequence, number in batches:
        table = _NAME_OF_NUMBER.get(number)
        if table is not None:
            connection.execute(
                f"DELETE FROM {provisional(table)}"
                " WHERE device_id = ? AND device_epoch = ? AND sequence = ?",
                (device_id, epoch, sequence),
            )
    connection.executemany(
        "DELETE FROM fm_provisional_batch WHERE device_id = ? AND device_epoch = ?"
        " AND sequence = ? AND table_no = ?",
        batches,
    )
    return len({batch[:3] for batch in batches})


def current_rows(
    connection: sqlite3.Connection,
    partitions: Collection[int],
    *,
    device_id: bytes,
    own_through: tuple[int, int],
) -> list[TableRows]:
    """The newest provisional version of each new row in the partitions, as other devices see it.

    A row that the hub has confirmed is shown as confirmed until the hub changes it.

    Args:
        connection: open transaction.
        partitions: what the asking device may see.
        device_id: the asking device.
        own_through: its own rows only of batches up to this device epoch and sequence: the rest
            is in its own database.
    """
    tables = tables_with_rows(connection)
    wanted = json.dumps(sorted(partitions))
    found: list[TableRows] = []
    for table in DOWNLOAD_ORDER:
        if table not in tables:
            continue
        names = WIRE_COLUMNS[table]
        shadow = provisional(table)
        columns = ", ".join(f"p.{name}" for name in names)
        rows = connection.execute(
            f"SELECT {columns} FROM json_each(?) AS w"
            f" JOIN {shadow} AS p ON p.partition = w.value"
            f" WHERE p.operation <> {DELETE} AND (p.device_id <> ? OR (p.device_epoch, p.sequence) <= (?, ?))"
            f" AND p.rowid = (SELECT max(q.rowid) FROM {shadow} AS q WHERE q.id = p.id)"
            f" AND NOT EXISTS (SELECT 1 FROM {table} AS c WHERE c.id = p.id)",
            (wanted, device_id, *own_through),
        ).fetchall()
        if rows:
            found.append(from_rows(table, names, rows))
    return found


def tables_with_rows(connection: sqlite3.Connection) -> frozenset[str]:
    """Tables that hold any provisional row now."""
    return frozenset(
        _NAME_OF_NUMBER[number]
        for (number,) in connection.execute("SELECT DISTINCT table_no FROM fm_provisional_batch")
        if number in _NAME_OF_NUMBER
    )


def count_batches(connection: sqlite3.Connection) -> int:
    """How many batches have provisional rows here."""
    row = connection.execute(
        "SELECT count(*) FROM (SELECT DISTINCT device_id, device_epoch, sequence"
        " FROM fm_provisional_batch)"
    ).fetchone()
    return int(row[0])


def variant(connection: sqlite3.Connection) -> bytes:
    """A short text that changes whenever the set of provisional batches does."""
    row = connection.execute(
        "SELECT count(*), coalesce(max(device_epoch), 0), coalesce(sum(sequence), 0)"
        " FROM fm_provisional_batch"
    ).fetchone()
    return f"{row[0]}.{row[1]}.{row[2]}".encode()
