"""A spare device begins or ends to stand in for another (modes duplicate and upload)."""

from fieldmesh.codec.batch import BatchHeader
from fieldmesh.codec.columns import from_rows
from hub.fleet.registry import Maker, change_states, release_spare
from hub.ingest.rejects import hand_on
from hub.storage import journal
from hub.storage.changes import ChangeWriter
from hub.storage.writers import DeviceWriter, device_writers


async def apply_event(
    writer: ChangeWriter, maker: Maker, device: DeviceWriter, header: BatchHeader
) -> dict[bytes, DeviceWriter]:
    """Both devices are in their new states; returns them as they are now.

    Takeover: the first device is suspended. Handover: head office has everything (this batch is the last), so the
    spare serves nobody until it is authorised again, and the first device works again after its next full sync; it
    hears of what was refused of the spare's work. An event of an authorisation that has ended, or of a spare that is
    revoked, changes no state; the authorisation that the spare has now stands for what it does after this batch's
    epoch. A revoked device stays revoked. Promise 7 (Authority).
    """
    if header.takeover_first_device_id is not None:
        first, kind = header.takeover_first_device_id, "spare_took_over"
        states = [(device.device_id, "standing_in", 0), (first, "suspended", 0)]
    else:
        first, kind = header.handover_first_device_id or b"", "spare_handed_over"
        states = [(first, "active", 1)]
    about: dict[str, object] = {
        "first_device": first.hex(),
        "sequence": header.sequence,
        "lsn": writer.lsn,
    }
    actor = f"device {device.code}"
    if device.kind != "spare" or device.stands_in_for != first or device.state == "revoked":
        await journal.append(
            writer.connection, at=writer.now, kind=f"{kind}_refused", actor=actor, payload=about
        )
        if device.kind == "spare":
            floor = [(device.device_id, header.device_epoch)]
            await writer.update("device", from_rows("device", ("id", "epoch_floor"), floor))
        return {}
    if revoked := await change_states(writer, states):
        about["stay_revoked"] = sorted(one.hex() for one in revoked)
    if header.takeover_first_device_id is None:
        await hand_on(writer, device.device_id, first)
        await release_spare(writer, maker, device.device_id)
    await journal.append(
        writer.connection,
        at=writer.now,
        kind=kind,
        actor=actor,
        payload=about,
    )
    return await device_writers(writer.connection, [device.device_id, first])
