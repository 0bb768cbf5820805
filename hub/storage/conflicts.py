"""Column writes that lost against another: looked at by a person, who may overturn the outcome."""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from fieldmesh.basics.errors import Rejected
from fieldmesh.codec.columns import from_rows
from fieldmesh.service.translation import _
from hub.storage.changes import ChangeWriter
from hub.storage.merging import from_text
from hub.storage.system_tables import CONFLICT

OPEN, OVERTURNED, KEPT = "open", "overturned", "kept"


@dataclass(frozen=True, slots=True)
class LoggedConflict:
    """One column write that lost. Values are JSON (`merging.as_text`); `at` is UTC microseconds."""

    number: int
    at: int
    lsn: int
    table_name: str
    row_id: bytes
    column_name: str
    standing_value: str
    standing_writer: bytes
    losing_value: str
    losing_writer: bytes
    state: str


async def conflicts(
    connection: AsyncConnection, *, state: str = "", after: int = 0, most: int | None = None
) -> list[LoggedConflict]:
    """Logged conflicts, oldest first.

    Args:
        connection: to read by.
        state: of the conflicts; empty = any.
        after: conflicts above this number.
        most: so many at most; None = all.
    """
    query = sa.select(CONFLICT).where(CONFLICT.c.number > after)
    if state:
        query = query.where(CONFLICT.c.state == state)
    query = query.order_by(CONFLICT.c.number).limit(most)
    return [LoggedConflict(*row) for row in (await connection.execute(query)).all()]


async def count(connection: AsyncConnection, state: str) -> int:
    """How many conflicts are in the state."""
    query = sa.select(sa.func.count()).where(CONFLICT.c.state == state)
    return int((await connection.execute(query)).scalar_one())


async def overturn(writer: ChangeWriter, number: int) -> LoggedConflict:
    """The losing value stands now, as a write of head office; it flows to everyone.

    Raises:
        Rejected: `not_found`, there is no open conflict of that number; `conflict_outdated`, its row is gone, or
            something else stands there by now.
    """
    query = sa.select(CONFLICT).where(CONFLICT.c.number == number, CONFLICT.c.state == OPEN)
    row = (await writer.connection.execute(query)).first()
    if row is None:
        raise Rejected(
            "not_found", text=_("There is no open conflict {number}.").format(number=number)
        )
    held = LoggedConflict(*row)
    stands = await writer.links(held.table_name, held.column_name, [held.row_id])
    if stands != {held.row_id: from_text(held.standing_value)}:
        raise Rejected("conflict_outdated", place=f"{held.table_name}.{held.column_name}")
    rows = from_rows(
        held.table_name,
        ("id", held.column_name),
        [(held.row_id, from_text(held.losing_value))],
    )
    await writer.update(held.table_name, rows)
    await decide(writer.connection, number, OVERTURNED)
    return held


async def decide(connection: AsyncConnection, number: int, state: str) -> None:
    """The open conflict is in that state.

    Raises:
        Rejected: `not_found`, there is no open conflict of that number.
    """
    query = sa.update(CONFLICT).where(CONFLICT.c.number == number, CONFLICT.c.state == OPEN)
    if not (await connection.execute(query.values(state=state))).rowcount:
        raise Rejected(
            "not_found", text=_("There is no open conflict {number}.").format(number=number)
        )
