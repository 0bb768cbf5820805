"""The loop over UP: pull, verify in a thread, one transaction, acknowledge after its commit.

If a group's transaction fails, its batches are tried one by one; the one that still fails goes to quarantine with
its bytes and its reason, and the stream goes on (promise 7). When the database itself can't write, nothing is
acknowledged and the loop tries again.
"""

import asyncio
import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from fieldmesh.basics import limits
from fieldmesh.basics.errors import Rejected, Retry
from fieldmesh.codec.batch import decode_header
from fieldmesh.codec.replication import Forwarded, RecordedSession, read_up_message
from fieldmesh.service.bus import Bus
from fieldmesh.service.bus_pull import BusMessage
from hub.ingest.blame import POISON
from hub.ingest.ingest import Ingest
from hub.ingest.result import GroupResult
from hub.ingest.verify import Checked, Verifier
from hub.metrics import IngestFigures
from hub.storage.database import refusing_rows

STREAM = "UP"
MOST_MESSAGES = 128
MOST_ROWS = limits.BATCH_ROWS
MOST_UNFOLDED_BYTES = 2 * limits.BATCH_BODY_UNCOMPRESSED_BYTES
"""Of the batches of one transaction, as their headers say it; one that is larger comes by itself."""
PULL_S = 5.0
LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Read:
    batches: list[Checked]
    sessions: list[tuple[RecordedSession, bytes]]
    """Each with its message's bytes."""

    @property
    def records(self) -> list[RecordedSession]:
        """The sessions alone."""
        return [session for session, _ in self.sessions]


def consumer_name(shard: int) -> str:
    """The hub's durable consumer on UP for one shard."""
    return f"ingest_{shard}"


class Consumer:
    """Takes one shard of UP."""

    def __init__(
        self, bus: Bus, ingest: Ingest, verifier: Verifier, shard: int, figures: IngestFigures
    ) -> None:
        """The shard's messages go from ``bus`` to ``ingest``."""
        self._bus = bus
        self._ingest = ingest
        self._verifier = verifier
        self._consumer = consumer_name(shard)
        self._figures = figures

    async def run(self) -> None:
        """Never ends by itself.

        Raises:
            Retry: the bus or the database is away; the caller runs it again.
        """
        while True:
            messages = await self._bus.pull(STREAM, self._consumer, MOST_MESSAGES, PULL_S)
            if messages:
                await self.take(messages)
            self._figures.progressed()

    async def take(self, messages: Sequence[BusMessage]) -> GroupResult:
        """The messages are decided and acknowledged, in portions that a transaction can hold.

        Raises:
            Retry: the database could not take it now; what was not decided comes again.
        """
        result = GroupResult()
        for portion in await asyncio.to_thread(_portions, messages):
            read = await asyncio.to_thread(self._read, messages[:portion])
            try:
                done = await self._apply(read)
            except Retry as problem:
                for message in messages:
                    await message.refuse(problem.delay_s)
                raise
            for message in messages[:portion]:
                await message.ack()
            self._figures.applied(done)
            result.add(done)
            messages = messages[portion:]
            for message in messages:
                await message.working()
        return result

    def _read(self, messages: Sequence[BusMessage]) -> _Read:
        batches, sessions = [], []
        for message in messages:
            content = message.data
            try:
                held = read_up_message(content)
                _check_sender(message.subject, held)
            except Rejected as problem:
                batches.append(_unreadable(content, problem))
                continue
            if isinstance(held, Forwarded):
                batches.append(self._verifier.check(held, content))
            else:
                sessions.append((held, content))
        return _Read(batches, sessions)

    async def _apply(self, read: _Read) -> GroupResult:
        try:
            return await self._ingest.apply(read.batches, read.records)
        except Retry:
            raise
        except POISON as error:
            LOG.warning("group_failed", extra={"batches": len(read.batches), "problem": str(error)})
        result = GroupResult()
        for session, content in read.sessions:
            result.add(await self._record(session, content))
        for batch in read.batches:
            result.add(await self._ingest.apply([batch]))
        return result

    async def _record(self, session: RecordedSession, content: bytes) -> GroupResult:
        try:
            with refusing_rows():
                return await self._ingest.apply([], [session])
        except Retry:
            raise
        except POISON as error:
            LOG.exception("session_failed")
            problem = Rejected("bad_message", place=f"session record ({type(error).__name__})")
            sender = session.gateway_id, session.outbox_number
            return await self._ingest.apply([_unreadable(content, problem, *sender)])


def _portions(messages: Sequence[BusMessage]) -> list[int]:
    """How many messages, in their order, one transaction takes after the other.

    By the numbers in the headers, before a body is unfolded; a body that says less than it is is refused.
    """
    portions, rows, size = [0], 0, 0
    for message in messages:
        more_rows, more_bytes = _unfolded(message.data)
        rows, size = rows + more_rows, size + more_bytes
        if portions[-1] and (rows > MOST_ROWS or size > MOST_UNFOLDED_BYTES):
            portions.append(0)
            rows, size = more_rows, more_bytes
        portions[-1] += 1
    return portions


def _unfolded(content: bytes) -> tuple[int, int]:
    """Rows and bytes that the message would unfold to; what can't be read stays as it is."""
    try:
        held = read_up_message(content)
        header = decode_header(held.header) if isinstance(held, Forwarded) else None
    except Rejected:
        header = None
    return (header.rows, header.body_uncompressed_size) if header else (0, len(content))


def _unreadable(
    content: bytes, problem: Rejected, gateway_id: bytes = b"", outbox_number: int = 0
) -> Checked:
    """A message that nobody can take in: it is kept, and its gateway, where it is known, has a receipt."""
    sent = Forwarded(
        gateway_id, outbox_number, b"", b"", b"", b"", 0, "wire", device_suspended=False
    )
    return Checked(sent, content, None, hashlib.sha256(content).digest(), (), problem)


def _check_sender(subject: str, held: Forwarded | RecordedSession) -> None:
    """The broker lets a gateway publish under its own name only; a receipt must not go to another one."""
    if subject.rpartition(".")[2] != held.gateway_id.hex():
        raise Rejected("bad_message", place="UpMessage.gateway_id")
