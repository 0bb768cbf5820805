"""Ranges in which a device differs from its gateway: found by digests, sent anew (promise 5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fieldmesh.codec import frames
from gateway.storage import deltas, devices, digests, partitions
from gateway.storage.schema import WIRE_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fieldmesh.wire.v1 import table_pb2
    from gateway.storage.transaction import Transaction


@dataclass(frozen=True, slots=True)
class RepairFrames:
    """What makes the device equal again."""

    frames: list[table_pb2.Frame]
    rows: int


def find_repair(
    connection: Transaction,
    *,
    device_id: bytes,
    held: Sequence[table_pb2.Digest],
) -> RepairFrames:
    """Every (table, bucket) in which the device's digests are not the gateway's, whole.

    Only partitions of the device's own subscription are looked at (promise 6).
    """
    facts = devices.read_facts(connection, device_id)
    allowed = partitions.device_partitions(connection, facts)
    theirs: dict[int, dict[tuple[str, int], tuple[int, int, int]]] = {}
    for digest in held:
        if digest.partition in allowed:
            ranges = theirs.setdefault(digest.partition, {})
            ranges[digest.table, digest.bucket] = (digest.rows, digest.low, digest.high)
    found: list[table_pb2.Frame] = []
    rows = 0
    for partition, ranges in theirs.items():
        ours = {
            (row.table, row.bucket): (row.rows, row.low, row.high)
            for row in digests.bucket_digests(connection, partition, for_devices=True)
        }
        for table, bucket in sorted({*ours, *ranges}):
            if ours.get((table, bucket)) == ranges.get((table, bucket)):
                continue
            if bucket >= digests.BUCKETS or table not in WIRE_COLUMNS:
                continue
            found += _range_frames(connection, table, partition=partition, bucket=bucket)
            rows += ours.get((table, bucket), (0,))[0]
    return RepairFrames(found, rows)


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
