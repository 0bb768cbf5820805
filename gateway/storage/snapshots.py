"""Filling a snapshot file from the cache, in one read transaction of the cache."""

from __future__ import annotations

import hashlib
import json
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

from fieldmesh.data.ddl import DIGEST_TABLE, snapshot_statements
from fieldmesh.data.schema import TABLES
from fieldmesh.service.database import connect
from gateway.storage import cursors, devices, digests, partitions, provisional
from gateway.storage.schema import (
    DEVICE_TABLES,
    PROVISIONAL_TABLES,
    TABLE_NUMBER,
    WIRE_COLUMNS,
)
from gateway.storage.schema import provisional as shadow_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Collection, Iterator
    from pathlib import Path

_PARTITION_TABLE: Final = (
    "CREATE TABLE fm_partition (partition INTEGER PRIMARY KEY NOT NULL) STRICT"
)


@dataclass(frozen=True, slots=True)
class Filled:
    """What the file holds."""

    mark_lsn: int
    partitions: list[int]
    digests: list[digests.DigestRow]
    facts: devices.DeviceFacts
    rows: int
    variant: bytes


@contextmanager
def open_target(path: Path, source: Path) -> Iterator[sqlite3.Connection]:
    """A new file at ``path`` with the gateway's database attached as ``cache``, for reading.

    The file needs no journal: it is used only when it was finished.
    """
    path.unlink(missing_ok=True)
    connection = connect(path)
    try:
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("ATTACH DATABASE ? AS cache", (f"{source.absolute().as_uri()}?mode=ro",))
        yield connection
    finally:
        connection.close()


def fill(
    connection: sqlite3.Connection,
    device_id: bytes,
    *,
    known: int,
    check: Callable[[sqlite3.Connection, set[int]], None],
) -> Filled:
    """The file holds all rows that the device may see, and the new ones that the hub has not applied.

    Args:
        connection: from :func:`open_target`.
        device_id: for whom.
        known: its schema version: tables that it does not have are left out.
        check: raises if a partition cannot be served.
    """
    connection.execute("BEGIN")
    # Tables of the file are made only after these reads: names without a schema mean the cache.
    facts = devices.read_facts(connection, device_id)
    wanted = partitions.device_partitions(connection, facts)
    check(connection, wanted)
    mark = cursors.mark_lsn(connection)
    shown = provisional.tables_with_rows(connection)
    named = variant(connection, wanted)
    present = _tables_with_rows(connection, wanted)
    for statement in (*snapshot_statements(), _PARTITION_TABLE, DIGEST_TABLE):
        connection.execute(statement)
    scope = json.dumps(sorted(wanted))
    connection.execute("INSERT INTO main.fm_partition SELECT value FROM json_each(?)", (scope,))
    had = [name for name in DEVICE_TABLES if TABLES[name].since <= known]
    connection.execute(_COPY_DIGESTS, (scope, json.dumps([TABLE_NUMBER[name] for name in had])))
    rows = 0
    for name in had:
        if TABLE_NUMBER[name] in present:
            rows += connection.execute(_copy_rows(name), (scope,)).rowcount
    for name in PROVISIONAL_TABLES:
        if name in shown:
            rows += _lay_over(connection, name, scope, device_id, facts.position_id)
    sums = digests.partition_digests(connection, wanted, for_devices=True, known=known)
    connection.execute("COMMIT")
    return Filled(mark, sorted(wanted), sums, facts, rows, named)


_COPY_DIGESTS: Final = (
    "INSERT INTO main.fm_digest (partition, table_no, rows, low, high)"
    " SELECT d.partition, d.table_no, d.rows, d.low, d.high FROM json_each(?) AS w"
    " JOIN cache.fm_digest AS d ON d.partition = w.value AND d.rows <> 0"
    " WHERE d.table_no IN (SELECT value FROM json_each(?))"
)


def _tables_with_rows(connection: sqlite3.Connection, wanted: Collection[int]) -> set[int]:
    return {
        row[0]
        for row in connection.execute(
            "SELECT DISTINCT d.table_no FROM json_each(?) AS w"
            " JOIN fm_digest AS d ON d.partition = w.value AND d.rows <> 0",
            (json.dumps(sorted(wanted)),),
        )
    }


@cache
def _copy_rows(name: str) -> str:
    columns = ", ".join(WIRE_COLUMNS[name])
    picked = ", ".join(f"t.{column}" for column in WIRE_COLUMNS[name])
    return (
        f"INSERT INTO main.{name} ({columns}) SELECT {picked} FROM json_each(?) AS w"
        f" CROSS JOIN cache.{name} AS t ON t.partition = w.value"
    )


def _lay_over(
    connection: sqlite3.Connection,
    name: str,
    scope: str,
    device_id: bytes,
    position_id: bytes | None,
) -> int:
    """New rows that the hub has not applied: of the scope, and of the position's devices whatever their scope.

    A row that the hub has confirmed is shown as confirmed until the hub changes it, as in a delta.
    """
    shadow = shadow_of(name)
    columns = ", ".join(WIRE_COLUMNS[name])
    picked = ", ".join(f"p.{column}" for column in WIRE_COLUMNS[name])
    return connection.execute(
        f"INSERT INTO main.{name} ({columns}) SELECT {picked} FROM cache.{shadow} AS p WHERE"
        f" p.rowid = (SELECT max(q.rowid) FROM cache.{shadow} AS q WHERE q.id = p.id)"
        " AND (p.partition IN (SELECT value FROM json_each(?1)) OR p.device_id = ?2"
        " OR p.device_id IN (SELECT id FROM cache.device WHERE position_id = ?3))"
        f" AND p.operation <> {provisional.DELETE}"
        f" AND NOT EXISTS (SELECT 1 FROM cache.{name} AS c WHERE c.id = p.id)",
        (scope, device_id, position_id),
    ).rowcount


def variant(connection: sqlite3.Connection, wanted: Collection[int]) -> bytes:
    """Names the content of a snapshot: the mark, the partitions and the provisional batches."""
    mark = cursors.mark_lsn(connection)
    text = f"{mark}:{sorted(wanted)}:".encode() + provisional.variant(connection)
    return hashlib.sha256(text).digest()
