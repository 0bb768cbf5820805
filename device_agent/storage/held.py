"""What the device holds: tables, partitions, rejects, and rows that wait for the hub's answer."""

import sqlite3

from fieldmesh.data.model import ReplicatedTable, Tier
from fieldmesh.data.schema import TABLES


def device_tables() -> list[ReplicatedTable]:
    """Tables that a device has, parents before children."""
    return [table for table in TABLES.values() if table.is_at(Tier.DEVICE)]


def remember_deletion(table: ReplicatedTable) -> str:
    """The trigger that keeps what a locally deleted row counted in its partition's digest."""
    return (
        f"CREATE TRIGGER fm_deleted_{table.name} BEFORE DELETE ON {table.name}"  # noqa: S608
        " WHEN OLD.lsn > 0 AND (SELECT applying FROM fm_state) = 0 BEGIN"
        " INSERT OR REPLACE INTO fm_deleted_row (table_no, row_id, partition, lsn, row_hash)"
        f" VALUES ({table.number}, OLD.id, OLD.partition, OLD.lsn, OLD.row_hash); END"
    )


def pending_rows(connection: sqlite3.Connection) -> dict[int, set[bytes]]:
    """Per table number, rows with local changes that the hub has not answered."""
    pending: dict[int, set[bytes]] = {}
    for table_no, row_id in connection.execute(
        "SELECT table_no, row_id FROM fm_change UNION SELECT table_no, row_id FROM fm_outbox_row"
    ):
        pending.setdefault(table_no, set()).add(row_id)
    return pending


def held_partitions(connection: sqlite3.Connection) -> list[int]:
    """Partitions that the device holds as of its cursor."""
    rows = connection.execute("SELECT partition FROM fm_partition ORDER BY partition")
    return [partition for (partition,) in rows]


def newest_reject(connection: sqlite3.Connection) -> int:
    """LSN of the newest reject that the device has; 0 = none."""
    found: int = connection.execute("SELECT coalesce(max(lsn), 0) FROM reject").fetchone()[0]
    return found


def count_rejects(connection: sqlite3.Connection) -> int:
    """Rejects that the device has."""
    found: int = connection.execute("SELECT count(*) FROM reject").fetchone()[0]
    return found
