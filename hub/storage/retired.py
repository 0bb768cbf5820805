"""The daily work on rows that have become older than their table keeps them outside the hub."""

from fieldmesh.basics.clock import Clock
from fieldmesh.data.policy import KeepDays
from fieldmesh.data.schema import TABLES
from hub.storage import retention
from hub.storage.changes import ChangeWriter
from hub.storage.database import HubDatabase

_MOST = 10_000


async def retire_old_rows(database: HubDatabase, clock: Clock) -> int:
    """Rows beyond their days stay at the hub only. Returns how many. Repeating it is harmless."""
    done = 0
    for table in TABLES.values():
        if not isinstance(table.policy.retention, KeepDays):
            continue
        while True:
            async with database.read() as connection:
                ids = await retention.outlived(connection, table, clock.now(), _MOST)
            if not ids:
                break
            async with database.write() as connection:
                writer = ChangeWriter(connection, clock)
                await writer.open()
                done += await writer.archive(table.name, ids)
                await writer.close()
    return done
