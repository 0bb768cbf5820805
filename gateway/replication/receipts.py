"""What the hub has decided on batches, and what no longer needs to be shown as provisional."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from gateway.storage import outbox, provisional

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fieldmesh.codec.columns import TableRows
    from fieldmesh.wire.v1 import replication_pb2
    from gateway.storage.transaction import Transaction


def apply_receipts(
    connection: Transaction,
    receipts: Sequence[replication_pb2.Receipt],
    now: int,
) -> int:
    """The outbox forgets what the receipts name; decided batches are provisional no more.

    Ordering: in the transaction of the mark that brings the rows they were confirmed as.

    Returns:
        How many outbox entries were forgotten.
    """
    rows = [
        outbox.ReceiptRow(
            receipt.outbox_number,
            receipt.device_id,
            receipt.device_epoch,
            receipt.sequence,
            receipt.decision,
            receipt.lsn,
            receipt.hub_tick,
        )
        for receipt in receipts
    ]
    provisional.forget_batches(
        connection,
        [
            (row.device_id, row.device_epoch, row.sequence)
            for row in rows
            if row.sequence and _is_decided(connection, row)
        ],
    )
    return outbox.take_receipts(connection, rows, now)


def _is_decided(connection: Transaction, row: outbox.ReceiptRow) -> bool:
    if row.decision in {outbox.QUARANTINED, outbox.FORGED}:
        return outbox.is_original(connection, row)
    return row.decision == outbox.APPLIED


def apply_ticks(connection: Transaction, ticks: TableRows) -> None:
    """The hub has applied each device's batches up to its tick, whichever way they came."""
    names = ("device_id", "device_epoch", "sequence")
    for device_id, epoch, sequence in zip(*map(ticks.column, names), strict=True):
        provisional.forget_through(
            connection,
            cast("bytes", device_id),
            device_epoch=cast("int", epoch),
            sequence=cast("int", sequence),
        )
