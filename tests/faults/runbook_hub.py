"""Trouble with the hub, for the pages that are followed in `test_runbooks`."""

import asyncio
import csv
import shutil
from pathlib import Path

from deploy.demo.network import Network
from fieldmesh.service import tls
from tests.faults.runbook_devices import order
from tests.kit.certificates import authority_key, ended
from tests.kit.network import all_agree, eventually, orders_at_hub, two_ticks
from tests.kit.runbooks import Operator


async def all_orders(network: Network, count: int) -> None:
    """Gateways have sent again what head office had lost."""

    async def are_there() -> bool:
        return (await orders_at_hub(network))[0] == count

    await eventually(f"{count} orders are at head office", are_there)


async def the_hub_is_lost(network: Network, operator: Operator, folder: Path) -> None:
    """One order is in the backup, one is not."""
    hub, device = network.hub, operator.device
    await order(operator)
    await two_ticks(device)
    backup = folder / "last-night.tar"
    await hub.ask("backup", str(backup))
    await order(operator)
    await two_ticks(device)
    await hub.service.kill()
    await asyncio.to_thread(shutil.rmtree, hub.folder)
    operator.names["/mnt/backups/fieldmesh-hub-20261124T020000Z.tar"] = str(backup)
    await operator.follow("lost-hub", "From last night's backup")
    await operator.follow("lost-hub", "Over")
    await all_orders(network, 2)
    await all_agree(network, device)


async def older_database(network: Network, operator: Operator, folder: Path) -> None:
    """The hub's database is of before the last order; the hub is stopped, then runs as if nothing were."""
    hub, device = network.hub, operator.device
    await hub.service.stop()
    shutil.copytree(hub.folder / "data", folder / "image")
    await hub.start()
    await order(operator)
    await two_ticks(device)
    await hub.service.stop()
    shutil.rmtree(hub.folder / "data")
    shutil.copytree(folder / "image", hub.folder / "data")


async def the_database_was_put_back(network: Network, operator: Operator, folder: Path) -> None:
    """Without `fieldmesh-hub restore`."""
    await older_database(network, operator, folder)
    await operator.follow("lost-hub", "The database was put back by other means")
    await operator.follow("lost-hub", "Over")
    await all_orders(network, 1)
    await all_agree(network, operator.device)


async def the_hub_came_from_an_image(network: Network, operator: Operator, folder: Path) -> None:
    """The machine was put back, and nobody thought of the hub."""
    await older_database(network, operator, folder)
    await operator.follow("restored-image", "The hub")
    await all_orders(network, 1)
    await all_agree(network, operator.device)


async def the_hub_stands_still(network: Network, operator: Operator, folder: Path) -> None:
    """A restart in the middle of work is harmless."""
    del folder
    await order(operator)
    await operator.follow("hub-stands-still", "First look")
    await operator.follow("hub-stands-still", "Restart")
    await two_ticks(operator.device)
    assert (await orders_at_hub(network))[0] == 1


async def the_authority_ends_soon(network: Network, operator: Operator, folder: Path) -> None:
    """It is renewed while it holds: nobody needs a code."""
    backups = folder / "backups"
    backups.mkdir()
    operator.names["/mnt/backups"] = str(backups)
    await operator.follow("expired-authority", "First look")
    await operator.follow("expired-authority", "While it holds")
    await order(operator)
    await two_ticks(operator.device)
    await all_agree(network, operator.device)
    assert list(backups.iterdir())


def let_it_end(folder: Path, hub: Path, *names: str) -> None:
    """A node's authority ended yesterday, and with it the node's certificate."""
    key = authority_key(hub)
    for name in names:
        held = (folder / name).read_bytes()
        pem = held.startswith(b"-----")
        gone = ended(tls.certificate_der(held) if pem else held, key)
        (folder / name).write_bytes(tls.certificate_pem(gone) if pem else gone)


async def the_authority_has_ended(network: Network, operator: Operator, folder: Path) -> None:
    """Every node comes back by a code, with what waited on it."""
    hub, gateway, device = network.hub, operator.gateway, operator.device
    await order(operator)
    await gateway.service.stop()
    await hub.service.stop()
    node = ("identity/authority.der", "identity/certificate.der")
    for home, names in (
        (hub.folder, ("trust/authority.pem",)),
        (gateway.folder, node),
        (device.folder, node),
    ):
        await asyncio.to_thread(let_it_end, home, hub.folder, *names)
    codes = folder / "codes.csv"
    operator.names["codes.csv"] = str(codes)
    await operator.follow("expired-authority", "After its end")
    text = await asyncio.to_thread(codes.read_text, "utf-8")
    assert {line["node"] for line in csv.DictReader(text.splitlines())} >= {
        gateway.code,
        device.code,
    }
    await operator.follow("expired-certificates", "A gateway")
    await operator.follow("expired-certificates", "A device")
    await two_ticks(device)
    assert (await orders_at_hub(network))[0] == 1
    await all_agree(network, device)
