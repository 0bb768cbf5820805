"""Databases that earlier releases made become those of this one; what is too new is refused by name."""

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from device_agent.storage import schema as device_schema
from device_agent.storage.database import DeviceDatabase
from device_agent.storage.database import connect as connect_device
from device_agent.storage.state import DeviceState
from fieldmesh.basics.clock import ManualClock
from fieldmesh.basics.errors import Rejected
from fieldmesh.basics.release import RELEASE
from fieldmesh.data.schema import SCHEMA_VERSION
from fieldmesh.service.database import connect
from gateway.storage import database as gateway_database
from gateway.storage import partitions
from hub.storage import contents
from hub.storage.database import HubDatabase, sqlite_url
from tests.kit.company import GATEWAY_ID
from tests.upgrades.frozen import DEVICE_ID, FOLDER, KEY, ORDERS, restored

RELEASES = sorted(path.name for path in FOLDER.glob("release_*"))
NOW = ManualClock().now()
NEWER = "99.1"
Shape = dict[str, set[tuple[str, ...]]]


@pytest.fixture(params=RELEASES)
def release(request: pytest.FixtureRequest) -> str:
    """Each release whose databases were kept."""
    return str(request.param)


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """An empty database file."""
    connection = connect(tmp_path / "gateway.db")
    yield connection
    connection.close()


def shape(connection: sqlite3.Connection) -> Shape:
    """Tables with their columns, indexes and triggers; the order of columns does not count."""
    found: Shape = {}
    for kind, name, table in connection.execute(
        "SELECT type, name, tbl_name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'"
    ).fetchall():
        held = found.setdefault(table, set())
        if kind != "table":
            held.add((kind, name))
            continue
        for _, column, what, required, _, key in connection.execute(f"PRAGMA table_info({table})"):
            kind_held = "TEXT" if "CHAR" in what else what  # All the same to SQLite.
            held.add((column, kind_held, str(required), str(key)))
    return found


async def hub_of(path: Path) -> HubDatabase:
    """The hub's database at the path, opened as every command does."""
    database = HubDatabase(sqlite_url(path))
    await database.follow_release()
    return database


async def test_a_hub_of_an_earlier_release_is_as_a_new_one_and_has_its_rows(
    release: str, tmp_path: Path
) -> None:
    """Head office is updated first, over its own data; nothing of it may be lost or differ from its hash."""
    with connect(tmp_path / "old.db") as held:
        restored(held, release, "hub")
    held.close()
    old, new = await hub_of(tmp_path / "old.db"), HubDatabase(sqlite_url(tmp_path / "new.db"))
    await new.create(NOW)
    async with old.read() as connection:
        assert await contents.prove(connection) == []
        rows = await connection.exec_driver_sql("SELECT count(*) FROM sales_order")
        assert rows.scalar_one() == ORDERS
        signed = await connection.exec_driver_sql("SELECT schema_version, release FROM fm_hub")
        assert tuple(signed.one()) == (SCHEMA_VERSION, RELEASE)
    await old.close()
    await new.close()
    with connect(tmp_path / "old.db") as grown, connect(tmp_path / "new.db") as fresh:
        assert shape(grown) == shape(fresh)
    grown.close()
    fresh.close()


def test_a_gateway_of_an_earlier_release_is_as_a_new_one_and_has_its_rows(
    release: str, gateway: sqlite3.Connection, tmp_path: Path
) -> None:
    """A branch works on from its own cache while it is updated."""
    restored(gateway, release, "gateway")
    gateway_database.prepare(gateway, GATEWAY_ID, NOW)
    fresh = connect(tmp_path / "new.db")
    gateway_database.prepare(fresh, GATEWAY_ID, NOW)
    assert shape(gateway) == shape(fresh)
    fresh.close()
    assert gateway.execute("SELECT count(*) FROM sales_order").fetchone()[0] == ORDERS


async def test_a_device_of_an_earlier_release_is_as_a_new_one_and_keeps_what_waits(
    release: str, tmp_path: Path
) -> None:
    """Promise 1: what a rep had entered before the update goes up after it."""
    held = connect_device(tmp_path / "old.db", KEY, create=True)
    restored(held, release, "device")
    waits = held.execute("SELECT * FROM fm_change").fetchall()
    held.close()
    database = await DeviceDatabase.open(tmp_path / "old.db", KEY)
    assert await database.read(device_schema.needs_growth)
    await database.apply(device_schema.grow)
    assert not await database.read(device_schema.needs_growth)
    await database.close()
    state = DeviceState(DEVICE_ID, DEVICE_ID, 0, "X")
    device_schema.create_database(tmp_path / "new.db", KEY, state, lambda _: None)
    old, new = connect_device(tmp_path / "old.db", KEY), connect_device(tmp_path / "new.db", KEY)
    assert shape(old) == shape(new)
    assert waits
    assert old.execute("SELECT * FROM fm_change").fetchall() == waits
    old.execute("INSERT INTO contact (outlet_id, name) SELECT id, 'new' FROM outlet")
    assert old.execute("SELECT count(*) FROM fm_change").fetchone()[0] == 2 * len(waits)
    old.close()
    new.close()


def refusal(opened: Callable[[], object]) -> Rejected:
    """How the database was refused."""
    with pytest.raises(Rejected) as caught:
        opened()
    assert caught.value.code == "database_too_new"
    assert caught.value.fields["release"] == NEWER
    return caught.value


async def test_a_hub_database_that_is_too_new_is_refused_by_the_name_of_its_release(
    tmp_path: Path,
) -> None:
    """An older program would not know what it overwrites."""
    database = HubDatabase(sqlite_url(tmp_path / "hub.db"))
    await database.create(NOW)
    async with database.write() as connection:
        await connection.exec_driver_sql(
            "UPDATE fm_hub SET schema_version = 99, release = ?", (NEWER,)
        )
    with pytest.raises(Rejected) as caught:
        await database.follow_release()
    await database.close()
    assert (caught.value.code, caught.value.fields["release"]) == ("database_too_new", NEWER)


def test_a_gateway_database_that_is_too_new_is_refused_by_the_name_of_its_release(
    gateway: sqlite3.Connection,
) -> None:
    """Both the replicated tables and its own may have gone too far."""
    gateway_database.prepare(gateway, GATEWAY_ID, NOW)
    for name in ("compat_version", "database_version"):
        gateway.execute(f"UPDATE fm_state SET {name} = 99, release = ?", (NEWER,))
        refusal(lambda: gateway_database.prepare(gateway, GATEWAY_ID, NOW))
        gateway.execute(f"UPDATE fm_state SET {name} = 1")


def test_a_gateway_that_goes_back_a_release_loads_its_rows_anew_after_the_next_update(
    gateway: sqlite3.Connection,
) -> None:
    """The older release wrote rows without the columns that it does not know."""
    gateway_database.prepare(gateway, GATEWAY_ID, NOW)
    partitions.want(gateway, {7}, NOW)
    gateway.execute("UPDATE fm_partition SET state = 'ready'")
    gateway_database.prepare(gateway, GATEWAY_ID, NOW)
    assert gateway.execute("SELECT state FROM fm_partition").fetchone()[0] == "ready"
    gateway.execute("UPDATE fm_state SET schema_version = ?", (SCHEMA_VERSION - 1,))
    gateway_database.prepare(gateway, GATEWAY_ID, NOW)
    assert gateway.execute("SELECT state, whole FROM fm_partition").fetchone() == ("wanted", 0)


def test_a_device_database_that_is_too_new_is_refused_by_the_name_of_its_release(
    tmp_path: Path,
) -> None:
    """A device never goes back: it would empty columns under hashes that say all is well."""
    path, state = tmp_path / "device.db", DeviceState(DEVICE_ID, DEVICE_ID, 0, "X")
    device_schema.create_database(path, KEY, state, lambda _: None)
    connection = connect_device(path, KEY)
    assert not device_schema.needs_growth(connection)
    connection.execute("UPDATE fm_device SET schema_version = 99, release = ?", (NEWER,))
    refusal(lambda: device_schema.needs_growth(connection))
    connection.close()
