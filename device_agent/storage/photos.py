"""Photos that wait to be sent, named by their content and sealed at rest."""

import hashlib
import sqlite3
from collections.abc import Callable

from device_agent.storage.home import Home, write_durably
from device_agent.storage.sealed import seal, unseal

DDL = """
CREATE TABLE fm_photo (
  sha256 BLOB PRIMARY KEY NOT NULL,
  size_bytes INTEGER NOT NULL,
  kept_at INTEGER NOT NULL,
  sent_at INTEGER
) STRICT
"""

Marker = Callable[[sqlite3.Connection], None]


def keep_content(home: Home, key: bytes, content: bytes) -> bytes:
    """The content is durable, sealed, under its name. Returns the name (sha256)."""
    sha256 = hashlib.sha256(content).digest()
    write_durably(home.photos / sha256.hex(), seal(key, content, sha256.hex()))
    return sha256


def read_content(home: Home, key: bytes, sha256: bytes) -> bytes:
    """The content of that name."""
    return unseal(key, (home.photos / sha256.hex()).read_bytes(), sha256.hex())


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
