"""Ranges in which a device differs from its gateway: found by digests, sent anew (promise 5).

The gateway's mark moves on while a device compares. A range as it is now beside rows as they were at the download's
mark would be a state that the hub never had (promise 4), so a repair brings what changed since, too.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fieldmesh.basics.errors import Retry
from fieldmesh.codec import frames
from gateway.serving.forms import to_digest
from gateway.serving.readiness import check_served
from gateway.storage import deltas, devices, digests, partitions
from gateway.storage.schema import WIRE_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from fieldmesh.wire.v1 import table_pb2
    from gateway.metrics import GatewayMetrics
    from gateway.storage.transaction import Transaction

LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RepairFrames:
    """What makes the device equal again."""

    frames: list[table_pb2.Frame]
    rows: int
    digests: list[table_pb2.Digest]
    """Of the state that they bring."""


def note_difference(metrics: GatewayMetrics, device_id: bytes, ranges: int) -> None:
    """A device's digests were not the gateway's: counted, and the log says whose, for figures name no device."""
    metrics.device_differed()
    LOG.warning("device_differed", extra={"device": device_id.hex(), "ranges": ranges})


def find_repair(
    connection: Transaction,
    *,
    device_id: bytes,
    held: Sequence[table_pb2.Digest],
    stands_at: int,
    has: Collection[int],
    known: int,
) -> RepairFrames:
    """Every (table, bucket) in which the device's digests are not the gateway's, whole, after what changed since.

    Only partitions of the device's own subscription are looked at (promise 6).

    Args:
        connection: one reading transaction.
        device_id: whose repair it is.
        held: what the device has where it differs.
        stands_at: the mark of the download that it has applied.
        has: the partitions of that download.
        known: its schema version: tables that it does not have are left alone.

    Raises:
        Retry: ``partition_not_ready``: what the device may see, or how its areas stand here, has changed meanwhile;
            the next full sync brings all of it.
    """
    facts = devices.read_facts(connection, device_id)
    allowed = partitions.device_partitions(connection, facts)
    check_served(connection, allowed)
    plan = deltas.plan_delta(connection, cursor_lsn=stands_at, held=has, wanted=allowed)
    if plan.whole or plan.dropped:
        raise Retry("partition_not_ready", place="repair", partitions=len(plan.whole))
    theirs: dict[int, dict[tuple[str, int], tuple[int, int, int]]] = {}
    for digest in held:
        if digest.partition in allowed:
            ranges = theirs.setdefault(digest.partition, {})
            ranges[digest.table, digest.bucket] = (digest.rows, digest.low, digest.high)
    found: list[table_pb2.Frame] = []
    rows = 0
    for kind, source in (
        (frames.FrameKind.ROWS, deltas.changed_rows(connection, plan)),
        (frames.FrameKind.REMOVALS, deltas.removed_rows(connection, plan)),
    ):
        for piece in source:
            rows += piece.row_count
            found += frames.pack_frames(kind, piece)
    for partition, ranges in theirs.items():
        ours = {
            (row.table, row.bucket): (row.rows, row.low, row.high)
            for row in digests.bucket_digests(connection, partition, for_devices=True, known=known)
        }
        for table, bucket in sorted({*ours, *ranges}):
            if ours.get((table, bucket)) == ranges.get((table, bucket)):
                continue
            if bucket >= digests.BUCKETS or table not in WIRE_COLUMNS:
                continue
            found += _range_frames(connection, table, partition=partition, bucket=bucket)
            rows += ours.get((table, bucket), (0,))[0]
    sums = digests.partition_digests(connection, plan.partitions, for_devices=True)
    return RepairFrames(found, rows, [to_digest(row) for row in sums])


def _range_frames(
    connection: Transaction, table: str, *, partition: int, bucket: int
) -> list[table_pb2.Frame]:
    """One REPLACE frame for a range; a range of many rows is cut into narrower ones."""
    width = 1 << 4
    first, last = bucket * width, bucket * width + width - 1
    rows = deltas.range_rows(connection, table, partition=partition, byte_range=(first, last))
    if rows.row_count <= deltas.PIECE_ROWS:
        spans = [((first, last), rows)]
    else:
        spans = [
            (
                (byte, byte),
                deltas.range_rows(connection, table, partition=partition, byte_range=(byte, byte)),
            )
            for byte in range(first, last + 1)
        ]
    return [
        frame
        for span, part in spans
        for frame in frames.pack_frames(
            frames.FrameKind.REPLACE,
            part,
            frames.RowRange(partition, table, *span),
        )
    ]
