"""Fast: what waits goes up; acknowledgements and rejects come back. One round trip."""

from device_agent.link.gateways import Candidate
from device_agent.link.messages import Ended
from device_agent.modes.context import Report, SyncContext
from device_agent.modes.talk import begin
from fieldmesh.basics.errors import Rejected
from fieldmesh.session.transitions import Mode


async def fast(context: SyncContext, gateway: Candidate) -> Report:
    """What was made on this device is at the gateway (one tick), durable there.

    The device keeps every batch until its second tick, so a cut at any byte loses nothing and
    running again sends nothing twice that counts twice (promises 1 and 2).

    Raises:
        Retry: the gateway or the line failed; run again, here or at the next gateway.
        Fenced: the device must initialize, or was wiped.
    """
    async with begin(context, Mode.FAST, gateway) as talk:
        await talk.send()
        answer = await talk.hear()
        if not isinstance(answer, Ended):
            raise Rejected("bad_message", place="fast")
        return await talk.end(answer)
