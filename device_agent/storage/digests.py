"""Proof that the rows held are the rows the hub means (promise 5, Convergence).

`fm_digest` is kept by triggers on the replicated tables, per partition and table, over rows with
lsn > 0. A row that was deleted here and whose deletion the hub has not answered still counts:
`fm_deleted_row` remembers what it added.
"""

import sqlite3

from fieldmesh.data.schema import TABLES
from fieldmesh.replica.digest import Digest, bucket_of

_LOW = 0xFFFFFFFF


def partition_digests(connection: sqlite3.Connection) -> dict[int, Digest]:
    """The digest of each partition that has rows here."""
    sums: dict[int, list[int]] = {}
    for partition, rows, low, high in connection.execute(
        "SELECT partition, sum(rows), sum(low), sum(high) FROM fm_digest"
        " WHERE rows <> 0 OR low <> 0 OR high <> 0 GROUP BY partition"
    ):
        sums[partition] = [rows, low, high]
    for partition, row_hash in connection.execute(
        "SELECT partition, row_hash FROM fm_deleted_row WHERE lsn > 0"
    ):
        held = sums.setdefault(partition, [0, 0, 0])
        held[0] += 1
        held[1] += row_hash & _LOW
        held[2] += row_hash >> 32
    return {
        partition: Digest(partition, held[0], held[1], held[2]) for partition, held in sums.items()
    }


def differing(
    connection: sqlite3.Connection,
    meant: list[Digest],
    partitions: set[int],
    mark_lsn: int | None = None,
) -> list[Digest]:
    """What the device has where it differs from what the gateway means; empty = equal.

    Per partition that differs: its whole digest, then one line per table and bucket that has rows. A reject above the
    mark came with a tick, perhaps from a gateway that had heard more: whether it counts is left to the gateway.

    Args:
        connection: within the caller's transaction.
        meant: whole-partition digests of the gateway.
        partitions: partitions that the device holds; rows in any other are a difference too.
        mark_lsn: of the delta; None = all rows are of one download.
    """
    early = {} if mark_lsn is None else _early_rejects(connection, mark_lsn)
    held = partition_digests(connection)
    wanted = {line.partition: line for line in meant if line.table == ""}
    lines: list[Digest] = []
    for partition in sorted(partitions | wanted.keys()):
        nothing = Digest(partition, 0, 0, 0)
        mine = held.get(partition, nothing)
        without = _less(mine, early.get(partition, []))
        if wanted.get(partition, nothing) not in (mine, without):
            lines.append(mine)
            lines.extend(bucket_digests(connection, partition))
    return lines


def _early_rejects(connection: sqlite3.Connection, mark_lsn: int) -> dict[int, list[int]]:
    """The hashes of rejects above the mark, by partition."""
    found: dict[int, list[int]] = {}
    for partition, row_hash in connection.execute(
        "SELECT partition, row_hash FROM reject WHERE lsn > ?", (mark_lsn,)
    ):
        found.setdefault(partition, []).append(row_hash)
    return found


def _less(digest: Digest, hashes: list[int]) -> Digest:
    """The digest without rows of these hashes."""
    low = digest.low - sum(one & _LOW for one in hashes)
    high = digest.high - sum(one >> 32 for one in hashes)
    return Digest(digest.partition, digest.rows - len(hashes), low, high)


def bucket_digests(connection: sqlite3.Connection, partition: int) -> list[Digest]:
    """One line per table and bucket of the partition that has rows; counted from the rows."""
    sums: dict[tuple[str, int], list[int]] = {}
    tables = {table.number: name for name, table in TABLES.items()}
    found: list[tuple[str, bytes, int]] = []
    for (number,) in connection.execute(
        "SELECT table_no FROM fm_digest WHERE partition = ? AND rows <> 0", (partition,)
    ).fetchall():
        name = tables[number]
        found.extend(
            (name, row_id, row_hash)
            for row_id, row_hash in connection.execute(
                f"SELECT id, row_hash FROM {name} WHERE partition = ? AND lsn > 0",  # noqa: S608
                (partition,),
            )
        )
    found.extend(
        (tables[number], row_id, row_hash)
        for number, row_id, row_hash in connection.execute(
            "SELECT table_no, row_id, row_hash FROM fm_deleted_row WHERE partition = ? AND lsn > 0",
            (partition,),
        )
    )
    for name, row_id, row_hash in found:
        held = sums.setdefault((name, bucket_of(row_id)), [0, 0, 0])
        held[0] += 1
        held[1] += row_hash & _LOW
        held[2] += row_hash >> 32
    return [
        Digest(partition, held[0], held[1], held[2], name, bucket)
        for (name, bucket), held in sorted(sums.items())
    ]
