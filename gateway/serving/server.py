"""Two gRPC services: Gateway over mTLS for enrolled devices, Enrolment over TLS for new ones."""

from __future__ import annotations

import logging
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Final

import grpc
from typing_extensions import override

from fieldmesh.basics import limits
from fieldmesh.basics.errors import Fenced, FieldmeshError, Rejected
from fieldmesh.data.schema import SCHEMA_VERSION
from fieldmesh.service.grpc_problems import abort
from fieldmesh.service.grpc_server import peer_identity
from fieldmesh.session.gateway_side import GatewaySession
from fieldmesh.wire.v1 import session_pb2, session_pb2_grpc
from gateway.serving.admission import Guests, Pool
from gateway.serving.session import MODE_NAMES, PROTOCOL_VERSION, SyncSession
from gateway.serving.stream import DeviceStream, each_in_time, in_time
from gateway.storage import devices, sessions
from gateway.trust.revocations import DEVICE, check_device, check_key

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from fieldmesh.service.tls import PeerCertificate
    from fieldmesh.wire.v1 import blob_pb2, enrol_pb2
    from gateway.serving.blobs import BlobStore
    from gateway.serving.enrolment import EnrolmentDesk
    from gateway.serving.parts import ServingParts

GATEWAY_SERVICE: Final[str] = session_pb2.DESCRIPTOR.services_by_name["Gateway"].full_name
ENROLMENT_SERVICE: Final[str] = session_pb2.DESCRIPTOR.services_by_name["Enrolment"].full_name
add_gateway_service = session_pb2_grpc.add_GatewayServicer_to_server
add_enrolment_service = session_pb2_grpc.add_EnrolmentServicer_to_server

LOG = logging.getLogger(__name__)

_ID_BYTES: Final = 16
_SHA256_BYTES: Final = 32
_MOST_SIGNATURE: Final = 80
_MOST_PROOF: Final = 256
_MOST_TEXT: Final = 64
_MOST_EPOCH: Final = (1 << 32) - 1 - limits.EPOCHS_AHEAD
_MOST_TIME_US: Final = 1 << 60


class ServerFacts:
    """What anyone may know of this gateway."""

    def __init__(self, parts: ServingParts, *, name: str, version: str) -> None:
        """Answer in the name of the gateway."""
        self._parts = parts
        self._name = name
        self._version = version

    def answer(self) -> session_pb2.ServerInfo:
        """As of now."""
        pools = self._parts.pools
        return session_pb2.ServerInfo(
            gateway_id=self._parts.gateway_id,
            name=self._name,
            version=self._version,
            protocol_version=PROTOCOL_VERSION,
            oldest_protocol_version=PROTOCOL_VERSION,
            schema_version=SCHEMA_VERSION,
            gateway_time=self._parts.clock.now(),
            hub_reachable=self._parts.signals.hub.reachable,
            load=max(pools.fast.load, pools.full.load),
        )


class GatewayService(session_pb2_grpc.GatewayServicer):
    """Sessions, renewals, blobs: for devices with a certificate of the hub."""

    def __init__(
        self,
        parts: ServingParts,
        facts: ServerFacts,
        *,
        blobs: BlobStore,
        desk: EnrolmentDesk,
    ) -> None:
        """Serve with these parts."""
        self._parts = parts
        self._facts = facts
        self._blobs = blobs
        self._desk = desk
        self._guests = Guests(most=limits.SESSIONS_OF_DEVICE)
        self._photo_guests = Guests(most=limits.BLOB_STREAMS_OF_DEVICE)
        pools = parts.pools
        self._pools: dict[int, Pool] = {
            session_pb2.MODE_FAST: pools.fast,
            session_pb2.MODE_UPLOAD: pools.fast,
            session_pb2.MODE_FULL: pools.full,
            session_pb2.MODE_INITIALIZE: pools.initialize,
            session_pb2.MODE_DUPLICATE: pools.initialize,
        }

    @override
    async def Session(  # type: ignore[override]  # the handler reads and writes through the context
        self,
        request_iterator: AsyncIterator[session_pb2.DeviceMessage],
        context: grpc.aio.ServicerContext[session_pb2.DeviceMessage, session_pb2.GatewayMessage],
    ) -> None:
        """One sync session."""
        stream = DeviceStream(context, end=grpc.aio.EOF, silence_s=self._parts.limits.silence_s)
        try:
            session = await self._open(stream, peer_identity(context))
        except FieldmeshError as problem:
            LOG.info("session_refused", extra={"problem": problem.code})
            await abort(context, problem)
        began = self._parts.clock.monotonic()
        ended: FieldmeshError | None = None
        try:
            with self._guests.visit(session.hello.device_id):
                async with self._pools[session.mode].place():
                    await _run(session)
        except FieldmeshError as problem:
            session.row.problem = problem.code
            session.row.outcome = "refused" if isinstance(problem, Rejected) else "cut"
            ended = problem
        finally:
            self._end(session, seconds=self._parts.clock.monotonic() - began)
        if ended is not None:
            # Last: a device that reads nothing takes the status no sooner than its line breaks.
            await abort(context, ended)

    async def _open(self, stream: DeviceStream, peer: PeerCertificate) -> SyncSession:
        hello = (await stream.expect("hello")).hello
        check_hello(hello)
        check_device(peer, hello.device_id)
        now = self._parts.clock.now()
        mode = MODE_NAMES[hello.mode]
        stream.machine = GatewaySession(mode)
        row = sessions.SessionRow(
            session_id=hello.session_id,
            device_id=hello.device_id,
            mode=mode,
            started_at=now,
            clock_skew=now - hello.device_time,
            app_version=hello.app_version,
            network=hello.network,
        )
        seen = devices.Seen(
            hello.device_id, hello.device_epoch, mode, hello.app_version, peer.der, now
        )
        return SyncSession(self._parts, stream, peer, hello, row, seen)

    def _end(self, session: SyncSession, *, seconds: float) -> None:
        row = session.row
        row.bytes_up = session.stream.bytes_up
        row.bytes_down = session.stream.bytes_down
        fenced = row.outcome in {"fenced", "wiped"} or row.problem
        seen = None if session.noted or fenced else session.seen
        self._parts.metrics.session_ended(row, seconds=seconds)
        self._parts.journal.end(row, seen)

    @override
    async def Renew(
        self,
        request: enrol_pb2.RenewRequest,
        context: grpc.aio.ServicerContext[object, object],
    ) -> enrol_pb2.EnrolReply:
        """A new certificate for the calling device."""
        try:
            peer = self._device(context)
            return await self._desk.renew(peer.der, request.csr)
        except FieldmeshError as problem:
            return await abort(context, problem)

    @override
    async def GetServerInfo(
        self,
        request: session_pb2.ServerInfoRequest,
        context: grpc.aio.ServicerContext[object, object],
    ) -> session_pb2.ServerInfo:
        """What anyone may know."""
        return self._facts.answer()

    @override
    async def FindBlob(
        self,
        request: blob_pb2.FindBlobRequest,
        context: grpc.aio.ServicerContext[object, object],
    ) -> blob_pb2.BlobState:
        """How much of a blob is here."""
        try:
            await self._check_holder(context)
            return await self._blobs.find(request.sha256)
        except FieldmeshError as problem:
            return await abort(context, problem)

    @override
    async def PutBlob(
        self,
        request_iterator: AsyncIterator[blob_pb2.BlobChunk],
        context: grpc.aio.ServicerContext[object, object],
    ) -> blob_pb2.BlobState:
        """Take a blob, or the rest of one."""
        try:
            async with self._place_for_blob(context):
                pieces = each_in_time(aiter(request_iterator), self._parts.limits.silence_s)
                return await self._blobs.put(pieces)
        except FieldmeshError as problem:
            return await abort(context, problem)

    @override
    async def GetBlob(  # type: ignore[override]  # the handler writes through the context
        self,
        request: blob_pb2.GetBlobRequest,
        context: grpc.aio.ServicerContext[object, object],
    ) -> None:
        """Give a blob, or the rest of one."""
        try:
            async with self._place_for_blob(context):
                async for chunk in self._blobs.get(request.sha256, request.offset):
                    await in_time(context.write(chunk), self._parts.limits.silence_s)
        except FieldmeshError as problem:
            await abort(context, problem)

    @asynccontextmanager
    async def _place_for_blob(
        self, context: grpc.aio.ServicerContext[object, object]
    ) -> AsyncIterator[None]:
        """The caller may send or fetch a blob while the block runs, and is one of few of its device."""
        peer = await self._check_holder(context)
        with self._photo_guests.visit(peer.node_id):
            async with self._parts.pools.blobs.place():
                yield

    async def _check_holder(
        self, context: grpc.aio.ServicerContext[object, object]
    ) -> PeerCertificate:
        """The caller, a device that is not revoked, by a key that still counts."""
        peer = self._device(context)
        read = partial(devices.read_facts, device_id=peer.node_id)
        facts = await self._parts.database.read(read)
        if facts.state == "revoked":
            raise Fenced("device_revoked", place="certificate")
        check_key(peer, facts.enrolled_key)
        return peer

    def _device(self, context: grpc.aio.ServicerContext[object, object]) -> PeerCertificate:
        peer = peer_identity(context)
        if peer.node_kind != DEVICE:
            raise Rejected("foreign_certificate", place="certificate")
        return peer


class EnrolmentService(session_pb2_grpc.EnrolmentServicer):
    """For devices that have a code and no certificate yet."""

    def __init__(self, facts: ServerFacts, desk: EnrolmentDesk) -> None:
        """Serve with these parts."""
        self._facts = facts
        self._desk = desk

    @override
    async def Enrol(
        self,
        request: enrol_pb2.EnrolRequest,
        context: grpc.aio.ServicerContext[object, object],
    ) -> enrol_pb2.EnrolReply:
        """A certificate for a code."""
        try:
            return await self._desk.enrol(request)
        except FieldmeshError as problem:
            return await abort(context, problem)

    @override
    async def GetServerInfo(
        self,
        request: session_pb2.ServerInfoRequest,
        context: grpc.aio.ServicerContext[object, object],
    ) -> session_pb2.ServerInfo:
        """What anyone may know."""
        return self._facts.answer()


async def _run(session: SyncSession) -> None:
    try:
        await session.run()
    except Fenced as problem:
        await session.fence(problem)


def check_hello(hello: session_pb2.Hello) -> None:
    """The Hello keeps to the limits of the protocol.

    Raises:
        Rejected: ``bad_hello`` naming the field, ``protocol_not_spoken``.
    """
    if hello.protocol_version != PROTOCOL_VERSION:
        raise Rejected("protocol_not_spoken", version=hello.protocol_version)
    wrong = {
        "device_id": len(hello.device_id) != _ID_BYTES,
        "schema_version": hello.schema_version < 1,
        "device_epoch": not 1 <= hello.device_epoch <= _MOST_EPOCH,
        "mode": hello.mode not in MODE_NAMES,
        "session_id": len(hello.session_id) != _ID_BYTES,
        "partitions": len(hello.partitions) > limits.PARTITIONS_IN_HELLO,
        "cursor_lsn": hello.cursor_lsn < 0,
        "reject_lsn": hello.reject_lsn < 0,
        "device_time": not 0 <= hello.device_time <= _MOST_TIME_US,
        "last_sha256": len(hello.last_sha256) not in {0, _SHA256_BYTES},
        "presence": len(hello.presence) > _MOST_SIGNATURE,
        "hub_proof": len(hello.hub_proof) > _MOST_PROOF,
        "resume_offset": hello.resume_offset > limits.DOWNLOAD_BYTES,
        "last_sequence": hello.last_sequence >= 1 << 62,
        "app_version": len(hello.app_version) > _MOST_TEXT,
        "network": len(hello.network) > _MOST_TEXT,
        "resume_download_id": len(hello.resume_download_id) not in {0, _ID_BYTES},
    }
    for name, is_wrong in wrong.items():
        if is_wrong:
            raise Rejected("bad_hello", place=name)
