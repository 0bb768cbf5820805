"""Who opens a photo's stream and then neither speaks nor reads keeps its place for a while only."""

from __future__ import annotations

import asyncio
import hashlib
import os
from dataclasses import replace
from typing import TYPE_CHECKING, cast

import grpc.aio
import pytest

from device_agent.link.blobs import put_blob
from fieldmesh.basics import limits
from fieldmesh.basics.errors import Retry
from fieldmesh.service.grpc_problems import from_rpc_error
from fieldmesh.wire.v1 import blob_pb2, session_pb2, session_pb2_grpc
from gateway.serving.stream import DeviceStream
from tests.integration.gateway.world import CONFIG, World

if TYPE_CHECKING:
    from pathlib import Path

    from gateway.app.building import Gateway
    from gateway.serving.stream import RpcStream
    from tests.integration.gateway.world import Device

SHORT = replace(CONFIG, silence_s=0.5, blob_transfers=1)
LARGE = os.urandom(16 << 20)


async def bring(gateway: Gateway, device: Device, content: bytes) -> None:
    """The device's photo is at the gateway, within some seconds."""
    async with asyncio.timeout(8), device.channel(gateway.ports["gateway"]) as channel:
        await put_blob(channel, content)


async def test_a_photo_of_which_nothing_comes_leaves_its_place_to_others(tmp_path: Path) -> None:
    """Four streams without a word, and no photo of the branch went up until their line broke."""
    world = World(tmp_path)
    silent, colleague = world.device(), world.device()
    async with world.running(SHORT) as gateway, silent.channel(gateway.ports["gateway"]) as channel:
        call = session_pb2_grpc.GatewayStub(channel).PutBlob()
        await call.wait_for_connection()
        await asyncio.sleep(0.1)
        await bring(gateway, colleague, b"a photo")
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call
        assert from_rpc_error(caught.value).code == "device_silent"


async def test_a_photo_that_is_not_read_leaves_its_place_to_others(tmp_path: Path) -> None:
    """A device that asks for a photo and stops reading held its place as long as its line stood."""
    world = World(tmp_path)
    deaf, colleague = world.device(), world.device()
    async with world.running(SHORT) as gateway, deaf.channel(gateway.ports["gateway"]) as channel:
        await bring(gateway, colleague, LARGE)
        name = hashlib.sha256(LARGE).digest()
        call = session_pb2_grpc.GatewayStub(channel).GetBlob(blob_pb2.GetBlobRequest(sha256=name))
        await call.read()
        await bring(gateway, colleague, b"a photo")


async def test_one_device_does_not_take_all_places_for_photos(tmp_path: Path) -> None:
    """Promise 8: one stolen device that opens streams and says little must not keep out the others' photos."""
    world = World(tmp_path)
    hostile, colleague = world.device(), world.device()
    async with world.running() as gateway, hostile.channel(gateway.ports["gateway"]) as channel:
        calls = []
        for _ in range(CONFIG.blob_transfers + 2):
            calls.append(session_pb2_grpc.GatewayStub(channel).PutBlob())
            await calls[-1].wait_for_connection()
        await asyncio.sleep(0.1)
        await bring(gateway, colleague, b"a photo")
        assert sum(not call.done() for call in calls) == limits.BLOB_STREAMS_OF_DEVICE


async def test_a_session_whose_device_reads_nothing_ends() -> None:
    """It held a place among those that get a new database, of which there are few."""

    class _Deaf:
        async def write(self, _: session_pb2.GatewayMessage) -> None:
            await asyncio.Event().wait()

    stream = DeviceStream(cast("RpcStream", _Deaf()), end=None, silence_s=0.1)
    with pytest.raises(Retry) as caught:
        async with asyncio.timeout(5):
            await stream.send(session_pb2.GatewayMessage())
    assert caught.value.code == "device_silent"
