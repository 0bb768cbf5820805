"""A hub that comes back from an older backup, and a device far from its home gateway; all as real processes."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from deploy.demo.network import Device, Hub, Network
from deploy.demo.processes import CommandFailedError
from tests.kit.network import eventually, orders_at_hub, patiently, small_network, two_ticks

pytestmark = pytest.mark.chosen


@pytest.fixture
async def network(tmp_path: Path) -> AsyncIterator[Network]:
    """A hub with two gateways and a device at each."""
    async with small_network(tmp_path) as made:
        yield made


async def test_a_hub_from_an_older_backup_loses_nothing_that_devices_sent(network: Network) -> None:
    """Promises 1 and 5: gateways replay what the lost future had applied; its prices leave all devices."""
    first, second = network.devices
    hub, folder = network.hub, network.folder
    await first.ask("order", "--lines", "2")
    await two_ticks(first)
    await _keep(hub, folder / "backup")
    await first.ask("order", "--lines", "3")
    await two_ticks(first)
    await hub.ask("price", "set", "PL-BASE", "P00001", "55.5")
    lost = "SELECT count(*) AS n FROM price WHERE amount = 5550000"

    async def has_lost_price() -> bool:
        await patiently(second, "full")
        return (await second.rows(lost))[0]["n"] != 0

    await eventually("the price reaches the second device", has_lost_price)
    await _put_back(hub, folder / "backup")
    await eventually(
        "both orders are at head office and all tiers agree", lambda: _has_all(network, orders=2)
    )
    for device in (first, second):
        await patiently(device, "full")
        assert (await device.ask("verify"))["equal"]
    assert (await second.rows(lost))[0]["n"] == 0
    assert (await first.rows("SELECT count(*) AS n FROM sales_order WHERE state = 'saved'")) == [
        {"n": 2}
    ]


async def test_a_roaming_device_is_served_by_another_gateway_and_at_home_again(
    network: Network,
) -> None:
    """Cursors are portable: a lease brings the rep's partitions, and no row is sent twice at home."""
    first, (home, other) = network.devices[0], network.gateways
    await first.ask("order", "--lines", "2")
    away = await patiently(first, "full", "--gateway", other.address)
    assert away["rows_up"] == 3
    await two_ticks(first)
    back = await patiently(first, "full", "--gateway", home.address)
    assert back["hub_tick"] == back["gateway_tick"]
    assert (await first.ask("verify"))["equal"]
    assert await orders_at_hub(network) == (1, 2)


async def test_a_newer_backup_that_is_restored_after_an_older_one_stands(network: Network) -> None:
    """Promises 1, 4 and 5: the wrong backup was restored first; what the right one holds is in no lost future then."""
    first, second = network.devices
    hub, folder = network.hub, network.folder
    await first.ask("order", "--lines", "2")
    await two_ticks(first)
    await _keep(hub, folder / "older")
    await first.ask("order", "--lines", "3")
    await two_ticks(first)
    await hub.ask("price", "set", "PL-BASE", "P00001", "55.5")
    await eventually("the price reaches the second device", lambda: _has_price(second, 5550000))
    await _keep(hub, folder / "newer")
    await _put_back(hub, folder / "older")
    await eventually("the price has left", lambda: _has_price(second, 5550000, is_there=False))
    await first.ask("order", "--lines", "4")
    await two_ticks(first)
    await _put_back(hub, folder / "newer")
    await eventually("the price is back at the first", lambda: _has_price(first, 5550000))
    await eventually("the price is back at the second", lambda: _has_price(second, 5550000))
    await eventually(
        "all orders are at head office and all tiers agree", lambda: _has_all(network, orders=3)
    )
    for device in (first, second):
        report = await patiently(device, "full")
        assert not report["repaired"]
        assert (await device.ask("verify"))["equal"]
    assert (await first.rows("SELECT count(*) AS n FROM sales_order WHERE state = 'saved'")) == [
        {"n": 3}
    ]


async def _has_all(network: Network, *, orders: int) -> bool:
    """Head office has so many orders, and all tiers agree."""
    if (await orders_at_hub(network))[0] != orders:
        return False
    try:
        return bool((await network.hub.ask("verify", "--deep"))["ok"])
    except CommandFailedError:
        return False


async def _has_price(device: Device, amount: int, *, is_there: bool = True) -> bool:
    await patiently(device, "full")
    rows = await device.rows(f"SELECT count(*) AS n FROM price WHERE amount = {amount}")
    return (rows[0]["n"] != 0) == is_there


async def _keep(hub: Hub, folder: Path) -> None:
    await hub.service.stop()
    shutil.copytree(hub.folder / "data", folder)
    await hub.start()


async def _put_back(hub: Hub, folder: Path) -> None:
    await hub.service.stop()
    shutil.rmtree(hub.folder / "data")
    shutil.copytree(folder, hub.folder / "data")
    assert int(str((await hub.ask("recover", "--yes"))["epoch"])) > 1
    await hub.start()
