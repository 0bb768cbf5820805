"""Which photos and files lie in the blob folder, how much of each, and what the hub has of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

_COLUMNS: Final = "sha256, size, held, complete, sent, changed_at"


@dataclass(frozen=True, slots=True)
class BlobRow:
    """One blob.

    Attributes:
        sha256: its name.
        size: of the whole, bytes.
        held: bytes that are here.
        complete: it is whole and was checked against its name.
        sent: bytes that the hub has confirmed.
        changed_at: when it grew, or was whole at the hub; gateway clock, UTC microseconds.
    """

    sha256: bytes
    size: int
    held: int
    complete: bool
    sent: int
    changed_at: int = 0


def _row(values: tuple[bytes, int, int, int, int, int] | None) -> BlobRow | None:
    if values is None:
        return None
    sha256, size, held, complete, sent, changed_at = values
    return BlobRow(sha256, size, held, bool(complete), sent, changed_at)


def find(connection: sqlite3.Connection, sha256: bytes) -> BlobRow | None:
    """What is held of the blob; None = nothing."""
    return _row(
        connection.execute(f"SELECT {_COLUMNS} FROM fm_blob WHERE sha256 = ?", (sha256,)).fetchone()
    )


def note_held(connection: sqlite3.Connection, blob: BlobRow, now: int) -> None:
    """So much of the blob is durable in its file.

    A note that comes late, from a stream that a newer one has overtaken, takes nothing back: what is
    held only grows, and what is complete stays so, because the device has deleted its copy by then.
    """
    connection.execute(
        "INSERT INTO fm_blob (sha256, size, held, complete, sent, changed_at)"
        " VALUES (?1, ?2, ?3, ?4, 0, ?5) ON CONFLICT (sha256) DO UPDATE SET size = ?2,"
        " held = CASE WHEN ?4 THEN ?3 ELSE max(fm_blob.held, ?3) END, complete = ?4,"
        " changed_at = ?5 WHERE fm_blob.complete = 0",
        (blob.sha256, blob.size, blob.held, int(blob.complete), now),
    )


def begin_anew(connection: sqlite3.Connection, sha256: bytes) -> None:
    """What came was other content than the name says: nothing of it is held any more."""
    connection.execute("DELETE FROM fm_blob WHERE sha256 = ? AND complete = 0", (sha256,))


def forget_lost(connection: sqlite3.Connection, blob: BlobRow) -> bool:
    """The file of this whole blob is gone or damaged: whoever has the blob may send it again.

    Returns:
        Whether the row stood there as it was read; else nothing happens.
    """
    gone = connection.execute(
        "DELETE FROM fm_blob WHERE sha256 = ? AND complete = 1 AND changed_at = ?",
        (blob.sha256, blob.changed_at),
    )
    return gone.rowcount > 0


def next_unsent(connection: sqlite3.Connection) -> BlobRow | None:
    """The oldest whole blob that the hub does not have whole."""
    return _row(
        connection.execute(
            f"SELECT {_COLUMNS} FROM fm_blob"
            " WHERE complete = 1 AND sent < size ORDER BY changed_at LIMIT 1"
        ).fetchone()
    )


def note_sent(connection: sqlite3.Connection, sha256: bytes, *, sent: int, now: int) -> None:
    """The hub has confirmed so many bytes; the days that a whole one is kept here begin now."""
    connection.execute(
        "UPDATE fm_blob SET sent = ?1, changed_at = CASE WHEN ?1 >= size THEN ?2 ELSE changed_at END"
        " WHERE sha256 = ?3",
        (sent, now, sha256),
    )


def put_off(connection: sqlite3.Connection, sha256: bytes, *, now: int) -> None:
    """The hub has refused the blob and holds nothing of it: it begins anew after those that wait."""
    connection.execute(
        "UPDATE fm_blob SET sent = 0, changed_at = ? WHERE sha256 = ?", (now, sha256)
    )


def send_again(connection: sqlite3.Connection) -> int:
    """The hub was restored from a backup: nobody knows which blobs it still has, so each is offered again.

    Returns:
        How many.
    """
    return connection.execute(
        "UPDATE fm_blob SET sent = 0 WHERE complete = 1 AND sent > 0"
    ).rowcount


def forget_old(connection: sqlite3.Connection, *, before: int, most: int) -> list[bytes]:
    """Blobs that the hub has had whole since ``before``, and halves that have not grown since, have no row any more.

    A device that was cut off finishes its photo elsewhere; one that comes back begins anew.

    Ordering: their files are deleted after this is durable, so that no row ever names a missing file.

    Returns:
        Their names, at most ``most``.
    """
    rows = connection.execute(
        "DELETE FROM fm_blob WHERE sha256 IN (SELECT sha256 FROM fm_blob"
        " WHERE (complete = 0 OR sent >= size) AND changed_at < ? LIMIT ?) RETURNING sha256",
        (before, most),
    )
    return [sha256 for (sha256,) in rows.fetchall()]


def without_row(connection: sqlite3.Connection, names: Sequence[bytes]) -> list[bytes]:
    """Those of the names that no row knows; some hundred names at once."""
    marks = ", ".join("?" * len(names))
    known = connection.execute(f"SELECT sha256 FROM fm_blob WHERE sha256 IN ({marks})", names)
    found = {sha256 for (sha256,) in known}
    return [sha256 for sha256 in names if sha256 not in found]
