"""A week without head office: the office and its devices go on, and everything arrives when it is back."""

from pathlib import Path

import pytest

from deploy.demo.network import Device
from deploy.demo.processes import TRY_AGAIN, CommandFailedError
from tests.kit.network import (
    all_agree,
    eventually,
    orders_at_hub,
    patiently,
    small_network,
    two_ticks,
)
from tests.kit.standing import refused, told

pytestmark = pytest.mark.chosen

LINES = 2
PATIENCE_S = "3"
"""A device that is deferred gives up after so many seconds."""
WEEK = ("fast", "full", "initialize", "fast", "full", "initialize", "full")
"""The first rep's mode on each day; the second works every other day."""
KEPT = 3
"""Head office leaves the last orders of an outlet on devices; until it has decided, all are there."""
SAVED = "SELECT count(*) AS orders FROM sales_order WHERE state = 'saved'"
PROVISIONAL = f"{SAVED} AND lsn = 0"


async def a_day(device: Device, mode: str) -> None:
    """An order, and a sync that the gateway alone serves: one tick, and no second one."""
    await device.ask("order", "--lines", str(LINES))
    answer = await patiently(device, mode)
    assert not answer["hub_reachable"]
    assert answer["gateway_tick"] > answer["hub_tick"]  # type: ignore[operator]


async def count(device: Device, query: str) -> int:
    """How many orders the person sees on the device."""
    return int(str((await device.rows(query))[0]["orders"]))


async def test_a_week_without_head_office_and_everything_arrives_once(tmp_path: Path) -> None:
    """Promise 8, in all five modes; the supervisor and the spare see at once what the reps have uploaded."""
    async with small_network(tmp_path, gateways=1) as network:
        first, second = network.devices[:2]
        gateway, hub = network.gateways[0], network.hub
        boss = await network.add_device("B1", "SUP01-000", gateway)
        await patiently(boss, "initialize")
        made = await hub.ask("device", "spare", "S1", "--gateway", gateway.code, "--for", "D1")
        spare = network.device("S1", first.login)
        await spare.enroll(str(made["code"]), gateway)

        network.line.cut()
        await hub.service.kill()
        for day, mode in enumerate(WEEK):
            await a_day(first, mode)
            if day % 3 == 0:
                await a_day(second, mode)
        await patiently(boss, "full")
        assert await count(boss, PROVISIONAL) == len(WEEK)
        await patiently(spare, "duplicate")
        assert await count(spare, SAVED) == len(WEEK)
        await spare.ask("order", "--lines", str(LINES))
        assert not (await patiently(spare, "upload"))["cleared"]
        assert not (await first.ask("status"))["all_at_head_office"]

        await hub.start()
        network.line.mend()

        async def is_cleared() -> bool:
            return bool((await patiently(spare, "upload"))["cleared"])

        await eventually("head office has what the spare made", is_cleared)
        assert (await patiently(first, "full"))["device_state"] == "active"
        for device in (first, second):
            await two_ticks(device)
        orders = len(WEEK) + 3 + 1
        assert await orders_at_hub(network) == (orders, orders * LINES)
        await all_agree(network, first, second, boss)
        assert await count(boss, PROVISIONAL) == 0
        assert await count(first, SAVED) == await count(boss, SAVED) == KEPT
        assert (await hub.ask("audit", "verify"))["ok"]


async def test_what_needs_head_office_is_refused_in_words_and_done_when_it_is_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Promises 1 and 8: a guest's order is taken in and its areas come later; so does a new device's identity."""
    async with small_network(tmp_path) as network:
        guest, gateway, hub = network.devices[1], network.gateways[0], network.hub
        made = await hub.ask(
            "device", "add", "N1", "--position", "SUP01-000", "--gateway", gateway.code
        )
        new = network.device("N1", "sup01-000")
        await guest.ask("order", "--lines", str(LINES))
        await two_ticks(guest)
        network.line.cut()
        await hub.service.kill()

        monkeypatch.setenv("FIELDMESH_DEVICE_PATIENCE_S", PATIENCE_S)

        async def is_enrolled() -> bool:
            try:
                await new.enroll(str(made["code"]), gateway)
            except CommandFailedError as error:
                if error.code != TRY_AGAIN:
                    raise
                return False
            return True

        error = await refused(new.enroll(str(made["code"]), gateway))
        assert (error.code, told(error)[0]) == (TRY_AGAIN, "hub_unreachable")
        assert "Work goes on" in told(error)[1]
        await guest.ask("order", "--lines", str(LINES))
        error = await refused(guest.sync("full", "--gateway", gateway.address))
        assert error.code == TRY_AGAIN
        assert error.answer["problem"] == "partition_not_ready"
        assert "Uploads are safe" in told(error)[1]
        assert (await guest.ask("status"))["at_gateway_rows"] == 1 + LINES
        assert (await gateway.ask("status"))["inbox_batches"] == 1

        await hub.start()
        network.line.mend()
        await eventually("the new device has its identity", is_enrolled)
        for device, mode in ((guest, "full"), (new, "initialize")):
            await patiently(device, mode, "--gateway", gateway.address)
        await two_ticks(guest)
        assert await orders_at_hub(network) == (2, 2 * LINES)
        await all_agree(network, *network.devices)
