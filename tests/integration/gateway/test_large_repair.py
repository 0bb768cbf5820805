"""Repairs: one of more than a message holds comes in parts, and each ends with the digests to compare with."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

import pytest

from fieldmesh.basics import limits
from fieldmesh.basics.errors import Retry
from fieldmesh.codec.frames import unpack_frame
from fieldmesh.data.policy import PartitionKind
from fieldmesh.data.schema import SCHEMA_VERSION
from fieldmesh.replica.partition import partition_id
from fieldmesh.wire.v1 import session_pb2, table_pb2
from gateway.serving import repairs
from gateway.storage import cache, cursors, devices, digests, partitions
from tests.integration.gateway.hub_double import BusDouble, HubDouble
from tests.integration.gateway.world import MAKER, World, place_region, rows_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection
    from pathlib import Path

    from gateway.storage.transaction import Transaction
    from tests.integration.gateway.world import Device

MOST = 20_000
OUTLETS = 3_000


def repair(
    connection: Transaction, *, device: Device, patch: int, held: Collection[bytes], at: int = 100
) -> repairs.RepairFrames:
    """What a device gets of whose outlets only these are right."""
    has = partitions.device_partitions(connection, devices.read_facts(connection, device.device_id))
    buckets = digests.bucket_digests(connection, patch, for_devices=True, known=SCHEMA_VERSION)
    wrong = [
        table_pb2.Digest(partition=patch, table=row.table, bucket=row.bucket)
        for row in buckets
        if row.rows != sum(name[-1] >> 4 == row.bucket for name in held)
    ]
    right = [
        table_pb2.Digest(
            partition=patch,
            table=row.table,
            bucket=row.bucket,
            rows=row.rows,
            low=row.low,
            high=row.high,
        )
        for row in buckets
        if row.bucket not in {digest.bucket for digest in wrong}
    ]
    return repairs.find_repair(
        connection,
        device_id=device.device_id,
        held=[*wrong, *right],
        stands_at=at,
        has=has,
        known=SCHEMA_VERSION,
    )


async def test_a_device_that_differs_widely_is_repaired_part_by_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Promise 5: all in one message was above what gRPC carries, in every session again: never equal."""
    monkeypatch.setattr(limits, "REPAIR_BYTES", MOST)
    world = World(tmp_path)
    device = world.device()
    held: set[bytes] = set()
    turns = 0
    async with world.running() as gateway:
        _, patch, outlets = await place_region(gateway, [device], outlets=OUTLETS)
        while len(held) < OUTLETS:
            find = partial(repair, device=device, patch=patch, held=held)
            found = await gateway.database.read(find)
            parts = [set(unpack_frame(frame).rows.column("id")) for frame in found.frames]
            assert session_pb2.Repair(frames=found.frames).ByteSize() <= MOST
            assert found.rows == sum(map(len, parts)) > 0
            held.update(*parts)
            turns += 1
    assert held == set(outlets)
    assert turns > 2


async def test_what_changed_since_is_left_to_the_next_session_where_it_is_too_much(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A half of it would be a state that the hub never had; the next download brings it in chunks."""
    monkeypatch.setattr(limits, "REPAIR_BYTES", MOST)
    world = World(tmp_path)
    device = world.device()
    async with world.running() as gateway:
        _, patch, _ = await place_region(gateway, [device])
        changed = rows_of(
            "outlet",
            *({"id": MAKER.new(), "partition": patch, "lsn": 120} for _ in range(OUTLETS)),
        )

        def move_on(connection: sqlite3.Connection) -> None:
            cache.apply_rows(connection, changed)
            cursors.set_mark(connection, 120, marked_at=1, down_sequence=2)

        await gateway.database.write(move_on)
        with pytest.raises(Retry) as caught:
            await gateway.database.read(
                partial(repair, device=device, patch=patch, held=frozenset())
            )
        assert caught.value.code == "partition_not_ready"


async def test_a_verify_asks_again_for_the_ranges_that_no_answer_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Promise 5: what head office could not say in one answer stayed different."""
    hub = HubDouble(most_ranges=3)
    monkeypatch.setattr(BusDouble, "hub", hub, raising=False)
    monkeypatch.setattr("gateway.app.building.Bus", BusDouble)
    world = World(tmp_path)
    names = [MAKER.new() for _ in range(200)]
    place = partition_id(PartitionKind.GATEWAY, world.gateway_id)
    hub.put(
        place, rows_of("outlet", *({"id": name, "partition": place, "lsn": 50} for name in names))
    )
    hub.mark()

    def held(connection: sqlite3.Connection) -> int:
        text = "SELECT count(*) FROM outlet WHERE NOT EXISTS (SELECT 1 FROM fm_partition WHERE state <> 'ready')"
        return int(connection.execute(text).fetchone()[0])

    async with world.running() as gateway:
        async with asyncio.timeout(10):
            while await gateway.database.read(held) < len(names):  # noqa: ASYNC110 - the gateway's own state is asked
                await asyncio.sleep(0.02)  # polls to the deadline
        await gateway.database.write(lambda c: c.execute("DELETE FROM outlet"))
        found = await gateway.commands.verify(deep=True, repair=True)
        assert found["repaired_rows"] == len(names)
        assert (await gateway.commands.verify(deep=True, repair=False))["equal"]


async def test_a_repairs_digests_are_of_the_tables_that_the_device_has(tmp_path: Path) -> None:
    """An older device that was repaired rightly found itself different again, and its next repair brought nothing."""
    world = World(tmp_path)
    device = world.device()
    before_all = 0
    async with world.running() as gateway:
        _, patch, _ = await place_region(gateway, [device])

        def of_an_older_device(connection: Transaction) -> repairs.RepairFrames:
            facts = devices.read_facts(connection, device.device_id)
            return repairs.find_repair(
                connection,
                device_id=device.device_id,
                held=[],
                stands_at=100,
                has=partitions.device_partitions(connection, facts),
                known=before_all,
            )

        found = await gateway.database.read(of_an_older_device)
    assert {digest.partition: digest.rows for digest in found.digests}[patch] == 0
