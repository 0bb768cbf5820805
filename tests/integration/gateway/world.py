"""A gateway with an authority, devices, and rows put into its cache as if the hub had sent them."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import random
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import grpc.aio
import pytest

from fieldmesh.basics.clock import SystemClock
from fieldmesh.basics.identifiers import IdentifierMaker
from fieldmesh.codec import signature
from fieldmesh.codec.batch import BatchDraft, Change, Event, Operation, encode_batch
from fieldmesh.codec.columns import TableRows, from_rows
from fieldmesh.codec.row_hash import row_hashes
from fieldmesh.data.policy import PartitionKind
from fieldmesh.data.schema import SCHEMA_VERSION, TABLES
from fieldmesh.replica.partition import partition_id
from fieldmesh.service import tls
from fieldmesh.service.grpc_server import NodeKeys, open_channel
from fieldmesh.wire.v1 import batch_pb2, session_pb2, session_pb2_grpc
from gateway.app.home import Home
from gateway.app.running import running
from gateway.config import GatewayConfig
from gateway.storage import cache, cursors, partitions
from gateway.trust import certificates
from hub.trust.authority import Authority, NodeKind

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric import ec

    from gateway.app.building import Gateway

CONFIG = GatewayConfig(
    listen_host="127.0.0.1",
    port=0,
    enrolment_port=0,
    metrics_port=0,
    announce=False,
    disk_floor_bytes=0,
    ready_wait_s=0.1,
)
MAKER = IdentifierMaker(SystemClock(), random.Random(7))
GLOBAL = partition_id(PartitionKind.GLOBAL)


def rows_of(table: str, *rows: dict[str, Any]) -> TableRows:
    """Whole rows of a table with their hashes, missing columns at their defaults."""
    known = TABLES[table]
    values = [
        [row.get(name, known.column(name).neutral) for name in known.wire_names] for row in rows
    ]
    made = from_rows(table, known.wire_names, values)
    return made.with_column("row_hash", list(row_hashes(made, known)))


@dataclass
class Device:
    """A device as the wire sees it: an id, a key, a certificate, batches in sequence."""

    device_id: bytes
    key: ec.EllipticCurvePrivateKey
    certificate: bytes
    authority: bytes
    epoch: int = 1
    sequence: int = 0
    last_sha256: bytes = b""
    packed: list[batch_pb2.SignedBatch] = field(default_factory=list)

    def pack(
        self, changes: Sequence[Change], *, event: Event | None = None
    ) -> batch_pb2.SignedBatch:
        """The next batch, signed."""
        self.sequence += 1
        draft = BatchDraft(
            self.device_id,
            self.epoch,
            self.sequence,
            packed_at=SystemClock().now(),
            previous_sha256=self.last_sha256,
            event=event,
        )
        header, body = encode_batch(draft, changes)
        self.last_sha256 = hashlib.sha256(header).digest()
        batch = batch_pb2.SignedBatch(
            header=header, body=body, signature=signature.sign(self.key, header)
        )
        self.packed.append(batch)
        return batch

    def hello(self, mode: int, **changes: Any) -> session_pb2.Hello:
        """The first message of a session."""
        facts: dict[str, Any] = {
            "device_id": self.device_id,
            "device_epoch": self.epoch,
            "mode": mode,
            "schema_version": SCHEMA_VERSION,
            "protocol_version": 1,
            "app_version": "test",
            "last_sequence": self.sequence,
            "last_sha256": self.last_sha256,
            "device_time": SystemClock().now(),
            "session_id": MAKER.new(),
            "presence": b"a word",
        }
        return session_pb2.Hello(**{**facts, **changes})

    def channel(self, port: int) -> grpc.aio.Channel:
        """A channel to the gateway."""
        return open_channel(f"127.0.0.1:{port}", tls.certificate_pem(self.authority), self.keys())

    def keys(self) -> NodeKeys:
        """What the device shows."""
        return NodeKeys(
            tls.key_pem(self.key),
            tls.certificate_pem(self.certificate),
            tls.certificate_pem(self.authority),
        )


@dataclass
class Talk:
    """What the gateway said in one session."""

    messages: list[session_pb2.GatewayMessage]

    def all(self, kind: str) -> list[Any]:
        """Every message of that kind."""
        return [getattr(m, kind) for m in self.messages if m.WhichOneof("message") == kind]

    def one(self, kind: str) -> Any:
        """The only message of that kind."""
        found = self.all(kind)
        assert len(found) == 1, f"{kind}: {[m.WhichOneof('message') for m in self.messages]}"
        return found[0]

    def content(self) -> bytes:
        """The download's bytes, put together."""
        return b"".join(chunk.data for chunk in self.all("chunk"))


class World:
    """Authority, gateway and devices of one test."""

    def __init__(self, folder: Path) -> None:
        """Nothing runs yet."""
        clock = SystemClock()
        (folder / "authority").mkdir(parents=True)
        self.authority = Authority.create(folder / "authority", clock, "Test company")
        self.home = Home(folder / "gateway")
        self.gateway_id = MAKER.new()
        self.hub_key = tls.make_key()
        key = tls.make_key()
        issued = self.authority.issue_node(
            tls.make_csr(key, "gateway"), NodeKind.GATEWAY, self.gateway_id
        )
        certificates.save(
            self.home.identity,
            certificates.GatewayIdentity(
                gateway_id=self.gateway_id,
                name="test gateway",
                key_pem=tls.key_pem(key),
                certificate=issued.der,
                authority=self.authority.certificate,
                hub_public_key=tls.public_key_der(self.hub_key),
                bus_url="tls://127.0.0.1:9",
                bus_jwt="",
                bus_seed=b"",
                enrol_url="https://127.0.0.1:9",
            ),
        )

    def device(self, device_id: bytes | None = None) -> Device:
        """An enrolled device."""
        identifier = device_id or MAKER.new()
        key = tls.make_key()
        issued = self.authority.issue_node(tls.make_csr(key, "device"), NodeKind.DEVICE, identifier)
        return Device(identifier, key, issued.der, self.authority.certificate)

    @asynccontextmanager
    async def running(self, config: GatewayConfig = CONFIG) -> AsyncIterator[Gateway]:
        """The gateway serves while the block runs; the hub is away."""
        async with running(self.home, config) as gateway:
            yield gateway

    async def talk(
        self,
        gateway: Gateway,
        device: Device,
        hello: session_pb2.Hello,
        batches: Sequence[batch_pb2.SignedBatch] = (),
        *,
        most_chunks: int | None = None,
        answer: Any = None,
    ) -> Talk:
        """One whole session; with ``most_chunks`` the line is cut after so many chunks."""
        async with device.channel(gateway.ports["gateway"]) as channel:
            call = session_pb2_grpc.GatewayStub(channel).Session()
            end = session_pb2.UploadEnd(last_sequence=hello.last_sequence)
            said = [
                session_pb2.DeviceMessage(hello=hello),
                *(session_pb2.DeviceMessage(batch=batch) for batch in batches),
                session_pb2.DeviceMessage(upload_end=end),
            ]
            # A gateway that refuses ends the call at once; a write that meets the end would hide why.
            await call.write(said[0])
            answered = await call.read()
            ended = answered is grpc.aio.EOF or answered.WhichOneof("message") == "done"
            with contextlib.suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError):
                for message in [] if ended else said[1:]:
                    await call.write(message)
            heard: list[session_pb2.GatewayMessage] = []
            chunks = 0
            while answered is not grpc.aio.EOF:
                heard.append(answered)
                kind = answered.WhichOneof("message")
                chunks += kind == "chunk"
                if most_chunks is not None and chunks >= most_chunks:
                    call.cancel()
                    break
                if kind in {"download_end", "repair"}:
                    applied = answer() if answer else session_pb2.Applied()
                    await call.write(session_pb2.DeviceMessage(applied=applied))
                answered = await call.read()
            return Talk(heard)


async def place_region(
    gateway: Gateway, devices: Sequence[Device], *, outlets: int = 3, lsn: int = 100
) -> tuple[bytes, int, list[bytes]]:
    """A position with these devices and a patch of outlets is in the cache and ready.

    Returns:
        The position, the patch's partition and the outlets.
    """
    position = MAKER.new()
    patch = partition_id(PartitionKind.PATCH, bytes(16))
    own = partition_id(PartitionKind.POSITION, position)
    names = [MAKER.new() for _ in range(outlets)]
    content = [
        rows_of(
            "device",
            *(
                {"id": d.device_id, "partition": GLOBAL, "lsn": lsn, "position_id": position}
                for d in devices
            ),
        ),
        rows_of(
            "gateway_position",
            {
                "id": MAKER.new(),
                "partition": partition_id(PartitionKind.GATEWAY, gateway.identity.gateway_id),
                "lsn": lsn,
                "gateway_id": gateway.identity.gateway_id,
                "position_id": position,
            },
        ),
        rows_of(
            "subscription",
            *(
                {
                    "id": MAKER.new(),
                    "partition": own,
                    "lsn": lsn,
                    "position_id": position,
                    "target_partition": target,
                    "target_kind": "patch",
                }
                for target in (GLOBAL, own, patch)
            ),
        ),
        rows_of(
            "outlet",
            *({"id": name, "partition": patch, "lsn": lsn, "name": "Shop"} for name in names),
        ),
    ]

    def put(connection: sqlite3.Connection) -> None:
        for rows in content:
            cache.apply_rows(connection, rows)
        wanted = partitions.wanted_partitions(connection, gateway.identity.gateway_id)
        partitions.want(connection, wanted, 1)
        for partition in wanted:
            partitions.begin_seed(
                connection, partition, partitions.SeedBegun(b"seed", lsn, lsn, 1, 1), 1
            )
            partitions.set_seeded(connection, partition, seed_id=b"seed", now=1)
            partitions.set_ready(connection, partition, 1)
        cursors.set_mark(connection, lsn, marked_at=1, down_sequence=1)

    await gateway.database.write(put)
    return position, patch, names


def order(outlet: bytes, lines: int = 2) -> list[Change]:
    """An order with lines as a device captures it."""
    order_id = MAKER.new()
    head = _only_device(rows_of("sales_order", {"id": order_id, "outlet_id": outlet}))
    body = _only_device(
        rows_of("order_line", *({"id": MAKER.new(), "order_id": order_id} for _ in range(lines)))
    )
    return [Change(Operation.INSERT, head, []), Change(Operation.INSERT, body, [])]


def _only_device(rows: TableRows) -> TableRows:
    return rows.only([n for n in rows.names if n not in {"partition", "lsn", "row_hash"}])


async def error_of(call: grpc.aio.StreamStreamCall[Any, Any]) -> grpc.aio.AioRpcError:
    """The status with which the call has ended."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call.read()
    return caught.value
