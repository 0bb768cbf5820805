"""Removals are kept for some days; whoever was away for longer gets what it holds whole. Promise 6 (Scope)."""

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.storage import days_begun
from hub.storage.bulk import execute_many
from hub.storage.database import HubDatabase
from hub.storage.system_tables import HUB, REMOVAL

KEEP_DAYS = 30
"""As long as a gateway keeps its own, unless it is told otherwise (`keep_removals_days`)."""
_PIECE = 5_000
_KEY = ("partition", "lsn", "table_no", "row_id")


async def forget_old_removals(database: HubDatabase) -> int:
    """Removals of before the last 30 days begun are gone. Returns how many. Repeating it is harmless.

    The horizon that goes out with each seed moves in the transaction of the first deletion: no seed ever lacks a
    removal that it claims to have.
    """
    async with database.read() as connection:
        through = await days_begun.lsn_before(connection, KEEP_DAYS)
    if through is None:
        return 0
    done, gone = 0, _PIECE
    while gone == _PIECE:
        async with database.write() as connection:
            gone = await _forget_piece(connection, through)
        done += gone
    async with database.write() as connection:
        await days_begun.forget_before(connection, through)
    return done


async def _forget_piece(connection: AsyncConnection, through: int) -> int:
    query = sa.select(*(REMOVAL.c[name] for name in _KEY)).where(REMOVAL.c.lsn <= through)
    rows = await connection.execute(query.order_by(REMOVAL.c.lsn).limit(_PIECE))
    keys = [tuple(row) for row in rows.all()]
    if keys:
        moved = sa.update(HUB).where(HUB.c.removal_horizon < through)
        await connection.execute(moved.values(removal_horizon=through))
        same = " AND ".join(f'"{name}" = ?' for name in _KEY)
        await execute_many(connection, f"DELETE FROM fm_removal WHERE {same}", (), keys)
    return len(keys)
