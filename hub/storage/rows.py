"""Reading rows of replicated tables by name: what organisation, trust and imports ask for."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from types import MappingProxyType
from typing import TypeAlias

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from fieldmesh.data.types import Value
from hub.storage.org_tables import replicated_table

Connection: TypeAlias = AsyncConnection
"""A connection inside a transaction; what other packages call it, since SQL stands only here."""

PARAMETERS = 500
"""Values of one IN list; SQL Server takes 2,100 parameters a statement."""

Row = Sequence[Value]


def pieces(values: Iterable[Value], size: int = PARAMETERS) -> Iterator[list[Value]]:
    """The values in lists of at most ``size``."""
    source = iter(values)
    while piece := list(islice(source, size)):
        yield piece


async def rows_where(
    connection: Connection,
    table: str,
    names: Sequence[str],
    column: str,
    values: Iterable[Value],
    *,
    also: Mapping[str, Collection[Value]] = MappingProxyType({}),
) -> list[Row]:
    """The named columns of every living row whose ``column`` is one of ``values``; ``also``: and others, of few."""
    target = replicated_table(table)
    others = [target.c[name].in_(few) for name, few in also.items()]
    found: list[Row] = []
    for piece in pieces(values):
        query = sa.select(*(target.c[name] for name in names))
        query = query.where(target.c.deleted == 0, target.c[column].in_(piece), *others)
        found.extend((await connection.execute(query)).all())
    return found


async def all_rows(connection: Connection, table: str, names: Sequence[str]) -> list[Row]:
    """The named columns of every row that is not deleted.

    For tables of the organisation, not of documents.
    """
    target = replicated_table(table)
    query = sa.select(*(target.c[name] for name in names)).where(target.c.deleted == 0)
    return list((await connection.execute(query)).all())


async def page_of_rows(
    connection: Connection, table: str, names: Sequence[str], *, after: bytes, most: int
) -> list[Row]:
    """The next rows in the order of their id, the id first in each; empty at the end."""
    target = replicated_table(table)
    columns = [target.c.id, *(target.c[name] for name in names)]
    query = sa.select(*columns).where(target.c.id > after, target.c.deleted == 0)
    query = query.order_by(target.c.id).limit(most)
    return list((await connection.execute(query)).all())


async def one_row(
    connection: Connection, table: str, names: Sequence[str], column: str, value: Value
) -> Row | None:
    """The named columns of the row whose ``column`` is ``value``; None when there is none."""
    found = await rows_where(connection, table, names, column, [value])
    return found[0] if found else None


async def ids_by_code(
    connection: Connection, table: str, codes: Iterable[str], *, column: str = "code"
) -> dict[str, bytes]:
    """Code → id of the rows with these codes; what is not there is left out."""
    rows = await rows_where(connection, table, (column, "id"), column, sorted(set(codes)))
    return {str(row[0]): bytes(row[1]) for row in rows if isinstance(row[1], bytes)}


async def count_rows(connection: Connection, table: str) -> int:
    """How many rows are not deleted."""
    target = replicated_table(table)
    query = sa.select(sa.func.count()).select_from(target).where(target.c.deleted == 0)
    return int((await connection.execute(query)).scalar_one())


async def newest_rows(
    connection: Connection, table: str, names: Sequence[str], *, most: int
) -> list[Row]:
    """The named columns of the newest rows, newest first."""
    target = replicated_table(table)
    query = sa.select(*(target.c[name] for name in names)).where(target.c.deleted == 0)
    query = query.order_by(target.c.id.desc()).limit(most)
    return list((await connection.execute(query)).tuples().all())


async def count_from_devices(connection: Connection, table: str) -> int:
    """How many rows that are not deleted were made on devices."""
    target = replicated_table(table)
    query = sa.select(sa.func.count()).select_from(target)
    query = query.where(target.c.deleted == 0, target.c.origin_device_id.is_not(None))
    return int((await connection.execute(query)).scalar_one())
