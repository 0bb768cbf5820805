"""A download becomes rows, in one transaction, without being captured again.

Promise 4 (Whole): the database goes from one consistent hub state to a later one, and a row with
local changes that the hub has not answered is never overwritten by an older state: it keeps its
content and takes over only the hub's bookkeeping (partition, lsn, row_hash), so that digests still
tell the truth about what the hub means. Its echo brings the hub's decision.

Order within one delta: what the hub has answered stops being pending (its echo is in this delta),
provisional rows go, dropped partitions go, then frames in the order in which they came; before the
first provisional rows, or at the end, rows of whole partitions go that did not come.
"""

import sqlite3
from collections.abc import Iterable, Iterator

from device_agent.storage.held import pending_rows
from device_agent.storage.state import update_state
from device_agent.storage.ticks import Place, record_echo
from device_agent.storage.written import rows_by_id, write_rows
from fieldmesh.codec.columns import TableRows, from_rows
from fieldmesh.codec.frames import FrameKind, UnpackedFrame
from fieldmesh.codec.row_hash import row_hashes
from fieldmesh.data.model import ReplicatedTable, Tier
from fieldmesh.data.schema import TABLES

DDL = """
CREATE TABLE fm_partition (partition INTEGER PRIMARY KEY NOT NULL) STRICT;
CREATE TABLE fm_provisional (
  table_no INTEGER NOT NULL,
  row_id BLOB NOT NULL,
  PRIMARY KEY (table_no, row_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE fm_deleted_row (
  table_no INTEGER NOT NULL,
  row_id BLOB NOT NULL,
  partition INTEGER NOT NULL,
  lsn INTEGER NOT NULL,
  row_hash INTEGER NOT NULL,
  PRIMARY KEY (table_no, row_id)
) STRICT, WITHOUT ROWID;
"""


class DeltaApplier:
    """Applies one delta or repair within the caller's transaction (`DeviceDatabase.apply`)."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """An applier over the rows as they are now."""
        self._connection = connection
        self._pending: dict[int, set[bytes]] = {}
        self._cleaning: set[int] = set()
        self.rows_applied = 0

    def begin(self, *, answered: Place, dropped: Iterable[int], whole: Iterable[int]) -> None:
        """What this delta answers is ordinary again; what leaves the device has left it.

        Args:
            answered: the newest own batch whose echo is in the delta.
            dropped: partitions that leave the device.
            whole: partitions whose rows that do not come have gone.
        """
        self._settle(answered)
        self._pending = pending_rows(self._connection)
        self._forget_provisional()
        for partition in dropped:
            self._drop(partition)
        # Also those that are empty here: their rows may stand in others, with the LSN of a lost future.
        holds_any = self._connection.execute(
            "SELECT 1 FROM fm_digest WHERE rows <> 0 UNION SELECT 1 FROM fm_deleted_row LIMIT 1"
        ).fetchone()
        self._cleaning = set(whole) if holds_any else set()
        if self._cleaning:
            self._connection.execute(
                "CREATE TEMP TABLE IF NOT EXISTS fm_seen (table_no INTEGER, row_id BLOB,"
                " PRIMARY KEY (table_no, row_id)) WITHOUT ROWID"
            )
            self._connection.execute("DELETE FROM temp.fm_seen")

    def repair(self) -> None:
        """Frames of a repair may follow: pending rows are known, nothing else changes."""
        self._pending = pending_rows(self._connection)

    def frame(self, frame: UnpackedFrame) -> None:
        """The frame's rows are applied."""
        rows = frame.rows
        table = TABLES.get(rows.table)
        if table is None or not table.is_at(Tier.DEVICE):
            return
        self.rows_applied += rows.row_count
        if frame.kind is FrameKind.ROWS:
            self._put(table, rows)
        elif frame.kind is FrameKind.REMOVALS:
            self._remove(table, rows)
        elif frame.kind is FrameKind.PROVISIONAL:
            self._clean_whole()
            self._put_provisional(table, rows)
        elif frame.range is not None:
            self._replace(
                table,
                rows,
                frame.range.partition,
                bytes([frame.range.first_byte]),
                bytes([frame.range.last_byte]),
            )

    def finish(self, *, mark_lsn: int, partitions: Iterable[int], now: int) -> None:
        """The device stands at the mark, with these partitions."""
        self._clean_whole()
        self._connection.execute("DELETE FROM fm_partition")
        self._connection.executemany(
            "INSERT OR IGNORE INTO fm_partition (partition) VALUES (?)",
            [(partition,) for partition in partitions],
        )
        update_state(self._connection, cursor_lsn=mark_lsn, last_full_at=now)

    def _settle(self, answered: Place) -> None:
        """Rows that the hub has answered are its own again.

        What came before its answer did, as a row that still waited, stays as it is and counts as what it is: where
        the hub decided otherwise the digest says so, and a repair brings it. Other rows are taken away: their echo is
        in this delta, or head office does not have them.
        """
        leaving = self._connection.execute(
            "SELECT DISTINCT table_no, row_id FROM fm_outbox_row"
            " WHERE (device_epoch, sequence) <= (?, ?)",
            (answered.device_epoch, answered.sequence),
        ).fetchall()
        record_echo(self._connection, answered)
        if not leaving:
            return
        pending = pending_rows(self._connection)
        settled: dict[int, list[tuple[bytes]]] = {}
        for table_no, row_id in leaving:
            if row_id not in pending.get(table_no, ()):
                settled.setdefault(table_no, []).append((row_id,))
        by_number = {table.number: table for table in TABLES.values()}
        for table_no, ids in settled.items():
            self._connection.executemany(
                f"DELETE FROM {by_number[table_no].name} WHERE id = ? AND lsn = 0",  # noqa: S608
                ids,
            )
            self._count_as_it_is(by_number[table_no], [row_id for (row_id,) in ids])
            self._connection.executemany(
                f"DELETE FROM fm_deleted_row WHERE table_no = {table_no} AND row_id = ?",  # noqa: S608
                ids,
            )

    def _count_as_it_is(self, table: ReplicatedTable, ids: list[bytes]) -> None:
        """Of those rows that are here the hash is that of their content."""
        found = rows_by_id(self._connection, table.name, table.wire_names, ids)
        rows = from_rows(table.name, table.wire_names, list(found.values()))
        self._connection.executemany(
            f"UPDATE {table.name} SET row_hash = ?1 WHERE id = ?2 AND row_hash <> ?1",  # noqa: S608
            zip(row_hashes(rows, table), rows.column("id"), strict=True),
        )

    def _forget_provisional(self) -> None:
        by_number = {table.number: table for table in TABLES.values()}
        found: dict[int, list[tuple[bytes]]] = {}
        for table_no, row_id in self._connection.execute(
            "SELECT table_no, row_id FROM fm_provisional"
        ):
            if row_id not in self._pending.get(table_no, ()):
                found.setdefault(table_no, []).append((row_id,))
        for table_no, ids in found.items():
            self._connection.executemany(
                f"DELETE FROM {by_number[table_no].name} WHERE id = ? AND lsn = 0",  # noqa: S608
                ids,
            )
        self._connection.execute("DELETE FROM fm_provisional")

    def _put(self, table: ReplicatedTable, rows: TableRows) -> None:
        if self._cleaning:
            self._remember_seen(table, rows)
        free, held = self._split(table, rows)
        for force, part in self._parted(free):
            write_rows(self._connection, part, force=force)
        if held is not None:
            for force, part in self._parted(held):
                self._take_bookkeeping(table, part, force=force)

    def _parted(self, rows: TableRows) -> Iterator[tuple[bool, TableRows]]:
        """Rows of whole partitions, which stand as they come, and others, of which the newer counts.

        A row of a lost future has a higher LSN than what the restored hub says.
        """
        if not self._cleaning:
            yield False, rows
            return
        places: dict[bool, list[int]] = {True: [], False: []}
        for place, partition in enumerate(rows.column("partition")):
            places[partition in self._cleaning].append(place)
        for force, chosen in places.items():
            yield force, rows.take(chosen)

    def _take_bookkeeping(self, table: ReplicatedTable, rows: TableRows, *, force: bool) -> None:
        """Pending rows keep their content; their partition, lsn and hash are the hub's.

        With ``force`` also where what is here has a higher LSN.
        """
        lines = list(
            zip(
                rows.column("partition"),
                rows.column("lsn"),
                rows.column("row_hash"),
                rows.column("id"),
                strict=True,
            )
        )
        for line in lines:
            exists = self._connection.execute(
                f"SELECT 1 FROM {table.name} WHERE id = ?",  # noqa: S608
                (line[3],),
            ).fetchone()
            if exists:
                self._connection.execute(
                    f"UPDATE {table.name} SET partition = ?, lsn = ?, row_hash = ?"  # noqa: S608
                    " WHERE id = ? AND (? OR lsn < ?)",
                    (*line, force, line[1]),
                )
                # It was deleted and made again: it counts once, as what is here.
                self._connection.execute(
                    "DELETE FROM fm_deleted_row WHERE table_no = ? AND row_id = ?",
                    (table.number, line[3]),
                )
            else:
                self._connection.execute(
                    "INSERT INTO fm_deleted_row (partition, lsn, row_hash, row_id, table_no)"
                    " VALUES (?, ?, ?, ?, ?) ON CONFLICT (table_no, row_id) DO UPDATE SET"
                    " partition = excluded.partition, lsn = excluded.lsn,"
                    " row_hash = excluded.row_hash WHERE ? OR excluded.lsn > lsn",
                    (*line, table.number, force),
                )

    def _remove(self, table: ReplicatedTable, rows: TableRows) -> None:
        lines = list(
            zip(
                rows.column("id"),
                rows.column("partition"),
                rows.column("lsn"),
                strict=True,
            )
        )
        pending = self._pending.get(table.number, set())
        self._connection.executemany(
            f"DELETE FROM {table.name} WHERE id = ? AND partition = ? AND lsn < ?",  # noqa: S608
            [line for line in lines if line[0] not in pending],
        )
        held = [line for line in lines if line[0] in pending]
        self._connection.executemany(
            f"UPDATE {table.name} SET partition = 0, lsn = 0, row_hash = 0"  # noqa: S608
            " WHERE id = ? AND partition = ? AND lsn < ?",
            held,
        )
        self._connection.executemany(
            f"DELETE FROM fm_deleted_row WHERE table_no = {table.number}"  # noqa: S608
            " AND row_id = ? AND partition = ? AND lsn < ?",
            held,
        )

    def _put_provisional(self, table: ReplicatedTable, rows: TableRows) -> None:
        """Rows that the hub has not applied, or has lost: shown where nothing is held."""
        free, _ = self._split(table, rows)
        names = ", ".join(free.names)
        marks = ", ".join("?" * len(free.names))
        insert = f"INSERT INTO {table.name} ({names}) VALUES ({marks}) ON CONFLICT DO NOTHING"  # noqa: S608
        for row_id, row in zip(free.column("id"), free.rows(), strict=True):
            if self._connection.execute(insert, row).rowcount > 0:
                self._connection.execute(
                    "INSERT OR IGNORE INTO fm_provisional (table_no, row_id) VALUES (?, ?)",
                    (table.number, row_id),
                )

    def _replace(
        self,
        table: ReplicatedTable,
        rows: TableRows,
        partition: int,
        first: bytes,
        last: bytes,
    ) -> None:
        """The rows of one range are exactly these; pending ones keep their content."""
        pending = self._pending.get(table.number, set())
        meant = set(rows.column("id"))
        gone = [
            (row_id,)
            for (row_id,) in self._connection.execute(
                f"SELECT id FROM {table.name} WHERE partition = ? AND lsn > 0"  # noqa: S608
                " AND substr(id, 16, 1) BETWEEN ? AND ?",
                (partition, first, last),
            )
            if row_id not in meant
        ]
        self._connection.executemany(
            f"DELETE FROM {table.name} WHERE id = ?",  # noqa: S608
            [line for line in gone if line[0] not in pending],
        )
        self._connection.executemany(
            f"UPDATE {table.name} SET partition = 0, lsn = 0, row_hash = 0 WHERE id = ?",  # noqa: S608
            [line for line in gone if line[0] in pending],
        )
        self._connection.execute(
            "DELETE FROM fm_deleted_row WHERE table_no = ? AND partition = ?"
            " AND substr(row_id, 16, 1) BETWEEN ? AND ?",
            (table.number, partition, first, last),
        )
        free, held = self._split(table, rows)
        write_rows(self._connection, free, force=True)
        if held is not None:
            self._take_bookkeeping(table, held, force=True)

    def _drop(self, partition: int) -> None:
        for table in self._tables_in(partition):
            self._clear(table, partition, seen=False)

    def _clean_whole(self) -> None:
        """Rows of whole partitions that did not come go, once: what a provisional row stands for may be among them."""
        for partition in self._cleaning:
            self._clean(partition)
        self._cleaning = set()

    def _clean(self, partition: int) -> None:
        for table in self._tables_in(partition):
            self._clear(table, partition, seen=True)

    def _clear(self, table: ReplicatedTable, partition: int, *, seen: bool) -> None:
        """Rows of the partition go, but those seen in this delta; pending ones stay, unplaced."""
        unseen = (
            f" AND id NOT IN (SELECT row_id FROM temp.fm_seen WHERE table_no = {table.number})"  # noqa: S608
            if seen
            else ""
        )
        pending = self._pending.get(table.number, set())
        ids = [
            (row_id,)
            for (row_id,) in self._connection.execute(
                f"SELECT id FROM {table.name} WHERE partition = ? AND lsn > 0{unseen}",  # noqa: S608
                (partition,),
            )
        ]
        self._connection.executemany(
            f"DELETE FROM {table.name} WHERE id = ?",  # noqa: S608
            [line for line in ids if line[0] not in pending],
        )
        self._connection.executemany(
            f"UPDATE {table.name} SET partition = 0, lsn = 0, row_hash = 0 WHERE id = ?",  # noqa: S608
            [line for line in ids if line[0] in pending],
        )
        self._connection.execute(
            "DELETE FROM fm_deleted_row WHERE table_no = ? AND partition = ?"  # noqa: S608
            + (" AND row_id NOT IN (SELECT row_id FROM temp.fm_seen)" if seen else ""),
            (table.number, partition),
        )

    def _tables_in(self, partition: int) -> list[ReplicatedTable]:
        by_number = {table.number: table for table in TABLES.values()}
        found = self._connection.execute(
            "SELECT table_no FROM fm_digest WHERE partition = ? AND rows <> 0"
            " UNION SELECT table_no FROM fm_deleted_row WHERE partition = ?",
            (partition, partition),
        )
        return [by_number[number] for (number,) in found.fetchall()]

    def _split(self, table: ReplicatedTable, rows: TableRows) -> tuple[TableRows, TableRows | None]:
        """Rows that may be written, and rows with local changes."""
        pending = self._pending.get(table.number)
        if not pending:
            return rows, None
        ids = rows.column("id")
        held = [index for index, row_id in enumerate(ids) if row_id in pending]
        if not held:
            return rows, None
        free = [index for index, row_id in enumerate(ids) if row_id not in pending]
        return rows.take(free), rows.take(held)

    def _remember_seen(self, table: ReplicatedTable, rows: TableRows) -> None:
        self._connection.executemany(
            f"INSERT OR IGNORE INTO temp.fm_seen (table_no, row_id) VALUES ({table.number}, ?)",  # noqa: S608
            [
                (row_id,)
                for row_id, partition in zip(
                    rows.column("id"), rows.column("partition"), strict=True
                )
                if partition in self._cleaning
            ],
        )
