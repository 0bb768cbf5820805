"""What the errors of a SQLite file mean to a person."""

import errno
import os
import shutil
import sqlite3
from pathlib import Path
from typing import Final

from fieldmesh.basics.errors import FieldmeshError, Rejected, Retry

RETRY_S: Final = 5.0
_DISK_FULL: Final = {
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR_WRITE,
    sqlite3.SQLITE_IOERR_SHMSIZE,
    sqlite3.SQLITE_IOERR_TRUNCATE,
}
_DAMAGED: Final = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_BUSY: Final = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_PRIMARY_CODE: Final = 0xFF
_LEAST_FREE_BYTES: Final = 256 << 10
"""On a full disk SQLite can't lay its small files beside the database and calls that an I/O error."""


def storage_problem(
    error: BaseException, place: str = "", *, file: Path | None = None
) -> FieldmeshError | None:
    """What an error of the database means to a person, or None if it is about the statement.

    Args:
        error: what SQLite said.
        place: how the file is named to a person.
        file: the database's path, when known: its disk is looked at.
    """
    code = getattr(error, "sqlite_errorcode", None)
    if not isinstance(code, int):
        return None
    primary = code & _PRIMARY_CODE
    if code in _DISK_FULL or primary == sqlite3.SQLITE_FULL:
        return Retry("disk_full", place=place, delay_s=RETRY_S)
    if primary in {sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY}:
        return disk_problem(place, file, str(error))
    if primary in _BUSY:
        return Retry("database_busy", place=place, delay_s=RETRY_S)
    if primary in _DAMAGED:
        return Rejected("database_unreadable", place=place)
    return None


def disk_problem(place: str, file: Path | None, text: str) -> Retry:
    """Why the disk of a file takes nothing: it is read-only, it is full, or what it said itself."""
    folder = None if file is None else file.parent
    if folder is not None and folder.is_dir():
        if os.statvfs(folder).f_flag & os.ST_RDONLY:
            return Retry("disk_read_only", place=place, delay_s=RETRY_S)
        if shutil.disk_usage(folder).free < _LEAST_FREE_BYTES:
            return Retry("disk_full", place=place, delay_s=RETRY_S)
    return Retry("disk_failed", place=place, delay_s=RETRY_S, text=text)


def file_problem(error: OSError, place: str) -> Retry | None:
    """What an error of writing a file means to a person, or None if it is not about the disk."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return Retry("disk_full", place=place, delay_s=RETRY_S)
    if error.errno == errno.EROFS:
        return Retry("disk_read_only", place=place, delay_s=RETRY_S)
    if error.errno == errno.EIO:
        return Retry(
            "disk_failed", place=place, delay_s=RETRY_S, text=error.strerror or "I/O error"
        )
    return None
