"""One sync session, from Hello to Done. ``docs/protocol.md`` tells the dialogue of each mode.

Uploads come first and are safe whatever follows (promise 1); then, by mode, a delta or a snapshot.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Final

from fieldmesh.basics import limits
from fieldmesh.basics.errors import Fenced, Rejected, Retry
from fieldmesh.codec import frames
from fieldmesh.data.policy import PartitionKind
from fieldmesh.replica.partition import partition_id
from fieldmesh.service.tasks import beside
from fieldmesh.wire.v1 import batch_pb2, session_pb2
from gateway.serving.downloads import Wish
from gateway.serving.early import EarlyDelta
from gateway.serving.forms import OUTCOME_NAMES, news_of, to_state, to_ticks
from gateway.serving.keepalive import saying
from gateway.serving.proof import applied_through, held_up_to, proven_tick
from gateway.serving.readiness import check_known
from gateway.serving.repairs import find_repair, note_difference
from gateway.serving.roaming import until_ready, wish_lease
from gateway.serving.sending import send_download
from gateway.serving.uploads import SOURCE_WIRE, Sender, check_batches, receive_group
from gateway.storage import cursors, deltas, devices, inbox, sessions
from gateway.storage.inbox import Stored
from gateway.trust.peers import public_key_of
from gateway.trust.revocations import check_key

if TYPE_CHECKING:
    from fieldmesh.codec.columns import TableRows
    from fieldmesh.service.tls import PeerCertificate
    from gateway.serving.downloads import Download
    from gateway.serving.parts import ServingParts
    from gateway.serving.stream import DeviceStream
    from gateway.storage.devices import DeviceFacts, Fence
    from gateway.storage.inbox import ReceivedBatch
    from gateway.storage.transaction import Transaction

PROTOCOL_VERSION: Final = 1
MODE_NAMES: Final = {
    session_pb2.MODE_FAST: "fast",
    session_pb2.MODE_FULL: "full",
    session_pb2.MODE_INITIALIZE: "initialize",
    session_pb2.MODE_DUPLICATE: "duplicate",
    session_pb2.MODE_UPLOAD: "upload",
}
_NEW_DATABASE: Final = frozenset({session_pb2.MODE_INITIALIZE, session_pb2.MODE_DUPLICATE})
_DOWNLOADS: Final = _NEW_DATABASE | {session_pb2.MODE_FULL}


@dataclass(frozen=True, slots=True)
class Opening:
    """What one read transaction says at Hello."""

    facts: DeviceFacts
    fence: Fence | None
    contiguous: int
    earlier_contiguous: int
    """Of the earlier epoch that Hello names: a gateway that lost its disk shows there too."""
    mark_lsn: int
    network_schema: int
    guest: bool
    """The device is served here for a time only."""


@dataclass(frozen=True, slots=True)
class UploadResult:
    """What one write transaction says after a group of batches."""

    stored: Stored
    ticks: session_pb2.Ticks
    rejects: TableRows | None


@dataclass(slots=True)
class SyncSession:
    """The state of one session; :meth:`run` is its whole story."""

    parts: ServingParts
    stream: DeviceStream
    peer: PeerCertificate
    hello: session_pb2.Hello
    row: sessions.SessionRow
    seen: devices.Seen
    noted: bool = False
    ticks: session_pb2.Ticks = field(default_factory=session_pb2.Ticks)
    home_gateway_id: bytes | None = None
    early: EarlyDelta = field(init=False)
    proven: devices.HubTick = field(init=False)

    def __post_init__(self) -> None:
        """No delta was made yet."""
        self.early = EarlyDelta(self.parts.downloads, self.parts.clock)
        self.proven = proven_tick(self.hello, self.parts.hub_key)

    @property
    def mode(self) -> int:
        """The mode that the device asked for."""
        return self.hello.mode

    @property
    def _lease_wish(self) -> devices.LeaseWish:
        hello = self.hello
        return devices.LeaseWish(hello.device_id, hello.presence, hello.presence_at, self.peer.der)

    async def run(self) -> None:
        """The dialogue, up to and with Done.

        Raises:
            FieldmeshError: the session ends with a gRPC status instead.
        """
        opening = await self.parts.database.read(self._open)
        self.home_gateway_id = opening.facts.home_gateway_id
        if opening.facts.state == "revoked":
            await self._done(
                session_pb2.OUTCOME_WIPE,
                reason="device_revoked",
                wipe_order=opening.facts.wipe_order or b"",
            )
            return
        check_key(self.peer, opening.facts.enrolled_key)
        if not opening.facts.known or (opening.guest and self.mode in _DOWNLOADS):
            await wish_lease(self.parts, self._lease_wish)
        granted = await self._grant(opening)
        await self._welcome(opening, granted)
        async with beside(self._prepare(opening)):
            uploads = await self._take_uploads(opening)
            if uploads.stored.differing:
                raise Fenced("cloned_device")
            if opening.fence is not None and self.mode not in _NEW_DATABASE:
                raise Fenced(opening.fence.code)
            await self._acknowledge(uploads.rejects)
        if self._is_unauthorised(opening):
            await self._done(session_pb2.OUTCOME_DOWNLOAD_DEFERRED, reason="spare_not_authorised")
        elif self.mode in _DOWNLOADS:
            await self._bring_down(opening)
        else:
            await self._done(session_pb2.OUTCOME_DONE)

    def _open(self, connection: Transaction) -> Opening:
        hello = self.hello
        facts = devices.read_facts(connection, hello.device_id)
        fence = devices.find_fence(
            connection,
            facts,
            device_epoch=hello.device_epoch,
            last_sequence=hello.last_sequence,
            last_sha256=hello.last_sha256,
        )
        return Opening(
            facts,
            fence,
            held_up_to(connection, facts, self.proven, hello.device_epoch),
            held_up_to(connection, facts, self.proven, hello.earlier_epoch),
            cursors.mark_lsn(connection),
            cursors.network_schema(connection),
            devices.is_guest(connection, hello.device_id),
        )

    async def _grant(self, opening: Opening) -> int:
        if self.mode not in _NEW_DATABASE:
            return 0
        if self._is_unauthorised(opening):
            return 0
        self.noted = True
        return await self.parts.database.write(partial(self._write_grant, opening.facts))

    def _is_unauthorised(self, opening: Opening) -> bool:
        """A spare gets data only while it may stand in for a device. Promise 6 (Scope).

        An authorisation ends with the handover, also while this gateway has not heard of its end: the spare says
        itself when it has handed over in an epoch that is newer than the authorisation.
        """
        facts = opening.facts
        if self.mode == session_pb2.MODE_DUPLICATE:
            ended = facts.handed_over or 0 < facts.epoch_floor < self.hello.handover_epoch
            return facts.stands_in_for is None or ended
        wants = facts.state == "spare" and self.mode in _DOWNLOADS
        return wants and facts.stands_in_for is None

    def _write_grant(self, facts: DeviceFacts, connection: Transaction) -> int:
        self._note_begun(connection)
        if self.mode == session_pb2.MODE_DUPLICATE and facts.stands_in_for is not None:
            devices.suspend(
                connection,
                facts.stands_in_for,
                spare_id=facts.device_id,
                now=self.seen.at,
            )
        return devices.grant_epoch(connection, facts.device_id, above=self.hello.device_epoch)

    async def _welcome(self, opening: Opening, granted: int) -> None:
        facts = opening.facts
        self.row.mark_lsn = opening.mark_lsn
        self.ticks = to_ticks(
            facts, device_epoch=self.hello.device_epoch, contiguous=opening.contiguous
        )
        welcome = session_pb2.Welcome(
            gateway_id=self.parts.gateway_id,
            gateway_time=self.parts.clock.now(),
            mark_lsn=opening.mark_lsn,
            granted_epoch=granted,
            device_state=to_state(facts),
            ticks=self.ticks,
            hub_reachable=self.parts.signals.hub.reachable,
            next_sequence=opening.contiguous + 1,
            stands_in_for=facts.stands_in_for or b"",
            position_id=facts.position_id or b"",
            schema_version=opening.network_schema,
            authorities=news_of(self.parts.authorities(), self.hello.authority),
            earlier_sequence=opening.earlier_contiguous,
        )
        await self.stream.send(session_pb2.GatewayMessage(welcome=welcome))

    async def _take_uploads(self, opening: Opening) -> UploadResult:
        sender = Sender(
            device_id=self.hello.device_id,
            newest_epoch=self.hello.device_epoch,
            public_key=public_key_of(self.peer.der),
            certificate=self.peer.der,
            source=SOURCE_WIRE,
            suspended=opening.facts.suspended,
        )
        total = Stored(0, 0, 0)
        while True:
            group = await receive_group(self.stream, self.parts.disk.check_upload)
            result, found = await self._store(group.batches, sender)
            total += result.stored
            self.ticks = result.ticks
            problem = found or group.problem
            if problem or group.ended:
                self.parts.metrics.batches_stored(total)
            if problem:
                raise problem
            if group.ended:
                return replace(result, stored=total)

    async def _store(
        self, group: list[batch_pb2.SignedBatch], sender: Sender
    ) -> tuple[UploadResult, Rejected | None]:
        """What came before a bad batch is stored; the bad one's problem is for the device."""
        now = self.parts.clock.now()
        checked, problem = await asyncio.to_thread(check_batches, group, sender, now)
        if not checked:
            nothing = partial(self._upload_state, stored=Stored(0, 0, 0))
            return await self.parts.database.read(nothing), problem
        self.noted = True
        result = await self.parts.database.write(partial(self._write_group, checked, now))
        self.row.rows_up += sum(batch.rows for batch in checked)
        self.parts.signals.outbox_grown.give()
        return result, problem

    def _write_group(
        self, checked: list[ReceivedBatch], now: int, connection: Transaction
    ) -> UploadResult:
        self._note_begun(connection)
        return self._upload_state(connection, stored=inbox.store_batches(connection, checked, now))

    def _note_begun(self, connection: Transaction) -> None:
        """Who is here and why stands in the journal before anything is taken or given. Promise 9 (Audit)."""
        devices.note_session(connection, self.seen)
        sessions.begin(connection, self.row)

    def _upload_state(self, connection: Transaction, *, stored: Stored) -> UploadResult:
        facts = devices.read_facts(connection, self.hello.device_id)
        own = partition_id(PartitionKind.DEVICE, self.hello.device_id)
        contiguous = held_up_to(connection, facts, self.proven, self.hello.device_epoch)
        ticks = to_ticks(facts, device_epoch=self.hello.device_epoch, contiguous=contiguous)
        rejects = deltas.new_rejects(connection, own, above_lsn=self.hello.reject_lsn)
        return UploadResult(stored=stored, ticks=ticks, rejects=rejects)

    async def _acknowledge(self, rejects: TableRows | None = None) -> None:
        told = frames.pack_frames(frames.FrameKind.ROWS, rejects) if rejects is not None else []
        message = session_pb2.Acknowledgement(ticks=self.ticks, rejects=told)
        await self.stream.send(session_pb2.GatewayMessage(acknowledgement=message))

    async def _prepare(self, opening: Opening) -> None:
        plain = opening.facts.known and opening.fence is None
        if plain and self.mode == session_pb2.MODE_FULL and not self.hello.resume_download_id:
            await self.early.make(self._wish())

    def _wish(self) -> Wish:
        return Wish(
            device_id=self.hello.device_id,
            device_epoch=self.hello.device_epoch,
            cursor_lsn=self.hello.cursor_lsn,
            held=frozenset(self.hello.partitions),
            whole=self.mode in _NEW_DATABASE,
            known=self.hello.schema_version,
            forgotten=applied_through(self.proven, self.hello.device_epoch),
        )

    async def _download(self, opening: Opening) -> Download | Retry:
        """The download, or why none can be made now."""
        wish = self._wish()
        try:
            check_known(self.hello.schema_version)
            kept = self.early.take() or await self.parts.downloads.resume(
                wish, self.hello.resume_download_id
            )
            if kept is not None:
                return kept
            await until_ready(self.parts, self._lease_wish, wished=not opening.facts.known)
            return await self.parts.downloads.make(wish)
        except Retry as problem:
            return problem

    async def _bring_down(self, opening: Opening) -> None:
        work = self._download(opening)
        download = await saying(self._acknowledge, self.parts.limits.keepalive_s, work)
        if isinstance(download, Retry):
            await self._defer(download)
            return
        self.row.resumed = int(download.resumed)
        self.row.rows_down += download.rows
        if not self.noted:
            self.noted = True
            await self.parts.database.write(self._note_begun)
        offset = self.hello.resume_offset if download.resumed else 0
        bandwidth = self.parts.bandwidth
        with self.parts.downloads.on_its_way(download):
            await send_download(self.stream, download, offset=offset, bandwidth=bandwidth)
        reason = await self._repair(download.start)
        if reason is not None:
            await self._defer(reason)
        else:
            await self._done(session_pb2.OUTCOME_DONE)

    async def _defer(self, problem: Retry) -> None:
        await self._done(
            session_pb2.OUTCOME_DOWNLOAD_DEFERRED,
            reason=problem.code,
            retry_after_ms=int(problem.delay_s * 1000),
        )

    async def _repair(self, start: session_pb2.DownloadStart) -> Retry | None:
        """What differs was sent again; a reason to come again where that can't be done now."""
        for turn in range(limits.REPAIRS_IN_SESSION + 1):
            applied = (await self.stream.expect("applied")).applied
            if not applied.differing:
                return None
            note_difference(self.parts.metrics, self.hello.device_id, len(applied.differing))
            if turn == limits.REPAIRS_IN_SESSION or self.mode in _NEW_DATABASE:
                return None
            if len(applied.differing) > limits.DIGESTS_IN_APPLIED:
                raise Rejected("too_many_digests", most=limits.DIGESTS_IN_APPLIED)
            find = partial(
                find_repair,
                device_id=self.hello.device_id,
                held=applied.differing,
                stands_at=start.mark_lsn,
                has=start.partitions,
                known=self.hello.schema_version,
            )
            try:
                repair = await self.parts.database.read(find)
            except Retry as problem:
                return problem
            self.row.rows_down += repair.rows
            message = session_pb2.Repair(frames=repair.frames, digests=repair.digests)
            await self.stream.send(session_pb2.GatewayMessage(repair=message))
        return None

    async def _done(
        self,
        outcome: session_pb2.Outcome.ValueType,
        *,
        reason: str = "",
        retry_after_ms: int = 0,
        wipe_order: bytes = b"",
    ) -> None:
        self.row.outcome = OUTCOME_NAMES[outcome]
        self.row.problem = reason
        done = session_pb2.Done(
            outcome=outcome,
            reason=reason,
            retry_after_ms=retry_after_ms,
            wipe_order=wipe_order,
            rows_up=self.row.rows_up,
            rows_down=self.row.rows_down,
            bytes_up=self.stream.bytes_up,
            bytes_down=self.stream.bytes_down,
            ticks=self.ticks,
            gateways=self.parts.gateways(self.home_gateway_id),
        )
        await self.stream.send(session_pb2.GatewayMessage(done=done))

    async def fence(self, problem: Fenced) -> None:
        """The session ends with OUTCOME_FENCED: the device must initialize."""
        await self._done(session_pb2.OUTCOME_FENCED, reason=problem.code)
