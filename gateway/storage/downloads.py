"""Downloads that lie in the spool, so that a cut one goes on at its byte, also after a restart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3


@dataclass(frozen=True, slots=True)
class SpooledDownload:
    """One download as it lies in the spool.

    Attributes:
        variant: names the content: the same variant for the same device is the same bytes.
        path: file name inside the spool folder.
        description: serialized DownloadStart and DownloadEnd, as ``gateway.serving`` wrote them.
    """

    download_id: bytes
    device_id: bytes
    kind: str
    variant: bytes
    path: str
    description: bytes
    size: int
    made_at: int
    used_at: int


_COLUMNS = "download_id, device_id, kind, variant, path, description, size, made_at, used_at"


def add(connection: sqlite3.Connection, download: SpooledDownload) -> None:
    """The download can be resumed from now on."""
    connection.execute(
        f"INSERT INTO fm_download ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            download.download_id,
            download.device_id,
            download.kind,
            download.variant,
            download.path,
            download.description,
            download.size,
            download.made_at,
            download.used_at,
        ),
    )


def find(
    connection: sqlite3.Connection, download_id: bytes, *, device_id: bytes
) -> SpooledDownload | None:
    """The device's own download of that name; a stranger's is never given."""
    row = connection.execute(
        f"SELECT {_COLUMNS} FROM fm_download WHERE download_id = ? AND device_id = ?",
        (download_id, device_id),
    ).fetchone()
    return None if row is None else SpooledDownload(*row)


def find_variant(
    connection: sqlite3.Connection, device_id: bytes, *, kind: str, variant: bytes
) -> SpooledDownload | None:
    """A download that was made before for the same device and holds the same content."""
    row = connection.execute(
        f"SELECT {_COLUMNS} FROM fm_download WHERE device_id = ? AND kind = ? AND variant = ?",
        (device_id, kind, variant),
    ).fetchone()
    return None if row is None else SpooledDownload(*row)


def note_used(connection: sqlite3.Connection, download_id: bytes, now: int) -> None:
    """The download is kept for a while longer."""
    connection.execute(
        "UPDATE fm_download SET used_at = ? WHERE download_id = ?", (now, download_id)
    )


def take_old(connection: sqlite3.Connection, *, used_before: int) -> list[str]:
    """Downloads that nobody used since then are forgotten.

    Returns:
        Their file names, for the caller to delete after the commit.
    """
    paths = [
        row[0]
        for row in connection.execute(
            "SELECT path FROM fm_download WHERE used_at < ?", (used_before,)
        )
    ]
    connection.execute("DELETE FROM fm_download WHERE used_at < ?", (used_before,))
    return paths


def all_paths(connection: sqlite3.Connection) -> set[str]:
    """File names that belong to a download; anything else in the spool is litter."""
    return {row[0] for row in connection.execute("SELECT path FROM fm_download")}
