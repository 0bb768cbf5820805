"""Deep proof: every row's hash is worked out anew from its content.

Digests kept by triggers prove that the right row versions are held; this proves that their content
is what the hub hashed, so that a damaged page or a bug cannot hide. A row that fails is taken away:
the next full sync finds the difference and brings it again. While the network has a newer schema
than this program, rows may have columns that are not here, and only digests are looked at.
"""

import sqlite3
from dataclasses import dataclass, field

from device_agent.storage.held import device_tables, pending_rows
from device_agent.storage.state import read_state
from fieldmesh.codec.columns import from_rows
from fieldmesh.codec.row_hash import row_hashes
from fieldmesh.data.model import ReplicatedTable
from fieldmesh.data.schema import SCHEMA_VERSION

_PIECE_ROWS = 5_000
_LOW = 0xFFFFFFFF


@dataclass(slots=True)
class DeepReport:
    """What a deep check saw."""

    rows_checked: int = 0
    rows_pending: int = 0
    """Rows with local changes that the hub has not answered: nothing to compare with yet."""
    wrong: dict[str, list[bytes]] = field(default_factory=dict)
    """Per table, rows whose content is not what the hub hashed."""
    network_is_newer: bool = False
    """Rows may have columns that this program does not know: their content was not hashed."""
    digests_wrong: int = 0
    """Digests that did not match their rows and have been counted anew."""


def check_rows(connection: sqlite3.Connection) -> DeepReport:
    """Every confirmed row was hashed anew, and every digest counted anew; nothing is changed."""
    report = DeepReport(network_is_newer=read_state(connection).network_schema > SCHEMA_VERSION)
    pending = pending_rows(connection)
    sums: dict[tuple[int, int], list[int]] = {}
    for table in device_tables():
        _check_table(connection, table, pending.get(table.number, set()), report, sums)
    held = {
        (partition, number): [rows, low, high]
        for partition, number, rows, low, high in connection.execute(
            "SELECT partition, table_no, rows, low, high FROM fm_digest WHERE rows <> 0"
        )
    }
    report.digests_wrong = sum(
        1 for key in held.keys() | sums.keys() if held.get(key) != sums.get(key)
    )
    return report


def mark_unknown(connection: sqlite3.Connection, report: DeepReport) -> None:
    """Wrong rows count as not held, and digests are what the rows give: a full sync repairs."""
    for name, ids in report.wrong.items():
        connection.executemany(
            f"DELETE FROM {name} WHERE id = ?",  # noqa: S608
            [(row_id,) for row_id in ids],
        )
    if report.digests_wrong:
        connection.execute("DELETE FROM fm_digest")
        for table in device_tables():
            connection.execute(
                "INSERT INTO fm_digest (partition, table_no, rows, low, high)"  # noqa: S608
                f" SELECT partition, {table.number}, count(*), sum(row_hash & {_LOW}),"
                f" sum(row_hash >> 32) FROM {table.name} WHERE lsn > 0 GROUP BY partition"
            )


def _check_table(
    connection: sqlite3.Connection,
    table: ReplicatedTable,
    pending: set[bytes],
    report: DeepReport,
    sums: dict[tuple[int, int], list[int]],
) -> None:
    names = table.wire_names
    cursor = connection.execute(
        f"SELECT {', '.join(names)} FROM {table.name} WHERE lsn > 0"  # noqa: S608
    )
    at_id, at_partition, at_hash = map(names.index, ("id", "partition", "row_hash"))
    while piece := cursor.fetchmany(_PIECE_ROWS):
        right = (
            [row[at_hash] for row in piece]
            if report.network_is_newer
            else row_hashes(from_rows(table.name, names, piece), table)
        )
        for row, worked_out in zip(piece, right, strict=True):
            kept: int = row[at_hash]
            counted = sums.setdefault((row[at_partition], table.number), [0, 0, 0])
            counted[0] += 1
            counted[1] += kept & _LOW
            counted[2] += kept >> 32
            if row[at_id] in pending:
                report.rows_pending += 1
                continue
            report.rows_checked += not report.network_is_newer
            if kept != worked_out:
                report.wrong.setdefault(table.name, []).append(row[at_id])
