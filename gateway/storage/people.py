"""People who may sign in at the positions served here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fieldmesh.basics.logins import as_kept, folded

if TYPE_CHECKING:
    import sqlite3


def read_verifiers(connection: sqlite3.Connection, login: str) -> list[tuple[str, str]]:
    """(person, verifier) of everyone with that login name, however it was typed."""
    rows = connection.execute(
        "SELECT DISTINCT login, person, verifier FROM sign_in WHERE login IN (?, ?)",
        (login, folded(login)),
    ).fetchall()
    kept = as_kept(login, {row[0] for row in rows})
    return [(row[1], row[2]) for row in rows if row[0] == kept]
