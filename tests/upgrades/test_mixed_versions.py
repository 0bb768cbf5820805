"""Two releases in one network: the hub is updated first, then the gateway, then devices, while work goes on.

The next release has a column more that may be null, one that may not, and a table (`tests.kit.releases`).
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from deploy.demo.network import Device, Network
from fieldmesh.service.database import connect
from tests.kit.network import (
    all_agree,
    eventually,
    orders_at_hub,
    patiently,
    small_network,
    two_ticks,
)
from tests.kit.releases import next_release, programs_of
from tests.kit.standing import refused

pytestmark = pytest.mark.chosen

NICKNAME = "SELECT nickname, vip, phone FROM contact WHERE name = 'Ann'"


@pytest_asyncio.fixture
async def network(tmp_path: Path) -> AsyncIterator[Network]:
    """One gateway, two devices, all of this release."""
    async with small_network(tmp_path, gateways=1) as made:
        yield made


def held(path: Path, query: str) -> list[tuple[object, ...]]:
    """Rows of a database file."""
    connection = connect(path)
    try:
        return connection.execute(query).fetchall()
    except sqlite3.OperationalError as error:
        return [(str(error),)]
    finally:
        connection.close()


async def comes_to(device: Device, query: str, row: dict[str, object]) -> None:
    """After full syncs the device holds exactly that row."""

    async def is_there() -> bool:
        await patiently(device, "full")
        return await device.rows(query) == [row]

    await eventually(f"{device.code}: {row}", is_there)


async def equals_its_gateway(*devices: Device) -> None:
    """After a full sync there is nothing that differs."""
    for device in devices:
        await patiently(device, "full")
        report = await device.ask("verify")
        assert report["equal"], report
        assert report["network_is_newer"] or report["rows_checked"]


async def enter(network: Network, table: str, lines: str) -> None:
    """Head office loads a CSV file."""
    file = network.folder / f"{table}.csv"
    await asyncio.to_thread(file.write_text, lines, "utf-8")
    await network.hub.ask("import", table, str(file))


async def test_hub_gateway_and_devices_are_updated_in_that_order_while_work_goes_on(
    network: Network, tmp_path: Path
) -> None:
    """Promises 1, 2, 4 and 5: nobody stops for an update; what an older node does not know it leaves alone."""
    later = next_release(tmp_path / "next")
    hub, gateway = network.hub, network.gateways[0]
    first, second = network.devices
    outlet = str((await first.rows("SELECT code FROM outlet ORDER BY code LIMIT 1"))[0]["code"])
    await enter(network, "outlet_assignment", f"outlet,position\n{outlet},REP0002\n")
    ann_of = f"SELECT id, 'Ann' FROM outlet WHERE code = '{outlet}'"
    await first.ask("sql", f"INSERT INTO contact (outlet_id, name) {ann_of}")
    await two_ticks(first)

    # The hub is of the next release; gateway and devices are not.
    with programs_of(later):
        await hub.service.stop()
        await hub.start()
        await enter(network, "contact", f"outlet,name,nickname,vip\n{outlet},Ann,Annie,1\n")
        await enter(network, "loyalty_card", f"outlet,code\n{outlet},CARD-1\n")
    await first.ask("order", "--lines", "1")
    await first.ask("sql", "UPDATE contact SET phone = '123' WHERE name = 'Ann'")
    await two_ticks(first)
    with programs_of(later):
        await all_agree(network)
    await equals_its_gateway(first, second)
    assert held(gateway.folder / "data" / "gateway.db", NICKNAME) == [("no such column: nickname",)]

    # A device that is updated too early hands over, and takes nothing half. Then the gateway is updated.
    with programs_of(later):
        await second.ask("order", "--lines", "1")
        answer = (await refused(second.sync("full"))).answer
        assert (answer["outcome"], answer["problem"]) == ("deferred", "gateway_older"), answer
        assert answer["batches_sent"] == 1
        assert await second.rows(NICKNAME) == [{"nickname": None, "vip": 0, "phone": "123"}]
        await gateway.service.stop()
        await gateway.start()
        ann: dict[str, object] = {"nickname": "Annie", "vip": 1, "phone": "123"}
        await comes_to(second, NICKNAME, ann)
        assert await second.rows("SELECT code FROM loyalty_card") == [{"code": "CARD-1"}]
        assert (await second.ask("verify"))["rows_checked"]
    assert held(gateway.folder / "data" / "gateway.db", NICKNAME) == [("Annie", 1, "123")]

    # The last device writes beside a column that it does not know, and is updated with an order in hand.
    await first.ask("sql", "UPDATE contact SET phone = '456' WHERE name = 'Ann'")
    await two_ticks(first)
    await equals_its_gateway(first)
    await first.ask("order", "--lines", "1")
    with programs_of(later):
        await comes_to(first, NICKNAME, {**ann, "phone": "456"})
        await first.ask("sql", "UPDATE contact SET nickname = 'An', vip = 0 WHERE name = 'Ann'")
        await two_ticks(first)
        await comes_to(second, NICKNAME, {"nickname": "An", "vip": 0, "phone": "456"})
        assert (await orders_at_hub(network))[0] == 3
        await all_agree(network, first, second)
