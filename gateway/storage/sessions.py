"""The gateway's journal of sync sessions (promise 9, Audit): begun, ended, and told to the hub."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence


@dataclass(slots=True)
class SessionRow:
    """One session as the gateway saw it. ``ended_at`` None = still open."""

    session_id: bytes
    device_id: bytes
    mode: str
    started_at: int
    ended_at: int | None = None
    clock_skew: int = 0
    rows_up: int = 0
    rows_down: int = 0
    bytes_up: int = 0
    bytes_down: int = 0
    outcome: str = "cut"
    problem: str = ""
    app_version: str = ""
    network: str = ""
    resumed: int = 0
    mark_lsn: int = 0


_COLUMNS = (
    "session_id, device_id, mode, started_at, ended_at, clock_skew, rows_up, rows_down,"
    " bytes_up, bytes_down, outcome, problem, app_version, network, resumed, mark_lsn"
)


def _values(row: SessionRow) -> tuple[object, ...]:
    return (
        row.session_id,
        row.device_id,
        row.mode,
        row.started_at,
        row.ended_at,
        row.clock_skew,
        row.rows_up,
        row.rows_down,
        row.bytes_up,
        row.bytes_down,
        row.outcome,
        row.problem,
        row.app_version,
        row.network,
        row.resumed,
        row.mark_lsn,
    )


def save(connection: sqlite3.Connection, rows: Sequence[SessionRow]) -> None:
    """The sessions stand in the journal as they are now."""
    connection.executemany(
        f"INSERT OR REPLACE INTO fm_session ({_COLUMNS})"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [_values(row) for row in rows],
    )


def begin(connection: sqlite3.Connection, row: SessionRow) -> None:
    """The session stands in the journal as open, also when it ends at this very moment: its end is written next."""
    save(connection, [replace(row, ended_at=None)])


def is_ended(connection: sqlite3.Connection, row: SessionRow) -> bool:
    """Whether this very end of the session stands in the journal."""
    found = connection.execute(
        "SELECT 1 FROM fm_session WHERE session_id = ? AND ended_at = ?",
        (row.session_id, row.ended_at),
    )
    return found.fetchone() is not None


def left_open(connection: sqlite3.Connection) -> list[SessionRow]:
    """Sessions that an earlier run of the process did not end: they were cut."""
    return [
        SessionRow(*row)
        for row in connection.execute(f"SELECT {_COLUMNS} FROM fm_session WHERE ended_at IS NULL")
    ]


def newest(connection: sqlite3.Connection, *, most: int) -> list[SessionRow]:
    """The newest sessions first."""
    return [
        SessionRow(*row)
        for row in connection.execute(
            f"SELECT {_COLUMNS} FROM fm_session ORDER BY started_at DESC LIMIT ?",
            (most,),
        )
    ]


def forget_older(connection: sqlite3.Connection, *, started_before: int, most: int) -> int:
    """Sessions that the hub knows and that are older than the days kept are deleted.

    Returns:
        How many went.
    """
    return connection.execute(
        "DELETE FROM fm_session WHERE rowid IN (SELECT rowid FROM fm_session"
        " WHERE started_at < ? AND ended_at IS NOT NULL LIMIT ?)",
        (started_before, most),
    ).rowcount
