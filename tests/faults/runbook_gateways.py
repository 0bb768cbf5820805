"""Trouble with gateways, for the pages that are followed in `test_runbooks`."""

import shutil
from pathlib import Path

from deploy.demo.network import Gateway, Network
from tests.faults.runbook_devices import end_certificate, order
from tests.kit.network import all_agree, orders_at_hub, patiently, two_ticks
from tests.kit.runbooks import Operator
from tests.kit.small_disk import small_disk

DISK_BYTES = 64 << 20
SOCKETS = shutil.ignore_patterns("*.sock")


async def a_gateway_is_broken(network: Network, operator: Operator, folder: Path) -> None:
    """Its disk burns down with a batch that it alone held."""
    del folder
    device, gateway = operator.device, operator.gateway
    await two_ticks(device)
    network.line.cut()
    await order(operator)
    await patiently(device, "fast")
    await gateway.service.kill()
    shutil.rmtree(gateway.folder)
    network.line.mend()
    await operator.follow("lost-gateway", "Broken")
    await operator.follow("lost-gateway", "Over")
    await two_ticks(device)
    assert (await orders_at_hub(network))[0] == 1
    await all_agree(network, device)


async def a_gateway_is_stolen(network: Network, operator: Operator, folder: Path) -> None:
    """Another stands in its place, at the same address."""
    device, lost = operator.device, operator.gateway
    await order(operator)
    await lost.service.kill()
    new = Gateway("G1B", folder / "G1B", lost.port, lost.enrolment_port, lost.metrics_port)
    network.gateways[0] = new
    operator.names |= {"G1": lost.code, "G1B": new.code, "OF1": "OF01"}
    operator.gateway = new
    await operator.follow("lost-gateway", "Stolen")
    await operator.follow("lost-gateway", "Over")
    await two_ticks(device)
    assert (await orders_at_hub(network))[0] == 1
    await all_agree(network, device)


async def a_gateway_is_cut_off(network: Network, operator: Operator, folder: Path) -> None:
    """Work goes on, and goes up when the line is back."""
    del folder
    await two_ticks(operator.device)
    network.line.cut()
    await order(operator)
    await patiently(operator.device, "fast")
    await operator.follow("gateway-cut-off", "First look")
    network.line.mend()
    await operator.follow("gateway-cut-off", "Over")
    await two_ticks(operator.device)
    assert (await orders_at_hub(network))[0] == 1


async def a_gateways_certificate_ended(network: Network, operator: Operator, folder: Path) -> None:
    """Devices don't believe it any more."""
    del folder
    gateway = operator.gateway
    await gateway.service.stop()
    end_certificate(network, gateway.folder / "identity" / "certificate.der")
    await order(operator)
    await operator.follow("expired-certificates", "A gateway")
    await two_ticks(operator.device)
    assert (await orders_at_hub(network))[0] == 1


async def a_gateway_came_from_an_image(network: Network, operator: Operator, folder: Path) -> None:
    """It has forgotten a batch that head office has."""
    gateway, image = operator.gateway, folder / "image"
    await gateway.service.stop()
    shutil.copytree(gateway.folder, image, ignore=SOCKETS)
    await gateway.start()
    await order(operator)
    await two_ticks(operator.device)
    await gateway.service.kill()
    shutil.rmtree(gateway.folder)
    image.rename(gateway.folder)
    await gateway.start()
    await operator.follow("restored-image", "A gateway")
    await all_agree(network, operator.device)
    assert (await orders_at_hub(network))[0] == 1


async def a_disk_is_full(network: Network, operator: Operator, folder: Path) -> None:
    """The gateway's; its devices keep their batches meanwhile."""
    device, gateway = operator.device, operator.gateway
    await gateway.service.stop()
    held = folder / "held"
    gateway.folder.rename(held)
    with small_disk(gateway.folder, size_bytes=DISK_BYTES) as disk:
        shutil.copytree(held, gateway.folder, ignore=SOCKETS, dirs_exist_ok=True)
        (gateway.folder / "gateway.toml").write_text(
            "disk_floor_bytes = 1000000\n", encoding="utf-8"
        )
        await gateway.start()
        disk.fill()
        await order(operator)
        await operator.follow("disk-full", "First look")
        disk.empty()
        await operator.follow("disk-full", "Over")
        await two_ticks(device)
        assert (await orders_at_hub(network))[0] == 1
        await gateway.service.stop()
