"""What a full sync brings down: rows and removals after the device's cursor, whole partitions.

Read in one transaction, so the device moves from one consistent hub state to a later one
(promise 4, Whole); only partitions of its subscription are read (promise 6, Scope).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from fieldmesh.codec.columns import from_rows
from gateway.storage import cursors
from gateway.storage.partitions import horizons
from gateway.storage.schema import DOWNLOAD_ORDER, TABLE_NUMBER, WIRE_COLUMNS

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterator

    from fieldmesh.codec.columns import TableRows

PIECE_ROWS: Final = 4_000


@dataclass(frozen=True, slots=True)
class DeltaPlan:
    """What goes down, by partition.

    Attributes:
        cursor_lsn: the hub state that the device is at.
        mark_lsn: the hub state that it is at afterwards.
        kept: partitions of which only what is newer than the cursor goes down.
        whole: partitions that go down whole.
        dropped: partitions that leave the device.
    """

    cursor_lsn: int
    mark_lsn: int
    kept: frozenset[int]
    whole: frozenset[int]
    dropped: frozenset[int]

    @property
    def partitions(self) -> list[int]:
        """All partitions that the device holds afterwards."""
        return sorted(self.kept | self.whole)


def plan_delta(
    connection: sqlite3.Connection,
    *,
    cursor_lsn: int,
    held: Collection[int],
    wanted: Collection[int],
) -> DeltaPlan:
    """What brings a device from its cursor to the mark.

    A partition goes down whole when the device lacks it, when removals since its cursor are not
    all known here, and when its cursor comes from a lost future or from a gateway further on.
    """
    state = cursors.read_state(connection)
    held_set, wanted_set = frozenset(held), frozenset(wanted)
    common = held_set & wanted_set
    if cursors.is_lost(cursor_lsn, state.epochs):
        whole = wanted_set
    else:
        horizon = horizons(connection, common)
        whole = (wanted_set - held_set) | {p for p in common if horizon.get(p, 0) > cursor_lsn}
    return DeltaPlan(
        cursor_lsn=cursor_lsn,
        mark_lsn=state.mark_lsn,
        kept=wanted_set - whole,
        whole=frozenset(whole),
        dropped=held_set - wanted_set,
    )


def changed_rows(connection: sqlite3.Connection, plan: DeltaPlan) -> Iterator[TableRows]:
    """Rows that go down, tables in download order, at most ``PIECE_ROWS`` a piece."""
    present = _tables_of(connection, plan.partitions)
    for table in DOWNLOAD_ORDER:
        scope = [
            [partition, plan.cursor_lsn if partition in plan.kept else -1]
            for partition in present.get(TABLE_NUMBER[table], ())
        ]
        if not scope:
            continue
        names = WIRE_COLUMNS[table]
        columns = ", ".join(f"t.{name}" for name in names)
        cursor = connection.execute(
            f"SELECT {columns} FROM json_each(?) AS w JOIN {table} AS t"
            " ON t.partition = json_extract(w.value, '$[0]')"
            " AND t.lsn > json_extract(w.value, '$[1]')",
            (json.dumps(scope),),
        )
        while piece := cursor.fetchmany(PIECE_ROWS):
            yield from_rows(table, names, piece)


def removed_rows(connection: sqlite3.Connection, plan: DeltaPlan) -> Iterator[TableRows]:
    """Removals of kept partitions after the cursor, by table."""
    by_table: dict[int, list[tuple[bytes, int, int]]] = {}
    for number, row_id, partition, lsn in connection.execute(
        "SELECT r.table_no, r.row_id, r.partition, r.lsn FROM json_each(?) AS w"
        " JOIN fm_removal AS r ON r.partition = w.value AND r.lsn > ?",
        (json.dumps(sorted(plan.kept)), plan.cursor_lsn),
    ):
        by_table.setdefault(number, []).append((row_id, partition, lsn))
    for table in DOWNLOAD_ORDER:
        rows = by_table.get(TABLE_NUMBER[table], [])
        for start in range(0, len(rows), PIECE_ROWS):
            yield from_rows(table, ("id", "partition", "lsn"), rows[start : start + PIECE_ROWS])


def range_rows(
    connection: sqlite3.Connection,
    table: str,
    *,
    partition: int,
    byte_range: tuple[int, int],
) -> TableRows:
    """All rows of one table and partition whose id ends in the byte range, for a repair."""
    names = WIRE_COLUMNS[table]
    first, last = (bytes([value]) for value in byte_range)
    rows = connection.execute(
        f"SELECT {', '.join(names)} FROM {table} WHERE partition = ?"
        " AND substr(id, 16, 1) BETWEEN ? AND ? AND lsn > 0",
        (partition, first, last),
    ).fetchall()
    return from_rows(table, names, rows)


def new_rejects(
    connection: sqlite3.Connection, partition: int, *, above_lsn: int
) -> TableRows | None:
    """What the hub has refused of the device's rows since ``above_lsn``; None = nothing."""
    names = WIRE_COLUMNS["reject"]
    rows = connection.execute(
        f"SELECT {', '.join(names)} FROM reject WHERE partition = ? AND lsn > ?"
        " ORDER BY lsn LIMIT ?",
        (partition, above_lsn, PIECE_ROWS),
    ).fetchall()
    return from_rows("reject", names, rows) if rows else None


def _tables_of(connection: sqlite3.Connection, partitions: Collection[int]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for number, partition in connection.execute(
        "SELECT d.table_no, d.partition FROM json_each(?) AS w"
        " JOIN fm_digest AS d ON d.partition = w.value AND d.rows > 0",
        (json.dumps(sorted(partitions)),),
    ):
        found.setdefault(number, []).append(partition)
    return found
