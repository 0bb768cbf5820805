"""A device whose download takes long to make."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from fieldmesh.basics.errors import Retry
from fieldmesh.wire.v1 import session_pb2
from gateway.serving import snapshots
from gateway.serving.keepalive import saying
from tests.integration.gateway.world import CONFIG, World, order, place_region

if TYPE_CHECKING:
    from pathlib import Path

OFTEN = replace(CONFIG, keepalive_s=0.05)


async def test_a_device_that_waits_for_its_snapshot_hears_that_it_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It gives up a line that stands still, and would ask for the same snapshot again and again."""
    quick = snapshots.build

    async def build(*things: Any, **more: Any) -> snapshots.Built:
        await asyncio.sleep(0.5)
        return await quick(*things, **more)

    monkeypatch.setattr(snapshots, "build", build)
    world = World(tmp_path)
    device = world.device()
    async with world.running(OFTEN) as gateway:
        _, _, outlets = await place_region(gateway, [device])
        hello = device.hello(session_pb2.MODE_INITIALIZE)
        talk = await world.talk(gateway, device, hello, [device.pack(order(outlets[0]))])
        heard = talk.all("acknowledgement")
        assert len(heard) > 2
        assert {one.ticks.gateway_sequence for one in heard} == {1}, "none takes a tick back"
        assert talk.one("done").outcome == session_pb2.OUTCOME_DONE


async def test_the_work_ends_with_its_session() -> None:
    """What nobody waits for holds no place of a builder."""
    ended = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async def gone() -> None:
        raise Retry("session_cut")

    with pytest.raises(Retry):
        await saying(gone, 0.01, work())
    assert ended.is_set()
