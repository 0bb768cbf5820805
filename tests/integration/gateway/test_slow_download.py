"""A download over a line so slow that it takes longer than the spool keeps what nobody asks for."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import grpc.aio
import pytest

from fieldmesh.service.grpc_problems import from_rpc_error
from fieldmesh.wire.v1 import session_pb2
from gateway.serving import sending
from tests.integration.gateway.world import World, place_region

if TYPE_CHECKING:
    from pathlib import Path

    from gateway.app.building import Gateway

INITIALIZE = session_pb2.MODE_INITIALIZE


def meanwhile(gateway: Gateway, monkeypatch: pytest.MonkeyPatch, *, loses: bool) -> list[int]:
    """Before each chunk an hour passes and the spool is cleared, or loses all. Returns the numbers cleared."""
    cleared: list[int] = []

    async def hour(_: int) -> None:
        await gateway.database.write(lambda c: c.execute("UPDATE fm_download SET used_at = 1"))
        cleared.append(await gateway.downloads.clear_old())
        for file in gateway.home.spool.iterdir() if loses else ():
            file.unlink()

    monkeypatch.setattr(gateway.bandwidth, "take", hour)
    monkeypatch.setattr(sending, "_READ_BYTES", 64 * 1024)
    return cleared


async def test_a_download_on_its_way_stays_in_the_spool(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A snapshot that took more than an hour was deleted under the device, which began anew, for ever."""
    world = World(tmp_path)
    device = world.device()
    async with world.running() as gateway:
        await place_region(gateway, [device], outlets=30_000)
        cleared = meanwhile(gateway, monkeypatch, loses=False)
        talk = await world.talk(gateway, device, device.hello(INITIALIZE))
        start = talk.one("download_start")
        assert hashlib.sha256(talk.content()).digest() == start.sha256
        assert len(cleared) > 1
        assert not sum(cleared)
        await gateway.database.write(lambda c: c.execute("UPDATE fm_download SET used_at = 1"))
        assert await gateway.downloads.clear_old() == 1, "it was sent"


async def test_a_download_whose_file_is_lost_is_told_as_a_cut_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bare failure told the device nothing; now it comes again and gets a new one."""
    world = World(tmp_path)
    device = world.device()
    async with world.running() as gateway:
        await place_region(gateway, [device], outlets=30_000)
        meanwhile(gateway, monkeypatch, loses=True)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await world.talk(gateway, device, device.hello(INITIALIZE))
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
        assert from_rpc_error(caught.value).code == "session_cut"
