"""What waits for the hub. An entry is forgotten on a receipt of the hub and on nothing else.

Reading does not delete; the broker's acknowledgement only sets ``published_at`` (in flight).
Receipted entries stay for a set number of days, so that a restored hub can have them again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Sequence

APPLIED: Final = "applied"
QUARANTINED: Final = "quarantined"
"""Decisions of the hub after which a batch's rows are no longer provisional."""
RECORDED: Final = "recorded"
"""The hub's decision on a session record."""
_NEVER: Final = (1 << 63) - 1
FORGED: Final = "forged"
"""The bytes that came from here are not the device's: they were altered here, by a disk or by somebody."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Something to be said to the hub: kind ``batch`` or ``session``."""

    kind: str
    payload: bytes
    device_id: bytes
    device_epoch: int
    sequence: int
    queued_at: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """An entry without a receipt."""

    outbox_number: int
    kind: str
    payload: bytes
    device_id: bytes
    attempts: int


@dataclass(frozen=True, slots=True)
class ReceiptRow:
    """The hub's decision on one entry."""

    outbox_number: int
    device_id: bytes
    device_epoch: int
    sequence: int
    decision: str
    lsn: int
    hub_tick: bytes = b""


@dataclass(frozen=True, slots=True)
class Depth:
    """How much waits, and since when (0 = nothing waits)."""

    entries: int
    unpublished: int
    oldest_at: int


def add(connection: sqlite3.Connection, entry: Entry) -> int:
    """The entry waits for the hub.

    Returns:
        Its outbox number: growing, never used twice.
    """
    cursor = connection.execute(
        "INSERT INTO fm_outbox (kind, payload, device_id, device_epoch, sequence, queued_at)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (
            entry.kind,
            entry.payload,
            entry.device_id,
            entry.device_epoch,
            entry.sequence,
            entry.queued_at,
        ),
    )
    return int(cursor.lastrowid or 0)


def to_publish(
    connection: sqlite3.Connection,
    *,
    before: int,
    after: int = _NEVER,
    most: int,
    most_bytes: int,
) -> list[Waiting]:
    """The oldest entries that were never published, or were published before ``before``, or after ``after``.

    Ordering: by outbox number, so one device's batches come in the order they were stored.

    Args:
        connection: open transaction.
        before: gateway clock, UTC microseconds: who was published earlier has waited long enough.
        after: now, on that clock: who was published later was so under a clock that was ahead.
        most: entries.
        most_bytes: of their payloads, the last one not counted.
    """
    found: list[Waiting] = []
    size = 0
    for row in connection.execute(
        "SELECT outbox_number, kind, payload, device_id, attempts FROM fm_outbox"
        " WHERE receipted_at IS NULL AND (published_at IS NULL OR published_at < ?"
        " OR published_at > ?) ORDER BY outbox_number LIMIT ?",
        (before, after, most),
    ):
        found.append(Waiting(*row))
        size += len(row[2])
        if size >= most_bytes:
            break
    return found


def mark_published(connection: sqlite3.Connection, numbers: Sequence[int], now: int) -> None:
    """The broker has them: in flight, nothing more."""
    connection.executemany(
        "UPDATE fm_outbox SET published_at = ?, attempts = attempts + 1 WHERE outbox_number = ?",
        [(now, number) for number in numbers],
    )


def take_receipts(connection: sqlite3.Connection, receipts: Sequence[ReceiptRow], now: int) -> int:
    """What the receipts name is forgotten: it is not sent again, but kept for replay.

    An applied batch is found by (device, epoch, sequence) too: the hub has it, by whatever way. The
    receipt of a session record names no batch, so it forgets none.

    Returns:
        How many entries were still waiting. Repeating it is harmless.
    """
    forgotten = 0
    for receipt in receipts:
        key = (receipt.device_id, receipt.device_epoch, receipt.sequence)
        numbers = [receipt.outbox_number]
        if receipt.sequence and receipt.decision == APPLIED:
            numbers += _original(connection, key)
            connection.execute(
                "UPDATE fm_inbox SET applied_lsn = ?, hub_tick = coalesce(nullif(?, x''), hub_tick)"
                " WHERE device_id = ?"
                " AND device_epoch = ? AND sequence = ? AND differs = 0",
                (receipt.lsn, receipt.hub_tick, *key),
            )
        if receipt.decision == FORGED:
            _disown(connection, receipt)
        for number in set(numbers):
            forgotten += connection.execute(
                "UPDATE fm_outbox SET receipt_lsn = ?1, receipted_at = ?2, decision = ?3"
                " WHERE outbox_number = ?4 AND receipted_at IS NULL AND (?3 <> ?8 OR kind = 'session')"
                " AND (?5 = x'' OR (device_id, device_epoch, sequence) = (?5, ?6, ?7))",
                (receipt.lsn, now, receipt.decision, number, *key, RECORDED),
            ).rowcount
    return forgotten


def _disown(connection: sqlite3.Connection, receipt: ReceiptRow) -> None:
    """What is held here is not the batch: the tick goes, so that the device gives it again.

    A copy with other bytes that came meanwhile takes its place.
    """
    key = (receipt.device_id, receipt.device_epoch, receipt.sequence)
    gone = connection.execute(
        "DELETE FROM fm_inbox WHERE outbox_number = ? AND differs = 0"
        " AND (device_id, device_epoch, sequence) = (?, ?, ?)",
        (receipt.outbox_number, *key),
    ).rowcount
    if gone:
        connection.execute(
            "UPDATE fm_inbox SET differs = 0 WHERE outbox_number = (SELECT max(outbox_number)"
            " FROM fm_inbox WHERE (device_id, device_epoch, sequence) = (?, ?, ?))",
            key,
        )


def is_original(connection: sqlite3.Connection, receipt: ReceiptRow) -> bool:
    """Whether the receipt is of the batch itself, not of a copy with other bytes."""
    key = (receipt.device_id, receipt.device_epoch, receipt.sequence)
    return receipt.outbox_number in _original(connection, key)


def _original(connection: sqlite3.Connection, key: tuple[bytes, int, int]) -> list[int]:
    return [
        row[0]
        for row in connection.execute(
            "SELECT outbox_number FROM fm_inbox WHERE device_id = ? AND device_epoch = ?"
            " AND sequence = ? AND differs = 0",
            key,
        )
    ]


def depth(connection: sqlite3.Connection) -> Depth:
    """How much has no receipt yet."""
    row = connection.execute(
        "SELECT count(*), count(*) FILTER (WHERE published_at IS NULL), min(queued_at)"
        " FROM fm_outbox WHERE receipted_at IS NULL"
    ).fetchone()
    return Depth(row[0], row[1], row[2] or 0)


def forget_older(connection: sqlite3.Connection, *, receipted_before: int, most: int) -> int:
    """Entries whose receipt is older than the days kept for replay are deleted.

    Returns:
        How many went (at most ``most``).
    """
    return connection.execute(
        "DELETE FROM fm_outbox WHERE outbox_number IN (SELECT outbox_number FROM fm_outbox"
        " WHERE receipted_at IS NOT NULL AND receipted_at < ? LIMIT ?)",
        (receipted_before, most),
    ).rowcount


def open_again(
    connection: sqlite3.Connection,
    *,
    device_ids: Collection[bytes] = (),
    received_from: int = 0,
) -> int:
    """Batches queued since ``received_from`` are published once more, receipt or not.

    Args:
        connection: open write transaction.
        device_ids: only these devices' batches; empty = all.
        received_from: gateway clock, UTC microseconds.

    Returns:
        How many will be published again.
    """
    statement = (
        "UPDATE fm_outbox SET receipted_at = NULL, receipt_lsn = NULL, decision = NULL,"
        " published_at = NULL WHERE kind = 'batch' AND queued_at >= ?"
    )
    if not device_ids:
        return connection.execute(statement, (received_from,)).rowcount
    return sum(
        connection.execute(f"{statement} AND device_id = ?", (received_from, device)).rowcount
        for device in device_ids
    )


def open_again_after_restore(connection: sqlite3.Connection, *, lost_above: int) -> list[int]:
    """Everything whose receipt names a commit of the lost future is published once more.

    Returns:
        The outbox numbers of the entries that wait again.
    """
    rows = connection.execute(
        "UPDATE fm_outbox SET receipted_at = NULL, receipt_lsn = NULL, decision = NULL,"
        " published_at = NULL WHERE receipt_lsn IN (SELECT receipt_lsn FROM fm_outbox"
        " JOIN fm_lost_range ON receipt_lsn > above_lsn AND receipt_lsn < below_lsn)"
        " AND receipt_lsn > ? RETURNING outbox_number",
        (lost_above,),
    )
    return [number for (number,) in rows.fetchall()]
