"""The gateway in figures, for people; also read while the process is stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.storage import cursors, outbox, partitions, provisional
from gateway.storage.schema import CACHED_TABLES

if TYPE_CHECKING:
    import sqlite3


def read_status(connection: sqlite3.Connection) -> dict[str, object]:
    """Where the gateway stands, as of one transaction."""
    state = cursors.read_state(connection)
    waiting = outbox.depth(connection)
    rows = partitions.list_partitions(connection)
    by_state: dict[str, int] = {}
    for row in rows:
        by_state[row.state.value] = by_state.get(row.state.value, 0) + 1

    held = connection.execute("SELECT coalesce(sum(rows), 0) FROM fm_digest").fetchone()[0]
    return {
        "gateway_id": state.gateway_id.hex(),
        "mark_lsn": state.mark_lsn,
        "marked_at": state.marked_at,
        "down_sequence": state.down_sequence,
        "outbox": {
            "waiting": waiting.entries,
            "unpublished": waiting.unpublished,
            "oldest_at": waiting.oldest_at,
        },
        "partitions": by_state,
        "partitions_served": sum(row.given for row in rows),
        "tables": len(CACHED_TABLES),
        "rows": held,
        "provisional_batches": provisional.count_batches(connection),
        "devices_seen": connection.execute("SELECT count(*) FROM fm_device").fetchone()[0],
        "inbox_batches": connection.execute("SELECT count(*) FROM fm_inbox").fetchone()[0],
    }
