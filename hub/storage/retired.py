"""The daily work on rows that are kept outside the hub for some days: they leave it no longer, and come back."""

from fieldmesh.basics.clock import Clock
from fieldmesh.data.model import ReplicatedTable
from fieldmesh.data.policy import KeepDays
from fieldmesh.data.schema import TABLES
from fieldmesh.data.types import Value
from hub.storage import days_begun, retention
from hub.storage.changes import writing
from hub.storage.database import HubDatabase

_MOST = 10_000
_MOST_BACK = 2_000
"""Rows that come back are written again and sent, so fewer at a time."""


async def retire_old_rows(database: HubDatabase, clock: Clock) -> int:
    """Rows beyond their days stay at the hub only, younger ones do not. Returns how many changed.

    A clock that ran ahead has retired rows of these days: they come back as soon as it is right again. While it
    seems to run behind nothing comes back, or years of rows would. Repeating it is harmless.
    """
    done = 0
    day = days_begun.day_of(clock.now())
    async with database.read() as connection:
        believed = await days_begun.is_believed(connection, day)
    for table in TABLES.values():
        if isinstance(table.policy.retention, KeepDays):
            done += await _retire(database, clock, table)
            if believed:
                done += await _bring_back(database, clock, table)
    return done


async def _retire(database: HubDatabase, clock: Clock, table: ReplicatedTable) -> int:
    done = 0
    while True:
        async with database.read() as connection:
            ids = await retention.outlived(connection, table, clock.now(), _MOST)
        if not ids:
            return done
        async with writing(database, clock) as writer:
            done += await writer.archive(table.name, ids)


async def _bring_back(database: HubDatabase, clock: Clock, table: ReplicatedTable) -> int:
    done = 0
    last: tuple[Value, Value] | None = None
    while True:
        async with database.read() as connection:
            found = await retention.strayed(connection, table, clock.now(), _MOST_BACK, last)
        if found.ids:
            async with writing(database, clock) as writer:
                done += await writer.touch(table.name, found.ids)
        last = found.last
        if last is None:
            return done
