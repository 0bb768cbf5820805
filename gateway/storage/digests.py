"""Sums of row hashes: equal digests = equal rows (promise 5, Convergence)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

from fieldmesh.codec.columns import from_rows
from fieldmesh.codec.row_hash import row_hashes
from fieldmesh.data.schema import SCHEMA_VERSION, TABLES
from gateway.storage.schema import (
    CACHED_TABLES,
    DEVICE_TABLES,
    TABLE_NUMBER,
    WIRE_COLUMNS,
)

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection

BUCKETS: Final = 16
ALL_BUCKETS: Final = 16
_PIECE_ROWS: Final = 5_000


@dataclass(frozen=True, slots=True)
class DigestRow:
    """A digest of one partition (table empty), or of one table and bucket of it."""

    partition: int
    table: str
    bucket: int
    rows: int
    low: int
    high: int


def _compared(known: int, *, for_devices: bool) -> list[str]:
    tables = DEVICE_TABLES if for_devices else CACHED_TABLES
    return [name for name in tables if TABLES[name].since <= known]


def partition_digests(
    connection: sqlite3.Connection,
    partitions: Collection[int],
    *,
    for_devices: bool,
    known: int = SCHEMA_VERSION,
) -> list[DigestRow]:
    """One digest per partition, also for those without a row.

    Args:
        connection: open transaction.
        partitions: which ones.
        for_devices: only tables that devices have; otherwise all tables that gateways have.
        known: only tables that a node of this schema version has.
    """
    numbers = [TABLE_NUMBER[name] for name in _compared(known, for_devices=for_devices)]
    rows = connection.execute(
        "SELECT w.value, coalesce(sum(d.rows), 0), coalesce(sum(d.low), 0),"
        " coalesce(sum(d.high), 0) FROM json_each(?) AS w LEFT JOIN fm_digest AS d"
        " ON d.partition = w.value AND d.table_no IN (SELECT value FROM json_each(?))"
        " GROUP BY w.value ORDER BY w.value",
        (json.dumps(sorted(partitions)), json.dumps(numbers)),
    )
    return [DigestRow(row[0], "", ALL_BUCKETS, *row[1:]) for row in rows]


def bucket_digests(
    connection: sqlite3.Connection,
    partition: int,
    *,
    for_devices: bool,
    known: int = SCHEMA_VERSION,
) -> list[DigestRow]:
    """One digest per (table, bucket) of the partition that has rows, counted from the rows."""
    found: list[DigestRow] = []
    for table in _compared(known, for_devices=for_devices):
        found += [
            DigestRow(partition, table, *row)
            for row in connection.execute(
                "SELECT instr('0123456789ABCDEF', substr(hex(substr(id, 16, 1)), 1, 1)) - 1 AS b,"
                f" count(*), sum(row_hash & 4294967295), sum(row_hash >> 32) FROM {table}"
                " WHERE partition = ? AND lsn > 0 GROUP BY b",
                (partition,),
            )
        ]
    return found


def newest_lsn(connection: sqlite3.Connection, partition: int) -> int:
    """The LSN of the last change that is held of the partition."""
    newest = 0
    for table in (*CACHED_TABLES, "fm_removal"):
        row = connection.execute(
            f"SELECT max(lsn) FROM {table} WHERE partition = ?", (partition,)
        ).fetchone()
        newest = max(newest, row[0] or 0)
    return newest


def wrong_rows(connection: sqlite3.Connection, partition: int) -> dict[str, list[bytes]]:
    """Rows whose content does not give the hash that they carry, by table."""
    found: dict[str, list[bytes]] = {}
    for table in CACHED_TABLES:
        names = WIRE_COLUMNS[table]
        cursor = connection.execute(
            f"SELECT {', '.join(names)} FROM {table} WHERE partition = ? AND lsn > 0",
            (partition,),
        )
        while piece := cursor.fetchmany(_PIECE_ROWS):
            rows = from_rows(table, names, piece)
            held = rows.column("row_hash")
            wrong = [
                cast("bytes", identifier)
                for identifier, kept, right in zip(
                    rows.column("id"),
                    held,
                    row_hashes(rows, TABLES[table]),
                    strict=True,
                )
                if kept != right
            ]
            if wrong:
                found.setdefault(table, []).extend(wrong)
    return found


def recount(connection: sqlite3.Connection, partition: int) -> bool:
    """The kept digests of the partition are counted anew from its rows.

    Returns:
        Whether they were wrong.
    """
    wrong = False
    for table in CACHED_TABLES:
        right = connection.execute(
            "SELECT count(*), coalesce(sum(row_hash & 4294967295), 0),"
            f" coalesce(sum(row_hash >> 32), 0) FROM {table} WHERE partition = ? AND lsn > 0",
            (partition,),
        ).fetchone()
        held = connection.execute(
            "SELECT rows, low, high FROM fm_digest WHERE partition = ? AND table_no = ?",
            (partition, TABLE_NUMBER[table]),
        ).fetchone() or (0, 0, 0)
        if tuple(held) != tuple(right):
            wrong = True
            connection.execute(
                "INSERT INTO fm_digest (partition, table_no, rows, low, high)"
                " VALUES (?, ?, ?, ?, ?) ON CONFLICT (partition, table_no) DO UPDATE SET"
                " rows = excluded.rows, low = excluded.low, high = excluded.high",
                (partition, TABLE_NUMBER[table], *right),
            )
    return wrong
