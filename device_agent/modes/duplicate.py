"""Duplicate: a spare receives a position's whole working set and begins to stand in."""

from device_agent.link.gateways import Candidate
from device_agent.link.messages import Ended
from device_agent.modes import snapshot
from device_agent.modes.context import Report, SyncContext
from device_agent.modes.progress import Step
from device_agent.modes.receive import receive
from device_agent.modes.talk import begin
from device_agent.storage import outbox, swap
from device_agent.storage.database import Connection
from device_agent.storage.state import read_state, update_state
from fieldmesh.basics.errors import Rejected
from fieldmesh.codec.batch import Event, EventKind
from fieldmesh.session.transitions import Mode


async def duplicate(context: SyncContext, gateway: Candidate) -> Report:
    """The spare holds the position's working set, also what the first device has uploaded.

    The batch that tells the hub of the takeover is made in the same transaction as the swap, so
    a spare that shows the working set will always tell; the next fast sync brings it up.

    Raises:
        Rejected: `not_a_spare`: this device was not registered as a spare.
        Retry: the gateway or the line failed; run again.
        Fenced: the device was wiped.
    """
    state = await context.database.read(read_state)
    if not state.spare:
        raise Rejected("not_a_spare", place="duplicate")
    async with begin(context, Mode.DUPLICATE, gateway) as talk:
        await talk.send()
        answer = await talk.hear()
        if isinstance(answer, Ended):
            return await talk.end(answer)
        parts, meant = await receive(talk, answer)
        built = await snapshot.build(talk, answer, parts, meant)
        await context.database.write(talk.put_heard)
        talk.report.rescue_file = await snapshot.keep_aside(talk)
        context.tell(Step.SWAP)
        now = context.clock.now()
        first = talk.stands_in_for

        def last(connection: Connection) -> None:
            if state.first_device_id == first and state.handover_sequence == 0:
                return
            update_state(connection, first_device_id=first, handover_epoch=0, handover_sequence=0)
            outbox.pack(
                connection,
                sign=context.sign,
                now=now,
                event=Event(EventKind.TAKEOVER, first),
            )

        context.database = await swap.replace_database(
            context.database,
            context.home,
            built.path,
            built.snapshot,
            swap.Turn(epoch=talk.granted_epoch, now=now, last=last),
        )
        parts.forget()
        return await talk.end_after_swap(answer.mark_lsn)
