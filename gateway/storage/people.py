"""People who may sign in at the positions served here."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3


def read_verifiers(connection: sqlite3.Connection, login: str) -> list[tuple[str, str]]:
    """(person, verifier) of everyone with that login name."""
    return [
        (row[0], row[1])
        for row in connection.execute(
            "SELECT DISTINCT person, verifier FROM sign_in WHERE login = ?", (login,)
        )
    ]
