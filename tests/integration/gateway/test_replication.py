"""Between gateway and hub: promises 1, 2, 4, 5 at the gateway's side."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from fieldmesh.basics.epochs import make_lsn
from fieldmesh.data.policy import PartitionKind
from fieldmesh.replica.partition import partition_id
from fieldmesh.wire.v1 import replication_pb2, session_pb2
from gateway.storage import cursors, outbox, partitions, provisional
from gateway.storage.partitions import PartitionState
from tests.integration.gateway.hub_double import BusDouble, HubDouble, removal
from tests.integration.gateway.world import GLOBAL, MAKER, World, order, rows_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from gateway.app.building import Gateway
    from tests.integration.gateway.world import Device

PATCH = partition_id(PartitionKind.PATCH, bytes(16))


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> HubDouble:
    """A hub in memory behind the gateway's bus."""
    double = HubDouble()
    monkeypatch.setattr(BusDouble, "hub", double, raising=False)
    monkeypatch.setattr("gateway.app.building.Bus", BusDouble)
    return double


async def until(found: Callable[[], Awaitable[Any]], what: str) -> Any:
    """The first true answer, within ten seconds."""
    try:
        async with asyncio.timeout(10):
            while not (answer := await found()):  # noqa: ASYNC110 - the gateway's own state is asked
                await asyncio.sleep(0.02)  # polls to the deadline
            return answer
    except TimeoutError:
        pytest.fail(f"never happened: {what}")


def fill(hub: HubDouble, world: World, device: Device, outlets: list[bytes]) -> None:
    """The hub holds a position with a device and a patch of outlets."""
    position = MAKER.new()
    own = partition_id(PartitionKind.POSITION, position)
    place = partition_id(PartitionKind.GATEWAY, world.gateway_id)
    row = {"lsn": 50}
    hub.put(
        GLOBAL,
        rows_of(
            "device", {**row, "id": device.device_id, "partition": GLOBAL, "position_id": position}
        ),
    )
    hub.put(
        place,
        rows_of(
            "gateway_position",
            {
                **row,
                "id": MAKER.new(),
                "partition": place,
                "gateway_id": world.gateway_id,
                "position_id": position,
            },
        ),
    )
    hub.put(
        own,
        rows_of(
            "subscription",
            *(
                {
                    **row,
                    "id": MAKER.new(),
                    "partition": own,
                    "position_id": position,
                    "target_partition": target,
                    "target_kind": "any",
                }
                for target in (GLOBAL, own, PATCH)
            ),
        ),
    )
    hub.put(
        PATCH,
        rows_of("outlet", *({**row, "id": name, "partition": PATCH} for name in outlets)),
    )
    hub.mark()


async def ready(gateway: Gateway) -> bool:
    """Whether the patch is served."""
    row = await gateway.database.read(lambda c: partitions.read_partition(c, PATCH))
    return row is not None and row.state is PartitionState.READY


async def names_of(gateway: Gateway) -> set[bytes]:
    """Outlets in the cache."""
    rows = await gateway.database.read(lambda c: c.execute("SELECT id FROM outlet").fetchall())
    return {row[0] for row in rows}


async def test_a_new_gateway_seeds_all_that_its_positions_need(
    tmp_path: Path, hub: HubDouble
) -> None:
    """Without it a device of this gateway could never be served."""
    world = World(tmp_path)
    device = world.device()
    outlets = [MAKER.new() for _ in range(5)]
    fill(hub, world, device, outlets)
    async with world.running() as gateway:
        await until(lambda: ready(gateway), "the patch is ready")
        assert await names_of(gateway) == set(outlets)
        talk = await world.talk(gateway, device, device.hello(session_pb2.MODE_FULL))
        assert talk.one("done").outcome == session_pb2.OUTCOME_DONE
        verdict = await gateway.commands.verify(deep=True, repair=False)
        assert verdict["equal"], verdict


async def test_a_refused_seed_does_not_keep_others_waiting(tmp_path: Path, hub: HubDouble) -> None:
    """Promise 5: a lease of a lost future names areas that the restored hub denies; what tells so comes after them."""
    world = World(tmp_path)
    device = world.device()
    fill(hub, world, device, [])
    hub.denied = set(range(1, 9))
    own = next(rows.column("position_id")[0] for rows in hub.rows[GLOBAL] if rows.table == "device")
    place = partition_id(PartitionKind.POSITION, bytes(own))
    lost = (
        {
            "id": MAKER.new(),
            "lsn": 50,
            "partition": place,
            "position_id": own,
            "target_partition": one,
        }
        for one in hub.denied
    )
    hub.put(place, rows_of("subscription", *({**row, "target_kind": "any"} for row in lost)))
    async with world.running() as gateway:
        await until(
            lambda: ready(gateway), "the patch is ready, though eight areas before it are denied"
        )


async def test_nothing_is_visible_before_its_mark_and_removals_take_rows_away(
    tmp_path: Path, hub: HubDouble
) -> None:
    """Promise 4: half a hub transaction is never shown."""
    world = World(tmp_path)
    device = world.device()
    outlets = [MAKER.new() for _ in range(3)]
    fill(hub, world, device, outlets)
    async with world.running() as gateway:
        await until(lambda: ready(gateway), "the patch is ready")
        hub.lsn = 120
        fresh = MAKER.new()
        hub.change(PATCH, rows=rows_of("outlet", {"id": fresh, "partition": PATCH, "lsn": 120}))
        hub.change(PATCH, removed=removal("outlet", outlets[0], PATCH, 120))
        await until(
            lambda: asyncio.sleep(0, hub.next_place == len(hub.stream)), "all was delivered"
        )
        assert await names_of(gateway) == set(outlets)
        hub.mark()
        mark = until(lambda: _mark_is(gateway, 120), "the mark is applied")
        await mark
        assert await names_of(gateway) == {fresh, *outlets[1:]}


async def _mark_is(gateway: Gateway, lsn: int) -> bool:
    return await gateway.database.read(cursors.mark_lsn) >= lsn


async def test_a_lost_delivery_is_fetched_again_before_a_newer_mark_counts(
    tmp_path: Path, hub: HubDouble
) -> None:
    """Promise 4: a message lost on the way must not come after the mark that covers it."""
    world = World(tmp_path)
    device = world.device()
    fill(hub, world, device, [])
    async with world.running() as gateway:
        await until(lambda: ready(gateway), "the patch is ready")
        hub.away = True
        hub.lsn = 130
        names = [MAKER.new() for _ in range(4)]
        for name in names:
            hub.change(PATCH, rows=rows_of("outlet", {"id": name, "partition": PATCH, "lsn": 130}))
        hub.mark()
        hub.lose_next, hub.away = True, False
        await until(lambda: _mark_is(gateway, 130), "the mark is applied")
        assert await names_of(gateway) == set(names)


async def test_the_outbox_forgets_on_the_hubs_receipt_only(tmp_path: Path, hub: HubDouble) -> None:
    """Promise 2: the broker's word is not the hub's."""
    world = World(tmp_path)
    device = world.device()
    outlet = MAKER.new()
    fill(hub, world, device, [outlet])
    async with world.running() as gateway:
        await until(lambda: ready(gateway), "the patch is ready")
        batch = device.pack(order(outlet))
        await world.talk(gateway, device, device.hello(session_pb2.MODE_FAST), [batch])
        await until(lambda: asyncio.sleep(0, _batches(hub)), "the batch is in flight")
        message = _batches(hub)[0]
        assert message.batch.batch == batch
        assert (await gateway.database.read(outbox.depth)).entries >= 1
        hub.lsn = 140
        receipt = replication_pb2.Receipt(
            outbox_number=message.outbox_number,
            device_id=device.device_id,
            device_epoch=1,
            sequence=1,
            decision="applied",
            lsn=140,
        )
        place = partition_id(PartitionKind.GATEWAY, world.gateway_id)
        hub.change(place, receipts=(receipt,))
        hub.mark()
        await until(lambda: _mark_is(gateway, 140), "the mark is applied")
        waiting = await gateway.database.read(
            lambda c: outbox.to_publish(c, before=1 << 62, most=99, most_bytes=1 << 20)
        )
        assert [entry.kind for entry in waiting if entry.kind == "batch"] == []
        assert await gateway.database.read(provisional.count_batches) == 0


def _batches(hub: HubDouble) -> list[replication_pb2.UpMessage]:
    return [message for _, message, _ in hub.up if message.WhichOneof("message") == "batch"]


async def test_a_damaged_row_is_found_by_a_deep_verify_and_repaired(
    tmp_path: Path, hub: HubDouble
) -> None:
    """Promise 5: the gateway can prove its rows, and heals by ranges."""
    world = World(tmp_path)
    device = world.device()
    outlets = [MAKER.new() for _ in range(20)]
    fill(hub, world, device, outlets)
    async with world.running() as gateway:
        await until(lambda: ready(gateway), "the patch is ready")
        await gateway.database.write(
            lambda c: c.execute("UPDATE outlet SET name = 'wrong' WHERE id = ?", (outlets[3],))
        )
        await gateway.database.write(
            lambda c: c.execute("DELETE FROM outlet WHERE id = ?", (outlets[4],))
        )
        found = await gateway.commands.verify(deep=True, repair=True)
        assert not found["equal"]
        assert found["wrong_rows"] == 1
        again = await gateway.commands.verify(deep=True, repair=False)
        assert again["equal"], again


async def test_after_a_restored_hub_batches_go_again_and_lost_rows_give_way(
    tmp_path: Path, hub: HubDouble
) -> None:
    """Promise 1: yesterday's backup of the hub loses nothing that gateways still hold."""
    world = World(tmp_path)
    device = world.device()
    outlet = MAKER.new()
    fill(hub, world, device, [outlet])
    async with world.running() as gateway:
        await until(lambda: ready(gateway), "the patch is ready")
        batch = device.pack(order(outlet))
        await world.talk(gateway, device, device.hello(session_pb2.MODE_FAST), [batch])
        await until(lambda: asyncio.sleep(0, _batches(hub)), "the batch is in flight")
        hub.lsn = 150
        ghost = MAKER.new()
        hub.change(
            partition_id(PartitionKind.GATEWAY, world.gateway_id),
            receipts=(
                replication_pb2.Receipt(
                    outbox_number=_batches(hub)[0].outbox_number,
                    device_id=device.device_id,
                    device_epoch=1,
                    sequence=1,
                    decision="applied",
                    lsn=150,
                ),
            ),
        )
        hub.change(PATCH, rows=rows_of("outlet", {"id": ghost, "partition": PATCH, "lsn": 150}))
        hub.mark()
        await until(lambda: _mark_is(gateway, 150), "the mark is applied")
        hub.up.clear()
        hub.epochs, hub.lsn = [(2, 100)], make_lsn(2, 1)
        hub.mark()
        await until(lambda: asyncio.sleep(0, _batches(hub)), "the batch goes again")
        await until(lambda: _only(gateway, {outlet}), "the ghost is gone")


async def _only(gateway: Gateway, wanted: set[bytes]) -> bool:
    return await names_of(gateway) == wanted


async def test_with_the_hub_back_everything_drains(tmp_path: Path, hub: HubDouble) -> None:
    """Promise 8: what was taken while the hub was away gets there by itself."""
    world = World(tmp_path)
    device = world.device()
    outlet = MAKER.new()
    fill(hub, world, device, [outlet])
    async with world.running() as gateway:
        await until(lambda: ready(gateway), "the patch is ready")
        hub.away = True
        for _ in range(3):
            device.pack(order(outlet))
            talk = await world.talk(
                gateway, device, device.hello(session_pb2.MODE_FULL), device.packed
            )
            assert talk.one("done").outcome == session_pb2.OUTCOME_DONE
        hub.away = False
        await until(lambda: asyncio.sleep(0, len(_batches(hub)) >= 3), "all batches went")
        sequences = [message.batch.batch.header for message in _batches(hub)]
        assert sequences[:3] == [batch.header for batch in device.packed]


async def test_a_roaming_device_gets_a_lease(tmp_path: Path, hub: HubDouble) -> None:
    """A rep who visits another region is served after a short while."""
    world = World(tmp_path)
    home, guest = world.device(), world.device()
    fill(hub, world, home, [])
    async with world.running() as gateway:
        await until(lambda: ready(gateway), "the patch is ready")
        talk = await world.talk(gateway, guest, guest.hello(session_pb2.MODE_FULL))
        assert talk.one("done").outcome == session_pb2.OUTCOME_DOWNLOAD_DEFERRED
        await until(lambda: asyncio.sleep(0, hub.leases), "the lease is asked for")
        assert hub.leases[0] == guest.device_id


async def test_a_guest_hears_that_head_office_does_not_believe_it_is_there(
    tmp_path: Path, hub: HubDouble
) -> None:
    """A client that signs its presence wrongly would come again for ever, and nobody would know why."""
    hub.believes = False
    world = World(tmp_path)
    home, guest = world.device(), world.device()
    fill(hub, world, home, [])
    async with world.running() as gateway:
        await until(lambda: ready(gateway), "the patch is ready")

        async def is_told() -> bool:
            talk = await world.talk(gateway, guest, guest.hello(session_pb2.MODE_FULL))
            done = talk.one("done")
            assert done.outcome == session_pb2.OUTCOME_DOWNLOAD_DEFERRED
            assert done.retry_after_ms > 0
            return bool(done.reason == "presence_unproven")

        await until(is_told, "the guest is told")
        hub.believes = True

        async def is_believed() -> bool:
            await world.talk(gateway, guest, guest.hello(session_pb2.MODE_FULL))
            return bool(hub.leases)

        await until(is_believed, "it comes again and is believed")
        talk = await world.talk(gateway, guest, guest.hello(session_pb2.MODE_FULL))
        assert talk.one("done").reason == "partition_not_ready"
