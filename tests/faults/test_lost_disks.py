"""Gateways that come back with less than they had: without their disk, or after the stream has forgotten."""

import asyncio
import shutil
import signal
from collections.abc import Iterator
from contextlib import closing

import pytest

from deploy.demo.network import Gateway, Network
from fieldmesh.service.database import connect
from tests.kit.broker import lose_store
from tests.kit.network import (
    all_agree,
    eventually,
    orders_at_hub,
    patiently,
    two_ticks,
)
from tests.kit.standing import Standing, standing_network

pytestmark = pytest.mark.chosen

LINES = 2
KEEP_S = 3
"""How long the stream keeps what a gateway has not heard."""
SEEDED = "partition_ready"
PRICES = ("41.10", "42.20", "43.30")


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standing]:
    """Two gateways, and a hub whose stream forgets quickly."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FIELDMESH_HUB_BUS__DOWN_KEEP_S", str(KEEP_S))
        with standing_network(tmp_path_factory.mktemp("disks"), gateways=2) as made:
            yield made


def test_a_gateway_that_loses_its_disk_after_the_second_tick_is_seeded_anew(
    standing: Standing,
) -> None:
    """Promises 1 and 2: head office has everything, so the new gateway has it too, and nothing is doubled."""

    async def work(network: Network) -> None:
        device, gateway = network.devices[0], network.gateways[0]
        orders, lines = await orders_at_hub(network)
        await device.ask("order", "--lines", str(LINES))
        await two_ticks(device)
        await gateway.service.kill()
        shutil.rmtree(gateway.folder)
        seeds = gateway.service.log.read_text("utf-8").count(SEEDED)
        await device.ask("order", "--lines", str(LINES))
        made = await network.hub.ask("gateway", "code", gateway.code)
        await gateway.enroll_with(str(made["code"]), network.hub)
        await gateway.start()
        await patiently(device, "full", "--gateway", gateway.address)
        assert gateway.service.log.read_text("utf-8").count(SEEDED) > seeds
        await two_ticks(device)
        assert await orders_at_hub(network) == (orders + 2, lines + 2 * LINES)
        await all_agree(network, *network.devices)

    standing.run(work)


def test_a_gateway_that_was_away_longer_than_the_stream_keeps_is_seeded_anew(
    standing: Standing,
) -> None:
    """Promise 5: it notices by itself that it has missed something, and so does its device by its digests."""

    async def work(network: Network) -> None:
        device, gateway = network.devices[1], network.gateways[1]
        found = f"SELECT count(*) AS n FROM price WHERE amount = {PRICES[-1].replace('.', '')}000"
        await all_agree(network, device)
        assert (await device.rows(found))[0]["n"] == 0
        await gateway.service.stop()
        for amount in PRICES:
            await network.hub.ask("price", "set", "PL-BASE", "P00001", amount)
        await asyncio.sleep(2 * KEEP_S)  # What the gateway has missed grows too old for the stream.
        seeds = gateway.service.log.read_text("utf-8").count(SEEDED)
        await gateway.start()

        async def has_price() -> bool:
            await patiently(device, "full", "--gateway", gateway.address)
            return (await device.rows(found))[0]["n"] != 0

        await eventually("the newest price is on the device", has_price)
        served = await patiently(device, "full", "--gateway", gateway.address)
        assert served["gateway_address"] == gateway.address
        assert gateway.service.log.read_text("utf-8").count(SEEDED) > seeds
        await all_agree(network, *network.devices)

    standing.run(work)


def test_a_broker_that_loses_its_whole_store_loses_nothing(standing: Standing) -> None:
    """Promises 1, 2 and 5: the hub makes the streams anew while it works, and everybody still holds what was in them.

    One order is in the store and not at head office yet, another has not left its gateway.
    """

    async def work(network: Network) -> None:
        hub, (device, other) = network.hub, network.devices
        before, _ = await orders_at_hub(network)
        for gateway in network.gateways:
            await gateway.service.stop()
            await gateway.start()
        assert hub.service.process is not None
        hub.service.process.send_signal(signal.SIGSTOP)
        try:
            await device.ask("order", "--lines", str(LINES))
            await patiently(device, "fast")
            await eventually("the order is in the store", lambda: _in_flight(network.gateways[0]))
            network.line.cut()
            await other.ask("order", "--lines", str(LINES))
            await patiently(other, "fast")
            lose_store(hub.folder)
        finally:
            hub.service.process.send_signal(signal.SIGCONT)
        network.line.mend()
        await hub.ask("price", "set", "PL-BASE", "P00001", "51.10")
        for one in network.devices:
            await two_ticks(one)
        assert (await orders_at_hub(network))[0] == before + 2
        await all_agree(network, *network.devices)

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FIELDMESH_GATEWAY_REPUBLISH_AFTER_S", "2")
        standing.run(work)


async def _in_flight(gateway: Gateway) -> bool:
    """Whether the broker holds a batch of the gateway that the hub has not answered."""
    with closing(connect(gateway.folder / "data" / "gateway.db", read_only=True)) as found:
        query = "SELECT count(*) FROM fm_outbox WHERE kind = 'batch' AND published_at > 0 AND receipted_at IS NULL"
        return bool(found.execute(query).fetchone()[0])
