"""A site's limit, shared by many downloads."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

from fieldmesh.basics.clock import SystemClock
from fieldmesh.wire.v1 import session_pb2
from gateway.serving.bandwidth import Bandwidth
from gateway.serving.downloads import Download
from gateway.serving.sending import send_download
from gateway.serving.spool import Content
from gateway.storage.cursors import BandwidthRule

if TYPE_CHECKING:
    from gateway.serving.stream import DeviceStream


def limited(kilobytes_per_second: int) -> Bandwidth:
    """That much, at all hours."""
    return Bandwidth(SystemClock(), [BandwidthRule(0, 1440, kilobytes_per_second)])


async def seconds_of(work: Any) -> float:
    """How long it takes."""
    began = asyncio.get_running_loop().time()
    await work
    return asyncio.get_running_loop().time() - began


async def test_who_goes_while_waiting_leaves_nothing_behind() -> None:
    """Devices gave up and came back, each time with a turn more that nobody used: the line stood idle."""
    bandwidth = limited(200)
    await bandwidth.take(40_000)
    async with asyncio.TaskGroup() as group:
        waiting = [group.create_task(bandwidth.take(40_000)) for _ in range(50)]
        await asyncio.sleep(0)
        for task in waiting:
            task.cancel()
    assert await seconds_of(bandwidth.take(40_000)) < 1


async def test_the_limit_is_kept_and_used_by_all_together() -> None:
    """No more goes out, and no less."""
    bandwidth = limited(400)

    async def together() -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(41):
                group.create_task(bandwidth.take(10_000))

    took = await seconds_of(together())
    assert 0.95 < took < 1.5


async def test_a_large_piece_does_not_keep_the_others_waiting() -> None:
    """Photos on their way to head office must not stop downloads for seconds."""
    bandwidth = limited(100)
    async with asyncio.TaskGroup() as group:
        large = group.create_task(bandwidth.take(1_000_000))
        await asyncio.sleep(0)
        assert await seconds_of(bandwidth.take(1_000)) < 1
        large.cancel()


async def test_under_a_limit_chunks_are_small() -> None:
    """With 256 KiB each, twenty downloads at 100 kB/s left each device a minute without a word: it gave up."""
    chunks: list[session_pb2.Chunk] = []

    class _Stream:
        async def send(self, message: session_pb2.GatewayMessage) -> None:
            if message.WhichOneof("message") == "chunk":
                chunks.append(message.chunk)

    data = bytes(range(256)) * 1_000
    content = Content(len(data), bytes(32), data=data)
    download = Download(session_pb2.DownloadStart(), session_pb2.DownloadEnd(), content, rows=1)
    stream = cast("DeviceStream", _Stream())
    await send_download(stream, download, offset=0, bandwidth=limited(400))
    assert max(len(chunk.data) for chunk in chunks) <= 100_000
    assert b"".join(chunk.data for chunk in chunks) == data
