"""Batches whose rows are to be shown to other devices, and are not laid out yet.

An acknowledgement does not wait for its rows to be laid out: the batch is marked in its own
transaction, and whoever makes a download lays out first what is marked. A batch that the hub
decides on before anybody asks is never laid out at all. The mark is a line of
``fm_provisional_batch`` with table number 0, so that whatever forgets the batch forgets the mark.
"""

from __future__ import annotations

import logging
import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gateway.storage import provisional

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fieldmesh.codec.batch import Change

LOG = logging.getLogger(__name__)

_DUE: Final = 0
_MOST: Final = 64
_MOST_BYTES: Final = 4 * 1024 * 1024

Key = tuple[bytes, int, int]
"""Device, device epoch, sequence."""


@dataclass(frozen=True, slots=True)
class Due:
    """A batch to be laid out.

    Attributes:
        payload: as the outbox carries it.
    """

    key: Key
    payload: bytes


def mark(connection: sqlite3.Connection, key: Key) -> None:
    """The batch is to be laid out; in the transaction that stores it."""
    connection.execute(
        "INSERT OR IGNORE INTO fm_provisional_batch (device_id, device_epoch, sequence, table_no)"
        " VALUES (?, ?, ?, ?)",
        (*key, _DUE),
    )


def mark_again(connection: sqlite3.Connection, numbers: Sequence[int]) -> None:
    """Batches that the hub had applied and lost are to be laid out: their confirmed rows go with its lost future.

    Args:
        connection: open write transaction.
        numbers: their entries in the outbox; a session record or a copy with other bytes is none.
    """
    connection.executemany(
        "INSERT OR IGNORE INTO fm_provisional_batch (device_id, device_epoch, sequence, table_no)"
        " SELECT i.device_id, i.device_epoch, i.sequence, ? FROM fm_outbox AS o JOIN fm_inbox AS i"
        " USING (device_id, device_epoch, sequence, outbox_number)"
        " WHERE o.outbox_number = ? AND i.differs = 0",
        [(_DUE, number) for number in numbers],
    )


def find(
    connection: sqlite3.Connection, *, own: bytes = b"", after: tuple[int, int] = (0, 0)
) -> list[Due]:
    """The next batches to be laid out, in the order in which they came; empty = none are due.

    Args:
        connection: open transaction.
        own: leaves out this device's batches after ``after``.
        after: device epoch and sequence.
    """
    found: list[Due] = []
    size = 0
    for device_id, epoch, sequence, payload in connection.execute(
        "SELECT p.device_id, p.device_epoch, p.sequence, o.payload FROM fm_provisional_batch AS p"
        " JOIN fm_inbox AS i ON i.device_id = p.device_id AND i.device_epoch = p.device_epoch"
        " AND i.sequence = p.sequence AND i.differs = 0"
        " JOIN fm_outbox AS o ON o.outbox_number = i.outbox_number"
        " WHERE p.table_no = ?"
        " AND NOT (p.device_id = ? AND (p.device_epoch, p.sequence) > (?, ?))"
        " ORDER BY o.outbox_number LIMIT ?",
        (_DUE, own, *after, _MOST),
    ):
        found.append(Due((device_id, epoch, sequence), payload))
        size += len(payload)
        if size >= _MOST_BYTES:
            break
    return found


def lay_out(connection: sqlite3.Connection, key: Key, changes: Sequence[Change]) -> bool:
    """The rows of the batch are shown, if they are still due. Rows that can't be laid out are not shown.

    Returns:
        Whether they were due.
    """
    was_due = connection.execute(
        "DELETE FROM fm_provisional_batch WHERE device_id = ? AND device_epoch = ?"
        " AND sequence = ? AND table_no = ?",
        (*key, _DUE),
    ).rowcount
    if was_due and changes:
        _add(connection, key, changes)
    return bool(was_due)


def _add(connection: sqlite3.Connection, key: Key, changes: Sequence[Change]) -> None:
    connection.execute("SAVEPOINT laid_out")
    try:
        provisional.add(connection, key, changes)
    except (sqlite3.IntegrityError, sqlite3.InterfaceError, OverflowError) as problem:
        # Head office decides on them; what others brought must not wait for that.
        connection.execute("ROLLBACK TO laid_out")
        about = {"device": key[0].hex(), "sequence": key[2], "problem": str(problem)}
        LOG.warning("batch_not_shown", extra=about)
    connection.execute("RELEASE laid_out")
