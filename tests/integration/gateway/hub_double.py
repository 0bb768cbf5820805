"""The hub as a gateway sees it over the bus, played in memory."""
# ruff: noqa: ARG002 - the double has the doors of the real bus

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn

from fieldmesh.basics.errors import Rejected, Retry
from fieldmesh.basics.limits import MESSAGE_BYTES
from fieldmesh.codec import frames
from fieldmesh.codec.columns import TableRows, from_rows
from fieldmesh.codec.frames import FrameKind
from fieldmesh.wire.v1 import blob_pb2, replication_pb2, table_pb2

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence


@dataclass
class Delivered:
    """A message of DOWN."""

    subject: str
    data: bytes
    stream_sequence: int
    consumer_sequence: int
    acked: bool = False

    async def ack(self) -> None:
        """The gateway has committed it."""
        self.acked = True


@dataclass
class HubDouble:
    """What stands at the hub: rows by partition, the stream, and what came up."""

    lsn: int = 100
    away: bool = False
    rows: dict[int, list[TableRows]] = field(default_factory=dict)
    stream: list[tuple[str, bytes]] = field(default_factory=list)
    up: list[tuple[str, replication_pb2.UpMessage, str]] = field(default_factory=list)
    epochs: list[tuple[int, int]] = field(default_factory=list)
    next_place: int = 0
    deliveries: int = 0
    lose_next: bool = False
    oldest_lsn: int = 0
    leases: list[bytes] = field(default_factory=list)
    believes: bool = True
    """Whether it believes devices that they are where a gateway says."""
    most_ranges: int = 256
    """In one answer to a repair: what a message holds."""
    blobs: dict[bytes, bytes] = field(default_factory=dict)
    unwanted: set[bytes] = field(default_factory=set)
    """Photos that it refuses, by their names."""
    denied: set[int] = field(default_factory=set)
    """Partitions that are not in the gateway's scope."""

    def put(self, partition: int, *rows: TableRows) -> None:
        """The rows stand in the partition, for seeds."""
        self.rows.setdefault(partition, []).extend(rows)

    def change(
        self,
        partition: int,
        *,
        rows: TableRows | None = None,
        removed: TableRows | None = None,
        receipts: tuple[replication_pb2.Receipt, ...] = (),
    ) -> None:
        """One hub transaction is published, without a mark yet."""
        packed = []
        if rows is not None:
            packed.append(frames.pack_frame(FrameKind.ROWS, rows))
        if removed is not None:
            packed.append(frames.pack_frame(FrameKind.REMOVALS, removed))
        message = replication_pb2.DownMessage(
            lsn=self.lsn, partition=partition, frames=packed, receipts=receipts
        )
        self.stream.append((f"down.{partition}", message.SerializeToString()))

    def mark(self) -> None:
        """All that was published is visible."""
        mark = replication_pb2.Mark(
            lsn=self.lsn,
            at=1,
            epochs=[
                replication_pb2.HubEpoch(epoch=epoch, began_after=after)
                for epoch, after in self.epochs
            ],
        )
        self.stream.append(("down.mark", mark.SerializeToString()))

    def answer(self, method: str, payload: bytes) -> bytes:
        """The hub's reply to a request."""
        handlers: dict[str, Callable[[bytes], Any]] = {
            "hello": self._hello,
            "seed": self._seed,
            "seed_chunk": self._chunk,
            "digests": self._digests,
            "repair": self._repair,
            "lease": self._lease,
            "blob": self._blob,
        }
        if (
            method == "seed"
            and replication_pb2.SeedRequest.FromString(payload).partition in self.denied
        ):
            problem = replication_pb2.Problem(code="scope_denied")
            return replication_pb2.Reply(problem=problem).SerializeToString()
        if method == "lease" and not self.believes:
            problem = replication_pb2.Problem(code="presence_unproven")
            return replication_pb2.Reply(problem=problem).SerializeToString()
        try:
            value = handlers[method](payload).SerializeToString()
        except Rejected as refused:
            problem = replication_pb2.Problem(code=refused.code)
            return replication_pb2.Reply(problem=problem).SerializeToString()
        return replication_pb2.Reply(value=value).SerializeToString()

    def _hello(self, payload: bytes) -> replication_pb2.GatewayWelcome:
        hello = replication_pb2.GatewayHello.FromString(payload)
        self.next_place, self.deliveries = hello.down_sequence, 0
        return replication_pb2.GatewayWelcome(
            lsn=self.lsn,
            oldest_lsn=self.oldest_lsn,
            shards=4,
            epochs=[
                replication_pb2.HubEpoch(epoch=epoch, began_after=after)
                for epoch, after in self.epochs
            ],
        )

    def _seed(self, payload: bytes) -> replication_pb2.SeedReply:
        partition = replication_pb2.SeedRequest.FromString(payload).partition
        return replication_pb2.SeedReply(
            seed_id=partition.to_bytes(16, "big"),
            lsn=self.lsn,
            horizon_lsn=self.lsn,
            chunks=len(self.rows.get(partition, [])),
        )

    def _chunk(self, payload: bytes) -> replication_pb2.SeedChunk:
        request = replication_pb2.SeedChunkRequest.FromString(payload)
        rows = self.rows[int.from_bytes(request.seed_id, "big")][request.chunk]
        return replication_pb2.SeedChunk(frames=[frames.pack_frame(FrameKind.ROWS, rows)])

    def _lease(self, payload: bytes) -> replication_pb2.LeaseReply:
        self.leases.append(replication_pb2.LeaseRequest.FromString(payload).device_id)
        return replication_pb2.LeaseReply(expires_at=1 << 60, lsn=self.lsn)

    def photo(self, content: bytes) -> bytes:
        """What came of the photo."""
        return self.blobs.get(hashlib.sha256(content).digest(), b"")

    def _blob(self, payload: bytes) -> blob_pb2.BlobState:
        piece = replication_pb2.BlobPiece.FromString(payload)
        held = self.blobs.get(piece.sha256, b"")
        if piece.offset == len(held):
            held = self.blobs[piece.sha256] = held + piece.data
        whole = len(held) == piece.size
        is_right = hashlib.sha256(held).digest() == piece.sha256
        if piece.sha256 in self.unwanted or (whole and not is_right):
            del self.blobs[piece.sha256]
            raise Rejected("blob_differs", place="blob")
        return blob_pb2.BlobState(sha256=piece.sha256, held=len(held), complete=whole)

    def _digests(self, payload: bytes) -> replication_pb2.DigestsReply:
        request = replication_pb2.DigestsRequest.FromString(payload)
        reply = replication_pb2.DigestsReply(lsn=self.lsn)
        for partition in request.partitions:
            sums: dict[tuple[str, int], list[int]] = {}
            for rows in self.rows.get(partition, []):
                pairs = zip(rows.column("id"), rows.column("row_hash"), strict=True)
                for identifier, row_hash in pairs:
                    key = (rows.table, identifier[-1] >> 4) if request.detail else ("", 16)
                    total = sums.setdefault(key, [0, 0, 0])
                    total[0] += 1
                    total[1] += row_hash & 0xFFFFFFFF
                    total[2] += row_hash >> 32
            for (table, bucket), total in sums.items():
                digest = table_pb2.Digest(
                    partition=partition,
                    table=table,
                    bucket=bucket,
                    rows=total[0],
                    low=total[1],
                    high=total[2],
                )
                reply.digests.append(replication_pb2.PartitionDigest(digest=digest))
        return reply

    def _repair(self, payload: bytes) -> replication_pb2.RepairReply:
        request = replication_pb2.RepairRequest.FromString(payload)
        reply = replication_pb2.RepairReply(lsn=self.lsn)
        for wanted in request.ranges[: self.most_ranges]:
            for rows in self.rows.get(wanted.partition, []):
                if rows.table != wanted.table:
                    continue
                inside = [
                    place
                    for place, identifier in enumerate(rows.column("id"))
                    if wanted.first_byte <= identifier[-1] <= wanted.last_byte
                ]
                range_ = frames.RowRange(
                    wanted.partition, wanted.table, wanted.first_byte, wanted.last_byte
                )
                reply.frames.append(frames.pack_frame(FrameKind.REPLACE, rows.take(inside), range_))
        return reply


class BusDouble:
    """The bus to a :class:`HubDouble`, with the real one's doors."""

    hub: HubDouble

    def __init__(self, *_: object, **__: object) -> None:
        """As the real one."""

    def _check(self) -> None:
        if self.hub.away:
            raise Retry("bus_unreachable", delay_s=0.05, url="test")

    async def publish(self, subject: str, data: bytes, message_id: str) -> None:
        """The broker has it."""
        self._check()
        if len(data) > MESSAGE_BYTES:
            raise Rejected("frame_too_large", place=subject, size=len(data))
        message = replication_pb2.UpMessage.FromString(data)
        self.hub.up.append((subject, message, message_id))

    async def request(self, subject: str, data: bytes, *, timeout_s: float) -> bytes:
        """The hub's reply."""
        self._check()
        return self.hub.answer(subject.split(".")[2], data)

    async def pull(
        self, stream: str, consumer: str, batch: int, timeout_s: float
    ) -> list[Delivered]:
        """What stands after the place."""
        hub = self.hub
        deadline = asyncio.get_running_loop().time() + timeout_s
        while not hub.away and hub.next_place >= len(hub.stream):
            if asyncio.get_running_loop().time() > deadline:
                return []
            await asyncio.sleep(0.01)
        self._check()
        found = []
        for subject, data in hub.stream[hub.next_place : hub.next_place + batch]:
            hub.next_place += 1
            hub.deliveries += 1
            found.append(Delivered(subject, data, hub.next_place, hub.deliveries))
        if hub.lose_next and len(found) > 1:
            hub.lose_next = False
            del found[1]
        return found

    async def respond(self, subject: str, handler: Callable[[bytes], Awaitable[bytes]]) -> NoReturn:
        """Nobody asks here."""
        while True:
            await asyncio.sleep(1)
            self._check()

    def trust(self, authority: bytes, urls: Sequence[str]) -> None:
        """As the real one."""

    async def stop_pulling(self, stream: str, consumer: str) -> None:
        """Nothing is held here."""

    async def close(self) -> None:
        """As the real one."""


def removal(table: str, identifier: bytes, partition: int, lsn: int) -> TableRows:
    """One removal."""
    return from_rows(table, ("id", "partition", "lsn"), [(identifier, partition, lsn)])
