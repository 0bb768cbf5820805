"""Full: what waits goes up, then what changed comes down."""

from device_agent.link.gateways import Candidate
from device_agent.link.messages import DownloadAnnounced, Ended, Kind, RepairSent
from device_agent.modes.context import Report, SyncContext
from device_agent.modes.progress import Step
from device_agent.modes.receive import receive
from device_agent.modes.talk import Talk, begin
from device_agent.storage.database import Connection
from device_agent.storage.digests import differing
from device_agent.storage.frames import frames_of
from device_agent.storage.parts import Parts
from device_agent.storage.rows import DeltaApplier
from device_agent.storage.state import read_state
from device_agent.storage.ticks import NOWHERE, Place, note_clone
from fieldmesh.basics.errors import Rejected, Retry
from fieldmesh.replica.digest import Digest
from fieldmesh.session.transitions import Mode

MOST_REPAIRS = 2


async def full(context: SyncContext, gateway: Candidate) -> Report:
    """The device stands at the gateway's newest hub state, proven by digests, durable.

    The delta is applied in one transaction (promise 4); rows with local changes that the hub has
    not answered keep their content. Where digests differ, just those ranges are sent again
    (promise 5).

    Raises:
        Retry: the gateway or the line failed; what came is kept and the next run goes on there.
        Fenced: the device must initialize, or was wiped.
    """
    async with begin(context, Mode.FULL, gateway) as talk:
        await talk.send()
        answer = await talk.hear()
        if isinstance(answer, Ended):
            return await talk.end(answer)
        if answer.kind is not Kind.DELTA:
            raise Rejected("bad_message", place="full: not a delta")
        parts, meant = await receive(talk, answer)
        differs = await _apply(talk, answer, parts, meant)
        parts.forget()
        for _ in range(MOST_REPAIRS + 1):
            await talk.stream.say_applied(answer.mark_lsn, differs)
            reply = await talk.stream.receive()
            if isinstance(reply, Ended):
                return await talk.end(reply)
            if not isinstance(reply, RepairSent):
                raise Rejected("bad_message", place=type(reply).__name__)
            differs = await _repair(talk, reply, answer, meant)
        raise Rejected("bad_message", place="full: too many repairs")


async def _apply(
    talk: Talk, announced: DownloadAnnounced, parts: Parts, meant: list[Digest]
) -> list[Digest]:
    """The delta is applied, durable; what differs from what the gateway means is returned."""
    context = talk.context
    context.tell(Step.APPLY)

    def work(connection: Connection) -> tuple[int, list[Digest]]:
        if announced.mark_lsn < read_state(connection).cursor_lsn:
            raise Retry("gateway_behind", place="DownloadStart.mark_lsn")
        talk.put_heard(connection)
        applier = DeltaApplier(connection)
        applier.begin(
            answered=_answered(connection, announced),
            dropped=announced.dropped,
            whole=announced.whole,
        )
        for frame in frames_of(parts.pieces()):
            applier.frame(frame)
        applier.finish(
            mark_lsn=announced.mark_lsn,
            partitions=announced.partitions,
            now=context.clock.now(),
        )
        partitions = set(announced.partitions)
        differs = differing(connection, meant, partitions, announced.mark_lsn)
        return applier.rows_applied, differs

    talk.report.rows_down, differs = await context.database.apply(work)
    context.tell(Step.APPLY, talk.report.rows_down, talk.report.rows_down)
    context.tell(Step.VERIFY, note="equal" if not differs else "differs")
    return differs


def _answered(connection: Connection, announced: DownloadAnnounced) -> Place:
    """The newest own batch whose echo is in the delta; none where it is a clone's: own rows stay. Promise 1."""
    note_clone(connection, Place(*announced.ticks.hub), announced.ticks.hub_sha256)
    return NOWHERE if read_state(connection).must_initialize else Place(*announced.ticks.hub)


async def _repair(
    talk: Talk, sent: RepairSent, announced: DownloadAnnounced, meant: list[Digest]
) -> list[Digest]:
    """The ranges that differed are as the gateway has them, in one transaction with all that changed there meanwhile.

    What still differs is returned. The cursor stays: what the repair brought early comes again.
    """
    talk.report.repaired = True

    def work(connection: Connection) -> list[Digest]:
        applier = DeltaApplier(connection)
        applier.repair()
        for frame in sent.frames:
            applier.frame(frame)
        partitions = set(announced.partitions)
        return differing(connection, sent.digests or meant, partitions, announced.mark_lsn)

    differs = await talk.context.database.apply(work)
    talk.context.tell(Step.VERIFY, note="repaired" if not differs else "differs")
    return differs
