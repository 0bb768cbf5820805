"""Disks that are full to the last byte or read-only, at a device, a gateway and the hub, then have room again."""

from collections.abc import Iterator

import pytest

from deploy.demo.network import Gateway, Hub, Network
from deploy.demo.processes import TRY_AGAIN
from tests.kit.network import all_agree, eventually, orders_at_hub, patiently, two_ticks
from tests.kit.small_disk import SmallDisk, small_disk
from tests.kit.standing import Standing, refused, standing_network, told

pytestmark = pytest.mark.chosen

LINES = 2
MIB = 1 << 20


@pytest.fixture(scope="module")
def disks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, SmallDisk]]:
    """A disk each for the hub, the gateway and the first device."""
    net = tmp_path_factory.mktemp("full") / "net"
    with (
        small_disk(net / "hub", size_bytes=96 * MIB) as hub,
        small_disk(net / "GW1", size_bytes=64 * MIB) as gateway,
        small_disk(net / "D1", size_bytes=32 * MIB) as device,
    ):
        yield {"hub": hub, "gateway": gateway, "device": device}


@pytest.fixture(scope="module")
def standing(disks: dict[str, SmallDisk]) -> Iterator[Standing]:
    """The network on these disks; its services write to the last byte."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FIELDMESH_HUB_LEAST_FREE_BYTES", "0")
        patch.setenv("FIELDMESH_GATEWAY_DISK_FLOOR_BYTES", "0")
        patch.setenv("FIELDMESH_DEVICE_PATIENCE_S", "2")
        with standing_network(disks["hub"].folder.parent.parent) as made:
            yield made


async def _begin_a_new_log(node: Gateway | Hub) -> None:
    """The database's log is empty: its next transaction needs room on the disk."""
    await node.service.stop()
    await node.start()


def test_a_full_disk_at_a_device_is_named_and_nothing_of_it_is_half_done(
    standing: Standing, disks: dict[str, SmallDisk]
) -> None:
    """Promise 1: each command says which disk; the others sync on; with room again what waited goes up."""

    async def work(network: Network) -> None:
        device, other = network.devices[:2]
        orders, lines = await orders_at_hub(network)
        await device.ask("order", "--lines", str(LINES))
        disks["device"].fill()
        for words in (
            ("order", "--lines", str(LINES)),
            ("sync", "fast"),
            ("sync", "initialize"),
        ):
            error = await refused(device.ask(*words))
            code, text = told(error)
            assert (error.code, code) == (TRY_AGAIN, "disk_full"), error
            assert str(device.folder / "data") in text
            assert "Make room" in text
        await other.ask("order", "--lines", str(LINES))
        await two_ticks(other)
        disks["device"].empty()
        await two_ticks(device)
        assert await orders_at_hub(network) == (orders + 2, lines + 2 * LINES)

    standing.run(work)


def test_a_read_only_disk_at_a_device_is_named(
    standing: Standing, disks: dict[str, SmallDisk]
) -> None:
    """Nothing can be written: it says so, and goes on when the disk can be written again."""

    async def work(network: Network) -> None:
        device = network.devices[0]
        before, _ = await orders_at_hub(network)
        disks["device"].make_read_only(yes=True)
        try:
            for words in (("order", "--lines", str(LINES)), ("sync", "fast")):
                error = await refused(device.ask(*words))
                code, text = told(error)
                assert (error.code, code) == (TRY_AGAIN, "disk_read_only"), error
                assert str(device.folder) in text
        finally:
            disks["device"].make_read_only(yes=False)
        await device.ask("order", "--lines", str(LINES))
        await two_ticks(device)
        assert (await orders_at_hub(network))[0] == before + 1

    standing.run(work)


def test_a_full_disk_at_a_gateway_acknowledges_nothing_and_heals_by_itself(
    standing: Standing, disks: dict[str, SmallDisk]
) -> None:
    """Promises 1 and 8: the device is told whose disk it is and keeps its batch; no restart is needed."""

    async def work(network: Network) -> None:
        device, gateway = network.devices[0], network.gateways[0]
        before, _ = await orders_at_hub(network)
        await _begin_a_new_log(gateway)
        disks["gateway"].fill()
        await device.ask("order", "--lines", str(LINES))
        error = await refused(device.sync("fast"))
        code, text = told(error)
        assert (error.code, code) == (TRY_AGAIN, "disk_full"), error
        assert f"gateway {gateway.address}" in text
        assert (await device.ask("status"))["all_at_head_office"] is False
        assert (await gateway.ask("status"))["running"] is True
        disks["gateway"].empty()
        await two_ticks(device)
        assert (await orders_at_hub(network))[0] == before + 1

    standing.run(work)


def test_a_full_disk_at_the_hub_stops_its_bus_only_until_there_is_room(
    standing: Standing, disks: dict[str, SmallDisk]
) -> None:
    """The broker gives a stream up for good when its disk is full: the hub starts it again (promises 1 and 8)."""

    async def work(network: Network) -> None:
        device, hub = network.devices[0], network.hub
        before, _ = await orders_at_hub(network)
        await _begin_a_new_log(hub)
        disks["hub"].fill()
        placed, log = 0, hub.folder / "bus" / "nats.log"

        async def has_given_up() -> bool:
            nonlocal placed
            await device.ask("order", "--lines", "10")
            placed += 1
            await patiently(device, "fast")
            return "no space left on device" in log.read_text("utf-8", errors="replace")

        await eventually("the broker has met the full disk", has_given_up)
        error = await refused(hub.ask("gateway", "add", "GW9", "--unit", "OF01"))
        code, text = told(error)
        assert (error.code, code) == (TRY_AGAIN, "disk_full")
        assert str(hub.folder / "data" / "hub.db") in text
        disks["hub"].empty()
        await two_ticks(device)
        assert (await orders_at_hub(network))[0] == before + placed
        await hub.ask("gateway", "add", "GW9", "--unit", "OF01")

    standing.run(work)


def test_services_on_a_read_only_disk_say_so_and_start_when_it_can_be_written(
    standing: Standing, disks: dict[str, SmallDisk]
) -> None:
    """The last of the module: afterwards every tier still holds the same rows (promise 5)."""

    async def work(network: Network) -> None:
        gateway, hub = network.gateways[0], network.hub
        for service, name, start in (
            (gateway.service, "gateway", gateway.start),
            (hub.service, "hub", hub.start),
        ):
            await service.stop()
            disks[name].make_read_only(yes=True)
            try:
                mark = service.log.stat().st_size
                await service.start()
                assert service.process is not None
                assert await service.process.wait() == TRY_AGAIN
            finally:
                disks[name].make_read_only(yes=False)
            said = service.log.read_bytes()[mark:].decode()
            assert "The disk can be read only." in said
            assert str(disks[name].folder) in said or "gateway.db" in said
            assert "Traceback" not in said
            await start()
        await all_agree(network, *network.devices)

    standing.run(work)
