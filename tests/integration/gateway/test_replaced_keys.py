"""A device that was enrolled again with another key: what the key before it still opens."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc.aio
import pytest

from fieldmesh.basics.clock import ManualClock, SystemClock
from fieldmesh.service import tls
from fieldmesh.service.enrolled_key import enrolled_key
from fieldmesh.service.grpc_problems import from_rpc_error
from fieldmesh.wire.v1 import blob_pb2, session_pb2, session_pb2_grpc
from gateway.storage import cache, inbox
from hub.trust.authority import Authority, NodeKind
from tests.integration.gateway.world import World, order, place_region, rows_of

if TYPE_CHECKING:
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric import ec

    from gateway.app.building import Gateway
    from tests.integration.gateway.world import Device

FAST, FULL = session_pb2.MODE_FAST, session_pb2.MODE_FULL
HOUR_US = 3_600_000_000


def issued(folder: Path, device: Device, key: ec.EllipticCurvePrivateKey, *, hours: int) -> bytes:
    """A certificate of the device that head office issues so many hours from now, or before."""
    clock = ManualClock(SystemClock().now() + hours * HOUR_US)
    authority = Authority.load(folder / "authority", clock)
    return authority.issue_node(tls.make_csr(key, "x"), NodeKind.DEVICE, device.device_id).der


async def hear(gateway: Gateway, device: Device, word: str) -> None:
    """Head office has told the gateway of the device's key."""
    row = {"id": device.device_id, "lsn": 200, "certificate_fingerprint": word}
    await gateway.database.write(lambda c: cache.apply_rows(c, rows_of("device", row)))


async def test_the_key_before_opens_nothing_any_more(tmp_path: Path) -> None:
    """A stolen key brought rows down, and orders up, for a year after its device had got another."""
    world = World(tmp_path)
    device = world.device()
    async with world.running() as gateway:
        _, _, outlets = await place_region(gateway, [device])
        await hear(gateway, device, enrolled_key(issued(tmp_path, device, tls.make_key(), hours=1)))
        batch = device.pack(order(outlets[0]))
        for mode in (FAST, FULL):
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await world.talk(gateway, device, device.hello(mode), [batch])
            assert from_rpc_error(caught.value).code == "key_replaced"
        async with device.channel(gateway.ports["gateway"]) as channel:
            stub = session_pb2_grpc.GatewayStub(channel)
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await stub.FindBlob(blob_pb2.FindBlobRequest(sha256=bytes(32)))
            assert from_rpc_error(caught.value).code == "key_replaced"
        held = await gateway.database.read(lambda c: inbox.highest_sequence(c, device.device_id, 1))
        assert held == 0


@pytest.mark.parametrize(
    "case", ["the same key", "issued later", "a fingerprint of old", "nothing"]
)
async def test_a_device_that_did_nothing_wrong_is_let_in(tmp_path: Path, case: str) -> None:
    """An answer with a newer certificate may be lost, and head office may have been restored from a backup."""
    world = World(tmp_path)
    device = world.device()
    words = {
        "the same key": enrolled_key(issued(tmp_path, device, device.key, hours=1)),
        "issued later": enrolled_key(issued(tmp_path, device, tls.make_key(), hours=-1)),
        "a fingerprint of old": "ab" * 32,
        "nothing": "",
    }
    async with world.running() as gateway:
        _, _, outlets = await place_region(gateway, [device])
        await hear(gateway, device, words[case])
        talk = await world.talk(
            gateway, device, device.hello(FAST), [device.pack(order(outlets[0]))]
        )
        assert talk.one("acknowledgement").ticks.gateway_sequence == 1
