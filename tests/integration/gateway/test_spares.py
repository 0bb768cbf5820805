"""Spare devices at the gateway: who is let in, and what becomes of the first device."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import zstandard

from fieldmesh.codec.batch import Event, EventKind
from fieldmesh.data.policy import PartitionKind
from fieldmesh.replica.partition import partition_id
from fieldmesh.wire.v1 import session_pb2
from gateway.storage import cache, outbox, partitions
from gateway.storage.outbox import ReceiptRow
from tests.integration.gateway.world import World, order, place_region, rows_of

if TYPE_CHECKING:
    from pathlib import Path

FAST = session_pb2.MODE_FAST


async def test_an_unauthorised_spare_uploads_and_gets_nothing(tmp_path: Path) -> None:
    """Promises 1 and 6: its rows are safe, and no position's rows reach it."""
    world = World(tmp_path)
    device = world.device()
    async with world.running() as gateway:
        await place_region(gateway, [device])
        hello = device.hello(session_pb2.MODE_DUPLICATE)
        talk = await world.talk(gateway, device, hello, [device.pack(order(bytes(16)))])
        assert talk.one("done").reason == "spare_not_authorised"
        assert talk.one("acknowledgement").ticks.gateway_sequence == 1
        assert talk.all("download_start") == []


async def test_a_spare_gets_the_first_devices_rows_and_suspends_it(tmp_path: Path) -> None:
    """A lost device is replaced in minutes, also while the hub is away."""
    world = World(tmp_path)
    first, spare = world.device(), world.device()
    async with world.running() as gateway:
        position, _, outlets = await place_region(gateway, [first])
        row = {
            "id": spare.device_id,
            "lsn": 100,
            "position_id": position,
            "stands_in_for": first.device_id,
            "state": "spare",
        }
        await gateway.database.write(lambda c: cache.apply_rows(c, rows_of("device", row)))
        own = partition_id(PartitionKind.DEVICE, spare.device_id)
        await gateway.database.write(lambda c: serve_empty(c, own))
        await world.talk(gateway, first, first.hello(FAST), [first.pack(order(outlets[0]))])
        talk = await world.talk(gateway, spare, spare.hello(session_pb2.MODE_DUPLICATE))
        assert talk.one("welcome").stands_in_for == first.device_id
        plain = zstandard.ZstdDecompressor().decompressobj().decompress(talk.content())
        found = sqlite3.connect(":memory:")  # noqa: TID251 - looks into what was sent
        found.deserialize(plain)
        assert found.execute("SELECT count(*) FROM sales_order").fetchone() == (1,)
        found.close()
        late = await world.talk(gateway, first, first.hello(FAST), [first.pack(order(outlets[1]))])
        assert late.one("welcome").device_state == session_pb2.DEVICE_STATE_SUSPENDED
        assert late.one("acknowledgement").ticks.gateway_sequence == 2


async def test_an_authorisation_ends_with_the_handover(tmp_path: Path) -> None:
    """Promise 6: head office has decided the handover, and what it changed with it is still on its way."""
    world = World(tmp_path)
    first, spare = world.device(), world.device()
    async with world.running() as gateway:
        position, _, _ = await place_region(gateway, [first])
        may = {"position_id": position, "stands_in_for": first.device_id, "state": "spare"}

        async def authorised(lsn: int) -> None:
            row = rows_of("device", {"id": spare.device_id, "lsn": lsn, **may})
            await gateway.database.write(lambda c: cache.apply_rows(c, row))

        async def duplicate() -> str:
            talk = await world.talk(gateway, spare, spare.hello(session_pb2.MODE_DUPLICATE))
            done = talk.all("done")
            return str(done[0].reason) if done else "brought down"

        await authorised(100)
        own = partition_id(PartitionKind.DEVICE, spare.device_id)
        await gateway.database.write(lambda c: serve_empty(c, own))
        assert await duplicate() != "spare_not_authorised"
        handover = spare.pack([], event=Event(EventKind.HANDOVER, first.device_id))
        await world.talk(gateway, spare, spare.hello(session_pb2.MODE_UPLOAD), [handover])
        assert await duplicate() == "spare_not_authorised"
        receipt = ReceiptRow(1, spare.device_id, 1, 1, "applied", 500)
        await gateway.database.write(lambda c: outbox.take_receipts(c, [receipt], 1))
        assert await duplicate() == "spare_not_authorised"
        await authorised(600)
        assert await duplicate() != "spare_not_authorised"


async def test_a_spare_tells_a_gateway_that_has_not_heard_of_its_handover(tmp_path: Path) -> None:
    """Promise 6: the row of the authorisation, or of standing in, is all that this gateway has."""
    world = World(tmp_path)
    first, spare = world.device(), world.device()
    async with world.running() as gateway:
        position, _, _ = await place_region(gateway, [first])
        may = {"id": spare.device_id, "position_id": position, "stands_in_for": first.device_id}
        own = partition_id(PartitionKind.DEVICE, spare.device_id)
        await gateway.database.write(lambda c: serve_empty(c, own))

        async def refused(lsn: int, state: str, floor: int, handover_epoch: int) -> bool:
            row = rows_of("device", {"lsn": lsn, "state": state, "epoch_floor": floor, **may})
            await gateway.database.write(lambda c: cache.apply_rows(c, row))
            hello = spare.hello(session_pb2.MODE_DUPLICATE, handover_epoch=handover_epoch)
            done = (await world.talk(gateway, spare, hello)).all("done")
            return any(one.reason == "spare_not_authorised" for one in done)

        assert not await refused(100, "spare", 1, 0)
        assert await refused(101, "spare", 1, 2)
        assert await refused(102, "standing_in", 1, 2)
        assert not await refused(103, "standing_in", 1, 0)
        assert not await refused(104, "spare", 2, 2)
        assert not await refused(105, "spare", 0, 2), "head office of an older release"


def serve_empty(connection: sqlite3.Connection, partition: int) -> None:
    """A partition without rows is served."""
    held = {row.partition for row in partitions.list_partitions(connection)}
    partitions.want(connection, held | {partition}, 1)
    partitions.begin_seed(connection, partition, partitions.SeedBegun(b"s", 100, 100, 0, 0), 1)
    partitions.set_ready(connection, partition, 1)
