"""The authority of a network is renewed while it holds; through real processes. After its end: see the runbooks."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from deploy.demo.network import Network
from tests.kit.network import all_agree, eventually, small_network, two_ticks
from tests.kit.standing import refused, told

pytestmark = pytest.mark.chosen


@pytest_asyncio.fixture
async def network(tmp_path: Path) -> AsyncIterator[Network]:
    """One gateway, two devices."""
    async with small_network(tmp_path, gateways=1) as made:
        yield made


async def nodes(network: Network) -> list[object]:
    """How many nodes have a certificate of each authority, that which issues first."""
    shown = (await network.hub.ask("authority", "show"))["authorities"]
    assert isinstance(shown, list)
    return [one["nodes"] for one in shown]


async def follows(network: Network, wanted: list[int]) -> None:
    """Nodes have certificates of the authorities so."""

    async def is_so() -> bool:
        return await nodes(network) == wanted

    await eventually(f"nodes by authority: {wanted}", is_so)


async def test_a_renewed_authority_is_taken_over_by_every_node_while_the_old_one_holds(
    network: Network,
) -> None:
    """Nobody travels: a gateway follows when the hub is back, a device at its next sync, whenever that is."""
    hub, (first, second) = network.hub, network.devices
    assert await nodes(network) == [3]
    assert told(await refused(hub.ask("authority", "renew", "--yes")))[0] == "hub_runs_already"
    await hub.service.stop()
    await hub.ask("authority", "renew", "--yes")
    await hub.start()
    await follows(network, [1, 2])
    await first.ask("order", "--lines", "1")
    await two_ticks(first)
    await follows(network, [2, 1])
    await hub.service.stop()
    await hub.ask("authority", "renew", "--yes")  # The other device has slept through one; now two.
    await hub.start()
    await follows(network, [1, 1, 1])
    await second.ask("order", "--lines", "1")
    await two_ticks(second)
    gateway = network.gateways[0]
    made = await hub.ask("device", "spare", "SP1", "--gateway", gateway.code, "--for", first.code)
    await network.device("SP1", first.login).enroll(str(made["code"]), gateway)
    await follows(network, [3, 1, 0])
    await all_agree(network, second)
