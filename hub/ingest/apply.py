"""One batch after the other, rows collected: rights, scope, rules, conflict policy. Promise 7 (Authority).

A row that may not stand is refused with its dependants; the rest of its batch is applied in the same transaction.
Inserts of many batches are written together; an update or delete first writes what was collected.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from itertools import chain

from fieldmesh.basics.limits import CLOCK_COUNTER_BITS
from fieldmesh.codec.batch import Change, Operation
from fieldmesh.codec.columns import TableRows, join
from fieldmesh.codec.fitting import misfits
from fieldmesh.data.model import ReplicatedTable
from fieldmesh.data.policy import Conflict, WriterRole
from fieldmesh.data.schema import PARTS, TABLES
from fieldmesh.data.types import Value, as_bytes
from fieldmesh.replica.quarantine import RowKey, dependants
from hub.ingest.scope import Scopes
from hub.ingest.taken import TakenIds
from hub.rules.authorship import in_another_name
from hub.rules.documents import DocumentFacts, Refusal, check, for_approval
from hub.rules.rights import Writer, why_not_table
from hub.storage.changes import ChangeWriter
from hub.storage.merging import RowWrite, merge_rows
from hub.storage.presence import ids_present
from hub.storage.writers import DeviceWriter

_ORDER = {name: place for place, name in enumerate(TABLES)}
_CLOCK_AHEAD_US = 300_000_000
"""A device's clock that is further ahead than five minutes is wrong."""
_MERGING = frozenset({Conflict.MERGE_COLUMNS})


@dataclass(slots=True)
class Collected:
    """New rows of a table, of several batches."""

    pieces: list[TableRows] = field(default_factory=list)
    origins: list[bytes] = field(default_factory=list)


def writer_of(device: DeviceWriter) -> Writer:
    """The device as the rules of rights see it."""
    role = WriterRole(device.role_kind) if device.role_kind in set(WriterRole) else None
    return Writer(role, device.partitions, device.position_id, device.people)


class GroupApplier:
    """Applies the batches of one hub transaction."""

    def __init__(self, writer: ChangeWriter, facts: DocumentFacts) -> None:
        """Rows go through ``writer``; rules look at ``facts``."""
        self._writer = writer
        self._facts = facts
        self._scopes = Scopes(writer)
        self._new: dict[tuple[str, tuple[str, ...]], Collected] = defaultdict(Collected)
        self._ids = TakenIds(writer.connection)
        self._taken: dict[str, set[Value]] = defaultdict(set)
        self._fresh: dict[str, set[Value]] = defaultdict(set)
        self._born: list[TableRows] = []
        self.conflicts = 0
        self.doubts: dict[bytes, list[str]] = {}
        """Order → why a person must look at it."""

    def know(self, facts: DocumentFacts) -> None:
        """Rules look at these too, from now on."""
        self._facts = self._facts.with_more(facts)

    async def foresee(self, batches: Iterable[Sequence[Change]]) -> None:
        """What the batches will ask the database for is known: asked once for all of them, not for each."""
        ids: dict[str, list[Value]] = defaultdict(list)
        parents: dict[str, set[Value]] = defaultdict(set)
        for change in chain.from_iterable(batches):
            rows = change.rows
            if change.operation is Operation.INSERT:
                ids[rows.table] += rows.column("id")
                for column, parent in TABLES[rows.table].follows:
                    if rows.has(column):
                        parents[parent].update(rows.column(column))
        for name, held in ids.items():
            await self._ids.ask(name, held)
        for name, keys in parents.items():
            await self._writer.homes.look_up(name, keys.difference(ids[name], (None,)))

    async def apply(self, device: DeviceWriter, changes: Sequence[Change]) -> list[Refusal]:
        """The batch is applied but for the refused rows, which are returned."""
        writer = writer_of(device)
        refused: dict[RowKey, Refusal] = {}
        self._taken.clear()
        self._fresh.clear()
        _note(refused, check(changes, self._facts))
        ordered = sorted(changes, key=lambda change: _ORDER[change.rows.table])
        inserts = [change for change in ordered if change.operation is Operation.INSERT]
        for change in inserts:
            _note(refused, await self._judge_insert(device, writer, change, refused))
        _refuse_dependants(refused, changes)
        for change in inserts:
            await self._insert(device, change, refused)
        for change in ordered:
            if change.operation is Operation.UPDATE:
                _note(refused, await self._update(device, writer, change, refused))
        for change in reversed(ordered):
            if change.operation is Operation.DELETE:
                _note(refused, await self._delete(device, writer, change))
        for name, row_id in refused:
            self._writer.homes.forget(name, [row_id])
        for order, reasons in for_approval(changes, self._facts).items():
            if ("sales_order", order) not in refused:
                self.doubts.setdefault(order, []).extend(reasons)
        return list(refused.values())

    async def there(self, table: ReplicatedTable, ids: Sequence[Value]) -> set[Value]:
        """Those of the ids that have a row here, also a deleted one, or one that is only collected."""
        return await self._ids.among(table.name, ids)

    def take_born(self) -> set[RowKey]:
        """The rows that have come since this was asked last."""
        born, self._born = self._born, []
        return {(rows.table, as_bytes(one)) for rows in born for one in rows.column("id")}

    async def flush(self) -> None:
        """What was collected is written, parents before children."""
        for key in sorted(self._new, key=lambda key: _ORDER[key[0]]):
            collected = self._new[key]
            rows = join(collected.pieces)
            await self._writer.insert(key[0], rows, origins=collected.origins)
        self._new.clear()

    # --- inserts

    async def _judge_insert(
        self,
        device: DeviceWriter,
        writer: Writer,
        change: Change,
        refused: dict[RowKey, Refusal],
    ) -> list[Refusal]:
        table, rows = TABLES[change.rows.table], change.rows
        ids = rows.column("id")
        if (code := why_not_table(writer, table)) is not None:
            return _all(table, ids, code, {"table": table.name})
        found = _hub_columns(table, rows) + _misfits(table, rows)
        found += in_another_name(writer, table, rows)
        present = await self._ids.among(table.name, ids)
        self._taken[table.name] |= present
        if present:
            held = [place for place, one in enumerate(ids) if one in present]
            found += await self._judge_present(device, writer, table, rows.take(held))
            rows = rows.take([place for place, one in enumerate(ids) if one not in present])
            ids = rows.column("id")
        self._fresh[table.name].update(ids)
        places = await self._scopes.outside(device, writer, table, rows)
        parents = [(parent, rows.column(name)) for name, parent in table.follows if rows.has(name)]
        outside = [
            ids[place]
            for place in places
            if not any((parent, keys[place]) in refused for parent, keys in parents)
        ]
        found += _all(table, outside, "outside_scope", {"table": table.name})
        return found + await self._judge_late_parts(device, table, rows, refused)

    async def _judge_late_parts(
        self,
        device: DeviceWriter,
        table: ReplicatedTable,
        rows: TableRows,
        refused: dict[RowKey, Refusal],
    ) -> list[Refusal]:
        """New parts of documents that came before this batch, or that another device made."""
        found: list[Refusal] = []
        for column, name in PARTS.get(table.name, ()):
            if not rows.has(column):
                continue
            keys, parent = rows.column(column), TABLES[name]
            late = {key for key in set(keys) - self._fresh[name] if (name, key) not in refused}
            if late and not parent.policy.handed_over_whole:
                await self.flush()
                connection = self._writer.connection
                late = await ids_present(connection, parent, late, not_of=device.device_id)
            if late:
                ids = [one for one, key in zip(rows.column("id"), keys, strict=True) if key in late]
                found += _all(table, ids, "document_handed_over", {})
        return found

    async def _judge_present(
        self, device: DeviceWriter, writer: Writer, table: ReplicatedTable, rows: TableRows
    ) -> list[Refusal]:
        """New rows under ids that are taken: a row in reach may be merged with, one's own may come again."""
        await self.flush()
        ids = rows.column("id")
        if table.policy.conflict in _MERGING:
            return await self._judge_change(device, writer, table, rows)
        others = await ids_present(self._writer.connection, table, ids, not_of=device.device_id)
        return _all(table, others, "row_exists", {"table": table.name})

    async def _judge_change(
        self, device: DeviceWriter, writer: Writer, table: ReplicatedTable, rows: TableRows
    ) -> list[Refusal]:
        """Rows that stand out of the writer's reach, or would after the change."""
        outside = await self._scopes.outside_held(device, writer, table, rows.column("id"))
        outside += await self._scopes.moved_outside(device, writer, table, rows)
        outside += await self._scopes.of_others(writer, table, rows.column("id"))
        return _all(table, dict.fromkeys(outside), "outside_scope", {"table": table.name})

    async def _insert(
        self, device: DeviceWriter, change: Change, refused: dict[RowKey, Refusal]
    ) -> None:
        name, rows = change.rows.table, change.rows
        rows = _without(rows, {row_id for table, row_id in refused if table == name})
        ids = rows.column("id")
        taken = self._taken[name].intersection(ids) | await self._ids.among(name, ids)
        if taken:
            known = [place for place, one in enumerate(ids) if one in taken]
            await self._meet(device, change, rows.take(known))
            rows = _without(rows, taken)
        if rows.row_count:
            collected = self._new[name, rows.names]
            collected.pieces.append(rows)
            collected.origins.extend([device.device_id] * rows.row_count)
            self._ids.take(name, rows.column("id"))
            self._born.append(rows)

    async def _meet(self, device: DeviceWriter, change: Change, rows: TableRows) -> None:
        """Rows that exist already, and may: merged where the table merges, else the device's own once more."""
        table = TABLES[rows.table]
        await self.flush()
        if table.policy.conflict in _MERGING:
            ids = rows.column("id")
            clocks = dict(zip(change.rows.column("id"), change.clocks, strict=False))  # or none
            now = self._writer.now << CLOCK_COUNTER_BITS
            await self._merge(device, table, rows, [clocks.get(one, now) for one in ids])
            return
        await self._writer.touch(table.name, rows.column("id"))

    # --- updates and deletes

    async def _update(
        self,
        device: DeviceWriter,
        writer: Writer,
        change: Change,
        refused: dict[RowKey, Refusal],
    ) -> list[Refusal]:
        table, rows = TABLES[change.rows.table], change.rows
        await self.flush()
        code = why_not_table(writer, table)
        if code is None and table.policy.conflict not in _MERGING:
            code = "row_exists"
        if code is not None:
            await self._writer.touch(table.name, rows.column("id"))
            return _all(table, rows.column("id"), code, {"table": table.name})
        judged = _hub_columns(table, rows) + _misfits(table, rows)
        judged += in_another_name(writer, table, rows)
        judged += await self._missing(table, rows)
        judged += await self._judge_change(device, writer, table, rows)
        bad = {refusal.row_id for refusal in judged} | {
            row_id for name, row_id in refused if name == table.name
        }
        good = [place for place, one in enumerate(rows.column("id")) if one not in bad]
        clocks = change.clocks or [self._writer.now << CLOCK_COUNTER_BITS] * rows.row_count
        await self._merge(device, table, rows.take(good), [clocks[place] for place in good])
        await self._writer.touch(table.name, bad)
        return judged

    async def _merge(
        self, device: DeviceWriter, table: ReplicatedTable, rows: TableRows, clocks: Sequence[int]
    ) -> None:
        names = [name for name in rows.names if name != "id"]
        columns = [rows.column(name) for name in names]
        writes = [
            RowWrite(
                as_bytes(row_id),
                clock,
                self._plausible(clock),
                dict(zip(names, [column[place] for column in columns], strict=True)),
            )
            for place, (row_id, clock) in enumerate(zip(rows.column("id"), clocks, strict=True))
        ]
        if writes:
            self.conflicts += await merge_rows(self._writer, table, device.device_id, writes)

    def _plausible(self, clock: int) -> int:
        """The device's clock, or the hub's when the device's runs ahead: it must not win over later writes."""
        now = self._writer.now
        return (
            clock
            if clock <= (now + _CLOCK_AHEAD_US) << CLOCK_COUNTER_BITS
            else now << CLOCK_COUNTER_BITS
        )

    async def _missing(self, table: ReplicatedTable, rows: TableRows) -> list[Refusal]:
        ids = rows.column("id")
        held = await ids_present(self._writer.connection, table, ids, alive=True)
        return _all(table, [one for one in ids if one not in held], "row_gone", {})

    async def _delete(self, device: DeviceWriter, writer: Writer, change: Change) -> list[Refusal]:
        table, ids = TABLES[change.rows.table], change.rows.column("id")
        await self.flush()
        code = why_not_table(writer, table)
        if code is None and table.policy.conflict not in _MERGING:
            code = "row_exists"
        if code is not None:
            await self._writer.touch(table.name, ids)
            return _all(table, ids, code, {"table": table.name})
        outside = set(await self._scopes.outside_held(device, writer, table, ids))
        outside.update(await self._scopes.of_others(writer, table, ids))
        good = [place for place, one in enumerate(ids) if one not in outside]
        await self._writer.delete(table.name, change.rows.only(("id",)).take(good))
        return _all(table, outside, "outside_scope", {"table": table.name})


def _note(refused: dict[RowKey, Refusal], found: Iterable[Refusal]) -> None:
    for refusal in found:
        refused.setdefault((refusal.table, refusal.row_id), refusal)


def _refuse_dependants(refused: dict[RowKey, Refusal], changes: Sequence[Change]) -> None:
    for table, row_id in dependants(refused.keys(), changes):
        refused[table, row_id] = Refusal(table, row_id, "depends_on_refused", {})


def _all(
    table: ReplicatedTable, ids: Iterable[Value], code: str, fields: dict[str, str]
) -> list[Refusal]:
    return [Refusal(table.name, as_bytes(one), code, fields) for one in ids]


def _hub_columns(table: ReplicatedTable, rows: TableRows) -> list[Refusal]:
    found = []
    for name in table.policy.hub_columns & set(rows.names):
        neutral = table.column(name).neutral
        bad = [
            one
            for one, value in zip(rows.column("id"), rows.column(name), strict=True)
            if value != neutral
        ]
        found += _all(table, bad, "hub_column", {"column": name})
    return found


def _misfits(table: ReplicatedTable, rows: TableRows) -> list[Refusal]:
    """Values that the column can't hold: SQL Server would refuse the batches of everyone for them."""
    ids = rows.column("id")
    return [
        Refusal(
            table.name,
            as_bytes(ids[place]),
            "value_invalid",
            {"table": table.name, "column": column},
        )
        for place, column in misfits(rows).items()
    ]


def _without(rows: TableRows, ids: AbstractSet[Value]) -> TableRows:
    """The rows but those of the ids."""
    held = rows.column("id")
    if ids.isdisjoint(held):
        return rows
    return rows.take([place for place, one in enumerate(held) if one not in ids])
