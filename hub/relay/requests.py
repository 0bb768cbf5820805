"""What gateways ask the hub: rpc.hub.<method>.<gateway>.

NATS lets a gateway publish only under its own id, so the last word of the subject is who asks.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key
from google.protobuf.message import DecodeError

from fieldmesh.basics import limits
from fieldmesh.basics.clock import Clock
from fieldmesh.basics.errors import FieldmeshError, Rejected, Retry
from fieldmesh.codec.frames import FrameKind, RowRange, carried_bytes, pack_frames
from fieldmesh.codec.presence import check_presence
from fieldmesh.data.schema import SCHEMA_VERSION, TABLES
from fieldmesh.replica.digest import Digest
from fieldmesh.service.bus import Bus
from fieldmesh.service.enrolled_key import is_replaced
from fieldmesh.service.nats_identity import gateway_inbox
from fieldmesh.service.tls import PeerCertificate, check_certificate
from fieldmesh.wire.v1 import blob_pb2, enrol_pb2, replication_pb2
from hub.fleet.leases import LeaseGrant
from hub.relay.blobs import Blobs
from hub.relay.consumers import Consumers
from hub.relay.seeds import Seeds
from hub.storage import contents, down_outbox, nodes
from hub.storage.database import HubDatabase
from hub.storage.scopes import gateway_partitions
from hub.trust.enrolment import EnrolmentGrant, EnrolmentRequest

SUBJECT = "rpc.hub.*.*"
MOST_RANGES = 256
MOST_SEEDING = 8
"""Seeds are built one after the other. Who finds so many waiting asks again later, and what is short passes by."""
_BUSY_S = 2.0
_WORDS = 4
_T = TypeVar("_T")
LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Desk:
    """Who does what gateways ask for.

    Attributes:
        enrol: a device with its one-time code.
        renew: a node's certificate: certificate, CSR.
        lease: a roaming device: gateway, device.
        authority: of the network: authorities and bridges, DER, one behind the other.
    """

    enrol: Callable[[EnrolmentRequest], Awaitable[EnrolmentGrant]]
    renew: Callable[[bytes, bytes], Awaitable[EnrolmentGrant]]
    lease: Callable[[bytes, bytes], Awaitable[LeaseGrant]]
    authority: bytes


class Responder:
    """Answers gateways."""

    def __init__(
        self,
        database: HubDatabase,
        bus: Bus,
        clock: Clock,
        *,
        desk: Desk,
        seeds: Seeds,
        blobs: Blobs,
        shards: int,
    ) -> None:
        """Answers come from ``database``, ``seeds``, ``blobs`` and ``desk``."""
        self._database = database
        self._bus = bus
        self._clock = clock
        self._desk = desk
        self._seeds = seeds
        self._blobs = blobs
        self._shards = shards
        self._consumers = Consumers(bus)
        self._seed_places = asyncio.Semaphore(MOST_SEEDING)
        self._methods: dict[str, Callable[[bytes, bytes], Awaitable[bytes]]] = {
            "hello": self._hello,
            "seed": self._seed,
            "seed_chunk": self._seed_chunk,
            "lease": self._lease,
            "digests": self._digests,
            "repair": self._repair,
            "enrol": self._enrol,
            "renew": self._renew,
            "blob": self._blob,
        }

    async def run(self) -> None:
        """Answers until the line breaks.

        Raises:
            Retry: the bus is away; the caller runs it again.
        """
        await self._bus.respond_all(
            SUBJECT,
            self.answer,
            inbox_of=lambda subject: gateway_inbox(subject.rpartition(".")[2]),
        )

    async def answer(self, subject: str, data: bytes) -> bytes:
        """The serialized Reply to a request."""
        words = subject.split(".")
        try:
            if len(words) != _WORDS or words[2] not in self._methods:
                raise Rejected("bad_message", place=subject)
            value = await self._methods[words[2]](bytes.fromhex(words[3]), data)
        except (DecodeError, ValueError):
            return _problem(Rejected("bad_message", place=subject))
        except FieldmeshError as error:
            LOG.info("request_refused", extra={"method": words[2], "problem": error.code})
            return _problem(error)
        return replication_pb2.Reply(value=value).SerializeToString()

    async def _hello(self, gateway_id: bytes, data: bytes) -> bytes:
        hello = replication_pb2.GatewayHello.FromString(data)
        partitions, begins = await self._with_scope(
            gateway_id,
            lambda scope: self._consumers.begin_after(
                gateway_id, scope, down_sequence=hello.down_sequence, mark_lsn=hello.mark_lsn
            ),
        )
        async with self._database.read() as connection:
            lsn = await down_outbox.published_lsn(connection)
            epochs = await down_outbox.epochs(connection)
        welcome = replication_pb2.GatewayWelcome(
            lsn=lsn,
            oldest_lsn=await self._consumers.oldest_lsn(lsn),
            consumer=begins.consumer,
            shards=self._shards,
            hub_time=self._clock.now(),
            next_delivery=begins.next_delivery,
            schema_version=SCHEMA_VERSION,
            authorities=self._desk.authority,
            partitions=sorted(partitions),
        )
        for epoch, began_after in epochs:
            welcome.epochs.add(epoch=epoch, began_after=began_after)
        return welcome.SerializeToString()

    async def _seed(self, gateway_id: bytes, data: bytes) -> bytes:
        request = replication_pb2.SeedRequest.FromString(data)
        if self._seed_places.locked():
            raise Retry("hub_busy", delay_s=_BUSY_S)
        async with self._seed_places:
            return await self._seeded(gateway_id, request)

    async def _seeded(self, gateway_id: bytes, request: replication_pb2.SeedRequest) -> bytes:
        # The filter first, the LSN after it: nothing can fall between the two.
        partitions, _ = await self._with_scope(
            gateway_id, lambda scope: self._consumers.change(gateway_id, scope)
        )
        if request.partition not in partitions:
            raise Rejected("scope_denied", place=f"partition {request.partition}")
        seed = await self._seeds.seed(request.partition)
        return replication_pb2.SeedReply(
            seed_id=seed.seed_id,
            lsn=seed.lsn,
            horizon_lsn=seed.horizon_lsn,
            chunks=len(seed.places),
            rows=seed.rows,
            first_chunk=await self._seeds.chunk(seed.seed_id, 0),
        ).SerializeToString()

    async def _seed_chunk(self, gateway_id: bytes, data: bytes) -> bytes:
        request = replication_pb2.SeedChunkRequest.FromString(data)
        partition = self._seeds.partition_of(request.seed_id)
        if partition not in await self._partitions(gateway_id):
            raise Rejected("scope_denied", place=f"partition {partition}")
        return await self._seeds.chunk(request.seed_id, request.chunk)

    async def _lease(self, gateway_id: bytes, data: bytes) -> bytes:
        request = replication_pb2.LeaseRequest.FromString(data)
        peer = await asyncio.to_thread(self._check_guest, gateway_id, request)
        async with self._database.read() as connection:
            device = await nodes.device(connection, peer.node_id)
        if device is not None and is_replaced(peer, device.enrolled_key):
            raise Rejected("key_replaced", place="certificate")
        grant = await self._desk.lease(gateway_id, request.device_id)
        return replication_pb2.LeaseReply(
            expires_at=grant.expires_at, lsn=grant.lsn
        ).SerializeToString()

    def _check_guest(
        self, gateway_id: bytes, request: replication_pb2.LeaseRequest
    ) -> PeerCertificate:
        peer = check_certificate(request.certificate, self._desk.authority)
        key = load_der_public_key(peer.public_key)
        is_device = peer.node_kind == "device" and peer.node_id == request.device_id
        if not is_device or not isinstance(key, ec.EllipticCurvePublicKey):
            raise Rejected("presence_unproven", place="certificate")
        check_presence(
            key,
            request.presence,
            device_id=request.device_id,
            gateway_id=gateway_id,
            at=request.presence_at,
            now=self._clock.now(),
        )
        return peer

    async def _digests(self, gateway_id: bytes, data: bytes) -> bytes:
        request = replication_pb2.DigestsRequest.FromString(data)
        allowed = await self._partitions(gateway_id)
        wanted = [one for one in request.partitions if one in allowed]
        reply = replication_pb2.DigestsReply()
        known = request.schema_version or SCHEMA_VERSION
        async with self._database.read() as connection:
            reply.lsn = await contents.current_lsn(connection)
            for digest, last_lsn in await contents.digests(connection, wanted, known=known):
                if not request.detail:
                    _put(reply, digest, last_lsn)
                    continue
                for one in await contents.detailed_digests(
                    connection, digest.partition, known=known
                ):
                    _put(reply, one, last_lsn)
        return reply.SerializeToString()

    async def _repair(self, gateway_id: bytes, data: bytes) -> bytes:
        request = replication_pb2.RepairRequest.FromString(data)
        if len(request.ranges) > MOST_RANGES:
            raise Rejected("too_many_digests", place="ranges")
        allowed = await self._partitions(gateway_id)
        reply = replication_pb2.RepairReply()
        size = 0
        async with self._database.read() as connection:
            reply.lsn = await contents.current_lsn(connection)
            for one in request.ranges:
                if one.partition not in allowed or one.table not in TABLES:
                    raise Rejected("scope_denied", place=f"partition {one.partition}")
                range_ = RowRange(one.partition, one.table, one.first_byte, one.last_byte)
                rows = await contents.rows_of_range(connection, range_)
                frames = pack_frames(FrameKind.REPLACE, rows, range_)
                size += carried_bytes(frames)
                if reply.frames and size > limits.REPAIR_BYTES:
                    break  # the gateway asks for the rest again
                reply.frames.extend(frames)
        return reply.SerializeToString()

    async def _enrol(self, gateway_id: bytes, data: bytes) -> bytes:
        request = enrol_pb2.EnrolRequest.FromString(data)
        LOG.info("device_enrols", extra={"gateway": gateway_id.hex()})
        grant = await self._desk.enrol(
            EnrolmentRequest(
                code=request.code,
                csr=request.csr,
                hardware_id=request.hardware_id,
                app_version=request.app_version,
            )
        )
        return _grant(grant).SerializeToString()

    async def _renew(self, _gateway_id: bytes, data: bytes) -> bytes:
        request = replication_pb2.ForwardedRenew.FromString(data)
        grant = await self._desk.renew(request.certificate, request.csr)
        return _grant(grant).SerializeToString()

    async def _blob(self, _gateway_id: bytes, data: bytes) -> bytes:
        piece = replication_pb2.BlobPiece.FromString(data)
        held = await asyncio.to_thread(
            self._blobs.take, piece.sha256, piece.size, piece.offset, piece.data
        )
        return blob_pb2.BlobState(
            sha256=piece.sha256, held=held.size, complete=held.complete
        ).SerializeToString()

    async def _with_scope(
        self, gateway_id: bytes, step: Callable[[set[int]], Awaitable[_T]]
    ) -> tuple[set[int], _T]:
        """The step is done for what the gateway may hear, again when that changed meanwhile.

        The relay changes consumers when it hears of a change: one that was not made yet, or is made by older
        knowledge, it can't.
        """
        while True:
            scope = await self._partitions(gateway_id)
            done = await step(scope)
            if await self._partitions(gateway_id) == scope:
                return scope, done

    async def _partitions(self, gateway_id: bytes) -> set[int]:
        async with self._database.read() as connection:
            return await gateway_partitions(connection, gateway_id)


def _put(reply: replication_pb2.DigestsReply, digest: Digest, last_lsn: int) -> None:
    line = reply.digests.add(last_lsn=last_lsn)
    line.digest.partition = digest.partition
    line.digest.table = digest.table
    line.digest.bucket = digest.bucket
    line.digest.rows = digest.rows
    line.digest.low = digest.low
    line.digest.high = digest.high


def _grant(grant: EnrolmentGrant) -> enrol_pb2.EnrolReply:
    reply = enrol_pb2.EnrolReply(
        certificate=grant.certificate,
        authority=grant.authority,
        node_id=grant.node_id,
        position_id=grant.position_id,
        document_prefix=grant.document_prefix,
        hub_public_key=grant.hub_public_key,
        bus_url=grant.bus_url,
        bus_credentials=grant.bus_credentials,
        spare=grant.spare,
    )
    for place in grant.gateways:
        reply.gateways.add(
            gateway_id=place.gateway_id,
            name=place.name,
            addresses=place.addresses,
            enrolment_address=place.enrolment_address,
        )
    for person in grant.sign_ins:
        reply.sign_ins.add(
            user_id=person.user_id,
            login=person.login,
            person=person.person,
            verifier=person.verifier,
        )
    return reply


def _problem(error: FieldmeshError) -> bytes:
    fields = {name: str(value) for name, value in error.fields.items()}
    if error.place:
        fields["place"] = error.place
    delay_s = error.delay_s if isinstance(error, Retry) else 0.0
    return replication_pb2.Reply(
        problem=replication_pb2.Problem(
            code=error.code,
            text=str(error),
            fields=fields,
            retry_after_ms=max(int(delay_s * 1000), 1) if isinstance(error, Retry) else 0,
        )
    ).SerializeToString()
