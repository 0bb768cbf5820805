"""Which rows are there."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import itemgetter

from sqlalchemy.ext.asyncio import AsyncConnection

from fieldmesh.data.model import ReplicatedTable
from fieldmesh.data.policy import rule_columns
from fieldmesh.data.schema import TABLES
from fieldmesh.data.types import Value
from hub.storage.bulk import fetch_in


@dataclass(frozen=True, slots=True)
class PlacedRows:
    """Where rows are, and with which hash they count in digests; partition 0 = at the hub only."""

    ids: Sequence[Value]
    partitions: Sequence[Value]
    hashes: Sequence[Value]


async def placed_rows(
    connection: AsyncConnection, table: ReplicatedTable, column: str, values: Iterable[Value]
) -> PlacedRows:
    """Rows that are not at the hub only, by their id or by the row that they follow.

    Args:
        connection: of a transaction.
        table: where to look.
        column: `id`, or the column of one of the table's `Follows` rules. Rows for which an earlier rule holds
            follow that one.
        values: of the column.
    """
    columns = rule_columns(table.policy.partition)
    earlier = columns[: columns.index(column)] if column != "id" else []
    alone = "".join(f' AND "{one}" IS NULL' for one in earlier)
    head = (
        f'SELECT id, "partition", row_hash FROM "{table.name}"'
        f' WHERE deleted = 0 AND "partition" <> 0{alone} AND "{column}"'
    )
    kinds = [table.column(name) for name in ("id", "partition", "row_hash")]
    rows = await fetch_in(connection, head, values, kinds)
    return PlacedRows(*(list(map(itemgetter(place), rows)) for place in range(3)))


async def ids_present(
    connection: AsyncConnection,
    table: ReplicatedTable,
    ids: Iterable[Value],
    *,
    alive: bool = False,
    not_of: bytes | None = None,
) -> set[Value]:
    """Those of the ids that have a row.

    Args:
        connection: of a transaction.
        table: where to look.
        ids: of rows.
        alive: leave deleted rows out.
        not_of: leave out what this device made and nobody has deleted.
    """
    head = f'SELECT id, origin_device_id, deleted FROM "{table.name}" WHERE id'
    kinds = (table.column("id"), table.column("id"), table.column("lsn"))
    rows = await fetch_in(connection, head, ids, kinds)
    return {
        row[0]
        for row in rows
        if not (alive and row[2]) and not (not_of is not None and row[1] == not_of and not row[2])
    }


async def partitions_of_rows(
    connection: AsyncConnection, table: ReplicatedTable, ids: Iterable[Value]
) -> dict[Value, int]:
    """Row id → the partition that it holds, of rows that are not deleted."""
    head = f'SELECT id, "partition" FROM "{table.name}" WHERE deleted = 0 AND id'
    rows = await fetch_in(connection, head, ids, (table.column("id"), table.column("lsn")))
    return {row[0]: int(row[1] or 0) for row in rows}


async def sessions_present(
    connection: AsyncConnection, sessions: Iterable[bytes]
) -> set[tuple[bytes, str]]:
    """(session, tier) of the session records that are there."""
    table = TABLES["sync_session"]
    kinds = (table.column("session_id"), table.column("tier"))
    head = "SELECT session_id, tier FROM sync_session WHERE session_id"
    rows = await fetch_in(connection, head, sessions, kinds)
    return {(bytes(row[0]), str(row[1])) for row in rows if isinstance(row[0], bytes)}
