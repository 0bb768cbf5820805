"""One sync session over one gRPC stream.

The order of messages is checked on both sides by the same table (`fieldmesh.session`). Time-outs
are on lack of progress, never on the whole: a slow line may take as long as it moves.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import cast

import grpc
import grpc.aio

from device_agent.link.messages import (
    Acknowledged,
    DownloadAnnounced,
    DownloadComplete,
    Ended,
    GatewayKnown,
    HubKnown,
    Kind,
    Message,
    Opening,
    Outcome,
    Piece,
    RepairSent,
    SignedBytes,
    TicksHeard,
    Welcomed,
)
from fieldmesh.basics.errors import Rejected, Retry
from fieldmesh.basics.limits import CHUNK_BYTES
from fieldmesh.codec.frames import unpack_frame
from fieldmesh.codec.hub_tick import read_tick
from fieldmesh.replica.digest import Digest
from fieldmesh.service.grpc_problems import from_rpc_error
from fieldmesh.session.device_side import DeviceSession
from fieldmesh.session.transitions import Mode
from fieldmesh.wire.v1 import batch_pb2, session_pb2, session_pb2_grpc, table_pb2

PROTOCOL_VERSION = 1
ID_BYTES = 16
SHA256_BYTES = 32
_MODES = {
    Mode.FAST: session_pb2.MODE_FAST,
    Mode.FULL: session_pb2.MODE_FULL,
    Mode.INITIALIZE: session_pb2.MODE_INITIALIZE,
    Mode.DUPLICATE: session_pb2.MODE_DUPLICATE,
    Mode.UPLOAD: session_pb2.MODE_UPLOAD,
}
_OUTCOMES = {
    session_pb2.OUTCOME_DONE: Outcome.DONE,
    session_pb2.OUTCOME_DOWNLOAD_DEFERRED: Outcome.DEFERRED,
    session_pb2.OUTCOME_WIPE: Outcome.WIPE,
    session_pb2.OUTCOME_FENCED: Outcome.FENCED,
}
_STATES = {
    session_pb2.DEVICE_STATE_ACTIVE: "active",
    session_pb2.DEVICE_STATE_SUSPENDED: "suspended",
    session_pb2.DEVICE_STATE_SPARE: "spare",
    session_pb2.DEVICE_STATE_STANDING_IN: "standing_in",
    session_pb2.DEVICE_STATE_LOCKED: "locked",
    session_pb2.DEVICE_STATE_REVOKED: "revoked",
}


class SessionStream:
    """The device's end of one session. Open it with `open_session`."""

    def __init__(
        self,
        call: "grpc.aio.StreamStreamCall[session_pb2.DeviceMessage, session_pb2.GatewayMessage]",
        mode: Mode,
        stall_s: float,
        peer: str,
        hub: HubKnown,
    ) -> None:
        """Use `open_session`."""
        self._call = call
        self._peer = peer
        self._machine = DeviceSession(mode.value)
        self._stall_s = stall_s
        self._peer_stopped = False
        self._hub = hub

    async def say_hello(self, opening: Opening) -> None:
        """The gateway is told who comes, in which mode, and from where."""
        hello = session_pb2.Hello(
            device_id=opening.device_id,
            device_epoch=opening.device_epoch,
            mode=_MODES[opening.mode],
            schema_version=opening.schema_version,
            protocol_version=PROTOCOL_VERSION,
            app_version=opening.app_version,
            cursor_lsn=opening.cursor_lsn,
            partitions=opening.partitions,
            last_sequence=opening.last_sequence,
            last_sha256=opening.last_sha256,
            device_time=opening.device_time,
            resume_download_id=opening.resume_download_id,
            resume_offset=opening.resume_offset,
            session_id=opening.session_id,
            reject_lsn=opening.reject_lsn,
            network=opening.network,
            presence=opening.presence,
            presence_at=opening.presence_at,
            earlier_epoch=opening.earlier_epoch,
            handover_epoch=opening.handover_epoch,
            hub_proof=opening.hub_proof,
            authority=opening.authority,
        )
        await self._send(session_pb2.DeviceMessage(hello=hello))

    async def send_batches(self, batches: Iterable[SignedBytes], last_sequence: int) -> None:
        """Batches and the end of the uploads are on their way; no reply is waited for.

        When the gateway has already ended the session, the rest is not sent: what it said
        follows from `receive`.
        """
        for batch in batches:
            signed = batch_pb2.SignedBatch(
                header=batch.header, body=batch.body, signature=batch.signature
            )
            await self._send(session_pb2.DeviceMessage(batch=signed))
        end = session_pb2.UploadEnd(last_sequence=last_sequence)
        await self._send(session_pb2.DeviceMessage(upload_end=end))

    async def say_applied(self, lsn: int, differing: Iterable[Digest]) -> None:
        """The gateway is told that the download is durable here, and what differs."""
        applied = session_pb2.Applied(lsn=lsn)
        for digest in differing:
            applied.differing.append(
                table_pb2.Digest(
                    partition=digest.partition,
                    table=digest.table,
                    bucket=digest.bucket,
                    rows=digest.rows,
                    low=digest.low,
                    high=digest.high,
                )
            )
        await self._send(session_pb2.DeviceMessage(applied=applied))

    async def receive(self) -> Message:
        """The next message of the gateway.

        Raises:
            Retry: the line failed or stood still, or the gateway is full (with its delay).
            Rejected: the gateway refused the device, said something out of order, or in the
                hub's name (`hub_tick_invalid`).
        """
        try:
            async with asyncio.timeout(self._stall_s):
                message = await self._call.read()
        except TimeoutError:
            raise Retry("line_stalled", stall_s=self._stall_s) from None
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error, peer=self._peer) from error
        if message is grpc.aio.EOF or message is None:
            await self._explain_end()
        found = cast("session_pb2.GatewayMessage", message)
        kind = found.WhichOneof("message") or ""
        self._machine.receive(kind)
        return _PARSERS[kind](found, self._hub)

    async def _send(self, message: session_pb2.DeviceMessage) -> None:
        self._machine.send(message.WhichOneof("message") or "")
        if self._peer_stopped:
            return
        try:
            async with asyncio.timeout(self._stall_s):
                await self._call.write(message)
        except TimeoutError:
            raise Retry("line_stalled", stall_s=self._stall_s) from None
        except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
            # The gateway has ended the call; its last words are read by receive().
            self._peer_stopped = True

    async def _explain_end(self) -> None:
        """Raises what the end of the stream means; a session never ends without Done."""
        try:
            async with asyncio.timeout(self._stall_s):
                code = await self._call.code()
                details = await self._call.details()
        except TimeoutError:
            raise Retry("line_stalled", stall_s=self._stall_s) from None
        if code is grpc.StatusCode.OK:
            raise Retry("session_cut", place="session")
        trailing = await self._call.trailing_metadata()
        error = grpc.aio.AioRpcError(
            code, await self._call.initial_metadata(), trailing, details=details
        )
        raise from_rpc_error(error, peer=self._peer)


@asynccontextmanager
async def open_session(
    channel: grpc.aio.Channel, mode: Mode, *, stall_s: float, hub: HubKnown, peer: str = ""
) -> AsyncIterator[SessionStream]:
    """A session over the channel; the call is ended when the block is left. ``peer`` names the gateway in problems."""
    call = session_pb2_grpc.GatewayStub(channel).Session()
    try:
        yield SessionStream(call, mode, stall_s, peer, hub)
        await call.done_writing()
    finally:
        call.cancel()


def _ticks(ticks: session_pb2.Ticks, hub: HubKnown) -> TicksHeard:
    """Of the gateway what it says; of the hub only what the hub has signed."""
    gateway = (ticks.gateway_epoch, ticks.gateway_sequence)
    if not ticks.hub_proof:
        return TicksHeard(gateway)
    tick = read_tick(ticks.hub_proof, hub_key=hub.key, device_id=hub.device_id)
    place = (tick.device_epoch, tick.sequence)
    return TicksHeard(gateway, place, tick.sha256, ticks.hub_proof)


def _welcome(message: session_pb2.GatewayMessage, hub: HubKnown) -> Welcomed:
    found = message.welcome
    return Welcomed(
        gateway_id=found.gateway_id,
        gateway_time=found.gateway_time,
        mark_lsn=found.mark_lsn,
        granted_epoch=found.granted_epoch,
        device_state=_STATES.get(found.device_state, "unknown"),
        ticks=_ticks(found.ticks, hub),
        hub_reachable=found.hub_reachable,
        next_sequence=found.next_sequence,
        stands_in_for=found.stands_in_for,
        position_id=found.position_id,
        schema_version=found.schema_version,
        authorities=found.authorities,
        earlier_sequence=found.earlier_sequence,
    )


def _acknowledgement(message: session_pb2.GatewayMessage, hub: HubKnown) -> Acknowledged:
    found = message.acknowledgement
    return Acknowledged(
        ticks=_ticks(found.ticks, hub),
        rejects=[unpack_frame(frame).rows for frame in found.rejects],
    )


def _download_start(message: session_pb2.GatewayMessage, hub: HubKnown) -> DownloadAnnounced:
    found = message.download_start
    if len(found.download_id) != ID_BYTES or len(found.sha256) != SHA256_BYTES:
        raise Rejected("bad_download", place="DownloadStart")
    snapshot = found.kind == session_pb2.DOWNLOAD_KIND_SNAPSHOT
    return DownloadAnnounced(
        download_id=found.download_id,
        kind=Kind.SNAPSHOT if snapshot else Kind.DELTA,
        size_bytes=found.size,
        sha256=found.sha256,
        mark_lsn=found.mark_lsn,
        partitions=list(found.partitions),
        whole=list(found.whole),
        dropped=list(found.dropped),
        offset=found.offset,
        uncompressed_bytes=found.uncompressed_size,
        ticks=_ticks(found.ticks, hub),
    )


def _chunk(message: session_pb2.GatewayMessage, _hub: HubKnown) -> Piece:
    found = message.chunk
    if len(found.data) > CHUNK_BYTES:
        raise Rejected("bad_download", place="Chunk.data")
    if hashlib.sha256(found.data).digest() != found.sha256:
        raise Retry("download_damaged", place="Chunk.sha256")
    return Piece(found.offset, found.data)


def _download_end(message: session_pb2.GatewayMessage, _hub: HubKnown) -> DownloadComplete:
    return DownloadComplete(_digests(message.download_end.digests))


def _digests(digests: Iterable[table_pb2.Digest]) -> list[Digest]:
    return [
        Digest(
            partition=found.partition,
            table=found.table,
            bucket=found.bucket,
            rows=found.rows,
            low=found.low,
            high=found.high,
        )
        for found in digests
    ]


def _repair(message: session_pb2.GatewayMessage, _hub: HubKnown) -> RepairSent:
    found = message.repair
    return RepairSent([unpack_frame(frame) for frame in found.frames], _digests(found.digests))


def _done(message: session_pb2.GatewayMessage, hub: HubKnown) -> Ended:
    found = message.done
    outcome = _OUTCOMES.get(found.outcome)
    if outcome is None:
        raise Rejected("bad_message", place="Done.outcome")
    return Ended(
        outcome=outcome,
        reason=found.reason,
        retry_after_s=found.retry_after_ms / 1000,
        wipe_order=found.wipe_order,
        rows_up=found.rows_up,
        rows_down=found.rows_down,
        bytes_up=found.bytes_up,
        bytes_down=found.bytes_down,
        ticks=_ticks(found.ticks, hub),
        gateways=[
            GatewayKnown(
                gateway_id=known.gateway_id,
                name=known.name,
                addresses=list(known.addresses),
                enrolment_address=known.enrolment_address,
            )
            for known in found.gateways
        ],
    )


_PARSERS: dict[str, Callable[[session_pb2.GatewayMessage, HubKnown], Message]] = {
    "welcome": _welcome,
    "acknowledgement": _acknowledgement,
    "download_start": _download_start,
    "chunk": _chunk,
    "download_end": _download_end,
    "repair": _repair,
    "done": _done,
}
