"""What devices brought: each batch once, with its outbox entry, due to be shown to others.

Promises 1 (No loss) and 2 (Once). A batch is known by (device, epoch, sequence). A copy with
other bytes is kept and forwarded once too, so that the hub can quarantine it; it never counts
for a tick.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.storage import outbox, provisional_due

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class ReceivedBatch:
    """One checked batch, ready to be stored.

    Attributes:
        sha256: of the header bytes.
        payload: what the outbox carries to the hub, never re-encoded.
        handover: whether the spare device ends its stand-in with it.
    """

    device_id: bytes
    device_epoch: int
    sequence: int
    sha256: bytes
    payload: bytes
    rows: int
    size_bytes: int
    handover: bool = False
    previous_sha256: bytes = b""
    """Of the header of the batch before it; empty = the device says nothing of it."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What storing batches came to.

    Attributes:
        differing: copies with other bytes, and batches that follow other bytes than are held here.
    """

    new: int
    known: int
    differing: int

    def __add__(self, other: Stored) -> Stored:
        """Both together."""
        return Stored(
            self.new + other.new,
            self.known + other.known,
            self.differing + other.differing,
        )


def store_batches(
    connection: sqlite3.Connection, batches: Sequence[ReceivedBatch], now: int
) -> Stored:
    """Every batch is held, once, with its outbox entry; its rows are due to be shown.

    Durability: committed with the caller's transaction; only then may it be acknowledged.
    """
    new = known = differing = 0
    for batch in batches:
        key = (batch.device_id, batch.device_epoch, batch.sequence)
        held = [
            row[0]
            for row in connection.execute(
                "SELECT sha256 FROM fm_inbox"
                " WHERE device_id = ? AND device_epoch = ? AND sequence = ?",
                key,
            )
        ]
        if batch.sha256 in held:
            known += 1
            continue
        if _follows_another(connection, batch):
            differing += 1
            continue
        number = outbox.add(connection, outbox.Entry("batch", batch.payload, *key, queued_at=now))
        connection.execute(
            "INSERT INTO fm_inbox (device_id, device_epoch, sequence, sha256, received_at,"
            " outbox_number, differs) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (*key, batch.sha256, now, number, int(bool(held))),
        )
        if held:
            differing += 1
            continue
        new += 1
        provisional_due.mark(connection, key)
        if batch.handover:
            _note_handover(connection, key)
    return Stored(new, known, differing)


def _follows_another(connection: sqlite3.Connection, batch: ReceivedBatch) -> bool:
    """Whether the batch names another one before it than the one that is held here under that number.

    Then a clone or a restored image has used that number: to take this one would let the hub's tick pass over the
    device's own batch. It is not taken; the device is fenced and gives all that waits anew.
    """
    if batch.sequence == 1 or not batch.previous_sha256:
        return False
    before = sha256_of(connection, batch.device_id, batch.device_epoch, batch.sequence - 1)
    return before is not None and before != batch.previous_sha256


def _note_handover(connection: sqlite3.Connection, key: tuple[bytes, int, int]) -> None:
    connection.execute(
        "UPDATE fm_device SET handover_epoch = ?, handover_sequence = ? WHERE device_id = ?",
        (key[1], key[2], key[0]),
    )


def highest_sequence(connection: sqlite3.Connection, device_id: bytes, device_epoch: int) -> int:
    """The newest sequence of that epoch that is held here, contiguous or not; 0 = none."""
    row = connection.execute(
        "SELECT max(sequence) FROM fm_inbox"
        " WHERE device_id = ? AND device_epoch = ? AND differs = 0",
        (device_id, device_epoch),
    ).fetchone()
    return int(row[0] or 0)


def sha256_of(
    connection: sqlite3.Connection, device_id: bytes, device_epoch: int, sequence: int
) -> bytes | None:
    """The header digest under which that batch was first stored; None = not held here."""
    row = connection.execute(
        "SELECT sha256 FROM fm_inbox WHERE device_id = ? AND device_epoch = ?"
        " AND sequence = ? AND differs = 0",
        (device_id, device_epoch, sequence),
    ).fetchone()
    return None if row is None else bytes(row[0])


def contiguous_sequence(
    connection: sqlite3.Connection, device_id: bytes, device_epoch: int, *, applied: int
) -> int:
    """The highest sequence up to which nothing is missing, here or at the hub.

    Args:
        connection: open transaction.
        device_id: whose batches.
        device_epoch: of which epoch.
        applied: what the hub has applied of that epoch.
    """
    reached = applied
    for (sequence,) in connection.execute(
        "SELECT sequence FROM fm_inbox WHERE device_id = ? AND device_epoch = ?"
        " AND sequence > ? AND differs = 0 ORDER BY sequence",
        (device_id, device_epoch, applied),
    ):
        if sequence != reached + 1:
            break
        reached = sequence
    return reached
