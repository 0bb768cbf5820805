"""A batch made larger than any honest one: it goes no farther than the gateway, and holds up nobody."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

import grpc.aio
import pytest

from fieldmesh.basics import limits
from fieldmesh.service.grpc_problems import from_rpc_error
from fieldmesh.wire.v1 import batch_pb2, replication_pb2, session_pb2
from gateway.serving.uploads import receive_group
from gateway.storage import inbox, outbox
from tests.integration.gateway.hub_double import BusDouble, HubDouble
from tests.integration.gateway.world import World, order, place_region

if TYPE_CHECKING:
    from pathlib import Path

    from gateway.serving.stream import DeviceStream

NOBODY_KNOWS: int = 15 << 3 | 2
"""A field of bytes that no release has."""


def padded(batch: batch_pb2.SignedBatch, size: int) -> batch_pb2.SignedBatch:
    """The batch, soundly signed, with so many bytes beside it that the signature does not cover."""
    length = bytearray()
    left = size
    while left > 0x7F:
        length.append(left & 0x7F | 0x80)
        left >>= 7
    length.append(left)
    beside = bytes([NOBODY_KNOWS]) + bytes(length) + bytes(size)
    return batch_pb2.SignedBatch.FromString(batch.SerializeToString() + beside)


async def test_a_batch_that_is_large_beside_what_was_signed_is_refused(tmp_path: Path) -> None:
    """It had its first tick, did not fit the message to head office, and ended the uplink of the whole branch."""
    world = World(tmp_path)
    device = world.device()
    async with world.running() as gateway:
        _, _, outlets = await place_region(gateway, [device])
        batches = [device.pack(order(outlets[0])) for _ in range(2)]
        batches[1] = padded(batches[1], limits.BATCH_BYTES)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await world.talk(gateway, device, device.hello(session_pb2.MODE_FAST), batches)
        assert from_rpc_error(caught.value).code == "batch_too_large"
        held = await gateway.database.read(lambda c: inbox.highest_sequence(c, device.device_id, 1))
        assert held == 1


async def test_an_entry_that_the_broker_takes_from_nobody_holds_up_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Promises 1 and 8: the uplink began anew with it for ever, and every device's orders stood behind it."""
    hub = HubDouble()
    monkeypatch.setattr(BusDouble, "hub", hub, raising=False)
    monkeypatch.setattr("gateway.app.building.Bus", BusDouble)
    entries = [(b"a" * 16, 1, limits.MESSAGE_BYTES), (b"a" * 16, 2, 9), (b"b" * 16, 1, 9)]

    def put(connection: Any) -> list[int]:
        numbers = []
        for device_id, sequence, size in entries:
            payload = replication_pb2.ForwardedBatch(certificate=bytes(size)).SerializeToString()
            entry = outbox.Entry("batch", payload, device_id, 1, sequence, 1)
            numbers.append(outbox.add(connection, entry))
        return numbers

    async with World(tmp_path).running() as gateway:
        numbers = await gateway.database.write(put)
        gateway.signals.outbox_grown.give()
        with suppress(TimeoutError):
            async with asyncio.timeout(5):
                while len(hub.up) < 2:  # noqa: ASYNC110 - the gateway's own state is asked
                    await asyncio.sleep(0.02)  # polls to the deadline
        assert sorted(message.outbox_number for _, message, _ in hub.up) == numbers[1:]
        depth = await gateway.database.read(outbox.depth)
        assert depth.entries == len(entries), "nothing is forgotten"


async def test_a_group_counts_all_that_a_message_brings() -> None:
    """Sixteen messages of 8 MiB stood in memory for each session: only their bodies counted."""
    large = session_pb2.DeviceMessage(batch=padded(batch_pb2.SignedBatch(), 3 << 20))

    class _Stream:
        async def receive(self) -> session_pb2.DeviceMessage:
            return large

    group = await receive_group(cast("DeviceStream", _Stream()), lambda: None)
    assert len(group.batches) == 2
