"""Ranges in which a device differs from its gateway: found by digests, sent anew (promise 5).

The gateway's mark moves on while a device compares. A range as it is now beside rows as they were at the download's
mark would be a state that the hub never had (promise 4), so a repair brings what changed since, too.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fieldmesh.basics import limits
from fieldmesh.basics.errors import Retry
from fieldmesh.codec import frames
from gateway.serving.forms import to_digest
from gateway.serving.readiness import check_served
from gateway.storage import deltas, devices, digests, partitions
from gateway.storage.schema import WIRE_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from fieldmesh.codec.columns import TableRows
    from fieldmesh.wire.v1 import table_pb2
    from gateway.metrics import GatewayMetrics
    from gateway.storage.transaction import Transaction

    _Part = tuple[list[table_pb2.Frame], int]
    """Frames that belong together, and their rows."""
    _Ranges = dict[tuple[str, int], tuple[int, int, int]]

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
    """Each (table, bucket) in which the device's digests are not the gateway's, whole, after what changed since.

    As many as one message holds: what is left still differs, and is repaired next. Only partitions of the device's own
    subscription are looked at (promise 6).

    Args:
        connection: one reading transaction.
        device_id: whose repair it is.
        held: what the device has where it differs.
        stands_at: the mark of the download that it has applied.
        has: the partitions of that download.
        known: its schema version: tables that it does not have are left alone.

    Raises:
        Retry: ``partition_not_ready``: what the device may see, or how its areas stand here, has changed meanwhile,
            or more rows than one message holds; the next full sync brings all of it.
    """
    facts = devices.read_facts(connection, device_id)
    allowed = partitions.device_partitions(connection, facts)
    check_served(connection, allowed)
    plan = deltas.plan_delta(connection, cursor_lsn=stands_at, held=has, wanted=allowed)
    if plan.whole or plan.dropped:
        raise Retry("partition_not_ready", place="repair", partitions=len(plan.whole))
    theirs: dict[int, _Ranges] = {}
    for digest in held:
        if digest.partition in allowed:
            ranges = theirs.setdefault(digest.partition, {})
            ranges[digest.table, digest.bucket] = (digest.rows, digest.low, digest.high)
    found: list[table_pb2.Frame] = []
    rows = size = 0
    for frames_of, count in _changes(connection, plan):
        found += frames_of
        rows += count
        size += frames.carried_bytes(frames_of)
        if size > limits.REPAIR_BYTES:
            raise Retry("partition_not_ready", place="repair")
    for frames_of, count in _differing(connection, theirs, known=known):
        size += frames.carried_bytes(frames_of)
        if found and size > limits.REPAIR_BYTES:
            break
        found += frames_of
        rows += count
    sums = digests.partition_digests(connection, plan.partitions, for_devices=True, known=known)
    return RepairFrames(found, rows, [to_digest(row) for row in sums])


def _changes(connection: Transaction, plan: deltas.DeltaPlan) -> Iterator[_Part]:
    for kind, source in (
        (frames.FrameKind.ROWS, deltas.changed_rows(connection, plan)),
        (frames.FrameKind.REMOVALS, deltas.removed_rows(connection, plan)),
    ):
        for piece in source:
            yield frames.pack_frames(kind, piece), piece.row_count


def _differing(
    connection: Transaction, theirs: Mapping[int, _Ranges], *, known: int
) -> Iterator[_Part]:
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
            yield from _range_parts(connection, table, partition=partition, bucket=bucket)


def _range_parts(
    connection: Transaction, table: str, *, partition: int, bucket: int
) -> Iterator[_Part]:
    """A REPLACE frame for a range, and what follows it; a range of many rows is cut into narrower ones."""
    width = 1 << 4
    first, last = bucket * width, bucket * width + width - 1
    rows = deltas.range_rows(connection, table, partition=partition, byte_range=(first, last))
    if rows.row_count <= deltas.PIECE_ROWS:
        yield _replace(rows, frames.RowRange(partition, table, first, last))
        return
    for byte in range(first, last + 1):
        part = deltas.range_rows(connection, table, partition=partition, byte_range=(byte, byte))
        yield _replace(part, frames.RowRange(partition, table, byte, byte))


def _replace(rows: TableRows, range_: frames.RowRange) -> _Part:
    return frames.pack_frames(frames.FrameKind.REPLACE, rows, range_), rows.row_count
