"""Head office's machine is lost, with last night's backup at hand: by the product's own commands."""

import asyncio
import shutil
import sqlite3
import tarfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from deploy.demo.network import Device, Network
from deploy.demo.processes import CommandFailedError
from tests.kit.network import all_agree, eventually, orders_at_hub, small_network, two_ticks
from tests.kit.standing import refused, told

pytestmark = pytest.mark.chosen

REFUSED = 1


@pytest.fixture
async def network(tmp_path: Path) -> AsyncIterator[Network]:
    """A hub with two gateways and a device at each."""
    async with small_network(tmp_path) as made:
        yield made


async def test_a_lost_hub_goes_on_from_a_backup_that_was_taken_while_it_worked(
    network: Network, tmp_path: Path
) -> None:
    """Promises 1, 2, 5 and 9: orders of before, meanwhile and after are all there, once."""
    first, second = network.devices
    hub, folder = network.hub, tmp_path / "backups"
    folder.mkdir()
    await first.ask("order", "--lines", "2")
    await two_ticks(first)
    async with asyncio.TaskGroup() as group:
        backup = group.create_task(hub.ask("backup", str(folder)))
        for device in (first, second):
            group.create_task(_work(device, 2))
    made = backup.result()
    file = Path(str(made["file"]))
    assert file.parent == folder
    assert _readable_by_others(file) == 0
    error = await refused(hub.ask("backup", str(file)))
    assert (error.code, told(error)[0]) == (REFUSED, "backup_exists")
    await _work(second, 1)
    error = await refused(hub.ask("restore", str(file)))
    assert (error.code, told(error)[0]) == (REFUSED, "hub_runs_already")
    await hub.service.stop()
    error = await refused(hub.ask("restore", str(file)))
    assert (error.code, told(error)[0]) == (REFUSED, "restore_over_hub")
    shutil.rmtree(hub.folder)
    restored = await hub.ask("restore", str(file))
    assert int(str(restored["epoch"])) > 1
    await hub.start()

    async def all_are_there() -> bool:
        return (await orders_at_hub(network))[0] == 6

    await eventually("all orders are at head office again", all_are_there)
    await all_agree(network, first, second)
    assert (await hub.ask("audit", "verify"))["ok"]


def _readable_by_others(file: Path) -> int:
    return file.stat().st_mode & 0o077


async def _work(device: Device, orders: int) -> None:
    for _ in range(orders):
        await device.ask("order", "--lines", "2")
        await two_ticks(device)


async def test_a_damaged_backup_changes_nothing_and_a_good_one_sets_the_old_hub_aside(
    network: Network, tmp_path: Path
) -> None:
    """One byte, the end, a name that leads out of the folder: each is told, with the file's name."""
    hub, good = network.hub, tmp_path / "good.tar"
    await hub.ask("backup", str(good))
    await hub.service.stop()
    before = sorted(path.name for path in hub.folder.parent.iterdir())
    for name, damage in (("byte", _alter), ("end", _cut), ("path", _lead_out), ("kind", _no_tar)):
        bad = tmp_path / f"{name}.tar"
        shutil.copy(good, bad)
        damage(bad)
        error = await refused(hub.ask("restore", "--replace", str(bad)))
        code, text = told(error)
        assert (error.code, code) == (REFUSED, "backup_damaged"), (name, error)
        assert str(bad) in text
    assert sorted(path.name for path in hub.folder.parent.iterdir()) == before
    error = await refused(hub.ask("restore", "--replace", str(tmp_path / "none.tar")))
    assert told(error)[0] == "file_unreadable"
    restored = await hub.ask("restore", "--replace", str(good))
    aside = Path(str(restored["aside"]))
    with sqlite3.connect(aside / "data" / "hub.db") as held:  # noqa: TID251 - what was set aside
        assert held.execute("SELECT count(*) FROM position").fetchone()[0]
    await hub.start()
    with pytest.raises(CommandFailedError):
        await hub.ask("restore", "--replace", str(good))


def _alter(file: Path) -> None:
    with file.open("r+b") as content:
        content.seek(file.stat().st_size // 2)
        byte = content.read(1)
        content.seek(-1, 1)
        content.write(bytes([byte[0] ^ 1]))


def _cut(file: Path) -> None:
    with file.open("r+b") as content:
        content.truncate(file.stat().st_size * 2 // 3)


def _lead_out(file: Path) -> None:
    with tarfile.open(file, "a") as archive:
        archive.add(__file__, "trust/../../outside")


def _no_tar(file: Path) -> None:
    file.write_text("not a backup")
