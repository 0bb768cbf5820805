"""Power that fails: what a node had not synced is gone or half there. And the disk of these tests does what it says."""

import hashlib
import os
import random
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.demo.network import Network
from hub.relay.blobs import Blobs
from tests.kit.network import (
    all_agree,
    eventually,
    orders_at_hub,
    patiently,
    sync_until_step,
    two_ticks,
)
from tests.kit.power_disk import PowerDisk, power_disk
from tests.kit.small_disk import PAGE_BYTES
from tests.kit.standing import Standing, standing_network

pytestmark = pytest.mark.chosen

LINES = 2
MIB = 1 << 20
ROWS, PAGES = 200, 300
SEED = 3
STEPS = ("connect", "upload", "download", "apply")
_WRITER = """
import os, sys
from sqlcipher3 import dbapi2
link = dbapi2.connect(sys.argv[1], isolation_level=None)
if sys.argv[3] == "encrypted":
    link.execute("PRAGMA key = \\"x'" + "11" * 32 + "'\\"")
link.execute("PRAGMA journal_mode = WAL")
link.execute("PRAGMA synchronous = " + sys.argv[2])
link.execute("CREATE TABLE number (number INTEGER PRIMARY KEY, text TEXT)")
for number in range(int(sys.argv[4])):
    link.execute("INSERT INTO number VALUES (?, ?)", (number, "n" * 500))
os._exit(0)
"""


def _written(file: Path, synchronous: str, form: str = "plain") -> None:
    """Another program has committed rows to the database, one by one, and is gone without closing it."""
    words = [sys.executable, "-c", _WRITER, str(file), synchronous, form, str(ROWS)]
    subprocess.run(words, check=True, timeout=60)  # noqa: S603 - our own words


def _rows(file: Path) -> int:
    """Rows in a plain database; -1 = it has no such table any more, or cannot be read."""
    link = sqlite3.connect(file)  # noqa: TID251 - what any program reads
    try:
        return int(link.execute("SELECT count(*) FROM number").fetchone()[0])
    except sqlite3.Error:
        return -1
    finally:
        link.close()


async def nothing() -> None:
    """The device itself is killed at that step."""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[PowerDisk]:
    """A small disk whose power can fail."""
    with power_disk(tmp_path / "disk", size_bytes=24 * MIB) as made:
        yield made


def test_what_a_program_did_not_sync_is_lost_and_what_it_synced_stays(disk: PowerDisk) -> None:
    """The disk of these tests itself: else they would prove nothing. SQLite waits for the disk under FULL only."""
    for synchronous in ("OFF", "FULL"):
        _written(disk.folder / f"{synchronous}.db", synchronous)
    note = disk.folder / "note"
    note.write_text("not synced", encoding="utf-8")
    disk.lose_unsynced()
    assert _rows(disk.folder / "FULL.db") == ROWS
    assert _rows(disk.folder / "OFF.db") < ROWS
    assert not note.exists()


def test_a_hub_that_was_just_founded_stands_after_a_power_cut(disk: PowerDisk) -> None:
    """Its authority and settings were written once and never again: an empty file would end the company's identity."""

    def hub(*words: str) -> str:
        command = [sys.executable, "-m", "hub.cli", *words, "--home", str(disk.folder / "hub")]
        done = subprocess.run(  # noqa: S603 - our own words
            command, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    hub("init", "--company", "Power")
    disk.lose_unsynced()
    assert "Power" in hub("config", "show")
    hub("gateway", "add", "G1", "--json")


def test_a_photo_that_the_hub_has_confirmed_stands_after_a_power_cut(disk: PowerDisk) -> None:
    """The gateway sends it no more: an empty file, or none, would be the end of it."""
    photo = random.Random(SEED).randbytes(MIB)
    name = hashlib.sha256(photo).digest()
    blobs = Blobs(disk.folder / "blobs")
    for offset in range(0, len(photo), MIB // 2):
        held = blobs.take(name, len(photo), offset, photo[offset : offset + MIB // 2])
    assert held.complete
    disk.lose_unsynced()
    assert (disk.folder / "blobs" / name.hex()).read_bytes() == photo


def test_half_of_what_was_not_synced_may_be_there_and_torn(disk: PowerDisk) -> None:
    """Part of a file's new pages is there, some of them in part; a synchronous database stands all the same."""
    choose, kinds = random.Random(SEED), set()
    for number in range(4):
        file = disk.folder / f"pages {number}"
        with file.open("wb") as held:
            held.write(b"old." * (PAGES * PAGE_BYTES // 4))
            os.fsync(held.fileno())
        _written(disk.folder / f"{number}.db", "FULL")
        with file.open("r+b") as held:
            held.write(b"new." * (PAGES * PAGE_BYTES // 4))
        disk.cut(choose)
        content = file.read_bytes()
        for at in range(0, len(content), PAGE_BYTES):
            page = content[at : at + PAGE_BYTES]
            kinds.add((b"new." in page, b"old." in page))
        assert all(_rows(one) == ROWS for one in disk.folder.glob("*.db"))
    assert kinds == {(True, False), (False, True), (True, True)}


@pytest.fixture(scope="module")
def disks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, PowerDisk]]:
    """A disk each for the hub with its broker, the gateway and the first device."""
    net = tmp_path_factory.mktemp("power") / "net"
    with (
        power_disk(net / "hub", size_bytes=96 * MIB) as hub,
        power_disk(net / "GW1", size_bytes=48 * MIB) as gateway,
        power_disk(net / "D1", size_bytes=32 * MIB) as device,
    ):
        yield {"hub": hub, "gateway": gateway, "device": device}


@pytest.fixture(scope="module")
def standing(disks: dict[str, PowerDisk]) -> Iterator[Standing]:
    """The network on these disks, which are smaller than its services like."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FIELDMESH_HUB_LEAST_FREE_BYTES", "0")
        patch.setenv("FIELDMESH_GATEWAY_DISK_FLOOR_BYTES", "0")
        with standing_network(disks["hub"].folder.parent.parent) as made:
            os.sync()  # what was copied into place has been on these disks for long
            yield made


@pytest.fixture
def rounds(*, thorough: bool) -> list[random.Random]:
    """Seeded chance, for each time that the power fails."""
    return [random.Random(SEED + number) for number in range(8 if thorough else 1)]


def test_orders_on_a_device_whose_power_fails_are_kept(
    standing: Standing, disks: dict[str, PowerDisk], rounds: list[random.Random]
) -> None:
    """Promise 1 begins where a rep sees that an order is saved: in SQLCipher's log, synced."""

    async def work(network: Network) -> None:
        device = network.devices[0]
        before, _ = await orders_at_hub(network)
        for choose in rounds:
            await device.ask("order", "--lines", str(LINES))
            disks["device"].cut(choose)
            await sync_until_step(device, "full", choose.choice(STEPS), nothing)
            disks["device"].cut(choose)
        await two_ticks(device)
        assert (await orders_at_hub(network))[0] == before + len(rounds)

    standing.run(work)


def test_what_a_gateway_acknowledged_survives_its_power_and_the_device(
    standing: Standing, disks: dict[str, PowerDisk], rounds: list[random.Random]
) -> None:
    """Promise 1: with one tick the gateway's disk is enough, also when its last writes are torn."""

    async def work(network: Network) -> None:
        device, gateway = network.devices[1], network.gateways[0]
        before, _ = await orders_at_hub(network)
        for choose in rounds:
            network.line.cut()
            await device.ask("order", "--lines", str(LINES))
            await patiently(device, "fast")
            await gateway.service.kill()
            disks["gateway"].cut(choose)
            await gateway.start()
        kept = shutil.move(device.folder, device.folder.with_name("lost"))
        network.line.mend()

        async def is_there() -> bool:
            return (await orders_at_hub(network))[0] == before + len(rounds)

        await eventually("what the gateway had acknowledged is at head office", is_there)
        shutil.move(kept, device.folder)

    standing.run(work)


def test_what_head_office_applied_survives_its_power(
    standing: Standing, disks: dict[str, PowerDisk], rounds: list[random.Random]
) -> None:
    """Promises 1 and 9, at a hub and its broker that lose power together; afterwards all tiers hold the same rows."""

    async def work(network: Network) -> None:
        device, hub = network.devices[1], network.hub
        before, _ = await orders_at_hub(network)
        for number, choose in enumerate(rounds, 1):
            await device.ask("order", "--lines", str(LINES))
            await two_ticks(device)
            await hub.service.kill()
            disks["hub"].cut(choose)
            await hub.start()
            assert (await orders_at_hub(network))[0] == before + number
        assert (await hub.ask("audit", "verify"))["ok"]
        await all_agree(network, *network.devices)

    standing.run(work)
