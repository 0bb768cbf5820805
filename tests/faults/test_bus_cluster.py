"""Three NATS servers, as in production: they lose their leader, their majority, and forget nobody's revocation."""

import asyncio
import signal
from collections.abc import Iterator

import pytest

from deploy.demo.network import Network
from deploy.demo.proxy import Line
from fieldmesh.service.nats_identity import read_claims
from tests.kit.cluster import BusCluster, BusServer
from tests.kit.network import (
    PASSWORD,
    SMALL,
    all_agree,
    eventually,
    orders_at_hub,
    patiently,
    two_ticks,
)
from tests.kit.ready import ready

pytestmark = pytest.mark.chosen

LINES = 2


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    """The loop that the network lives in."""
    with asyncio.Runner() as made:
        yield made


@pytest.fixture(scope="module")
def world(
    runner: asyncio.Runner, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Network, BusCluster]]:
    """A hub that uses a cluster, two gateways that know all its servers, a device."""
    folder = tmp_path_factory.mktemp("cluster")
    network = Network(folder / "net", Line(0), PASSWORD)
    cluster = BusCluster(folder / "bus")

    async def close() -> None:
        await network.close()
        await cluster.close()

    with ready():
        try:
            runner.run(_make(network, cluster))
            yield network, cluster
        finally:
            runner.run(close())


async def _make(network: Network, cluster: BusCluster) -> None:
    await cluster.make(network.hub, "Cluster")
    await network.hub.ask("sample", *SMALL)
    await network.hub.start()
    for number in (1, 2):
        await network.add_gateway(f"GW{number}", f"OF{number:02d}")
    device = await network.add_device("D1", "REP0001", network.gateways[0])
    await patiently(device, "initialize")


async def _back(server: BusServer, how: signal.Signals) -> None:
    """It goes on, or is started again."""
    if how is signal.SIGSTOP:
        server.signal(signal.SIGCONT)
    else:
        await server.kill()
        await server.start()


@pytest.fixture
def losses(*, thorough: bool) -> list[tuple[str, signal.Signals]]:
    """Whose leader is lost, and how: one that stands still is noticed after half a minute only."""
    return [("UP", signal.SIGKILL), *([("DOWN", signal.SIGSTOP)] if thorough else [])]


def test_a_cluster_that_loses_its_leader_loses_no_order(
    runner: asyncio.Runner,
    world: tuple[Network, BusCluster],
    losses: list[tuple[str, signal.Signals]],
) -> None:
    """Promises 1 to 3: the two servers that are left know everything that was acknowledged, and go on."""
    network, cluster = world

    async def work() -> None:
        device = network.devices[0]
        for stream, how in losses:
            before, _ = await orders_at_hub(network)
            leader = await cluster.leader(stream)
            await device.ask("order", "--lines", str(LINES))
            leader.signal(how)
            await two_ticks(device)
            assert (await orders_at_hub(network))[0] == before + 1
            await _back(leader, how)

    runner.run(work())


def test_without_a_majority_devices_have_their_first_tick_and_all_comes_later(
    runner: asyncio.Runner, world: tuple[Network, BusCluster]
) -> None:
    """Promise 8; and afterwards every tier holds the same rows (promise 5)."""
    network, cluster = world

    async def work() -> None:
        device = network.devices[0]
        before, _ = await orders_at_hub(network)
        for server in cluster.servers[:2]:
            await server.kill()
        await device.ask("order", "--lines", str(LINES))
        answer = await patiently(device, "fast")
        assert answer["gateway_tick"] != answer["hub_tick"]
        for server in cluster.servers[:2]:
            await server.start()
        await two_ticks(device)
        assert (await orders_at_hub(network))[0] == before + 1
        await all_agree(network, device)

    runner.run(work())


def test_a_server_that_was_down_learns_who_was_revoked(
    runner: asyncio.Runner, world: tuple[Network, BusCluster]
) -> None:
    """Promise 6: a stolen gateway must not come in by the one server that did not hear of it."""
    network, cluster = world

    async def work() -> None:
        server = cluster.servers[2]
        # Not one of the two: the device may know no other than the one that would be revoked.
        await network.add_gateway("GW3", "OF01")
        await network.gateways[2].service.stop()
        await server.kill()
        await network.hub.ask("gateway", "revoke", "GW3", "--yes")
        await server.start()

        async def knows() -> bool:
            held = (server.folder / "accounts").glob("*.jwt")
            claims = [read_claims(one.read_text("utf-8"))["nats"] for one in held]
            return any(one.get("revocations") for one in claims)

        await eventually("the server that was down knows who was revoked", knows)

    runner.run(work())
