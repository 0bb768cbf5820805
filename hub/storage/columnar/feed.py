"""What the copy is fed with: rows of the database, whole tables or what has changed since an LSN.

The change path already says where something has changed: `fm_digest.last_lsn` names the partitions, and the index
(partition, lsn) of every table finds the rows in them. Rows without a partition (the hub's own, archived, deleted) are
partition 0 of the same index. So nothing is written for the copy, and ingest does not become slower.
"""

from collections.abc import AsyncIterator, Sequence

import sqlalchemy as sa

from fieldmesh.data.schema import TABLES
from fieldmesh.data.types import Value
from hub.storage.bulk import stored
from hub.storage.columnar.shape import copied_columns
from hub.storage.rows import Connection, pieces
from hub.storage.system_tables import DIGEST, HUB

PAGE = 8_192
Rows = Sequence[tuple[Value, ...]]


async def standing(connection: Connection) -> tuple[int, int]:
    """(LSN, hub epoch) of what this transaction sees."""
    row = (await connection.execute(sa.select(HUB.c.lsn, HUB.c.epoch))).one()
    return int(row[0]), int(row[1])


async def page_of(connection: Connection, table: str, after: bytes) -> Rows:
    """The next living rows in the order of their id; empty at the end."""
    columns = copied_columns(table)
    names = ", ".join(f'"{one.name}"' for one in columns)
    most = f"TOP {PAGE}" if connection.dialect.name == "mssql" else ""
    limit = "" if most else f"LIMIT {PAGE}"
    result = await connection.exec_driver_sql(
        f'SELECT {most} {names} FROM "{table}" WHERE id > ? AND deleted = 0 ORDER BY id {limit}',
        (after,),
    )
    return stored(connection, columns, [tuple(row) for row in result.fetchall()])


async def changed(
    connection: Connection, table: str, since: int, until: int
) -> AsyncIterator[Rows]:
    """Rows whose last change lies above ``since`` and not above ``until``, deleted ones included, in pieces."""
    columns = copied_columns(table)
    names = ", ".join(f'"{one.name}"' for one in columns)
    for places in pieces([0, *await _touched(connection, table, since)]):
        marks = ", ".join("?" * len(places))
        text = (
            f'SELECT {names} FROM "{table}" WHERE "partition" IN ({marks}) AND lsn > ? AND lsn <= ?'
        )
        result = await connection.exec_driver_sql(text, (*places, since, until))
        while rows := result.fetchmany(PAGE):
            yield stored(connection, columns, [tuple(row) for row in rows])


async def _touched(connection: Connection, table: str, since: int) -> list[int]:
    """Partitions in which rows of the table have changed."""
    query = sa.select(DIGEST.c.partition).where(
        DIGEST.c.table_no == TABLES[table].number,
        DIGEST.c.last_lsn > since,
        DIGEST.c.partition != 0,
    )
    return [int(row[0]) for row in (await connection.execute(query)).all()]
