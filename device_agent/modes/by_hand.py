"""Batches carried by hand: out of the device into a file, and back from a rescue file."""

from device_agent.link.carrier_file import read_carrier, write_carrier
from device_agent.link.messages import SignedBytes
from device_agent.modes.context import SyncContext
from device_agent.storage import outbox, rescue
from device_agent.storage.database import Connection
from device_agent.storage.state import read_state
from device_agent.storage.ticks import Place


async def export(context: SyncContext) -> tuple[bytes, int]:
    """The content of a carrier file with every batch that has no second tick; and how many.

    What was captured is packed first. The batches stay on the device: the file is a copy.
    """
    now = context.clock.now()

    def work(connection: Connection) -> list[outbox.WaitingBatch]:
        outbox.pack(connection, sign=context.sign, now=now)
        state = read_state(connection)
        return outbox.waiting_after(connection, Place(state.hub_epoch, state.hub_sequence))

    waiting = await context.database.write(work)
    signed = [
        SignedBytes(batch.sequence, batch.header, batch.body, batch.signature) for batch in waiting
    ]
    return write_carrier(context.certificate, signed), len(signed)


async def take_back(context: SyncContext, name: str) -> int:
    """The batches of a rescue file wait in the outbox again. Returns how many were missing there.

    Raises:
        Rejected: no such file, or one that this device cannot read.
    """
    carrier = rescue.read(context.home, context.database.key, name)
    _, batches = read_carrier(carrier)
    now = context.clock.now()

    def work(connection: Connection) -> int:
        return sum(
            outbox.take_back(connection, batch.header, batch.body, batch.signature, now=now)
            for batch in batches
        )

    return await context.database.write(work)
