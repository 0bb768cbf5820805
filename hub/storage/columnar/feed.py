"""What the copy is fed with: rows of the database, whole tables or what has changed since an LSN.

The change path already says where something has changed: `fm_digest.last_lsn` names the partitions, and the index
(partition, lsn) of every table finds the rows in them. Rows without a partition (the hub's own, archived, deleted) are
partition 0 of the same index. So nothing is written for the copy, and ingest does not become slower.
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Sequence

import sqlalchemy as sa

from fieldmesh.data.schema import TABLES
from fieldmesh.data.types import Value
from hub.storage.bulk import page_after, stored_aside
from hub.storage.columnar.shape import COPIED, copied_columns
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
    head = f'{names} FROM "{table}" WHERE deleted = 0'
    return await page_after(connection, head, after, PAGE, columns)


async def touched(connection: Connection, since: int) -> dict[str, list[int]]:
    """Table → partitions in which rows of it have changed above ``since``; 0, which no digest covers, always counts.

    It comes last: a row that is archived meanwhile goes there and keeps its LSN. Where a transaction does not see one
    state all the time (SQL Server), it would be missed in both places.
    """
    query = sa.select(DIGEST.c.table_no, DIGEST.c.partition).where(
        DIGEST.c.last_lsn > since, DIGEST.c.partition != 0
    )
    found: dict[int, list[int]] = defaultdict(list)
    for number, partition in (await connection.execute(query)).all():
        found[number].append(partition)
    return {table: [*found[TABLES[table].number], 0] for table in COPIED}


async def changed(
    connection: Connection, table: str, partitions: Sequence[int], span: tuple[int, int]
) -> AsyncIterator[Rows]:
    """Rows of the partitions whose last change lies above the first LSN and not above the second, in pieces.

    Deleted ones are among them. They are streamed: an import may have changed a million rows of one partition.
    """
    columns = copied_columns(table)
    names = ", ".join(f'"{one.name}"' for one in columns)
    text = sa.text(
        f'SELECT {names} FROM "{table}" WHERE "partition" IN :places AND lsn > :since AND lsn <= :until'
    ).bindparams(sa.bindparam("places", expanding=True))
    for places in pieces(partitions):
        values = {"places": places, "since": span[0], "until": span[1]}
        result = await connection.stream(text, values)
        async for rows in result.partitions(PAGE):
            yield await stored_aside(connection, columns, rows)
