"""Lists of a gateway's database, asked for by somebody with another program than the one that serves."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from fieldmesh.basics.errors import Rejected
from fieldmesh.service.database import connect
from gateway.app.running import read_stopped
from gateway.storage import partitions
from tests.integration.gateway.world import MAKER, World, place_region

if TYPE_CHECKING:
    from pathlib import Path

    from gateway.storage.transaction import Transaction


def _facts(connection: Transaction) -> list[tuple[object, ...]]:
    return [
        tuple(row)
        for query in ("SELECT * FROM fm_state", "SELECT * FROM sqlite_sequence")
        for row in connection.execute(query)
    ]


async def test_a_list_changes_nothing_in_the_database_that_an_older_program_serves(
    tmp_path: Path,
) -> None:
    """Else `sessions` of an unpacked update migrates under the old program, which seeds it without the new columns."""
    world = World(tmp_path)
    async with world.running() as gateway:
        await place_region(gateway, [world.device()])

        def age(connection: Transaction) -> None:
            connection.execute(
                "UPDATE fm_state SET schema_version = schema_version - 1, release = 'before'"
            )
            for name in ("visit", "provisional_visit"):
                connection.execute(f"ALTER TABLE {name} DROP COLUMN result_code")

        await gateway.database.write(age)
        before = await gateway.database.read(_facts)
        rows = await read_stopped(world.home, partitions.list_partitions)
        assert {row.state for row in rows} == {partitions.PartitionState.READY}
        assert await gateway.database.read(_facts) == before
        wanted = [row.partition for row in rows]
        assert await gateway.database.read(lambda c: partitions.not_served(c, wanted)) == []
        with pytest.raises(Rejected) as caught:
            await read_stopped(
                world.home, lambda c: c.execute("SELECT result_code FROM visit").fetchall()
            )
        assert (caught.value.code, caught.value.fields["release"]) == ("database_too_old", "before")


async def test_a_list_is_not_read_from_the_database_of_another(tmp_path: Path) -> None:
    """It would be shown as this gateway's."""
    world = World(tmp_path)
    async with world.running():
        pass
    with closing(connect(world.home.database)) as held:
        held.execute("UPDATE fm_state SET gateway_id = ?", (MAKER.new(),))
    with pytest.raises(Rejected) as caught:
        await read_stopped(world.home, _facts)
    assert caught.value.code == "database_of_other"


async def test_a_mistake_in_a_list_is_not_the_databases_fault(tmp_path: Path) -> None:
    """Who runs the newest database would look for an older one."""
    world = World(tmp_path)
    async with world.running():
        with pytest.raises(sqlite3.OperationalError):
            await read_stopped(world.home, lambda c: c.execute("SELECT nothing FROM visit"))
