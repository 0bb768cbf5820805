"""The device's own journal of sync sessions (promise 9, Audit)."""

import dataclasses
import sqlite3
from dataclasses import dataclass

DDL = """
CREATE TABLE fm_session (
  session_id BLOB PRIMARY KEY NOT NULL,
  mode TEXT NOT NULL,
  gateway_id BLOB NOT NULL,
  started_at INTEGER NOT NULL,
  ended_at INTEGER NOT NULL,
  clock_skew INTEGER NOT NULL,
  rows_up INTEGER NOT NULL,
  rows_down INTEGER NOT NULL,
  bytes_up INTEGER NOT NULL,
  bytes_down INTEGER NOT NULL,
  outcome TEXT NOT NULL,
  problem TEXT NOT NULL,
  resumed INTEGER NOT NULL,
  network TEXT NOT NULL
) STRICT
"""
KEPT_SESSIONS = 500


@dataclass(slots=True)
class SessionRow:
    """One session, as the device saw it. Times are microseconds UTC by the device's clock."""

    session_id: bytes
    mode: str
    started_at: int
    network: str = ""
    gateway_id: bytes = b""
    ended_at: int = 0
    clock_skew: int = 0
    rows_up: int = 0
    rows_down: int = 0
    bytes_up: int = 0
    bytes_down: int = 0
    outcome: str = "cut"
    problem: str = ""
    resumed: int = 0


_NAMES = tuple(field.name for field in dataclasses.fields(SessionRow))


def save_session(connection: sqlite3.Connection, row: SessionRow) -> None:
    """The session is in the journal; the newest 500 are kept."""
    marks = ", ".join("?" * len(_NAMES))
    connection.execute(
        f"INSERT OR REPLACE INTO fm_session ({', '.join(_NAMES)}) VALUES ({marks})",  # noqa: S608
        dataclasses.astuple(row),
    )
    connection.execute(
        "DELETE FROM fm_session WHERE session_id <="
        " (SELECT session_id FROM fm_session ORDER BY session_id DESC LIMIT 1 OFFSET ?)",
        (KEPT_SESSIONS,),
    )


def newest_sessions(connection: sqlite3.Connection, most: int) -> list[SessionRow]:
    """The newest sessions first."""
    rows = connection.execute(
        f"SELECT {', '.join(_NAMES)} FROM fm_session ORDER BY session_id DESC LIMIT ?",  # noqa: S608
        (most,),
    )
    return [SessionRow(**dict(zip(_NAMES, row, strict=True))) for row in rows]
