"""Upload: a spare hands over what it made, is locked, and cleared when the hub has it."""

from device_agent.link.gateways import Candidate
from device_agent.link.messages import Ended
from device_agent.modes.context import Report, SyncContext
from device_agent.modes.progress import Step
from device_agent.modes.talk import begin
from device_agent.storage import outbox, schema, swap
from device_agent.storage.database import Connection
from device_agent.storage.state import DeviceState, read_state, set_locked, update_state
from device_agent.storage.ticks import Place
from fieldmesh.basics.errors import Rejected
from fieldmesh.codec.batch import Event, EventKind
from fieldmesh.session.transitions import Mode


async def upload(context: SyncContext, gateway: Candidate) -> Report:
    """Everything that the spare made is at the gateway; cleared once the hub has it.

    The last batch says that it is the last; from its packing on the spare takes no more work.
    While the second tick is awaited the spare stays locked, with everything still on it
    (promise 1); run again to ask.

    Raises:
        Rejected: `not_a_spare`: this device does not stand in for another.
        Retry: the gateway or the line failed; run again.
        Fenced: the device must initialize, or was wiped.
    """
    state = await context.database.read(read_state)
    if not state.spare or not state.first_device_id:
        raise Rejected("not_a_spare", place="upload")
    now = context.clock.now()

    def hand_over(connection: Connection) -> int:
        held = read_state(connection)
        if held.handover_sequence:
            return 0
        made = outbox.pack(
            connection,
            sign=context.sign,
            now=now,
            event=Event(EventKind.HANDOVER, held.first_device_id),
        )
        after = read_state(connection)
        update_state(
            connection,
            handover_epoch=after.device_epoch,
            handover_sequence=after.last_sequence,
        )
        set_locked(connection, locked=True)
        return made

    async with begin(context, Mode.UPLOAD, gateway) as talk:
        await talk.send(hand_over)
        answer = await talk.hear()
        if not isinstance(answer, Ended):
            raise Rejected("bad_message", place="upload")
        report = await talk.end(answer)
    report.cleared = await _clear_when_applied(context)
    return report


async def _clear_when_applied(context: SyncContext) -> bool:
    """With two ticks on the handover the spare is empty and ready for its next use."""
    state = await context.database.read(read_state)
    applied = Place(state.hub_epoch, state.hub_sequence)
    if applied < Place(state.handover_epoch, state.handover_sequence):
        return False
    context.tell(Step.SWAP, note="clearing")
    path = context.home.next_database()
    schema.create_empty(path, context.database.key)
    now = context.clock.now()
    context.database = await swap.replace_database(
        context.database,
        context.home,
        path,
        swap.Snapshot(mark_lsn=0, partitions=[], answered=applied, uncompressed_bytes=0),
        swap.Turn(epoch=0, now=now, last=_unlock),
    )
    return True


def _unlock(connection: Connection) -> None:
    held: DeviceState = read_state(connection)
    update_state(
        connection,
        first_device_id=b"",
        handover_sequence=0,
        last_full_at=0,
        cursor_lsn=0,
        seen_epoch=held.hub_epoch,
        seen_sequence=held.hub_sequence,
    )
    set_locked(connection, locked=False)
