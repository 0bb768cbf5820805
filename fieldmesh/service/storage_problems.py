"""What the errors of a SQLite file mean to a person."""

import sqlite3
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


def storage_problem(error: BaseException, place: str = "") -> FieldmeshError | None:
    """What an error of the database means to a person, or None if it is about the statement."""
    code = getattr(error, "sqlite_errorcode", None)
    if not isinstance(code, int):
        return None
    primary = code & _PRIMARY_CODE
    if code in _DISK_FULL or primary == sqlite3.SQLITE_FULL:
        return Retry("disk_full", place=place, delay_s=RETRY_S)
    if primary in {sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY}:
        return Retry("disk_failed", place=place, delay_s=RETRY_S, text=str(error))
    if primary in _BUSY:
        return Retry("database_busy", place=place, delay_s=RETRY_S)
    if primary in _DAMAGED:
        return Rejected("database_unreadable", place=place)
    return None
