"""One batch, many ways: by hand, through two gateways, through a gateway that lies or burns down."""

import shutil
import sqlite3
from pathlib import Path

import pytest

from deploy.demo.network import Device, Gateway, Network
from deploy.demo.processes import CommandFailedError
from tests.kit.network import (
    all_agree,
    eventually,
    orders_at_hub,
    patiently,
    small_network,
    two_ticks,
)

pytestmark = pytest.mark.chosen

LINES = 2


async def order_at_gateway_only(network: Network, device: Device) -> None:
    """The line to head office is cut, and a new order has one tick: that of the first gateway."""
    network.line.cut()
    await device.ask("order", "--lines", str(LINES))
    answer = await patiently(device, "fast", "--gateway", network.gateways[0].address)
    assert answer["gateway_tick"] != answer["hub_tick"]


async def test_a_batch_that_comes_by_hand_and_through_two_gateways_counts_once(
    tmp_path: Path,
) -> None:
    """Promise 2: without the inbox each way would make the order again."""
    async with small_network(tmp_path) as network:
        device, (first, second) = network.devices[0], network.gateways
        await order_at_gateway_only(network, device)
        carried = tmp_path / "carried.batches"
        await device.ask("export", str(carried))
        await first.service.kill()
        network.line.mend()
        await second.ask("import", str(carried))
        await patiently(device, "fast", "--gateway", second.address)
        await first.start()
        await two_ticks(device)
        again = await second.ask("import", str(carried))
        assert again
        await device.ask("order", "--lines", str(LINES))
        await two_ticks(device)
        assert await orders_at_hub(network) == (2, 2 * LINES)
        await all_agree(network, device)


async def test_a_gateway_that_burns_down_before_the_second_tick_takes_nothing_with_it(
    tmp_path: Path,
) -> None:
    """Promise 1: until the second tick the device still holds the batch, and offers it to the next gateway."""
    async with small_network(tmp_path) as network:
        device, (first, second) = network.devices[0], network.gateways
        await order_at_gateway_only(network, device)
        await first.service.kill()
        shutil.rmtree(first.folder)
        network.gateways.remove(first)
        network.line.mend()

        async def is_at_hub() -> bool:
            await patiently(device, "fast", "--gateway", second.address)
            return await orders_at_hub(network) == (1, LINES)

        await eventually("the order came by the other gateway", is_at_hub)
        await two_ticks(device)
        assert await orders_at_hub(network) == (1, LINES)


async def test_a_gateway_that_alters_a_byte_is_found_and_the_order_still_arrives(
    tmp_path: Path,
) -> None:
    """Promise 7: what the device signed is what the hub checks; the altered copy lies in quarantine with its reason."""
    async with small_network(tmp_path) as network:
        device, (first, second) = network.devices[0], network.gateways
        await order_at_gateway_only(network, device)
        await first.service.stop()
        alter_a_waiting_batch(first)
        await first.start()
        network.line.mend()

        async def is_quarantined() -> bool:
            return bool((await network.hub.ask("quarantine", "list"))["entries"])

        await eventually("the altered batch is in quarantine", is_quarantined)
        assert await orders_at_hub(network) == (0, 0)
        await patiently(device, "fast", "--gateway", second.address)
        await two_ticks(device)
        assert await orders_at_hub(network) == (1, LINES)


def alter_a_waiting_batch(gateway: Gateway) -> None:
    """One byte in the middle of the newest waiting batch is another one."""
    database = gateway.folder / "data" / "gateway.db"
    connection = sqlite3.connect(database)  # noqa: TID251 - a dishonest distributor's own tool
    number, payload = connection.execute(
        "SELECT outbox_number, payload FROM fm_outbox WHERE kind = 'batch'"
        " AND receipted_at IS NULL ORDER BY outbox_number DESC LIMIT 1"
    ).fetchone()
    altered = bytearray(payload)
    altered[altered.index(b"\x28\xb5\x2f\xfd") + 40] ^= 1
    connection.execute(
        "UPDATE fm_outbox SET payload = ? WHERE outbox_number = ?", (bytes(altered), number)
    )
    connection.commit()
    connection.close()


async def test_a_changed_journal_is_found(tmp_path: Path) -> None:
    """Promise 9: somebody who edits the hub's database cannot rewrite what happened."""
    async with small_network(tmp_path, gateways=1) as network:
        assert (await network.hub.ask("audit", "verify"))["ok"]
        database = next((network.hub.folder / "data").glob("*.db"))
        connection = sqlite3.connect(database)  # noqa: TID251 - an intruder's own tool
        connection.execute("UPDATE fm_journal SET actor = 'nobody' WHERE number = 3")
        connection.commit()
        connection.close()
        try:
            await network.hub.ask("audit", "verify")
        except CommandFailedError as error:
            assert "3" in str(error.answer)  # noqa: PT017 - the answer is what is judged
        else:
            raise AssertionError("the changed entry was not found")
