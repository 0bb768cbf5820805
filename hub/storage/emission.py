"""What a transaction tells the world: digests, removals, and payloads for DOWN, all written at its end."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from fieldmesh.codec.columns import TableRows, from_rows
from fieldmesh.codec.frames import FrameKind
from fieldmesh.codec.replication import BatchReceipt, down_messages
from fieldmesh.data.model import ReplicatedTable, Tier
from fieldmesh.data.policy import PartitionKind
from fieldmesh.data.schema import TABLES
from fieldmesh.data.types import Value
from fieldmesh.replica.partition import NOWHERE, partition_id
from hub.storage.bulk import Row
from hub.storage.rows import pieces

_LOW_MASK, _LOW_BITS = 0xFFFFFFFF, 32
_PARTITION, _HASH = 3, 5
"""Places of partition and row_hash among the wire columns."""


class Emission:
    """Collected while rows are written, written once."""

    def __init__(self) -> None:
        """Nothing has changed yet."""
        self._rows: dict[str, dict[Value, Row]] = defaultdict(dict)
        self._removals: dict[str, dict[tuple[Value, int], None]] = defaultdict(dict)
        self._sums: dict[tuple[int, int], list[int]] = defaultdict(lambda: [0, 0, 0])
        self._receipts: dict[int, list[BatchReceipt]] = defaultdict(list)

    def replaced(
        self, table: ReplicatedTable, old: Iterable[Row | None], new: Sequence[Row]
    ) -> None:
        """Rows (wire columns) have become others; None = the row is new."""
        if not table.is_at(Tier.GATEWAY):
            return
        number, rows, removals = table.number, self._rows[table.name], self._removals[table.name]
        for before, after in zip(old, new, strict=True):
            target = after[_PARTITION]
            if before is not None and before[_PARTITION]:
                self._count(number, before, -1)
                if before[_PARTITION] != target:
                    removals[before[0], _whole(before[_PARTITION])] = None
            if target:
                self._count(number, after, 1)
                removals.pop((after[0], _whole(target)), None)
                rows[after[0]] = after
            else:
                rows.pop(after[0], None)

    def _count(self, number: int, row: Row, sign: int) -> None:
        value = _whole(row[_HASH])
        sums = self._sums[_whole(row[_PARTITION]), number]
        sums[0] += sign
        sums[1] += sign * (value & _LOW_MASK)
        sums[2] += sign * (value >> _LOW_BITS)

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
            [(*sums, lsn, *key) for key, sums in touched],
        )

    async def _write_removals(self, connection: AsyncConnection, lsn: int) -> None:
        lines: list[Row] = [
            (partition, lsn, TABLES[name].number, row_id)
            for name, removals in self._removals.items()
            for row_id, partition in removals
        ]
        if lines:
            await connection.exec_driver_sql(
                "INSERT INTO fm_removal (partition, lsn, table_no, row_id) VALUES (?, ?, ?, ?)",
                lines,
            )

    async def _write_payloads(self, connection: AsyncConnection, lsn: int) -> int:
        content: dict[int, list[tuple[FrameKind, TableRows]]] = defaultdict(list)
        for name, removals in self._removals.items():
            for partition, ids in _by_partition(removals).items():
                rows = from_rows(
                    name, ("id", "partition", "lsn"), [(one, partition, lsn) for one in ids]
                )
                content[partition].append((FrameKind.REMOVALS, rows))
        for table in TABLES.values():
            for partition, held in _grouped(self._rows.get(table.name, {}).values()).items():
                content[partition].append(
                    (FrameKind.ROWS, from_rows(table, table.wire_names, held))
                )
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


def _grouped(rows: Iterable[Row]) -> dict[int, list[Row]]:
    found: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        found[_whole(row[_PARTITION])].append(row)
    return found


def _whole(value: Value) -> int:
    return value if isinstance(value, int) else 0
