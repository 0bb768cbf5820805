"""Which photos and files lie in the blob folder, how much of each, and what the hub has of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3


@dataclass(frozen=True, slots=True)
class BlobRow:
    """One blob. ``sent`` = bytes that the hub has confirmed."""

    sha256: bytes
    size: int
    held: int
    complete: bool
    sent: int


def find(connection: sqlite3.Connection, sha256: bytes) -> BlobRow | None:
    """What is held of the blob; None = nothing."""
    row = connection.execute(
        "SELECT sha256, size, held, complete, sent FROM fm_blob WHERE sha256 = ?",
        (sha256,),
    ).fetchone()
    return None if row is None else BlobRow(row[0], row[1], row[2], bool(row[3]), row[4])


def note_held(connection: sqlite3.Connection, blob: BlobRow, now: int) -> None:
    """So much of the blob is durable in its file."""
    connection.execute(
        "INSERT INTO fm_blob (sha256, size, held, complete, sent, changed_at)"
        " VALUES (?1, ?2, ?3, ?4, 0, ?5) ON CONFLICT (sha256) DO UPDATE SET size = ?2,"
        " held = ?3, complete = ?4, changed_at = ?5",
        (blob.sha256, blob.size, blob.held, int(blob.complete), now),
    )


def next_unsent(connection: sqlite3.Connection) -> BlobRow | None:
    """The oldest whole blob that the hub does not have whole."""
    row = connection.execute(
        "SELECT sha256, size, held, complete, sent FROM fm_blob"
        " WHERE complete = 1 AND sent < size ORDER BY changed_at LIMIT 1"
    ).fetchone()
    return None if row is None else BlobRow(row[0], row[1], row[2], bool(row[3]), row[4])


def note_sent(connection: sqlite3.Connection, sha256: bytes, *, sent: int) -> None:
    """The hub has confirmed so many bytes."""
    connection.execute("UPDATE fm_blob SET sent = ? WHERE sha256 = ?", (sent, sha256))
