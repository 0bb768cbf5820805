"""Writes of devices to rows that exist, in tables that merge by column. The loser is kept in the conflict log."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from fieldmesh.codec.columns import TableRows, from_rows
from fieldmesh.data.model import ReplicatedTable
from fieldmesh.data.types import Value
from fieldmesh.replica.merge import Merged, Write, merge_columns
from hub.storage.bulk import fetch_in
from hub.storage.changes import ChangeWriter
from hub.storage.clocks import HEAD_OFFICE, STAMPS, ColumnClock, read_clocks, write_clocks
from hub.storage.system_tables import CONFLICT

OPEN = "open"


@dataclass(frozen=True, slots=True)
class RowWrite:
    """What one device writes to one row: columns and their values at one clock.

    Attributes:
        row_id: of the row.
        clock: the device's, which never goes back in one database.
        counts_as: the same, or the hub's time where the device's runs ahead.
        values: by column.
    """

    row_id: bytes
    clock: int
    counts_as: int
    values: Mapping[str, Value]


async def merge_rows(
    writer: ChangeWriter, table: ReplicatedTable, device_id: bytes, writes: Sequence[RowWrite]
) -> int:
    """The rows hold the last writer's value in each column; all of them get this LSN. Returns the conflicts logged."""
    ids = [write.row_id for write in writes]
    names = ("id", *sorted({column for write in writes for column in write.values} - STAMPS))
    head = f'SELECT {", ".join(quoted_names(names))} FROM "{table.name}" WHERE deleted = 0 AND id'
    kinds = [table.column(name) for name in names]
    held = {
        row[0]: dict(zip(names, row, strict=True))
        for row in await fetch_in(writer.connection, head, dict.fromkeys(ids), kinds)
    }
    clocks = await read_clocks(writer.connection, table.number, ids)
    stands: list[ColumnClock] = []
    conflicts: list[dict[str, object]] = []
    changed: dict[tuple[str, ...], dict[bytes, list[Value]]] = {}
    for write in writes:
        values = held.get(write.row_id)
        if values is None:
            continue
        standing = _standing(values, clocks[write.row_id], write)
        incoming = _incoming(standing, device_id, write)
        merged = merge_columns(standing, incoming)
        values.update({column: merged.standing[column].value for column in merged.changed})
        clocks[write.row_id].update(
            {column: (one.clock, one.writer) for column, one in merged.standing.items()}
        )
        stands += [
            (write.row_id, column, merged.standing[column].clock, merged.standing[column].writer)
            for column, one in incoming.items()
            if merged.standing[column] is one
        ]
        conflicts += _conflicts(writer, table, write.row_id, merged)
        columns = tuple(sorted(merged.changed))
        changed.setdefault(columns, {})[write.row_id] = [values[column] for column in columns]
    await write_clocks(writer.connection, table.number, _last(stands))
    if conflicts:
        await writer.connection.execute(sa.insert(CONFLICT), conflicts)
    for columns, rows in changed.items():
        await _store(writer, table.name, columns, rows)
    return len(conflicts)


def quoted_names(names: Sequence[str]) -> list[str]:
    """The names in quotes."""
    return [f'"{name}"' for name in names]


async def _store(
    writer: ChangeWriter, table: str, columns: tuple[str, ...], rows: dict[bytes, list[Value]]
) -> None:
    if not columns:
        await writer.touch(table, rows)
        return
    lines: list[tuple[Value, ...]] = [(one, *values) for one, values in rows.items()]
    content: TableRows = from_rows(table, ("id", *columns), lines)
    await writer.update(table, content, clocks=False)


def _standing(
    values: Mapping[str, Value], clocks: Mapping[str, tuple[int, bytes]], write: RowWrite
) -> dict[str, Write]:
    """Who wrote last what the write would replace."""
    return {
        column: Write(*clocks.get(column, (0, HEAD_OFFICE)), values[column])
        for column in write.values
        if column not in STAMPS
    }


def _incoming(standing: Mapping[str, Write], device_id: bytes, write: RowWrite) -> dict[str, Write]:
    """What is written, never before what the same device wrote there earlier by its own clock.

    The hub's clock may have gone back since, and with it what the later write counts as. An older write of the
    device that comes again, out of an image of it, stays the older one.
    """

    def counts_as(held: Write) -> int:
        is_later = held.writer == device_id and write.clock > held.clock
        return max(write.counts_as, held.clock + 1) if is_later else write.counts_as

    return {
        column: Write(counts_as(held), device_id, write.values[column])
        for column, held in standing.items()
    }


def _conflicts(
    writer: ChangeWriter, table: ReplicatedTable, row_id: bytes, merged: Merged
) -> list[dict[str, object]]:
    lost = [
        (column, merged.standing[column], write)
        for column, write in merged.lost.items()
        if write.writer != merged.standing[column].writer
    ]
    overruled = [
        (column, merged.standing[column], write)
        for column, write in merged.overruled.items()
        if write.clock and write.writer != merged.standing[column].writer
    ]
    return [
        {
            "at": writer.now,
            "lsn": writer.lsn,
            "table_name": table.name,
            "row_id": row_id,
            "column_name": column,
            "standing_value": as_text(stands.value),
            "standing_writer": stands.writer,
            "losing_value": as_text(loses.value),
            "losing_writer": loses.writer,
            "state": OPEN,
        }
        for column, stands, loses in [*lost, *overruled]
    ]


def as_text(value: Value) -> str:
    """A value as JSON; bytes as {"hex": …}."""
    return json.dumps({"hex": value.hex()} if isinstance(value, bytes) else value)


def from_text(text: str) -> Value:
    """The value behind `as_text`."""
    value = json.loads(text)
    return bytes.fromhex(value["hex"]) if isinstance(value, dict) else value


def _last(stands: Sequence[ColumnClock]) -> list[ColumnClock]:
    return list({(one[0], one[1]): one for one in stands}.values())
