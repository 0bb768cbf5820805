"""Photos go up apart from orders, each resumed at the byte where it was cut."""

from device_agent.link.blobs import put_blob
from device_agent.link.channel import open_channel
from device_agent.modes.choice import candidates
from device_agent.modes.context import SyncContext
from device_agent.modes.progress import Step
from device_agent.storage import photos
from fieldmesh.basics.errors import Retry


async def keep_photo(context: SyncContext, content: bytes) -> bytes:
    """The photo is on the device, sealed, and will be sent. Returns its name (sha256)."""
    sha256 = photos.keep_content(context.home, context.database.key, content)
    now = context.clock.now()
    await context.database.write(
        lambda found: photos.add_to_queue(found, sha256, len(content), now)
    )
    return sha256


async def send_photos(context: SyncContext, only: str = "") -> int:
    """Every photo that waits is whole at the nearest gateway. Returns how many were sent.

    Args:
        context: the device.
        only: host:port; no other gateway is tried.

    Raises:
        Retry: the line failed, or the gateway is full; what was sent stays sent.
    """
    waiting = await context.database.read(photos.unsent)
    if not waiting:
        return 0
    ways = await candidates(context, only)
    if not ways:
        raise Retry("no_gateway_reachable", place="gateways")
    address = ways[0].address
    async with open_channel(address, context.identity.authority_pem, context.identity) as channel:
        for number, sha256 in enumerate(waiting):
            context.tell(Step.UPLOAD, number, len(waiting), note="photos")
            content = photos.read_content(context.home, context.database.key, sha256)
            await put_blob(channel, content)
            await context.database.write(_marker(sha256, context.clock.now()))
            photos.forget_content(context.home, sha256)
    context.tell(Step.UPLOAD, len(waiting), len(waiting), note="photos")
    return len(waiting)


def _marker(sha256: bytes, now: int) -> "photos.Marker":
    return lambda connection: photos.mark_sent(connection, sha256, now)
