"""A gateway that holds everything in memory: real gRPC, real TLS, real frames and snapshots.

It lets the device's modes be tested without a hub; what it does is written down in
docs/protocol.md. Faults are asked for by name (`cut_after_chunks`, `deny`, …).
"""
# ruff: noqa: D102, D107, TID251, ARG002, SIM113, ANN001, ANN201, ANN202, N802 - a double: names are gRPC's

import asyncio
import hashlib
import sqlite3
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import grpc
import grpc.aio
import zstandard
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from fieldmesh.basics import codes
from fieldmesh.basics.errors import Rejected
from fieldmesh.codec.batch import Operation, decode_body, decode_header
from fieldmesh.codec.columns import from_rows
from fieldmesh.codec.frames import FrameKind, RowRange, pack_frame, write_frames
from fieldmesh.codec.hub_tick import HubTick, sign_tick
from fieldmesh.codec.signature import sign
from fieldmesh.data import ddl
from fieldmesh.data.model import Tier
from fieldmesh.data.schema import TABLES
from fieldmesh.service import tls
from fieldmesh.service.grpc_problems import abort
from fieldmesh.wire.v1 import (
    blob_pb2,
    enrol_pb2,
    session_pb2,
    session_pb2_grpc,
)
from gateway.serving.server import check_hello
from tests.integration.device.company import Authority, Company, identifier

GATEWAY_ID = bytes(range(16))
CHUNK = 64 << 10


@dataclass
class Faults:
    """What goes wrong, when asked for."""

    cut_after_chunks: int = 0
    deny: str = ""
    fence: bool = False
    wipe_order: bytes = b""
    silent: bool = False
    refuse_with_retry_ms: int = 0
    defer: int = 0


class GatewayDouble(session_pb2_grpc.GatewayServicer, session_pb2_grpc.EnrolmentServicer):
    """One gateway. `batches` is its disk."""

    def __init__(self, authority: Authority, folder: Path) -> None:
        self.authority = authority
        self.folder = folder
        self.company = Company()
        self.batches: dict[tuple[int, int], session_pb2_grpc.object] = {}  # type: ignore[name-defined]
        self.hub_tick = (0, 0)
        self.faults = Faults()
        self.sessions: list[session_pb2.Hello] = []
        self.gateway_id = GATEWAY_ID
        self.asked = 0
        self.listed = True
        self.device_id = identifier(1)
        self.position_id = identifier(2)
        self.stands_in_for = b""
        self.spare = False
        self.prefix = "K07"
        self.people: list[enrol_pb2.SignIn] = []
        self.downloads: dict[bytes, tuple[session_pb2.DownloadStart, bytes, list]] = {}  # type: ignore[type-arg]
        self.blobs: dict[bytes, bytes] = {}
        self.address = ""
        self.enrolment_address = ""
        self.secret = b"0123456789"
        self.keep_first = False
        self.renewed = b""

    @property
    def code(self) -> str:
        return codes.make_code(self.secret, self.authority.der)

    async def start(self) -> list[grpc.aio.Server]:
        key = ec.generate_private_key(ec.SECP256R1())
        der = self.authority.issue(
            key.public_key(), tls.gateway_uri(self.gateway_id), ["gateway.fieldmesh"]
        )
        chain = tls.certificate_pem(der) + tls.certificate_pem(self.authority.der)
        servers = []
        for closed in (True, False):
            server = grpc.aio.server(
                options=[
                    ("grpc.max_receive_message_length", 8 << 20),
                    ("grpc.so_reuseport", 0),
                ]
            )
            credentials = grpc.ssl_server_credentials(
                [(tls.key_pem(key), chain)],
                root_certificates=tls.certificate_pem(self.authority.der) if closed else None,
                require_client_auth=closed,
            )
            port = server.add_secure_port("127.0.0.1:0", credentials)
            if closed:
                session_pb2_grpc.add_GatewayServicer_to_server(self, server)
                self.address = f"127.0.0.1:{port}"
            else:
                session_pb2_grpc.add_EnrolmentServicer_to_server(self, server)
                self.enrolment_address = f"127.0.0.1:{port}"
            await server.start()
            servers.append(server)
        return servers

    def known(self) -> list[enrol_pb2.GatewayAddress]:
        return [
            enrol_pb2.GatewayAddress(
                gateway_id=self.gateway_id,
                name="double",
                addresses=[self.address if self.listed else "192.0.2.9:1"],
                enrolment_address=self.enrolment_address,
            )
        ]

    async def Enrol(self, request, context):  # type: ignore[no-untyped-def]
        csr = x509.load_der_x509_csr(request.csr)
        certificate = self.authority.issue(csr.public_key(), tls.device_uri(self.device_id), [])
        return enrol_pb2.EnrolReply(
            certificate=certificate,
            authority=self.authority.der,
            node_id=self.device_id,
            position_id=self.position_id if not self.spare else b"",
            document_prefix=self.prefix,
            gateways=self.known(),
            sign_ins=self.people,
            hub_public_key=tls.public_key_der(self.authority.hub_key),
            spare=self.spare,
        )

    async def Renew(self, request, context):  # type: ignore[no-untyped-def]
        return enrol_pb2.EnrolReply(certificate=self.renewed)

    async def GetServerInfo(self, request, context):  # type: ignore[no-untyped-def]
        """Counted: each is a round trip of the device."""
        self.asked += 1
        return session_pb2.ServerInfo(gateway_id=self.gateway_id)

    async def Session(self, request_iterator, context):  # type: ignore[no-untyped-def]
        hello = (await anext(request_iterator)).hello
        self.sessions.append(hello)
        try:
            check_hello(hello)
        except Rejected as problem:
            await abort(context, problem)
        if self.faults.deny:
            await context.abort(grpc.StatusCode.FAILED_PRECONDITION, self.faults.deny)
        if self.faults.silent:
            await asyncio.Event().wait()
        epoch = hello.device_epoch + 1 if hello.mode in {3, 4} else 0
        yield session_pb2.GatewayMessage(
            welcome=session_pb2.Welcome(
                gateway_id=self.gateway_id,
                gateway_time=hello.device_time + 5_000_000,
                mark_lsn=self.company.lsn,
                granted_epoch=epoch,
                device_state=session_pb2.DEVICE_STATE_ACTIVE,
                ticks=self.ticks(hello.device_epoch),
                next_sequence=self.contiguous(hello.device_epoch) + 1,
                stands_in_for=self.stands_in_for,
                position_id=self.position_id,
                earlier_sequence=self.contiguous(hello.earlier_epoch),
            )
        )
        async for message in self._take(request_iterator, hello):
            yield message
        if self.faults.wipe_order or self.faults.fence:
            yield self.done(
                hello,
                session_pb2.OUTCOME_WIPE if self.faults.wipe_order else session_pb2.OUTCOME_FENCED,
            )
            return
        if hello.mode in {1, 5}:
            yield self.done(hello, session_pb2.OUTCOME_DONE)
            return
        if self.faults.defer:
            self.faults.defer -= 1
            yield self.done(hello, session_pb2.OUTCOME_DOWNLOAD_DEFERRED)
            return
        async for message in self._bring(request_iterator, hello):
            yield message

    async def _take(self, request_iterator, hello) -> AsyncIterator[session_pb2.GatewayMessage]:  # type: ignore[no-untyped-def]
        async for message in request_iterator:
            if message.WhichOneof("message") == "upload_end":
                break
            header = decode_header(message.batch.header)
            decode_body(header, message.batch.body)
            place = (header.device_epoch, header.sequence)
            if not (self.keep_first and place in self.batches):
                self.batches[place] = message.batch
        yield session_pb2.GatewayMessage(
            acknowledgement=session_pb2.Acknowledgement(ticks=self.ticks(hello.device_epoch))
        )

    async def _bring(self, request_iterator, hello):  # type: ignore[no-untyped-def]
        kept = self.downloads.get(hello.resume_download_id)
        if kept is not None and hello.resume_download_id:
            start, content, digests = kept
            start.offset = hello.resume_offset
        else:
            start, content, digests = self.make_download(hello)
            self.downloads[start.download_id] = (start, content, digests)
        yield session_pb2.GatewayMessage(download_start=start)
        sent = 0
        for offset in range(start.offset, len(content), CHUNK):
            data = content[offset : offset + CHUNK]
            chunk = session_pb2.Chunk(
                offset=offset, data=data, sha256=hashlib.sha256(data).digest()
            )
            yield session_pb2.GatewayMessage(chunk=chunk)
            sent += 1
            if sent == self.faults.cut_after_chunks:
                self.faults.cut_after_chunks = 0
                await asyncio.sleep(0.05)
                return
        yield session_pb2.GatewayMessage(download_end=session_pb2.DownloadEnd(digests=digests))
        async for message in request_iterator:
            if not message.applied.differing:
                break
            yield session_pb2.GatewayMessage(repair=self.repair(message.applied.differing))
        yield self.done(hello, session_pb2.OUTCOME_DONE)

    def contiguous(self, epoch: int) -> int:
        sequence = self.hub_tick[1] if self.hub_tick[0] == epoch else 0
        while (epoch, sequence + 1) in self.batches:
            sequence += 1
        return sequence

    def ticks(self, epoch: int) -> session_pb2.Ticks:
        return session_pb2.Ticks(
            gateway_epoch=epoch,
            gateway_sequence=self.contiguous(epoch),
            hub_epoch=self.hub_tick[0],
            hub_sequence=self.hub_tick[1],
            hub_proof=self.proof(),
        )

    def proof(self) -> bytes:
        if self.hub_tick not in self.batches:
            return b""
        sha256 = hashlib.sha256(self.batches[self.hub_tick].header).digest()  # type: ignore[attr-defined]
        tick = HubTick(self.device_id, *self.hub_tick, sha256)
        return sign_tick(tick, lambda content: sign(self.authority.hub_key, content))

    def done(self, hello: session_pb2.Hello, outcome: int) -> session_pb2.GatewayMessage:
        return session_pb2.GatewayMessage(
            done=session_pb2.Done(
                outcome=outcome,  # type: ignore[arg-type]
                ticks=self.ticks(hello.device_epoch),
                gateways=self.known(),
                wipe_order=self.faults.wipe_order,
                retry_after_ms=100,
                reason="" if outcome == session_pb2.OUTCOME_DONE else "told",
            )
        )

    def apply_at_hub(self, partition: int = 11) -> None:
        """The hub applies every batch in order: inserts become rows, with an echo."""
        for place in sorted(self.batches):
            if place <= self.hub_tick:
                continue
            batch = self.batches[place]
            header = decode_header(batch.header)
            for change in decode_body(header, batch.body):
                if change.operation is not Operation.INSERT:
                    continue
                for row in change.rows.rows():
                    values = dict(zip(change.rows.names, row, strict=True))
                    row_id = values.pop("id")
                    assert isinstance(row_id, bytes)
                    self.company.put(change.rows.table, row_id, partition, **values)
            self.hub_tick = place

    def make_download(self, hello: session_pb2.Hello):  # type: ignore[no-untyped-def]
        snapshot = hello.mode in {3, 4}
        held = set(hello.partitions)
        whole = self.company.partitions - (set() if self.company.restored else held)
        content = self._snapshot() if snapshot else self._delta(hello.cursor_lsn, whole)
        packed = zstandard.compress(content, 1) if snapshot else content
        start = session_pb2.DownloadStart(
            download_id=uuid.UUID(int=len(self.downloads) + 1).bytes,
            kind=2 if snapshot else 1,
            size=len(packed),
            sha256=hashlib.sha256(packed).digest(),
            mark_lsn=self.company.lsn,
            partitions=sorted(self.company.partitions),
            whole=sorted(whole) if not snapshot else [],
            dropped=sorted(held - self.company.partitions) if not snapshot else [],
            uncompressed_size=len(content) if snapshot else 0,
            ticks=self.ticks(0),
        )
        return start, packed, self.company.digests()

    def _delta(self, cursor: int, whole: set[int]) -> bytes:
        frames = []
        for table, rows in self.company.rows.items():
            names = TABLES[table].wire_names
            value = self.company.value
            found = [
                row
                for row in rows.values()
                if value(table, row, "partition") in self.company.partitions
                and (value(table, row, "lsn") > cursor or value(table, row, "partition") in whole)
            ]
            if found:
                frames.append(pack_frame(FrameKind.ROWS, from_rows(table, names, found)))
        frames += [
            pack_frame(
                FrameKind.REMOVALS,
                from_rows(table, ("id", "partition", "lsn"), [(row_id, partition, lsn)]),
            )
            for table, row_id, partition, lsn in self.company.removals
            if lsn > cursor
        ]
        return write_frames(frames)

    def _snapshot(self) -> bytes:
        path = self.folder / f"snapshot-{len(self.downloads)}.db"
        connection = sqlite3.connect(path)
        for statement in (*ddl.snapshot_statements(), ddl.DIGEST_TABLE):
            connection.execute(statement)
        for table, rows in self.company.rows.items():
            if not TABLES[table].is_at(Tier.DEVICE):
                continue
            marks = ", ".join("?" * len(TABLES[table].wire_names))
            found = [
                row
                for row in rows.values()
                if self.company.value(table, row, "partition") in self.company.partitions
            ]
            connection.executemany(f"INSERT INTO {table} VALUES ({marks})", found)
            connection.execute(
                f"INSERT INTO fm_digest SELECT partition, {TABLES[table].number}, count(*),"
                f" sum(row_hash & 4294967295), sum(row_hash >> 32) FROM {table} GROUP BY partition"
            )
        connection.commit()
        connection.close()
        content = path.read_bytes()
        path.unlink()
        return content

    def repair(self, differing) -> session_pb2.Repair:  # type: ignore[no-untyped-def]
        frames = []
        for partition in {line.partition for line in differing}:
            for table in self.company.rows:
                names = TABLES[table].wire_names
                found = [
                    row
                    for row in self.company.rows[table].values()
                    if self.company.value(table, row, "partition") == partition
                ]
                rows = from_rows(table, names, found)
                frames.append(pack_frame(FrameKind.REPLACE, rows, RowRange(partition, table)))
        return session_pb2.Repair(frames=frames)

    async def FindBlob(self, request, context):  # type: ignore[no-untyped-def]
        held = self.blobs.get(request.sha256, b"")
        complete = hashlib.sha256(held).digest() == request.sha256
        return blob_pb2.BlobState(sha256=request.sha256, held=len(held), complete=complete)

    async def PutBlob(self, request_iterator, context):  # type: ignore[no-untyped-def]
        name = b""
        async for piece in request_iterator:
            name = piece.sha256 or name
            self.blobs[name] = self.blobs.get(name, b"")[: piece.offset] + piece.data
        complete = hashlib.sha256(self.blobs[name]).digest() == name
        return blob_pb2.BlobState(sha256=name, held=len(self.blobs[name]), complete=complete)
