"""How a download goes out: its start, hashed chunks from any byte on, its digests."""

from __future__ import annotations

import asyncio
import hashlib
from typing import TYPE_CHECKING, Final

from fieldmesh.wire.v1 import session_pb2

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from gateway.serving.bandwidth import Bandwidth
    from gateway.serving.downloads import Download
    from gateway.serving.spool import Content
    from gateway.serving.stream import DeviceStream

CHUNK_BYTES: Final = 256 * 1024
_READ_BYTES: Final = 4 * CHUNK_BYTES


async def send_download(
    stream: DeviceStream, download: Download, *, offset: int, bandwidth: Bandwidth
) -> None:
    """The device has been sent everything from ``offset`` on, and the digests."""
    offset = min(offset, download.content.size)
    start = session_pb2.DownloadStart()
    start.CopyFrom(download.start)
    start.offset = offset
    await stream.send(session_pb2.GatewayMessage(download_start=start))
    async for place, data in _chunks(download.content, offset, bandwidth):
        await bandwidth.take(len(data))
        chunk = session_pb2.Chunk(offset=place, data=data, sha256=hashlib.sha256(data).digest())
        await stream.send(session_pb2.GatewayMessage(chunk=chunk))
    await stream.send(session_pb2.GatewayMessage(download_end=download.end))


async def _chunks(
    content: Content, offset: int, bandwidth: Bandwidth
) -> AsyncIterator[tuple[int, bytes]]:
    while offset < content.size:
        if content.path is None:
            block = content.data[offset:]
        else:
            block = await asyncio.to_thread(content.read, offset, _READ_BYTES)
        size = bandwidth.piece_bytes(CHUNK_BYTES)
        for start in range(0, len(block), size):
            yield offset + start, block[start : start + size]
        offset += len(block)
