"""How often a name was tried in vain, in a row."""

import sqlalchemy as sa

from hub.storage.rows import Connection
from hub.storage.system_tables import SIGN_IN_GUARD


async def guard_of(connection: Connection, name: str) -> tuple[int, int]:
    """Failures in a row, and until when the name waits (0 = it does not)."""
    query = sa.select(SIGN_IN_GUARD.c.failures, SIGN_IN_GUARD.c.locked_until)
    row = (await connection.execute(query.where(SIGN_IN_GUARD.c.name == name))).first()
    return (0, 0) if row is None else (int(row[0]), int(row[1] or 0))


async def set_guard(connection: Connection, name: str, failures: int, locked_until: int) -> None:
    """So often in a row the name was tried in vain; 0 = it may begin anew."""
    await connection.execute(sa.delete(SIGN_IN_GUARD).where(SIGN_IN_GUARD.c.name == name))
    if failures:
        values = {"name": name, "failures": failures, "locked_until": locked_until}
        await connection.execute(sa.insert(SIGN_IN_GUARD).values(**values))
