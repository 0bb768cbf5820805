"""Photos between gateway and hub: they go up, go again after a restored hub, and leave when they are old."""

from __future__ import annotations

import asyncio
import hashlib
import os
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from fieldmesh.basics.clock import SystemClock
from fieldmesh.basics.epochs import make_lsn
from gateway.replication import upkeep
from gateway.storage import blobs
from tests.integration.gateway.hub_double import BusDouble, HubDouble
from tests.integration.gateway.world import World

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gateway.app.building import Gateway

LONG_AGO, JUST_NOW = 1_000, 1 << 60


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> HubDouble:
    """A hub in memory behind the gateway's bus."""
    double = HubDouble()
    monkeypatch.setattr(BusDouble, "hub", double, raising=False)
    monkeypatch.setattr("gateway.app.building.Bus", BusDouble)
    return double


async def until(found: Callable[[], bool], what: str, *, within_s: float = 10) -> None:
    """It becomes true in that time."""
    try:
        async with asyncio.timeout(within_s):
            while not found():  # noqa: ASYNC110 - the gateway's own state is asked
                await asyncio.sleep(0.02)  # polls to the deadline
    except TimeoutError:
        pytest.fail(f"never happened: {what}")


async def put(gateway: Gateway, text: str, *, sent_at: int | None = None) -> Path:
    """A whole photo lies at the gateway; the hub has it since ``sent_at``. Returns its file."""
    content = text.encode()
    name = hashlib.sha256(content).digest()
    file = gateway.home.blobs / name.hex()
    file.write_bytes(content)
    size = len(content)

    def note(connection: object) -> None:
        row = blobs.BlobRow(name, size, size, complete=True, sent=0)
        blobs.note_held(connection, row, LONG_AGO)  # type: ignore[arg-type]
        if sent_at is not None:
            blobs.note_sent(connection, name, sent=size, now=sent_at)  # type: ignore[arg-type]

    await gateway.database.write(note)
    return file


def stray(folder: Path, name: str, *, days: float) -> Path:
    """A file that no row knows, last written so many days ago."""
    file = folder / name
    file.write_bytes(b"stray")
    written = SystemClock().now() / 1e6 - days * 86_400
    os.utime(file, (written, written))
    return file


async def test_after_a_restored_hub_photos_go_again_at_once(tmp_path: Path, hub: HubDouble) -> None:
    """Promise 1: what reached the hub after its backup is only at the gateway now."""
    world = World(tmp_path)
    hub.epochs = [(1, 0)]
    hub.mark()
    async with world.running() as gateway:
        await put(gateway, "a shelf")
        gateway.signals.blob_completed.give()
        await until(lambda: hub.photo(b"a shelf") == b"a shelf", "the photo is at the hub")
        await asyncio.sleep(0.2)  # the loop sleeps for a minute now, unless it is woken
        hub.blobs.clear()
        hub.epochs, hub.lsn = [(1, 0), (2, 100)], make_lsn(2, 1)
        hub.mark()
        # After six seconds of silence the gateway says hello, and that would wake the loop too.
        await until(lambda: hub.photo(b"a shelf") == b"a shelf", "it is there again", within_s=4)


async def test_a_photo_that_the_disk_lost_keeps_no_other_waiting(
    tmp_path: Path, hub: HubDouble
) -> None:
    """It was tried again for ever, and every later photo of the branch stood behind it."""
    world = World(tmp_path)
    hub.mark()
    async with world.running() as gateway:
        (await put(gateway, "a lost one")).unlink()
        (await put(gateway, "a spoilt one")).write_bytes(b"")
        await put(gateway, "a door")
        gateway.signals.blob_completed.give()
        await until(lambda: hub.photo(b"a door") == b"a door", "the other one is there")


async def test_a_photo_that_rotted_on_the_disk_keeps_no_other_waiting(
    tmp_path: Path, hub: HubDouble
) -> None:
    """Its size was right, so it went up whole, was refused, and went up again for ever."""
    world = World(tmp_path)
    hub.mark()
    async with world.running() as gateway:
        rotten = await put(gateway, "a rotten one")
        rotten.write_bytes(b"a rotted one")
        await gateway.database.write(lambda c: c.execute("UPDATE fm_blob SET changed_at = 1"))
        await put(gateway, "a door")
        gateway.signals.blob_completed.give()
        await until(lambda: hub.photo(b"a door") == b"a door", "the other one is there")
        name = bytes.fromhex(rotten.name)
        assert await gateway.database.read(lambda c: blobs.find(c, name)) is None, (
            "whoever has it may send it again"
        )


async def test_a_sound_photo_that_the_hub_refuses_lets_the_others_pass(
    tmp_path: Path, hub: HubDouble
) -> None:
    """It is kept, and tried again after them."""
    world = World(tmp_path)
    hub.mark()
    async with world.running() as gateway:
        unwanted = await put(gateway, "a refused one")
        hub.unwanted.add(bytes.fromhex(unwanted.name))
        await gateway.database.write(lambda c: c.execute("UPDATE fm_blob SET changed_at = 1"))
        await put(gateway, "a door")
        gateway.signals.blob_completed.give()
        await until(lambda: hub.photo(b"a door") == b"a door", "the other one is there")
        assert unwanted.exists()
        hub.unwanted.clear()
        await until(lambda: hub.photo(b"a refused one") != b"", "it is there too", within_s=20)


async def test_photos_that_the_hub_has_leave_after_their_days(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A gateway that kept them all filled its disk in months, and the branch stood still."""
    monkeypatch.setattr(upkeep, "_PHOTOS", 2)
    async with World(tmp_path).running() as gateway:
        old = [await put(gateway, f"photo {n}", sent_at=LONG_AGO) for n in range(5)]
        new = await put(gateway, "sent now", sent_at=JUST_NOW)
        unsent = await put(gateway, "not sent")
        now = SystemClock().now()
        await upkeep.forget_photos(gateway.replication, gateway.blob_files, before=now)
        # The gateway's own upkeep may be at it too.
        await until(lambda: not any(file.exists() for file in old), "the old ones are gone")
        assert new.exists()
        assert unsent.exists()
        waits = await gateway.database.read(blobs.next_unsent)
        assert waits is not None
        assert waits.sha256.hex() == unsent.name


async def test_half_photos_that_nobody_goes_on_with_leave_after_their_days(tmp_path: Path) -> None:
    """A device that was cut off finishes its photo at another gateway; the half here stayed on the disk for ever."""
    async with World(tmp_path).running() as gateway:
        old, young = [await put(gateway, text) for text in ("a half", "half of another")]
        now = SystemClock().now()
        await gateway.database.write(lambda c: c.execute("UPDATE fm_blob SET complete = 0"))
        name = bytes.fromhex(young.name)
        await gateway.database.write(
            lambda c: c.execute("UPDATE fm_blob SET changed_at = ? WHERE sha256 = ?", (now, name))
        )
        await upkeep.forget_photos(gateway.replication, gateway.blob_files, before=now)
        await until(lambda: not old.exists(), "the old half is gone")
        rows = await gateway.database.read(
            lambda c: [blobs.find(c, bytes.fromhex(file.name)) for file in (old, young)]
        )
        assert [row is not None for row in rows] == [False, True]
        assert young.exists()


async def test_a_running_gateway_clears_what_is_old_and_what_a_crash_left(tmp_path: Path) -> None:
    """Whoever is killed between row and file leaves a file that nobody would ever delete."""
    world = World(tmp_path)
    async with world.running() as gateway:
        old = await put(gateway, "an old one", sent_at=LONG_AGO)
        unsent = await put(gateway, "not sent")
        for file in (old, unsent):
            with suppress(FileNotFoundError):
                os.utime(file, (1, 1))
        left = stray(gateway.home.blobs, "ab" * 32, days=15)
        young = stray(gateway.home.blobs, "cd" * 32, days=13)
        foreign = stray(gateway.home.blobs, "README", days=99)
    async with world.running():
        await until(lambda: not (old.exists() or left.exists()), "both are gone")
        await asyncio.sleep(0.2)
        assert unsent.exists()
        assert young.exists(), (
            "a gateway whose database is gone may hold photos that nobody else has"
        )
        assert foreign.exists()


async def test_a_file_that_is_written_just_now_is_not_cleared_away(tmp_path: Path) -> None:
    """Its row comes with the first note only; a device would wait for a photo that is never whole."""
    async with World(tmp_path).running() as gateway:
        name = "ab" * 32
        now = SystemClock().now()
        async with gateway.blob_files.hold(bytes.fromhex(name)):
            part = stray(gateway.home.blobs, name, days=99)
            await upkeep.sweep_photos(gateway.replication, gateway.blob_files, before=now)
            assert part.exists()
        await upkeep.sweep_photos(gateway.replication, gateway.blob_files, before=now)
        await until(lambda: not part.exists(), "it is gone when nobody writes it any more")
