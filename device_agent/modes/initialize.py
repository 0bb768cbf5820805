"""Initialize: what waits goes up, then a snapshot replaces the database."""

from device_agent.link.gateways import Candidate
from device_agent.link.messages import Ended
from device_agent.modes import snapshot
from device_agent.modes.context import Report, SyncContext
from device_agent.modes.progress import Step
from device_agent.modes.receive import receive
from device_agent.modes.talk import begin
from device_agent.storage import numbers, outbox, swap, ticks
from device_agent.storage.database import Connection
from device_agent.storage.identity import load_facts
from device_agent.storage.state import read_state
from fieldmesh.basics.errors import Fenced
from fieldmesh.session.transitions import Mode


async def initialize(context: SyncContext, gateway: Candidate) -> Report:
    """The database is the gateway's newest snapshot, in a new device epoch; nothing was lost.

    What waits is uploaded first. What this gateway would not take is kept in a rescue file and,
    besides, carried into the new database, so it goes up later. If the rescue file cannot be
    written, nothing is replaced (promise 1). A restored image or a clone sends nothing under its
    old numbers: what waits goes up renumbered, in the new epoch.

    Raises:
        Retry: the gateway or the line failed; what came is kept and the next run goes on there.
        Fenced: the device was wiped, or is a clone of one whose numbers head office knows, as is only known now.
    """
    async with begin(context, Mode.INITIALIZE, gateway) as talk:
        await talk.send()
        answer = await talk.hear()
        if isinstance(answer, Ended):
            return await talk.end(answer)
        parts, meant = await receive(talk, answer)
        built = await snapshot.build(talk, answer, parts, meant)
        restored = talk.is_restored_image
        if not restored:
            await context.database.write(talk.put_heard)
            if (await context.database.read(read_state)).must_initialize:
                raise Fenced("initialize_needed", place="session", reason="cloned_device")
        talk.report.rescue_file = await snapshot.keep_aside(talk)
        context.tell(Step.SWAP)
        now = context.clock.now()

        def last(connection: Connection) -> None:
            if restored:
                ticks.stand_at(connection, talk.report.gateway_id, talk.stood_at)
                enrolled, _gateways = load_facts(context.home)
                numbers.begin_anew(connection, enrolled.document_prefix)
                outbox.renumber_all(connection, sign=context.sign, now=now)

        context.database = await swap.replace_database(
            context.database,
            context.home,
            built.path,
            built.snapshot,
            swap.Turn(epoch=talk.granted_epoch, now=now, last=last, restored=restored),
        )
        parts.forget()
        return await talk.end_after_swap(answer.mark_lsn)
