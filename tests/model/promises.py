"""What must hold of the model's network, whatever happened to it: the promises, each as a question to every node."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from device_agent.storage.digests import partition_digests as held_by_device
from fieldmesh.replica.partition import GLOBAL
from fieldmesh.session.transitions import Mode
from gateway.replication.downlink import consumer_of
from gateway.storage import digests as gateway_digests
from gateway.storage import partitions
from hub.storage import contents, journal
from hub.storage.writers import device_writers
from tests.model.line import Weather

if TYPE_CHECKING:
    from tests.model.nodes import SimGateway
    from tests.model.world import World

FIRST_AMOUNT = 77_000_000
AFTER_PRICE = "after price "
"""A price change number n makes an amount of `FIRST_AMOUNT` + n and a postal code of these words and n."""


async def ticks_never_go_back(world: World, device: str) -> None:
    """Promise 5: what the second tick has covered stays covered."""
    status = await world.devices[device].agent.status()
    tick = (status.standing.hub_epoch, status.standing.at_head_office_sequence)
    before = world.made.hub_ticks.get(device, (0, 0))
    assert tick >= before, f"the second tick of {device} went back from {before} to {tick}"
    world.made.hub_ticks[device] = tick


async def never_torn(world: World, device: str) -> None:
    """Promise 4: of a transaction over two areas, a device has both parts or none."""
    agent = world.devices[device].agent
    outlets = await agent.sql("SELECT DISTINCT postal_code FROM outlet")
    prices = await agent.sql("SELECT max(amount) FROM price WHERE amount >= ?", (FIRST_AMOUNT,))
    found = {str(row[0]) for row in outlets.rows}
    if found and prices.rows[0][0] is not None:
        number = int(prices.rows[0][0]) - FIRST_AMOUNT
        assert found == {f"{AFTER_PRICE}{number}"}, f"{device} is torn after price {number}"
    else:
        assert not any(one.startswith(AFTER_PRICE) for one in found), f"{device} is torn"


async def never_doubled(world: World) -> None:
    """Promise 2: whatever was delivered how often, each order stands once, with its lines."""
    counts = await world.at_hub(
        "SELECT lower(hex(o.id)), count(*) FROM sales_order AS o"
        " JOIN order_line AS l ON l.order_id = o.id AND l.deleted = 0"
        " WHERE lower(hex(o.id)) IN (SELECT value FROM json_each(?)) GROUP BY o.id"
    )
    for order, lines in counts:
        assert lines == world.made.lines[order], f"order {order} has {lines} lines"


async def in_order(world: World) -> None:
    """Promise 3: no order has overtaken an earlier one of its device.

    A device that was restored from a copy has two pasts; between them there is no order.
    """
    found = dict(await stamps(world))
    for device in set(world.devices) - world.made.restored:
        there = [order in found for order in world.made.orders[device]]
        assert there == sorted(there, reverse=True), f"orders of {device} have overtaken"


async def nothing_lost(world: World) -> None:
    """Promise 1: every order stands at head office."""
    found = dict(await stamps(world))
    for device, orders in world.made.orders.items():
        missing = [order for order in orders if order not in found]
        assert not missing, f"orders of {device} are lost: {missing}"


async def all_equal(world: World) -> None:
    """Promise 5: gateways equal the hub, devices equal their gateways; 7 and 9: nothing unexplained."""
    async with world.hub.office.database.read() as connection:
        await journal.verify(connection)
        for name, gateway in world.gateways.items():
            await _gateway_equals(connection, name, gateway)
    for table, code in (("fm_quarantine", "cloned_device"), ("reject", "batch_put_aside")):
        explained = {code} if world.made.restored else set()
        found = await world.at_hub(f"SELECT code FROM {table} WHERE ? <> ''")
        assert {row[0] for row in found} <= explained, (table, found)
    await only_ones_own(world)
    for name, gateway in (("D1", "GW1"), ("D2", "GW2")):
        assert await world.sync(name, gateway, Mode.FULL, Weather()) == "done"
        held = await world.devices[name].agent._context.database.read(held_by_device)
        sums = await world.gateways[gateway].parts.database.read(
            lambda c, wanted=held: gateway_digests.partition_digests(
                c, list(wanted), for_devices=True
            )
        )
        meant = {row.partition: (row.rows, row.low, row.high) for row in sums}
        mine = {one.partition: (one.rows, one.low, one.high) for one in held.values()}
        assert mine == {partition: meant[partition] for partition in mine}, name
        assert set(mine) <= await _may_see(world, name), f"{name} has what is not its own"


async def _may_see(world: World, device: str) -> set[int]:
    """The partitions that head office gives to the device."""
    own = (await world.devices[device].agent.status()).state.device_id
    async with world.hub.office.database.read() as connection:
        found = await device_writers(connection, [own])
    return {GLOBAL, *found[own].partitions}


async def only_ones_own(world: World) -> None:
    """Promise 6: a gateway hears of its areas only, and has rows of no other."""
    for name, gateway in world.gateways.items():
        rows = await gateway.parts.database.read(partitions.list_partitions)
        own = {row.partition for row in rows}
        held = await gateway.parts.database.read(
            lambda c: c.execute("SELECT DISTINCT partition FROM fm_digest WHERE rows").fetchall()
        )
        assert {row[0] for row in held} <= own, f"{name} has what is not its own"
        listener = world.broker.listeners[consumer_of(gateway.parts.replication)]
        assert set(listener.subjects) <= {"down.mark", *(f"down.{one}" for one in own)}, name


async def _gateway_equals(connection: Any, name: str, gateway: SimGateway) -> None:
    rows = await gateway.parts.database.read(partitions.list_partitions)
    numbers = [row.partition for row in rows]
    meant = {
        one.partition: (one.rows, one.low, one.high)
        for one, _ in await contents.digests(connection, numbers)
        if one.rows
    }
    held = await gateway.parts.database.read(
        lambda c: gateway_digests.partition_digests(c, numbers, for_devices=False)
    )
    mine = {row.partition: (row.rows, row.low, row.high) for row in held if row.rows}
    assert mine == meant, f"{name} differs from head office"


async def stamps(world: World) -> list[tuple[Any, ...]]:
    """The orders at head office with the LSN of each."""
    return await world.at_hub(
        "SELECT lower(hex(id)), lsn FROM sales_order"
        " WHERE lower(hex(id)) IN (SELECT value FROM json_each(?)) ORDER BY id"
    )
