"""A download comes in, piece by piece; what is cut goes on at the byte."""

from device_agent.link.messages import DownloadAnnounced, DownloadComplete, Piece
from device_agent.modes.progress import Step
from device_agent.modes.talk import Talk
from device_agent.storage.parts import Parts
from fieldmesh.basics.errors import Rejected, Retry
from fieldmesh.basics.limits import DOWNLOAD_BYTES
from fieldmesh.replica.digest import Digest


async def receive(talk: Talk, announced: DownloadAnnounced) -> tuple[Parts, list[Digest]]:
    """The download is here whole, its digest checked; with the digests to reach.

    What arrives is kept sealed, so that a cut download goes on at the byte.

    Raises:
        Rejected: `download_too_large`.
        Retry: the line failed (what came is kept), or the content is not what was announced
            (what came is thrown away).
    """
    total = announced.size_bytes
    if total > DOWNLOAD_BYTES:
        raise Rejected("download_too_large", place="DownloadStart.size", size_bytes=total)
    parts = _room_for(talk, announced)
    talk.report.resumed = announced.offset > 0
    talk.context.tell(Step.DOWNLOAD, parts.held_bytes, total)
    while True:
        message = await talk.stream.receive()
        if isinstance(message, DownloadComplete):
            break
        if not isinstance(message, Piece):
            raise Retry("session_cut", place="download")
        if message.offset != parts.held_bytes or parts.held_bytes + len(message.data) > total:
            parts.forget()
            raise Retry("download_damaged", place="Chunk.offset")
        parts.append(message.data)
        talk.report.bytes_down += len(message.data)
        talk.context.tell(Step.DOWNLOAD, parts.held_bytes, total)
    if parts.held_bytes != total or parts.sha256 != announced.sha256:
        parts.forget()
        raise Retry("download_damaged", place="download")
    return parts, message.digests


def _room_for(talk: Talk, announced: DownloadAnnounced) -> Parts:
    folder = talk.context.downloads
    held = folder.unfinished()
    if held is not None and held.download_id == announced.download_id:
        if announced.offset == held.held_bytes:
            return held
        held.forget()
    if announced.offset:
        raise Retry("download_damaged", place="DownloadStart.offset")
    return folder.begin(
        announced.download_id,
        size_bytes=announced.size_bytes,
        small_bytes=talk.context.settings.small_download_bytes,
    )
