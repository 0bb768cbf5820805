"""A gateway that rewrites a batch well: the body unpacks and fits the header, only the signature does not."""

from pathlib import Path

import pytest

from deploy.demo.network import Device, Gateway, Network
from tests.kit.dishonest import rewrite_waiting_batches
from tests.kit.network import eventually, orders_at_hub, patiently, small_network, two_ticks

pytestmark = pytest.mark.chosen

LINES = 2


async def _order_rewritten_at(network: Network, gateway: Gateway, device: Device) -> None:
    """An order waits at the gateway, altered there, and the line to head office is back."""
    await two_ticks(device)
    network.line.cut()
    await device.ask("order", "--lines", str(LINES))
    await patiently(device, "fast", "--gateway", gateway.address)
    await gateway.service.stop()
    assert rewrite_waiting_batches(gateway.folder)
    await gateway.start()
    network.line.mend()


async def test_a_batch_that_a_gateway_rewrote_well_is_found_by_its_signature(
    tmp_path: Path,
) -> None:
    """Promise 7: hashes alone would let it pass. The order comes by an honest gateway, and the stream goes on."""
    async with small_network(tmp_path) as network:
        device, (first, second) = network.devices[0], network.gateways
        await _order_rewritten_at(network, first, device)

        async def is_quarantined() -> bool:
            entries = (await network.hub.ask("quarantine", "list"))["entries"]
            return isinstance(entries, list) and bool(entries) and bool(entries[0]["bytes"])

        await eventually("the rewritten batch is in quarantine", is_quarantined)
        assert await orders_at_hub(network) == (0, 0)
        await patiently(device, "fast", "--gateway", second.address)
        await device.ask("order", "--lines", str(LINES))
        await patiently(device, "fast", "--gateway", second.address)

        async def both_there() -> bool:
            return await orders_at_hub(network) == (2, 2 * LINES)

        await eventually("both orders are at head office", both_there)


async def test_a_gateway_that_holds_altered_bytes_is_given_the_batch_again(tmp_path: Path) -> None:
    """Promise 1: a bad disk at the only gateway of a device must not keep its orders from head office for good."""
    async with small_network(tmp_path) as network:
        device, first = network.devices[0], network.gateways[0]
        await _order_rewritten_at(network, first, device)

        async def is_there() -> bool:
            await patiently(device, "fast", "--gateway", first.address)
            return await orders_at_hub(network) == (1, LINES)

        await eventually("the order is at head office by the gateway that had spoilt it", is_there)
        await two_ticks(device)
