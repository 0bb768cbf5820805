"""What a transaction tells the world: digests, removals, and payloads for DOWN, all written at its end."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from fieldmesh.codec.columns import TableRows, from_rows, join
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

_REMOVAL_COLUMNS = ("partition", "lsn", "table_no", "row_id")


class Emission:
    """Collected while rows are written, written once."""

    def __init__(self) -> None:
        """Nothing has changed yet."""
        self._standing: dict[str, list[TableRows]] = defaultdict(list)
        self._gone: dict[str, set[Value]] = defaultdict(set)
        self._removals: dict[str, dict[tuple[Value, int], None]] = defaultdict(dict)
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
            self._take_away(table, before, partitions)
        for target, sums in _sums(partitions, rows.column("row_hash")).items():
            self._sums[target, table.number] += sums
        if removals := self._removals.get(table.name):
            for row_id, partition in zip(ids, partitions, strict=True):
                removals.pop((row_id, _whole(partition)), None)
        if gone := self._gone.get(table.name):
            gone.difference_update(ids)
        self._standing[table.name].append(rows)

    def withdraw(self, table: ReplicatedTable, before: PlacedRows) -> None:
        """Rows are gone, or at the hub only."""
        if not table.is_at(Tier.GATEWAY):
            return
        self._take_away(table, before, [NOWHERE] * len(before.ids))
        self._gone[table.name].update(before.ids)

    def _take_away(
        self, table: ReplicatedTable, before: PlacedRows, partitions: Sequence[Value]
    ) -> None:
        for partition, sums in _sums(before.partitions, before.hashes).items():
            self._sums[partition, table.number] -= sums
        removals = self._removals[table.name]
        for row_id, old, new in zip(before.ids, before.partitions, partitions, strict=True):
            if old and old != new:
                removals[row_id, _whole(old)] = None

    def receipt(self, gateway_id: bytes, receipt: BatchReceipt) -> None:
        """The gateway is told of a decision."""
        self._receipts[partition_id(PartitionKind.GATEWAY, gateway_id)].append(receipt)

    async def write(self, connection: AsyncConnection, lsn: int) -> int:
        """Digests, removals and payloads stand in the database. Returns the number of payloads."""
        await self._write_digests(connection, lsn)
        await self._write_removals(connection, lsn)
        return await self._write_payloads(connection, lsn)

    async def _write_digests(self, connection: AsyncConnection, lsn: int) -> None:
        touched = [(key, sums) for key, sums in self._sums.items() if key[0] != NOWHERE]
        if not touched:
            return
        keys = [key for key, _ in touched]
        held: set[tuple[int, int]] = set()
        for piece in pieces(sorted({key[0] for key in keys})):
            result = await connection.exec_driver_sql(
                "SELECT partition, table_no FROM fm_digest WHERE partition IN "
                f"({', '.join('?' * len(piece))})",
                tuple(piece),
            )
            held.update((row[0], row[1]) for row in map(tuple, result.fetchall()))
        missing: list[Row] = [(*key, 0, 0, 0, lsn) for key in keys if key not in held]
        if missing:
            await connection.exec_driver_sql(
                'INSERT INTO fm_digest (partition, table_no, "rows", low, high, last_lsn)'
                " VALUES (?, ?, ?, ?, ?, ?)",
                missing,
            )
        await connection.exec_driver_sql(
            'UPDATE fm_digest SET "rows" = "rows" + ?, low = low + ?, high = high + ?, last_lsn = ?'
            " WHERE partition = ? AND table_no = ?",
            [(sums.rows, sums.low, sums.high, lsn, *key) for key, sums in touched],
        )

    async def _write_removals(self, connection: AsyncConnection, lsn: int) -> None:
        for name, removals in self._removals.items():
            if removals:
                ids, partitions = zip(*removals, strict=True)
                count = len(removals)
                columns = [
                    list(partitions),
                    [lsn] * count,
                    [TABLES[name].number] * count,
                    list(ids),
                ]
                await insert_columns(connection, "fm_removal", _REMOVAL_COLUMNS, columns)

    async def _write_payloads(self, connection: AsyncConnection, lsn: int) -> int:
        content: dict[int, list[tuple[FrameKind, TableRows]]] = defaultdict(list)
        for name, removals in self._removals.items():
            for partition, ids in _by_partition(removals).items():
                rows = from_rows(
                    name, ("id", "partition", "lsn"), [(one, partition, lsn) for one in ids]
                )
                content[partition].append((FrameKind.REMOVALS, rows))
        for table in TABLES.values():
            if pieces_ := self._standing.get(table.name):
                rows = _latest(pieces_, self._gone.get(table.name, set()))
                for partition, places in _places(rows.column("partition")).items():
                    if partition != NOWHERE:
                        content[partition].append((FrameKind.ROWS, rows.take(places)))
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


def _by_partition(removals: Iterable[tuple[Value, int]]) -> dict[int, list[Value]]:
    found: dict[int, list[Value]] = defaultdict(list)
    for row_id, partition in removals:
        found[partition].append(row_id)
    return found


def _latest(written: list[TableRows], gone: set[Value]) -> TableRows:
    """Each row as it was written last, without those that are gone."""
    rows = join(written)
    if len(written) == 1 and not gone:
        return rows
    places = {row_id: place for place, row_id in enumerate(rows.column("id"))}
    if len(places) == rows.row_count and not gone:
        return rows
    return rows.take([place for row_id, place in places.items() if row_id not in gone])


def _places(partitions: Sequence[Value]) -> dict[int, Sequence[int]]:
    """The places of each partition's rows."""
    found: dict[int, list[int]] = defaultdict(list)
    for place, partition in enumerate(partitions):
        found[_whole(partition)].append(place)
    return {**found}


def _sums(partitions: Sequence[Value], hashes: Sequence[Value]) -> dict[int, Sums]:
    """What rows add to the digests of their partitions."""
    found: dict[int, list[int]] = defaultdict(list)
    for partition, value in zip(partitions, hashes, strict=True):
        found[partition].append(value)  # type: ignore[index, arg-type]
    return {partition: sums_of(held) for partition, held in found.items()}


def _whole(value: Value) -> int:
    return value if isinstance(value, int) else 0
