"""The rows of partitions as they stand: for seeds, digests, repairs and proofs. Promise 5 (Convergence)."""

from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Sequence

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from fieldmesh.codec.columns import TableRows, from_rows
from fieldmesh.codec.frames import RowRange
from fieldmesh.codec.row_hash import row_hashes
from fieldmesh.data.model import ReplicatedTable, Tier
from fieldmesh.data.schema import SCHEMA_VERSION, TABLES, by_number
from fieldmesh.replica.digest import Digest, Sums, bucket_of, sums_of
from hub.storage.bulk import fetch_in, page_after
from hub.storage.rows import pieces
from hub.storage.system_tables import DIGEST, HUB, REMOVAL

PAGE = 8_192
DISTRIBUTED = tuple(table for table in TABLES.values() if table.is_at(Tier.GATEWAY))
"""Tables whose rows leave the hub."""


async def current_lsn(connection: AsyncConnection) -> int:
    """The newest commit that this transaction sees."""
    return int((await connection.execute(sa.select(HUB.c.lsn))).scalar_one())


async def removal_horizon(connection: AsyncConnection) -> int:
    """Removals above this LSN are on record."""
    return int((await connection.execute(sa.select(HUB.c.removal_horizon))).scalar_one())


async def rows_of_partition(
    connection: AsyncConnection, partition: int
) -> AsyncIterator[TableRows]:
    """All rows of the partition, table by table, in pages."""
    for number in await _tables_of(connection, partition):
        table = by_number(number)
        rows = await _select(connection, table, partition)
        for start in range(0, len(rows), PAGE):
            yield from_rows(table, table.wire_names, rows[start : start + PAGE])


async def removals_of_partition(
    connection: AsyncConnection, partition: int
) -> AsyncIterator[TableRows]:
    """All removals on record of the partition, table by table."""
    query = sa.select(REMOVAL.c.table_no, REMOVAL.c.row_id, REMOVAL.c.lsn)
    rows = await connection.execute(query.where(REMOVAL.c.partition == partition))
    found: dict[int, dict[bytes, int]] = defaultdict(dict)
    for number, row_id, lsn in rows.all():
        found[number][row_id] = max(lsn, found[number].get(row_id, 0))
    for number, held in found.items():
        lines = [(row_id, partition, lsn) for row_id, lsn in held.items()]
        for start in range(0, len(lines), PAGE):
            names = ("id", "partition", "lsn")
            yield from_rows(by_number(number), names, lines[start : start + PAGE])


async def rows_of_range(connection: AsyncConnection, range_: RowRange) -> TableRows:
    """The rows of one range."""
    table = TABLES[range_.table]
    rows = [
        row
        for row in await _select(connection, table, range_.partition)
        if range_.first_byte <= bytes(row[0])[-1] <= range_.last_byte  # type: ignore[arg-type]
    ]
    return from_rows(table, table.wire_names, rows)


async def digests(
    connection: AsyncConnection, partitions: Iterable[int], *, known: int = SCHEMA_VERSION
) -> list[tuple[Digest, int]]:
    """The digest of each partition, with the LSN of its last change; kept incrementally.

    Args:
        connection: open transaction.
        partitions: which ones.
        known: schema version of whoever asks: tables that it does not have don't count.
    """
    found = []
    newer = [table.number for table in TABLES.values() if table.since > known]
    columns = (
        DIGEST.c.partition,
        sa.func.sum(DIGEST.c.rows),
        sa.func.sum(DIGEST.c.low),
        sa.func.sum(DIGEST.c.high),
        sa.func.max(DIGEST.c.last_lsn),
    )
    for piece in pieces(partitions):
        query = sa.select(*columns).where(
            DIGEST.c.partition.in_(piece), DIGEST.c.table_no.not_in(newer)
        )
        rows = await connection.execute(query.group_by(DIGEST.c.partition))
        found += [
            (Digest(row[0], int(row[1]), int(row[2]), int(row[3])), int(row[4]))
            for row in rows.all()
        ]
    return found


async def detailed_digests(
    connection: AsyncConnection, partition: int, *, known: int = SCHEMA_VERSION
) -> list[Digest]:
    """The digest of each (table, bucket) of the partition, from the rows' hashes."""
    found: list[Digest] = []
    for number in await _tables_of(connection, partition):
        table = by_number(number)
        if table.since > known:
            continue
        hashes: dict[int, list[int]] = defaultdict(list)
        for row in await _select(connection, table, partition):
            hashes[bucket_of(row[0])].append(row[5])  # type: ignore[arg-type]
        for bucket, values in sorted(hashes.items()):
            sums = sums_of(values)
            found.append(Digest(partition, sums.rows, sums.low, sums.high, table.name, bucket))
    return found


async def prove(
    connection: AsyncConnection, progress: Callable[[str, int], None] | None = None
) -> list[str]:
    """What does not fit: rows whose hash is not that of their content, digests that are not those of their rows.

    Reads every distributed row.

    Returns:
        One sentence a finding; empty = everything fits.
    """
    findings: list[str] = []
    for table in DISTRIBUTED:
        sums: dict[int, Sums] = defaultdict(Sums)
        async for rows in _pages(connection, table):
            held: list[int] = [int(one or 0) for one in rows.column("row_hash")]
            wrong = sum(
                mine != right for mine, right in zip(held, row_hashes(rows, table), strict=True)
            )
            if wrong:
                findings.append(f"{table.name}: {wrong} rows differ from their hash")
            for partition, value in zip(rows.column("partition"), held, strict=True):
                if isinstance(partition, int) and partition:
                    sums[partition] += sums_of([value])
            if progress is not None:
                progress(table.name, rows.row_count)
        findings += await _against_kept(connection, table, sums)
    return findings


async def _against_kept(
    connection: AsyncConnection, table: ReplicatedTable, sums: dict[int, Sums]
) -> list[str]:
    query = sa.select(DIGEST.c.partition, DIGEST.c.rows, DIGEST.c.low, DIGEST.c.high)
    kept = {
        row[0]: Sums(*row[1:])
        for row in (await connection.execute(query.where(DIGEST.c.table_no == table.number))).all()
    }
    return [
        f"{table.name}: partition {partition} has {sums.get(partition, Sums()).rows} rows, its digest says"
        f" {kept.get(partition, Sums()).rows}"
        for partition in sorted({*kept, *sums})
        if kept.get(partition, Sums()) != sums.get(partition, Sums())
    ]


async def _tables_of(connection: AsyncConnection, partition: int) -> list[int]:
    query = sa.select(DIGEST.c.table_no).where(DIGEST.c.partition == partition, DIGEST.c.rows > 0)
    return sorted(row[0] for row in (await connection.execute(query)).all())


async def _select(
    connection: AsyncConnection, table: ReplicatedTable, partition: int
) -> Sequence[tuple[bytes | int | str | None, ...]]:
    names = ", ".join(f'"{name}"' for name in table.wire_names)
    head = f'SELECT {names} FROM "{table.name}" WHERE deleted = 0 AND "partition"'
    return await fetch_in(connection, head, [partition], table.wire_columns, "ORDER BY id")


async def _pages(connection: AsyncConnection, table: ReplicatedTable) -> AsyncIterator[TableRows]:
    names = ", ".join(f'"{name}"' for name in table.wire_names)
    head = f'{names} FROM "{table.name}" WHERE deleted = 0 AND "partition" <> 0'
    after = b""
    while rows := await page_after(connection, head, after, PAGE, table.wire_columns):
        yield from_rows(table, table.wire_names, rows)
        after = bytes(rows[-1][0] or b"")  # type: ignore[arg-type]
