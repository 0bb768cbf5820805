"""What a gateway's database has grown by while head office was away is the disk's again afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fieldmesh.service.database import Database
from gateway.app.running import read_stopped
from gateway.replication import upkeep
from gateway.storage import outbox
from tests.integration.gateway.world import World

if TYPE_CHECKING:
    from pathlib import Path

    from gateway.app.building import Gateway
    from gateway.storage.transaction import Transaction

BATCH = bytes(64_000)
MANY = 200


def _pages(connection: Transaction) -> int:
    return int(connection.execute("PRAGMA page_count").fetchone()[0])


async def _grow_and_drain(gateway: Gateway) -> None:
    entry = outbox.Entry("batch", BATCH, b"d" * 16, 1, 1, queued_at=1)
    await gateway.database.write(lambda c: [outbox.add(c, entry) for _ in range(MANY)])
    await gateway.database.write(lambda c: c.execute("DELETE FROM fm_outbox"))


async def test_an_outbox_that_has_drained_gives_its_room_back(tmp_path: Path) -> None:
    """Promise 8: the file stayed as it was, the disk below its floor, and nobody was let in any more."""
    world = World(tmp_path)
    async with world.running() as gateway:
        await _grow_and_drain(gateway)
        grown = await gateway.database.read(_pages)
        await upkeep.give_room_back(gateway.replication)
        assert await gateway.database.read(_pages) < grown / 4
    size = world.home.database.stat().st_size
    assert size < MANY * len(BATCH) / 4
    assert await read_stopped(world.home, lambda c: c.execute("PRAGMA quick_check").fetchone()) == (
        "ok",
    )


async def test_a_database_of_before_stays_as_it_is(tmp_path: Path) -> None:
    """Its pages cannot be moved; upkeep must not try for ever."""
    world = World(tmp_path)
    world.home.make()
    made = Database(world.home.database)
    await made.maintain(lambda c: c.execute("VACUUM"))
    await made.close()
    async with world.running() as gateway:
        await _grow_and_drain(gateway)
        grown = await gateway.database.read(_pages)
        await upkeep.give_room_back(gateway.replication)
        assert await gateway.database.read(_pages) == grown
