"""When each column of a merging table was last written, and by whom."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from fieldmesh.basics.limits import CLOCK_COUNTER_BITS
from fieldmesh.data.types import Value
from hub.storage.database import HubDatabase
from hub.storage.rows import pieces

HEAD_OFFICE = bytes(16)
"""The writer of what head office writes."""
STAMPS = frozenset({"id", "created_at", "changed_at"})
"""Columns that nobody writes by hand: they have no clock."""

ColumnClock = tuple[Value, str, int, bytes]
"""Row id, column, hybrid logical clock, writer."""


async def read_clocks(
    connection: AsyncConnection, table_no: int, ids: Iterable[Value]
) -> dict[Value, dict[str, tuple[int, bytes]]]:
    """Row id → column → (clock, writer) of the write that stands; columns that nobody wrote are absent."""
    found: dict[Value, dict[str, tuple[int, bytes]]] = defaultdict(dict)
    for piece in pieces(dict.fromkeys(ids)):
        marks = ", ".join("?" * len(piece))
        result = await connection.exec_driver_sql(
            "SELECT row_id, column_name, clock, writer_id FROM fm_column_clock"
            f" WHERE table_no = ? AND row_id IN ({marks})",
            (table_no, *piece),
        )
        for row in map(tuple, result.fetchall()):
            found[bytes(row[0])][row[1]] = (row[2], bytes(row[3]))
    return found


async def write_clocks(
    connection: AsyncConnection, table_no: int, lines: Sequence[ColumnClock]
) -> None:
    """These writes stand now."""
    if not lines:
        return
    await connection.exec_driver_sql(
        "DELETE FROM fm_column_clock WHERE table_no = ? AND row_id = ? AND column_name = ?",
        [(table_no, row_id, column) for row_id, column, _, _ in lines],
    )
    await connection.exec_driver_sql(
        "INSERT INTO fm_column_clock (table_no, row_id, column_name, clock, writer_id)"
        " VALUES (?, ?, ?, ?, ?)",
        [(table_no, row_id, column, clock, writer) for row_id, column, clock, writer in lines],
    )


async def correct_clocks(database: HubDatabase, now: int) -> int:
    """What head office wrote while the hub's clock ran ahead counts as written now: later writes of devices win again.

    Writes of devices keep theirs, by which each of them is compared with its own next one.

    Args:
        database: the hub's.
        now: UTC microseconds, by the clock that has gone back.

    Returns:
        How many columns were corrected.
    """
    ahead = "FROM fm_column_clock WHERE writer_id = ? AND clock > ?"
    clock = now << CLOCK_COUNTER_BITS
    async with database.read() as connection:
        found = await connection.exec_driver_sql(f"SELECT count(*) {ahead}", (HEAD_OFFICE, clock))
        if not found.scalar_one():
            return 0
    async with database.write() as connection:
        done = await connection.exec_driver_sql(
            "UPDATE fm_column_clock SET clock = ? WHERE writer_id = ? AND clock > ?",
            (clock, HEAD_OFFICE, clock),
        )
        return done.rowcount
