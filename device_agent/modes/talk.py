"""The parts of a session that modes share: packing, upload, hearing, download, ending."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial

from device_agent.link.channel import ask_gateway_id, open_channel
from device_agent.link.gateways import Candidate
from device_agent.link.messages import (
    Acknowledged,
    DownloadAnnounced,
    Ended,
    Message,
    Outcome,
    SignedBytes,
    TicksHeard,
    Welcomed,
)
from device_agent.link.stream import SessionStream, open_session
from device_agent.link.wipe_order import check_wipe_order
from device_agent.modes.context import Report, SyncContext
from device_agent.modes.greeting import Greeting, opening_of, read_greeting
from device_agent.modes.presence import say_presence
from device_agent.modes.progress import Step
from device_agent.modes.renewal import learn_authorities
from device_agent.storage import outbox, ticks
from device_agent.storage.database import Connection, uncaptured
from device_agent.storage.gateways import GatewayRow, replace_hub_list
from device_agent.storage.sessions import SessionRow, save_session
from device_agent.storage.state import DeviceState, read_state, update_state
from device_agent.storage.ticks import Place
from device_agent.storage.written import write_rows
from fieldmesh.basics.errors import Fenced, FieldmeshError, Rejected, Retry
from fieldmesh.basics.limits import EPOCHS_AHEAD
from fieldmesh.codec.columns import TableRows
from fieldmesh.service.tasks import beside
from fieldmesh.session.transitions import Mode

_KEEP = frozenset({Mode.FAST, Mode.FULL})
"""Modes in which the device goes on in its database."""


@dataclass(frozen=True, slots=True)
class Before:
    """Where the device stood once it had packed, and what goes up."""

    state: DeviceState
    waiting: list[outbox.WaitingBatch]


class Talk:
    """One session between this device and one gateway."""

    def __init__(
        self,
        context: SyncContext,
        stream: SessionStream,
        mode: Mode,
        gateway: Candidate,
        ask_gateway_id: Callable[[], Awaitable[bytes]],
    ) -> None:
        """Use `begin`."""
        self.context = context
        self.stream = stream
        self.mode = mode
        self.report = Report(mode.value, gateway_address=gateway.address)
        self.welcome: Welcomed | None = None
        self.before: Before | None = None
        self._candidate = gateway
        self._ask_gateway_id = ask_gateway_id
        self._rejects: list[TableRows] = []
        self._heard = TicksHeard()
        self._sent: set[Place] = set()
        self._earlier = ticks.NOWHERE
        self._acknowledged = False
        self._first: Message | None = None
        self._asked_at = 0
        self._answered_at = 0
        self._journal = SessionRow(
            session_id=context.new_identifier(),
            mode=mode.value,
            started_at=context.clock.now(),
            network=context.settings.network,
        )

    @property
    def heard(self) -> TicksHeard:
        """The newest ticks of this session."""
        return self._heard

    @property
    def granted_epoch(self) -> int:
        """The device epoch to use from now on; 0 = unchanged."""
        return self.welcome.granted_epoch if self.welcome else 0

    @property
    def stands_in_for(self) -> bytes:
        """The device that this spare stands in for; empty otherwise."""
        return self.welcome.stands_in_for if self.welcome else b""

    @property
    def is_restored_image(self) -> bool:
        """Whether other batches went up under the numbers that this database would use."""
        state = self._known().state
        beyond = self.welcome is not None and self.welcome.next_sequence > state.next_sequence
        return bool(state.must_initialize) or beyond

    @property
    def stood_at(self) -> Place:
        """The newest batch that the gateway, or head office as it knows, holds with all before it in its epoch."""
        if self.welcome is None:
            return ticks.NOWHERE
        if self.welcome.next_sequence > 1:
            return Place(self._known().state.device_epoch, self.welcome.next_sequence - 1)
        return Place(self._earlier.device_epoch, self.welcome.earlier_sequence)

    async def send(self, last: Callable[..., int] | None = None) -> None:
        """Hello and what the gateway lacks are on their way; no reply was waited for.

        Hello goes out while what was captured is packed: the gateway looks up the device and makes
        its delta meanwhile. Batches leave once they are durable here.

        Args:
            last: packs instead of the ordinary way (upload packs a handover).
        """
        said = asyncio.Event()
        greeting = await self.context.database.read(read_greeting)
        self._earlier = greeting.earlier
        async with beside(self._greet(greeting, said)):
            self.before = await self._pack(last)
            await said.wait()
            await self._send_batches(self.before)

    async def _greet(self, greeting: Greeting, said: asyncio.Event) -> None:
        """Hello was said and the first reply has come; when, tells how the clocks differ."""
        self.context.tell(Step.CONNECT, note=self._candidate.address)
        known = self._candidate.gateway_id
        word, at = await say_presence(self.context, greeting.state, known, self._ask_gateway_id)
        opening = opening_of(self.context, self.mode, greeting, self._journal.session_id)
        opening = replace(opening, presence=word, presence_at=at)
        await self.stream.say_hello(opening)
        self._asked_at = self.context.clock.now()
        said.set()
        self._first = await self.stream.receive()
        self._answered_at = self.context.clock.now()

    async def _pack(self, last: Callable[..., int] | None) -> Before:
        """What was captured is in batches, durable; what this gateway lacks is known."""
        context = self.context
        context.tell(Step.PACK)
        now = context.clock.now()
        gateway_id = self._candidate.gateway_id

        def work(connection: Connection) -> Before:
            if last is not None:
                last(connection)
            else:
                outbox.pack(connection, sign=context.sign, now=now)
            state = read_state(connection)
            if self.mode is Mode.INITIALIZE and state.must_initialize:
                # Others went up under these numbers: they follow, renumbered, after the swap.
                return Before(state, [])
            held_there = ticks.held_by(connection, gateway_id)
            return Before(state, outbox.waiting_after(connection, held_there))

        before = await context.database.write(work)
        packed = sum(batch.rows for batch in before.waiting)
        context.tell(Step.PACK, packed, packed)
        return before

    async def _send_batches(self, before: Before) -> None:
        total = sum(len(batch.body) for batch in before.waiting)
        self.context.tell(Step.UPLOAD, 0, total)
        signed = [
            SignedBytes(batch.sequence, batch.header, batch.body, batch.signature)
            for batch in before.waiting
        ]
        await self.stream.send_batches(signed, before.state.last_sequence)
        self._sent = {batch.place for batch in before.waiting}
        self.context.tell(Step.UPLOAD, total, total)
        self.report.batches_sent = len(signed)
        self.report.rows_up = sum(batch.rows for batch in before.waiting)
        self.report.bytes_up = sum(batch.size_bytes for batch in signed)

    async def hear(self) -> DownloadAnnounced | Ended:
        """Welcome and acknowledgements were heard; what follows them."""
        while True:
            message = self._first or await self.stream.receive()
            self._first = None
            match message:
                case Welcomed():
                    self._take_welcome(message)
                case Acknowledged():
                    self._heard = message.ticks
                    self._acknowledged = True
                    self._rejects.extend(message.rejects)
                    self.context.tell(Step.ACKNOWLEDGE, message.ticks.gateway[1])
                case DownloadAnnounced() | Ended():
                    return message
                case _:
                    raise Rejected("bad_message", place=type(message).__name__)

    def put_heard(self, connection: Connection) -> None:
        """Ticks and rejects of this session are in the caller's transaction."""
        if self.welcome is None or not self._acknowledged:
            return
        ticks.record_ticks(
            connection,
            self.welcome.gateway_id,
            gateway=Place(*self._heard.gateway),
            hub=Place(*self._heard.hub),
            hub_sha256=self._heard.hub_sha256,
            hub_proof=self._heard.hub_proof,
            now=self.context.clock.now(),
        )
        with uncaptured(connection):
            for reject in self._rejects:
                write_rows(connection, reject)

    async def end(self, ended: Ended) -> Report:
        """Everything that the session told is durable, also in the journal.

        Raises:
            Fenced: the device must initialize, or was wiped.
        """
        if ended.outcome is Outcome.WIPE:
            await self._wipe(ended)
        if self._acknowledged and any(ended.ticks.gateway):
            self._heard = ended.ticks
        report = self.report
        report.outcome = ended.outcome.value
        report.problem = ended.reason
        report.retry_after_s = ended.retry_after_s
        report.gateway_tick, report.hub_tick = self._heard.gateway, self._heard.hub
        report.rejects = sum(found.row_count for found in self._rejects)

        def work(connection: Connection) -> tuple[bool, bool]:
            if ended.outcome is not Outcome.FENCED:
                # Fenced: those ticks are about what others sent under this device's numbers.
                self.put_heard(connection)
                self._offer_again(connection)
            self._put_gateways(connection, ended)
            if ended.outcome is Outcome.FENCED:
                update_state(connection, must_initialize=1)
            if self.welcome is not None:
                self._learn(connection, self.welcome)
            self._put_journal(connection)
            held = ticks.held_by(connection, self.report.gateway_id)
            copied = self.mode in _KEEP and bool(read_state(connection).must_initialize)
            return bool(outbox.waiting_places_after(connection, held) - self._sent), copied

        report.more_waits, copied = await self.context.database.write(work)
        learn_authorities(self.context, self.welcome.authorities if self.welcome else b"")
        if ended.outcome is Outcome.FENCED or copied:
            reason = ended.reason or "cloned_device"
            raise Fenced("initialize_needed", place="session", reason=reason)
        if ended.outcome is Outcome.DONE:
            self.context.tell(Step.DONE, report.rows_up + report.rows_down)
        return report

    async def end_after_swap(self, mark_lsn: int) -> Report:
        """The gateway knows that its snapshot is in use; the device is done in any case.

        The swap is durable: a line that fails only now must not make the device do it all again.
        """
        try:
            await self.stream.say_applied(mark_lsn, [])
            answer = await self.stream.receive()
        except Retry as error:
            answer = None
            self.report.problem = error.code
        if not isinstance(answer, Ended):
            answer = Ended(Outcome.DONE, self.report.problem, 0.0, b"", 0, 0, 0, 0, self._heard)
        return await self.end(answer)

    async def note_failure(self, error: FieldmeshError) -> None:
        """The journal tells how the session failed; nothing else is lost when it cannot."""
        self.report.outcome = "cut" if isinstance(error, Retry) else "refused"
        self.report.problem = error.code
        if isinstance(error, Fenced):
            self.report.outcome = "wiped" if error.code == "device_wiped" else "fenced"
        if error.code == "device_wiped":
            return
        try:
            await self.context.database.write(self._put_journal)
        except FieldmeshError:
            return

    def _offer_again(self, connection: Connection) -> None:
        """A gateway that has lost batches of an earlier epoch is offered everything. Promise 1 (No loss)."""
        missing = (
            self.welcome is not None and self.welcome.earlier_sequence < self._earlier.sequence
        )
        if missing and self._earlier not in self._sent:
            ticks.forget_tick(connection, self.report.gateway_id)

    def _known(self) -> Before:
        if self.before is None:
            raise Rejected("bad_message", place="session not packed")
        return self.before

    def _take_welcome(self, message: Welcomed) -> None:
        held = self._known().state.device_epoch
        if message.granted_epoch and not held < message.granted_epoch <= held + EPOCHS_AHEAD:
            raise Rejected("bad_message", place="Welcome.granted_epoch")
        self.welcome = message
        self._heard = message.ticks
        middle = (self._asked_at + self._answered_at) // 2
        self._journal.clock_skew = message.gateway_time - middle
        self._journal.gateway_id = message.gateway_id
        self.report.gateway_id = message.gateway_id
        self.report.mark_lsn = message.mark_lsn
        self.report.hub_reachable = message.hub_reachable
        self.report.device_state = message.device_state

    def _learn(self, connection: Connection, welcome: Welcomed) -> None:
        """The gateway's time, the network's schema, and the position that the device serves now."""
        update_state(
            connection,
            clock_offset=self._journal.clock_skew,
            network_schema=welcome.schema_version,
        )
        if welcome.position_id:
            update_state(connection, position_id=welcome.position_id)

    def _put_journal(self, connection: Connection) -> None:
        journal, report = self._journal, self.report
        journal.ended_at = self.context.clock.now()
        journal.rows_up, journal.rows_down = report.rows_up, report.rows_down
        journal.bytes_up, journal.bytes_down = report.bytes_up, report.bytes_down
        journal.outcome, journal.problem = report.outcome, report.problem
        journal.resumed = int(report.resumed)
        save_session(connection, journal)

    def _put_gateways(self, connection: Connection, ended: Ended) -> None:
        replace_hub_list(
            connection,
            [
                GatewayRow(address, known.gateway_id, known.name, known.enrolment_address)
                for known in ended.gateways
                for address in known.addresses
            ],
        )

    async def _wipe(self, ended: Ended) -> None:
        before = self._known()
        check_wipe_order(
            ended.wipe_order,
            hub_key=self.context.hub_key,
            device_id=before.state.device_id,
        )
        await self.context.database.close()
        self.context.home.erase()
        raise Fenced("device_wiped", place="session")


@asynccontextmanager
async def begin(context: SyncContext, mode: Mode, gateway: Candidate) -> AsyncIterator[Talk]:
    """A session with the gateway; the connection is being made while the block packs.

    What fails inside is written to the device's journal before it goes on up.
    """
    peer = f"gateway {gateway.address}"
    async with (
        open_channel(gateway.address, context.identity.authority_pem, context.identity) as channel,
        open_session(
            channel,
            mode,
            stall_s=context.settings.stall_s,
            hub=context.hub,
            peer=peer,
        ) as stream,
    ):
        ask = partial(ask_gateway_id, channel, stall_s=context.settings.stall_s, peer=peer)
        talk = Talk(context, stream, mode, gateway, ask)
        try:
            yield talk
        except FieldmeshError as error:
            await asyncio.shield(talk.note_failure(error))
            raise
