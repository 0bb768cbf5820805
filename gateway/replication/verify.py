"""Proving that the rows are the hub's, and repairing the ranges that differ (promise 5)."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final

from fieldmesh.basics.errors import Retry
from fieldmesh.codec import frames
from fieldmesh.data.schema import SCHEMA_VERSION
from fieldmesh.wire.v1 import replication_pb2, table_pb2
from gateway.storage import cache, cursors, digests, partitions

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gateway.replication.parts import ReplicationParts
    from gateway.storage.transaction import Transaction

LOG = logging.getLogger(__name__)

_MOST_ROUNDS: Final = 5
_MARK_WAIT_S: Final = 10.0
_REQUEST_S: Final = 60.0
_RANGES_IN_REQUEST: Final = 64

Ranges = dict[tuple[int, str, int], tuple[int, int, int]]


@dataclass(slots=True)
class Verdict:
    """What a verification found.

    Attributes:
        compared: partitions that were compared with the hub.
        differing: ranges that differ: (partition, table, bucket).
        wrong_rows: rows whose content does not give their hash (deep only).
        recounted: partitions whose kept digests were wrong (deep only).
        repaired: rows that were fetched anew.
        undecided: partitions that changed too fast to be compared.
    """

    compared: int = 0
    differing: list[tuple[int, str, int]] = field(default_factory=list)
    wrong_rows: int = 0
    recounted: int = 0
    repaired: int = 0
    undecided: int = 0

    @property
    def equal(self) -> bool:
        """Whether nothing was found to differ."""
        return not (self.differing or self.wrong_rows or self.recounted or self.undecided)

    def to_json(self) -> dict[str, object]:
        """For people and programs."""
        return {
            "equal": self.equal,
            "partitions": self.compared,
            "differing": [
                {"partition": partition, "table": table, "bucket": bucket}
                for partition, table, bucket in self.differing
            ],
            "wrong_rows": self.wrong_rows,
            "recounted": self.recounted,
            "repaired_rows": self.repaired,
            "undecided": self.undecided,
        }


async def verify(parts: ReplicationParts, *, deep: bool, repair: bool) -> Verdict:
    """Compare every ready partition with the hub at one LSN.

    Args:
        parts: the replication's parts.
        deep: count hashes and digests anew from the rows first.
        repair: fetch the ranges that differ.

    Raises:
        Retry: ``hub_unreachable``.
    """
    verdict = Verdict()
    rows = await parts.database.read(partitions.list_partitions)
    ready = [row.partition for row in rows if row.given]
    suspects: set[tuple[int, str, int]] = set()
    if deep:
        for partition in ready:
            suspects |= await _look_deep(parts, partition, verdict)
    waiting = set(ready)
    if not waiting:
        await _ask_digests(parts, [], detail=False)  # "equal" is never said without the hub
    for _ in range(_MOST_ROUNDS):
        if not waiting:
            break
        waiting = await _compare_round(parts, waiting, verdict, suspects)
    verdict.undecided = len(waiting)
    verdict.differing = sorted(suspects)
    parts.metrics.verified(len(suspects))
    if repair and suspects:
        verdict.repaired = await _repair(parts, suspects)
    return verdict


async def _look_deep(
    parts: ReplicationParts, partition: int, verdict: Verdict
) -> set[tuple[int, str, int]]:
    newer = await parts.database.read(cursors.network_schema) > SCHEMA_VERSION
    wrong = (
        {} if newer else await parts.database.read(partial(digests.wrong_rows, partition=partition))
    )
    if await parts.database.write(partial(digests.recount, partition=partition)):
        verdict.recounted += 1
    verdict.wrong_rows += sum(len(ids) for ids in wrong.values())
    return {
        (partition, table, identifier[-1] >> 4)
        for table, identifiers in wrong.items()
        for identifier in identifiers
    }


async def _ask_digests(
    parts: ReplicationParts, wanted: Iterable[int], *, detail: bool
) -> replication_pb2.DigestsReply:
    request = replication_pb2.DigestsRequest(
        partitions=sorted(wanted), detail=detail, schema_version=SCHEMA_VERSION
    )
    payload = await parts.hub.ask("digests", request.SerializeToString(), timeout_s=_REQUEST_S)
    return replication_pb2.DigestsReply.FromString(payload)


async def _wait_for_mark(parts: ReplicationParts, lsn: int) -> None:
    deadline = parts.clock.monotonic() + _MARK_WAIT_S
    while True:
        count = parts.signals.mark_applied.count
        if await parts.database.read(cursors.mark_lsn) >= lsn:
            return
        if parts.clock.monotonic() > deadline:
            raise Retry("gateway_behind", delay_s=_MARK_WAIT_S)
        await parts.signals.mark_applied.after(count, timeout_s=1.0)


async def _compare_round(
    parts: ReplicationParts,
    waiting: set[int],
    verdict: Verdict,
    suspects: set[tuple[int, str, int]],
) -> set[int]:
    """Partitions that changed meanwhile and must be looked at again."""
    reply = await _ask_digests(parts, waiting, detail=False)
    await _wait_for_mark(parts, reply.lsn)
    theirs = {
        item.digest.partition: (item.digest.rows, item.digest.low, item.digest.high)
        for item in reply.digests
    }
    ours = await parts.database.read(
        partial(_read_own, wanted=waiting, theirs=theirs, at_lsn=reply.lsn)
    )
    verdict.compared += len(waiting) - len(ours.moved)
    for partition in ours.differing:
        suspects |= await _differing_ranges(parts, partition)
    return ours.moved


@dataclass(frozen=True, slots=True)
class _Own:
    differing: list[int]
    moved: set[int]


def _read_own(
    connection: Transaction,
    *,
    wanted: set[int],
    theirs: dict[int, tuple[int, int, int]],
    at_lsn: int,
) -> _Own:
    own = _Own([], set())
    for row in digests.partition_digests(connection, wanted, for_devices=False):
        if (row.rows, row.low, row.high) == theirs.get(row.partition, (0, 0, 0)):
            continue
        if digests.newest_lsn(connection, row.partition) > at_lsn:
            own.moved.add(row.partition)
        else:
            own.differing.append(row.partition)
    return own


async def _differing_ranges(parts: ReplicationParts, partition: int) -> set[tuple[int, str, int]]:
    reply = await _ask_digests(parts, [partition], detail=True)
    await _wait_for_mark(parts, reply.lsn)
    theirs = {
        (item.digest.table, item.digest.bucket): (
            item.digest.rows,
            item.digest.low,
            item.digest.high,
        )
        for item in reply.digests
        if item.digest.table and item.digest.rows
    }
    rows = await parts.database.read(
        partial(digests.bucket_digests, partition=partition, for_devices=False)
    )
    ours = {(row.table, row.bucket): (row.rows, row.low, row.high) for row in rows}
    return {(partition, *key) for key in {*ours, *theirs} if ours.get(key) != theirs.get(key)}


async def _repair(parts: ReplicationParts, suspects: set[tuple[int, str, int]]) -> int:
    wanted = sorted(suspects)
    rows = 0
    while wanted:
        reply = await _ask_ranges(parts, wanted[:_RANGES_IN_REQUEST])
        rows += await parts.database.write_alone(partial(apply_repair, reply=reply))
        # An answer holds the first ranges, as many as fit.
        answered = {
            (frame.range.partition, frame.range.table, frame.range.first_byte >> 4)
            for frame in reply.frames
            if frame.HasField("range")
        }
        if answered.isdisjoint(wanted):
            break
        wanted = [one for one in wanted if one not in answered]
    LOG.warning("ranges_repaired", extra={"ranges": len(suspects) - len(wanted), "rows": rows})
    return rows


async def _ask_ranges(
    parts: ReplicationParts, wanted: Sequence[tuple[int, str, int]]
) -> replication_pb2.RepairReply:
    ranges = [
        table_pb2.Range(
            partition=partition, table=table, first_byte=bucket * 16, last_byte=bucket * 16 + 15
        )
        for partition, table, bucket in wanted
    ]
    request = replication_pb2.RepairRequest(ranges=ranges)
    payload = await parts.hub.ask("repair", request.SerializeToString(), timeout_s=_REQUEST_S)
    return replication_pb2.RepairReply.FromString(payload)


def apply_repair(connection: Transaction, *, reply: replication_pb2.RepairReply) -> int:
    """Each range is exactly what the hub holds; rows newer than its answer stay.

    A range of many rows comes as one frame that replaces and further frames of rows.

    Returns:
        The number of rows written.
    """
    written = 0
    if cursors.is_lost(reply.lsn, cursors.read_state(connection).epochs):
        return written  # answered before the restore
    for frame in reply.frames:
        unpacked = frames.unpack_frame(frame)
        if unpacked.range is None:
            written += cache.repair_rows(connection, unpacked.rows)
            continue
        written += cache.replace_range(
            connection,
            unpacked.rows,
            partition=unpacked.range.partition,
            byte_range=(unpacked.range.first_byte, unpacked.range.last_byte),
            at_lsn=reply.lsn,
        )
    return written
