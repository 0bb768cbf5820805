"""A device whose earlier batches went through another gateway, with the hub away."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from fieldmesh.codec import signature
from fieldmesh.codec.hub_tick import HubTick, sign_tick
from fieldmesh.service import tls
from fieldmesh.wire.v1 import session_pb2
from gateway.storage import devices
from tests.integration.gateway.world import MAKER, Device, World, order, place_region

if TYPE_CHECKING:
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric import ec

    from gateway.storage.transaction import Transaction

FAST, FULL = session_pb2.MODE_FAST, session_pb2.MODE_FULL


def _word(device: Device, key: ec.EllipticCurvePrivateKey, sequence: int) -> bytes:
    """That the hub, if it is the hub, has the device's batches up to the sequence."""
    tick = HubTick(device.device_id, device.epoch, sequence, b"h" * 32)
    return sign_tick(tick, partial(signature.sign, key))


async def test_a_guest_has_its_first_tick_although_its_earlier_batches_went_through_elsewhere(
    tmp_path: Path,
) -> None:
    """Promise 8: the gateway can't ask head office, and the rep would read that the order is saved only here."""
    world = World(tmp_path)
    device = world.device()
    async with world.running() as gateway:
        _, _, outlets = await place_region(gateway, [device])
        for _ in range(7):
            device.pack(order(outlets[0]))
        batch = device.pack(order(outlets[0]))
        proof = _word(device, world.hub_key, 7)
        talk = await world.talk(gateway, device, device.hello(FAST, hub_proof=proof), [batch])
        assert talk.one("welcome").next_sequence == 8
        assert talk.one("acknowledgement").ticks.gateway_sequence == 8
        assert talk.one("acknowledgement").ticks.hub_sequence == 0


async def test_only_the_hubs_word_about_this_device_and_epoch_counts(tmp_path: Path) -> None:
    """Promise 1: a tick that covers batches which nobody has would let the device believe that they are safe."""
    world = World(tmp_path)
    device, other = world.device(), world.device()
    async with world.running() as gateway:
        _, _, outlets = await place_region(gateway, [device])
        for _ in range(7):
            device.pack(order(outlets[0]))
        batch = device.pack(order(outlets[0]))
        earlier = Device(MAKER.new(), device.key, b"", b"", epoch=3)
        earlier.device_id = device.device_id
        for proof in (
            b"",
            b"no word",
            _word(device, tls.make_key(), 7),
            _word(other, world.hub_key, 7),
            _word(earlier, world.hub_key, 7),
        ):
            talk = await world.talk(gateway, device, device.hello(FAST, hub_proof=proof), [batch])
            assert talk.one("done").outcome == session_pb2.OUTCOME_DONE
            assert talk.one("acknowledgement").ticks.gateway_sequence == 0, proof


async def test_the_lease_of_a_guest_that_keeps_coming_is_wished_for_while_it_stands(
    tmp_path: Path,
) -> None:
    """Promise 8: without a wish of today nobody renews it, and a rep away for a week loses everything on day three."""
    world = World(tmp_path)
    device = world.device()
    async with world.running() as gateway:
        await place_region(gateway, [device])
        await world.talk(gateway, device, device.hello(FULL))
        assert await gateway.database.read(_wished) == []
        await gateway.database.write(
            lambda c: c.execute("UPDATE gateway_position SET kind = 'lease'")
        )
        await world.talk(gateway, device, device.hello(FAST))
        assert await gateway.database.read(_wished) == []
        await world.talk(gateway, device, device.hello(FULL, presence=b""))
        assert await gateway.database.read(_wished) == []
        done = await world.talk(gateway, device, device.hello(FULL))
        assert done.one("done").outcome == session_pb2.OUTCOME_DONE
        assert await gateway.database.read(_wished) == [device.device_id]


def _wished(connection: Transaction) -> list[bytes]:
    return [wish.device_id for wish in devices.lease_wishes(connection, renew_before=1)]
