"""Everything that changes replicated rows at the hub goes through `ChangeWriter`, inside one write transaction.

    LSN taken → rows written → where they live worked out → hash → what follows them moved → retention
    → digests, removals and DOWN payloads written → (the caller's commit)

Promises 4 (Whole), 5 (Convergence) and 6 (Scope). Contract: docs/architecture/core.md, section 4.
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from itertools import product

from sqlalchemy.ext.asyncio import AsyncConnection

from fieldmesh.basics.clock import Clock
from fieldmesh.basics.limits import CLOCK_COUNTER_BITS
from fieldmesh.codec.columns import TableRows, from_rows
from fieldmesh.codec.replication import BatchReceipt
from fieldmesh.codec.row_hash import row_hashes
from fieldmesh.data.model import HUB_COLUMNS, ReplicatedTable
from fieldmesh.data.policy import KeepLast
from fieldmesh.data.schema import TABLES
from fieldmesh.data.types import Value
from fieldmesh.replica.partition import NOWHERE
from hub.storage import retention, search
from hub.storage.bulk import (
    Row,
    columns_of,
    execute_many,
    fetch_in,
    insert_columns,
    store_where_in,
    update_text,
)
from hub.storage.clocks import HEAD_OFFICE, STAMPS, write_clocks
from hub.storage.database import HubDatabase
from hub.storage.emission import Emission
from hub.storage.partitions import Homes
from hub.storage.presence import PlacedRows, placed_rows

_KEPT = ("partition", "lsn", "row_hash")
SHAPES_ACCESS = frozenset(
    {
        "app_user",
        "assignment",
        "position",
        "role",
        "permission",
        "workplace",
        "workplace_function",
        "org_unit",
    }
)
"""Tables that decide what people may do and see: after a change nobody goes on with what they had before."""
_PARTITION, _HASH = 3, 5
"""Places of partition and row_hash among the wire columns."""
_CHILDREN: dict[str, list[tuple[ReplicatedTable, str]]] = defaultdict(list)
for _table in TABLES.values():
    for _column, _parent in _table.follows:
        _CHILDREN[_parent].append((_table, _column))


@asynccontextmanager
async def writing(database: HubDatabase, clock: Clock) -> AsyncIterator["ChangeWriter"]:
    """A write transaction whose row changes get one LSN, committed at the end; an error leaves nothing behind."""
    async with database.write() as connection:
        writer = ChangeWriter(connection, clock)
        await writer.open()
        yield writer
        await writer.close()


class ChangeWriter:
    """Row changes of one hub transaction. `open` first, `close` last; the caller commits."""

    def __init__(self, connection: AsyncConnection, clock: Clock) -> None:
        """Changes go through ``connection``, which must be of `HubDatabase.write`."""
        self.connection = connection
        self.lsn = 0
        self.homes = Homes(connection)
        self._clock = clock
        self._emission = Emission()
        self._retained: dict[str, set[Value]] = defaultdict(set)
        self._changed: set[str] = set()

    @property
    def now(self) -> int:
        """UTC microseconds."""
        return self._clock.now()

    async def open(self) -> int:
        """The transaction has its LSN, above every one before it."""
        await self.connection.exec_driver_sql("UPDATE fm_hub SET lsn = lsn + 1 WHERE one = 1")
        result = await self.connection.exec_driver_sql("SELECT lsn FROM fm_hub WHERE one = 1")
        self.lsn = int(result.scalar_one())
        return self.lsn

    async def insert(
        self, name: str, rows: TableRows, *, origins: Sequence[bytes] | None = None
    ) -> int:
        """New rows stand. Returns their number.

        Args:
            name: of the table.
            rows: with `id`; missing columns get their defaults.
            origins: the device that made each row; None = head office.
        """
        if not rows.row_count:
            return 0
        table, now = TABLES[name], self.now
        self._changed.add(name)
        full = self._completed(table, rows, now)
        homes, held = await self.homes.of(table, full)
        held, keys = retention.at_insert(table, full, held, now)
        self._retained[name] |= keys
        full = self._hashed(table, full, held)
        count = full.row_count
        makers: list[Value] = [None] * count if origins is None else list(origins)
        names = (*table.wire_names, *(column.name for column in HUB_COLUMNS))
        columns: list[list[Value]] = [*full.columns, makers, [now] * count, [0] * count]
        kinds = columns_of(table, names)
        await insert_columns(self.connection, name, names, columns, kinds)
        self.homes.remember(name, full.column("id"), homes, held)
        await search.follow(self.connection, table, None, full)
        self._emission.stand(table, full)
        return count

    async def update(self, name: str, rows: TableRows, *, clocks: bool = True) -> int:
        """Rows that exist have new values. Returns how many there were.

        Args:
            name: of the table.
            rows: `id` and the columns to set.
            clocks: note the time of each set column, so that an older write of a device does not win (tables that
                merge by column).
        """
        table = TABLES[name]
        if clocks and table.merges:
            await self._note_writes(table, product(rows.column("id"), rows.names))
        old = await self._load(table, rows.column("id"))
        places = [place for place, one in enumerate(rows.column("id")) if one in old]
        return await self._rewrite(table, rows.take(places), old)

    async def upsert(self, name: str, rows: TableRows) -> int:
        """Rows exist with these values; those that have them already stay untouched. Returns how many changed.

        What differed counts as written now, so that an older write of a device does not win (tables that merge by
        column).
        """
        if not rows.row_count:
            return 0
        table = TABLES[name]
        ids = rows.column("id")
        old = await self._load(table, ids, deleted=True)
        new = [place for place, one in enumerate(ids) if one not in old]
        known = [place for place, one in enumerate(ids) if one in old]
        gone = await self._deleted(table, [ids[place] for place in known])
        wire = {column: place for place, column in enumerate(table.wire_names)}
        pairs = [
            (wire[column], values) for column, values in zip(rows.names, rows.columns, strict=True)
        ]
        differ = [
            place
            for place in known
            if ids[place] in gone
            or any(old[ids[place]][at] != values[place] for at, values in pairs)
        ]
        if table.merges:
            written = [
                (ids[place], name)
                for place in differ
                for name, (at, values) in zip(rows.names, pairs, strict=True)
                if ids[place] in gone or old[ids[place]][at] != values[place]
            ]
            await self._note_writes(table, written)
        await self.insert(name, rows.take(new))
        await self._rewrite(table, rows.take(differ), old)
        return len(new) + len(differ)

    async def delete(self, name: str, rows: TableRows) -> int:
        """The rows are deleted, with a removal for everyone who held them. Returns how many there were."""
        table = TABLES[name]
        old = await self._load(table, rows.column("id"))
        if not old:
            return 0
        self._changed.add(name)
        ids = list(old)
        rule = table.policy.retention
        if isinstance(rule, KeepLast):
            place = table.wire_names.index(rule.column)
            self._retained[name] |= {line[place] for line in old.values()}
        await execute_many(
            self.connection,
            update_text(name, ("deleted", "partition", "lsn")),
            columns_of(table, ("deleted", "partition", "lsn", "id")),
            [(1, 0, self.lsn, one) for one in ids],
        )
        self._emission.withdraw(table, _placed(old.values()))
        self.homes.remember(name, ids, [0] * len(ids), [0] * len(ids))
        await self._cascade(table, ids)
        return len(ids)

    async def touch(self, name: str, ids: Iterable[Value]) -> int:
        """The rows get this LSN and the partition that their rule gives now; their content stays."""
        lines = [(one,) for one in dict.fromkeys(ids)]
        return (
            await self.update(name, from_rows(name, ("id",), lines), clocks=False) if lines else 0
        )

    async def archive(self, name: str, ids: Iterable[Value]) -> int:
        """The rows and what follows them stay at the hub only from now on; content and LSN stay. Returns how many."""
        table = TABLES[name]
        return await self._withdraw(table, await placed_rows(self.connection, table, "id", ids))

    async def scope_change(self, gateway_id: bytes, partition: int, *, gained: bool) -> None:
        """The relay changes what the gateway hears before it publishes anything above this LSN."""
        await self.connection.exec_driver_sql(
            "INSERT INTO fm_scope_change (lsn, gateway_id, partition, gained) VALUES (?, ?, ?, ?)",
            (self.lsn, gateway_id, partition, int(gained)),
        )

    def receipt(self, gateway_id: bytes, receipt: BatchReceipt) -> None:
        """The gateway hears of a decision in the same log as the rows."""
        self._emission.receipt(gateway_id, receipt)

    async def links(self, name: str, column: str, ids: Iterable[Value]) -> dict[Value, Value]:
        """Row id → what its column holds, of rows that are not deleted."""
        table = TABLES[name]
        head = f'SELECT id, "{column}" FROM "{name}" WHERE deleted = 0 AND id'
        kinds = (table.column("id"), table.column(column))
        return {row[0]: row[1] for row in await fetch_in(self.connection, head, ids, kinds)}

    async def close(self) -> int:
        """Retention is done; digests, removals and payloads are written. Returns the number of payloads."""
        for name in [table for table in TABLES if table in self._retained]:
            table, keys = TABLES[name], self._retained.pop(name)
            archive, restore = await retention.misplaced(self.connection, table, keys)
            await self.archive(name, archive)
            await self.touch(name, restore)
        if self._changed & SHAPES_ACCESS:
            await self.connection.exec_driver_sql(
                "UPDATE fm_hub SET access_lsn = ? WHERE one = 1", (self.lsn,)
            )
        return await self._emission.write(self.connection, self.lsn)

    # --- within

    async def _note_writes(
        self, table: ReplicatedTable, written: Iterable[tuple[Value, str]]
    ) -> None:
        """Head office has written these columns of these rows now."""
        clock = self.now << CLOCK_COUNTER_BITS
        lines = [
            (row_id, column, clock, HEAD_OFFICE)
            for row_id, column in written
            if column not in STAMPS
        ]
        await write_clocks(self.connection, table.number, lines)

    def _completed(self, table: ReplicatedTable, rows: TableRows, now: int) -> TableRows:
        count = rows.row_count
        given = dict(zip(rows.names, rows.columns, strict=True))
        columns = []
        for column in table.wire_columns:
            values = given.get(column.name)
            if values is None:
                stamp = column.name in {"created_at", "changed_at"}
                values = [now if stamp else column.neutral] * count
            columns.append(values)
        return TableRows(table.name, table.wire_names, columns)

    def _hashed(self, table: ReplicatedTable, rows: TableRows, held: list[int]) -> TableRows:
        stamped = rows.with_column("partition", list(held))
        stamped = stamped.with_column("lsn", [self.lsn] * rows.row_count)
        hashes: list[Value] = list(row_hashes(stamped, table))
        return stamped.with_column("row_hash", hashes)

    async def _load(
        self, table: ReplicatedTable, ids: Iterable[Value], *, deleted: bool = False
    ) -> dict[Value, Row]:
        names = ", ".join(f'"{name}"' for name in table.wire_names)
        alive = "" if deleted else " deleted = 0 AND"
        head = f'SELECT {names} FROM "{table.name}" WHERE{alive} id'
        rows = await fetch_in(self.connection, head, dict.fromkeys(ids), table.wire_columns)
        return {row[0]: row for row in rows}

    async def _deleted(self, table: ReplicatedTable, ids: list[Value]) -> set[Value]:
        head = f'SELECT id FROM "{table.name}" WHERE deleted = 1 AND id'
        return {
            row[0] for row in await fetch_in(self.connection, head, ids, table.wire_columns[:1])
        }

    async def _withdraw(self, table: ReplicatedTable, rows: PlacedRows) -> int:
        if not rows.ids:
            return 0
        await store_where_in(self.connection, table.name, "partition", NOWHERE, rows.ids)
        self._emission.withdraw(table, rows)
        self.homes.withdraw(table.name, rows.ids)
        for child, column in _CHILDREN[table.name]:
            follow = await placed_rows(self.connection, child, column, rows.ids)
            await self._withdraw(child, follow)
        return len(rows.ids)

    async def _rewrite(self, table: ReplicatedTable, rows: TableRows, old: dict[Value, Row]) -> int:
        ids = rows.column("id")
        if not ids:
            return 0
        self._changed.add(table.name)
        before = [old[one] for one in ids]
        full = stood = from_rows(table, table.wire_names, before)
        set_ = [name for name in rows.names if name != "id" and name not in _KEPT]
        for name in set_:
            full = full.with_column(name, rows.column(name))
        if set_ and "changed_at" not in set_:
            set_.append("changed_at")
            full = full.with_column("changed_at", [self.now] * len(ids))
        homes, held = await self.homes.of(table, full)
        held, keys = retention.at_insert(table, full, held, self.now)
        self._retained[table.name] |= keys
        full = self._hashed(table, full, held)
        names = (*set_, *_KEPT, "deleted")
        values = [*(full.column(name) for name in names[:-1]), [0] * len(ids), ids]
        await execute_many(
            self.connection,
            update_text(table.name, names),
            columns_of(table, (*names, "id")),
            list(zip(*values, strict=True)),
        )
        self.homes.remember(table.name, ids, homes, held)
        await search.follow(self.connection, table, stood, full)
        self._emission.stand(table, full, _placed(before))
        moved = [
            one
            for one, line, partition in zip(ids, before, held, strict=True)
            if line[_PARTITION] != partition
        ]
        await self._cascade(table, moved)
        return len(ids)

    async def _cascade(self, table: ReplicatedTable, moved: Sequence[Value]) -> None:
        """Rows that follow the moved ones move with them."""
        if not moved:
            return
        for child, column in _CHILDREN[table.name]:
            kinds = (child.column("id"), child.column(column))
            head = f'SELECT id, "{column}" FROM "{child.name}" WHERE deleted = 0 AND "{column}"'
            rows = await fetch_in(self.connection, head, moved, kinds)
            if rows:
                self.homes.forget(child.name, [row[0] for row in rows])
                await self.touch(child.name, [row[0] for row in rows])


def _placed(rows: Iterable[Row]) -> PlacedRows:
    """What was where; rows with all wire columns."""
    columns = list(zip(*rows, strict=True))
    return PlacedRows(columns[0], columns[_PARTITION], columns[_HASH])
