"""Photos that wait to be sent, named by their content and sealed at rest."""

import hashlib
import sqlite3

from device_agent.storage.home import Home
from device_agent.storage.sealed import seal, unseal
from fieldmesh.basics.errors import Rejected
from fieldmesh.service.files import write_durably

DDL = """
CREATE TABLE fm_photo (
  sha256 BLOB PRIMARY KEY NOT NULL,
  size_bytes INTEGER NOT NULL,
  kept_at INTEGER NOT NULL,
  sent_at INTEGER
) STRICT
"""

_NAME_CHARACTERS = 64
_HEX = frozenset("0123456789abcdef")


def take_up(connection: sqlite3.Connection, home: Home) -> None:
    """Every sealed photo in the folder is in the queue: also one that was kept while another database took over.

    One that was sent is gone; a cut between the two leaves it.
    """
    known = dict(connection.execute("SELECT sha256, sent_at FROM fm_photo"))
    for path in sorted(home.photos.glob("*")):
        if len(path.name) != _NAME_CHARACTERS or not set(path.name) <= _HEX:
            continue
        sha256 = bytes.fromhex(path.name)
        if known.get(sha256) is not None:
            path.unlink(missing_ok=True)
        elif sha256 not in known:
            found = path.stat()
            add_to_queue(connection, sha256, found.st_size, int(found.st_mtime * 1_000_000))


def keep_content(home: Home, key: bytes, content: bytes) -> bytes:
    """The content is durable, sealed, under its name. Returns the name (sha256)."""
    sha256 = hashlib.sha256(content).digest()
    write_durably(home.photos / sha256.hex(), seal(key, content, sha256.hex()))
    return sha256


def read_content(home: Home, key: bytes, sha256: bytes) -> bytes:
    """The content of that name.

    Raises:
        Rejected: `sealed_file_damaged`, `file_unreadable`.
    """
    path = home.photos / sha256.hex()
    try:
        sealed = path.read_bytes()
    except OSError as error:
        raise Rejected("file_unreadable", place=str(path)) from error
    return unseal(key, sealed, sha256.hex())


def add_to_queue(connection: sqlite3.Connection, sha256: bytes, size_bytes: int, now: int) -> None:
    """The photo is to be sent. Repeating is harmless."""
    connection.execute(
        "INSERT OR IGNORE INTO fm_photo (sha256, size_bytes, kept_at) VALUES (?, ?, ?)",
        (sha256, size_bytes, now),
    )


def unsent(connection: sqlite3.Connection) -> list[bytes]:
    """Names of photos that no gateway has whole, oldest first."""
    rows = connection.execute(
        "SELECT sha256 FROM fm_photo WHERE sent_at IS NULL ORDER BY kept_at, sha256"
    )
    return [sha256 for (sha256,) in rows]


def mark_sent(connection: sqlite3.Connection, sha256: bytes, now: int) -> None:
    """A gateway holds the photo whole."""
    connection.execute("UPDATE fm_photo SET sent_at = ? WHERE sha256 = ?", (now, sha256))


def forget_content(home: Home, sha256: bytes) -> None:
    """The sealed file is gone. Repeating is harmless."""
    (home.photos / sha256.hex()).unlink(missing_ok=True)
