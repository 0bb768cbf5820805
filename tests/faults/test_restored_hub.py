"""A hub that comes back from an older backup, and a device far from its home gateway; all as real processes."""

import asyncio
import shutil
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from deploy.demo.network import Device, Network
from deploy.demo.processes import TRY_AGAIN, CommandFailedError
from deploy.demo.proxy import Line

_DEADLINE_S = 60.0
_SMALL = ("--offices", "2", "--reps", "2", "--outlets", "5", "--products", "12")


async def eventually(what: str, holds: Callable[[], Awaitable[bool]]) -> None:
    """It holds before the deadline; asked again and again."""
    until = time.monotonic() + _DEADLINE_S
    while not await holds():
        if time.monotonic() > until:
            pytest.fail(f"not within {_DEADLINE_S:.0f} s: {what}")
        await asyncio.sleep(0.3)


@pytest.fixture
async def network(tmp_path: Path) -> AsyncIterator[Network]:
    """A hub with two gateways; the first device is at home at the first gateway, the second at the second."""
    async with Line(0) as line:
        made = Network(tmp_path / "net", line, "sample-password")
        try:
            await made.hub.init("Restored")
            await made.hub.ask("sample", *_SMALL)
            await made.hub.start()
            for number in (1, 2):
                gateway = await made.add_gateway(f"GW{number}", f"OF{number:02d}")
                device = await made.add_device(f"D{number}", f"REP{number:04d}", gateway)
                await patiently(device, "initialize")
            yield made
        finally:
            await made.close()


async def patiently(device: Device, mode: str, *more: str) -> dict[str, object]:
    """The mode is done; a download that can't be served yet is asked for again."""
    answers: list[dict[str, object]] = []

    async def is_done() -> bool:
        try:
            answers.append(await device.sync(mode, *more))
        except CommandFailedError as error:
            if error.code != TRY_AGAIN:
                raise
            return False
        return answers[-1]["outcome"] == "done"

    await eventually(f"{device.code} {mode}", is_done)
    return answers[-1]


async def test_a_hub_from_an_older_backup_loses_nothing_that_devices_sent(network: Network) -> None:
    """Promises 1 and 5: gateways replay what the lost future had applied; its prices leave all devices."""
    first, second = network.devices
    hub, folder = network.hub, network.folder
    await first.ask("order", "--lines", "2")
    await two_ticks(first)
    await hub.service.stop()
    shutil.copytree(hub.folder / "data", folder / "backup")
    await hub.start()
    await first.ask("order", "--lines", "3")
    await two_ticks(first)
    await hub.ask("price", "set", "PL-BASE", "P00001", "55.5")
    lost = "SELECT count(*) AS n FROM price WHERE amount = 5550000"

    async def has_lost_price() -> bool:
        await patiently(second, "full")
        return (await second.rows(lost))[0]["n"] != 0

    await eventually("the price reaches the second device", has_lost_price)
    await hub.service.stop()
    shutil.rmtree(hub.folder / "data")
    shutil.copytree(folder / "backup", hub.folder / "data")
    assert (await hub.ask("recover", "--yes"))["epoch"] == 2
    await hub.start()

    async def all_orders_and_equal() -> bool:
        status = await hub.ask("status")
        if status["made_on_devices"]["sales_order"] != 2:  # type: ignore[index]
            return False
        try:
            return bool((await hub.ask("verify", "--deep"))["ok"])
        except CommandFailedError:
            return False

    await eventually("both orders are at head office and all tiers agree", all_orders_and_equal)
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
    status = await network.hub.ask("status")
    assert status["made_on_devices"]["sales_order"] == 1  # type: ignore[index]


async def two_ticks(device: Device) -> None:
    """Head office has applied everything that the device has sent."""

    async def is_applied() -> bool:
        answer = await patiently(device, "fast")
        return answer["hub_tick"] == answer["gateway_tick"]

    await eventually(f"second tick of {device.code}", is_applied)
