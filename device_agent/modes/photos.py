"""Photos go up apart from orders, each resumed at the byte where it was cut."""

import asyncio
from collections import deque
from functools import partial

from device_agent.link.blobs import put_blob
from device_agent.link.channel import open_channel
from device_agent.modes.choice import candidates, note_failure
from device_agent.modes.context import SyncContext
from device_agent.modes.progress import Step
from device_agent.storage import photos
from fieldmesh.basics.errors import Rejected, Retry
from fieldmesh.basics.limits import BLOB_BYTES


async def keep_photo(context: SyncContext, content: bytes) -> bytes:
    """The photo is on the device, sealed, and will be sent. Returns its name (sha256).

    Raises:
        Rejected: `bad_blob` for an empty one, `blob_too_large`: no gateway takes it.
    """
    if not content:
        raise Rejected("bad_blob", place="photo of 0 bytes")
    if len(content) > BLOB_BYTES:
        raise Rejected("blob_too_large", place="photo", size_bytes=len(content))
    sha256 = await asyncio.to_thread(
        photos.keep_content, context.home, context.database.key, content
    )
    now = context.clock.now()
    await context.database.write(
        lambda found: photos.add_to_queue(found, sha256, len(content), now)
    )
    return sha256


async def send_photos(context: SyncContext, only: str = "") -> int:
    """Every photo that waits is whole at a gateway, the nearest that serves. Returns how many were sent.

    One that the gateway refuses, or that can't be read, stays on the device, is told as a step, and the next ones go.

    Args:
        context: the device.
        only: host:port; no other gateway is tried.

    Raises:
        Retry: no line held, or the gateways are full; what was sent stays sent.
    """
    await context.database.write(lambda found: photos.take_up(found, context.home))
    waiting = await context.database.read(photos.unsent)
    if not waiting:
        return 0
    last = Retry("no_gateway_reachable", place="gateways")
    sending = _Sending(context, waiting)
    for candidate in await candidates(context, only):
        try:
            await sending.at(candidate.address)
        except Retry as problem:
            last = problem
            await note_failure(context, candidate, problem)
            continue
        return sending.sent
    raise last


class _Sending:
    """The photos that wait, in order; a gateway that fails leaves the rest to the next one."""

    def __init__(self, context: SyncContext, waiting: list[bytes]) -> None:
        self._context = context
        self._total = len(waiting)
        self._left = deque(waiting)
        self.sent = 0

    async def at(self, address: str) -> None:
        """What is left is at the gateway of that address, but for what it refuses.

        Raises:
            Retry: the line failed, or the gateway is full.
        """
        context = self._context
        identity = context.identity
        async with open_channel(address, identity.authority_pem, identity) as channel:
            while self._left:
                sha256 = self._left[0]
                self._tell("photos")
                try:
                    content = await asyncio.to_thread(
                        photos.read_content, context.home, context.database.key, sha256
                    )
                    await put_blob(channel, content)
                except Rejected as refusal:
                    self._left.popleft()
                    self._tell(f"photo {sha256.hex()} refused: {refusal.code}")
                    continue
                await context.database.write(
                    partial(photos.mark_sent, sha256=sha256, now=context.clock.now())
                )
                photos.forget_content(context.home, sha256)
                self._left.popleft()
                self.sent += 1
        self._tell("photos")

    def _tell(self, note: str) -> None:
        done = self._total - len(self._left)
        self._context.tell(Step.UPLOAD, done, self._total, note=note)
