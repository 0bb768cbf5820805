"""What a transaction tells the world: digests, removals, and payloads for DOWN, all written at its end."""

from collections import defaultdict
from collections.abc import Sequence
from typing import TypeVar, cast

from sqlalchemy.ext.asyncio import AsyncConnection

from fieldmesh.codec.columns import TableRows, join
from fieldmesh.codec.frames import FrameKind
from fieldmesh.codec.replication import BatchReceipt, down_messages
from fieldmesh.data.model import ReplicatedTable, Tier
from fieldmesh.data.policy import PartitionKind
from fieldmesh.data.schema import TABLES
from fieldmesh.data.types import Value
from fieldmesh.replica.digest import Sums, sums_of
from fieldmesh.replica.partition import NOWHERE, partition_id
from hub.storage.bulk import Row, insert_columns
from hub.storage.presence import PlacedRows
from hub.storage.rows import pieces

_Any = TypeVar("_Any")
_REMOVAL_COLUMNS = ("row_id", "partition", "lsn", "table_no")


class Emission:
    """Collected while rows are written, written once."""

    def __init__(self) -> None:
        """Nothing has changed yet."""
        self._standing: dict[str, list[TableRows]] = defaultdict(list)
        self._gone: dict[str, set[Value]] = defaultdict(set)
        self._removals: dict[tuple[str, int], dict[Value, None]] = defaultdict(dict)
        self._sums: dict[tuple[int, int], Sums] = defaultdict(Sums)
        self._receipts: dict[int, list[BatchReceipt]] = defaultdict(list)

    def stand(
        self, table: ReplicatedTable, rows: TableRows, before: PlacedRows | None = None
    ) -> None:
        """Rows (all wire columns) stand so now; those of partition 0 at the hub only. None before = they are new."""
        if not table.is_at(Tier.GATEWAY):
            return
        ids, partitions = rows.column("id"), rows.column("partition")
        if before is not None:
            self._count(table, before.partitions, before.hashes, new=False)
            moved = zip(before.ids, before.partitions, partitions, strict=True)
            for row_id, old, new in moved:
                if old and old != new:
                    self._removals[table.name, _whole(old)][row_id] = None
        self._count(table, partitions, rows.column("row_hash"), new=True)
        if self._removals:
            for partition, here in _by_partition(partitions, ids).items():
                if left := self._removals.get((table.name, partition)):
                    for row_id in here:
                        left.pop(row_id, None)
        if gone := self._gone.get(table.name):
            gone.difference_update(ids)
        self._standing[table.name].append(rows)

    def withdraw(self, table: ReplicatedTable, before: PlacedRows) -> None:
        """Rows are gone, or at the hub only."""
        if not table.is_at(Tier.GATEWAY):
            return
        self._count(table, before.partitions, before.hashes, new=False)
        for partition, ids in _by_partition(before.partitions, before.ids).items():
            if partition != NOWHERE:
                self._removals[table.name, partition].update(dict.fromkeys(ids))
        self._gone[table.name].update(before.ids)

    def _count(
        self,
        table: ReplicatedTable,
        partitions: Sequence[Value],
        hashes: Sequence[Value],
        *,
        new: bool,
    ) -> None:
        for partition, held in _by_partition(partitions, hashes).items():
            if partition != NOWHERE:
                sums = sums_of(cast("Sequence[int]", held))
                key = (partition, table.number)
                self._sums[key] = self._sums[key] + sums if new else self._sums[key] - sums

    def receipt(self, gateway_id: bytes, receipt: BatchReceipt) -> None:
        """The gateway is told of a decision."""
        self._receipts[partition_id(PartitionKind.GATEWAY, gateway_id)].append(receipt)

    async def write(self, connection: AsyncConnection, lsn: int) -> int:
        """Digests, removals and payloads stand in the database. Returns the number of payloads."""
        await self._write_digests(connection, lsn)
        await self._write_removals(connection, lsn)
        return await self._write_payloads(connection, lsn)

    async def _write_digests(self, connection: AsyncConnection, lsn: int) -> None:
        if not self._sums:
            return
        held: set[tuple[int, int]] = set()
        for piece in pieces(sorted({key[0] for key in self._sums})):
            result = await connection.exec_driver_sql(
                "SELECT partition, table_no FROM fm_digest WHERE partition IN "
                f"({', '.join('?' * len(piece))})",
                tuple(piece),
            )
            held.update((row[0], row[1]) for row in map(tuple, result.fetchall()))
        missing: list[Row] = [(*key, 0, 0, 0, lsn) for key in self._sums if key not in held]
        if missing:
            await connection.exec_driver_sql(
                'INSERT INTO fm_digest (partition, table_no, "rows", low, high, last_lsn)'
                " VALUES (?, ?, ?, ?, ?, ?)",
                missing,
            )
        await connection.exec_driver_sql(
            'UPDATE fm_digest SET "rows" = "rows" + ?, low = low + ?, high = high + ?, last_lsn = ?'
            " WHERE partition = ? AND table_no = ?",
            [(sums.rows, sums.low, sums.high, lsn, *key) for key, sums in self._sums.items()],
        )

    async def _write_removals(self, connection: AsyncConnection, lsn: int) -> None:
        row_ids: list[Value] = []
        partitions: list[Value] = []
        numbers: list[Value] = []
        for (name, partition), ids in self._removals.items():
            row_ids += ids
            partitions += [partition] * len(ids)
            numbers += [TABLES[name].number] * len(ids)
        columns: list[list[Value]] = [row_ids, partitions, [lsn] * len(row_ids), numbers]
        await insert_columns(connection, "fm_removal", _REMOVAL_COLUMNS, columns)

    async def _write_payloads(self, connection: AsyncConnection, lsn: int) -> int:
        content: dict[int, list[tuple[FrameKind, TableRows]]] = defaultdict(list)
        for (name, partition), ids in self._removals.items():
            if count := len(ids):
                columns: list[list[Value]] = [list(ids), [partition] * count, [lsn] * count]
                rows = TableRows(name, ("id", "partition", "lsn"), columns)
                content[partition].append((FrameKind.REMOVALS, rows))
        for table in TABLES.values():
            if pieces_ := self._standing.get(table.name):
                rows = _latest(pieces_, self._gone.get(table.name, set()))
                where = _by_partition(rows.column("partition"), range(rows.row_count))
                for partition, places in where.items():
                    if partition != NOWHERE:
                        here = rows if len(places) == rows.row_count else rows.take(places)
                        content[partition].append((FrameKind.ROWS, here))
        lines: list[Row] = []
        for partition in {**content, **self._receipts}:
            receipts = self._receipts.get(partition, ())
            for payload in down_messages(lsn, partition, content.get(partition, ()), receipts):
                lines.append((lsn, len(lines), partition, payload))
        await _insert_payloads(connection, lines)
        return len(lines)


async def _insert_payloads(connection: AsyncConnection, lines: list[Row]) -> None:
    text = "INSERT INTO fm_down_outbox (lsn, part, partition, payload) VALUES (?, ?, ?, ?)"
    if lines:
        await connection.exec_driver_sql(text, lines)


def _latest(written: list[TableRows], gone: set[Value]) -> TableRows:
    """Each row as it was written last, without those that are gone."""
    rows = join(written)
    if len(written) == 1 and not gone:
        return rows
    places = {row_id: place for place, row_id in enumerate(rows.column("id"))}
    if len(places) == rows.row_count and not gone:
        return rows
    return rows.take([place for row_id, place in places.items() if row_id not in gone])


def _by_partition(partitions: Sequence[Value], values: Sequence[_Any]) -> dict[int, Sequence[_Any]]:
    """The values of each partition, in their order."""
    first = partitions[0] if partitions else NOWHERE
    if partitions.count(first) == len(partitions):
        return {_whole(first): values}
    found: dict[int, list[_Any]] = defaultdict(list)
    for partition, value in zip(partitions, values, strict=True):
        found[partition].append(value)  # type: ignore[index]
    return {**found}


def _whole(value: Value) -> int:
    return value if isinstance(value, int) else 0
