"""What Hello says: how the device's database stands, and what it asks for."""

from dataclasses import dataclass

from device_agent.link.messages import Opening
from device_agent.modes.context import SyncContext
from device_agent.modes.renewal import newest_authority
from device_agent.storage import held, outbox
from device_agent.storage.database import Connection
from device_agent.storage.state import DeviceState, read_state
from device_agent.storage.ticks import Place
from fieldmesh.basics.release import RELEASE
from fieldmesh.data.schema import SCHEMA_VERSION
from fieldmesh.session.transitions import Mode


@dataclass(frozen=True, slots=True)
class Greeting:
    """What Hello says of the device's database."""

    state: DeviceState
    partitions: list[int]
    reject_lsn: int
    earlier: Place
    """The newest batch of an earlier epoch without second tick; a tick of this epoch says nothing of it."""


def read_greeting(connection: Connection) -> Greeting:
    """The database as it stands now."""
    state = read_state(connection)
    return Greeting(
        state,
        held.held_partitions(connection),
        held.newest_reject(connection),
        outbox.newest_before(connection, state.device_epoch),
    )


def opening_of(context: SyncContext, mode: Mode, greeting: Greeting, session_id: bytes) -> Opening:
    """Hello without the device's word of where it is."""
    state = greeting.state
    unfinished = context.downloads.unfinished()
    return Opening(
        mode=mode,
        device_id=state.device_id,
        device_epoch=state.device_epoch,
        schema_version=SCHEMA_VERSION,
        app_version=RELEASE,
        cursor_lsn=state.cursor_lsn,
        partitions=greeting.partitions,
        last_sequence=state.last_sequence,
        last_sha256=state.previous_sha256 if state.last_sequence else b"",
        device_time=context.clock.now(),
        session_id=session_id,
        reject_lsn=greeting.reject_lsn,
        earlier_epoch=greeting.earlier.device_epoch,
        handover_epoch=state.handover_epoch,
        hub_proof=state.hub_proof,
        network=context.settings.network,
        authority=newest_authority(context),
        resume_download_id=unfinished.download_id if unfinished else b"",
        resume_offset=unfinished.held_bytes if unfinished else 0,
    )
