"""The room that the database's file takes: the disk has it again once an outbox of days has drained."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Final

from fieldmesh.service.database import connect

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

_SPARE_PART: Final = 4
"""One page of so many may be empty: it is used again before long."""
_PAGES: Final = 2_000


def make_file(path: Path) -> None:
    """A new file, of which room can be given back: that is said before its first page. One that is there stays."""
    if path.exists():
        return
    with closing(connect(path)) as connection:
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.execute("PRAGMA journal_mode = WAL")


def give_back(connection: sqlite3.Connection) -> bool:
    """Some empty pages of the file are the disk's again, if it has many; outside of a transaction.

    Returns:
        Whether there may be more. Never of a file that an early release has made.
    """
    empty = _ask(connection, "freelist_count")
    if empty * _SPARE_PART <= _ask(connection, "page_count"):
        return False
    # `execute` would step once, which is one page.
    connection.executescript(f"PRAGMA incremental_vacuum({_PAGES})")
    return _ask(connection, "freelist_count") < empty


def _ask(connection: sqlite3.Connection, pragma: str) -> int:
    return int(connection.execute(f"PRAGMA {pragma}").fetchone()[0])
