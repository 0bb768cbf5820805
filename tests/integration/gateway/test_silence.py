"""A device that says nothing for longer than its gateway waits."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import grpc.aio
import pytest

from fieldmesh.service.grpc_problems import from_rpc_error
from fieldmesh.wire.v1 import session_pb2, session_pb2_grpc
from tests.integration.gateway.world import CONFIG, World, order, place_region

if TYPE_CHECKING:
    from pathlib import Path

SHORT = replace(CONFIG, silence_s=1.0)


async def test_a_swap_that_takes_longer_than_the_gateway_waits_counts_all_the_same(
    tmp_path: Path,
) -> None:
    """A slow device with a large snapshot would begin again for ever, or be fenced in its new epoch."""
    world = World(tmp_path)
    device = world.device()
    async with world.running(SHORT) as gateway:
        _, _, outlets = await place_region(gateway, [device])
        granted = 0
        async with device.channel(gateway.ports["gateway"]) as channel:
            call = session_pb2_grpc.GatewayStub(channel).Session()
            hello = device.hello(session_pb2.MODE_INITIALIZE)
            await call.write(session_pb2.DeviceMessage(hello=hello))
            await call.write(session_pb2.DeviceMessage(upload_end=session_pb2.UploadEnd()))
            heard = await call.read()
            while heard.WhichOneof("message") != "download_end":
                granted = max(granted, heard.welcome.granted_epoch)
                heard = await call.read()
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await call.read()
        assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        assert from_rpc_error(caught.value).code == "device_silent"
        device.epoch = granted
        batch = device.pack(order(outlets[0]))
        partitions = [digest.partition for digest in heard.download_end.digests]
        hello = device.hello(session_pb2.MODE_FULL, cursor_lsn=1, partitions=partitions)
        talk = await world.talk(gateway, device, hello, [batch])
        assert talk.one("done").outcome == session_pb2.OUTCOME_DONE
        assert talk.one("acknowledgement").ticks.gateway_epoch == granted
        assert talk.one("acknowledgement").ticks.gateway_sequence == 1
