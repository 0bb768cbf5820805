"""Databases as a release made them, kept as SQL, so that later releases prove that they can open them.

`python -m tests.upgrades.frozen <release>` freezes what this tree makes: a hub that has taken in an
order of a device, the gateway's and the device's database with the same rows. Done once, when a
release is made; the files are never written again.
"""

import asyncio
import gzip
import sqlite3
import sys
import tempfile
from pathlib import Path

from device_agent.storage import schema as device_schema
from device_agent.storage.database import connect as connect_device
from device_agent.storage.state import DeviceState
from fieldmesh.basics.clock import ManualClock
from fieldmesh.data.model import Tier
from fieldmesh.data.schema import TABLES
from fieldmesh.service.database import connect
from gateway.storage.database import prepare
from tests.kit.company import GATEWAY_ID, SmallCompany

FOLDER = Path(__file__).parents[1] / "data"
DEVICE_ID, KEY = b"d" * 16, bytes(range(32))
ORDERS = 2


def frozen(release: str, node: str) -> str:
    """The SQL that makes the node's database as that release left it."""
    return gzip.decompress((FOLDER / release / f"{node}.sql.gz").read_bytes()).decode()


def restored(connection: sqlite3.Connection, release: str, node: str) -> None:
    """The empty database behind the connection is the frozen one."""
    text = frozen(release, node)
    version, _, statements = text.partition("\n")
    connection.executescript(statements)
    connection.execute(version)
    connection.execute("PRAGMA journal_mode = WAL")


async def freeze(release: str) -> None:
    """The three databases of this tree stand under the name."""
    folder = FOLDER / release
    folder.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as scratch:
        work = Path(scratch)
        company = await SmallCompany.founded(work)
        device = await company.device()
        await company.ingest.apply(
            [
                device.pack(device.order(company.outlets[0], number=f"N{number}"))
                for number in range(ORDERS)
            ]
        )
        await company.database.close()
        hub = connect(work / "hub.db")
        gateway = connect(work / "gateway.db")
        gateway.execute("BEGIN")
        prepare(gateway, GATEWAY_ID, ManualClock().now())
        device_schema.create_database(
            work / "device.db", KEY, DeviceState(DEVICE_ID, company.position_id, 0, "X"), _nothing
        )
        below = connect_device(work / "device.db", KEY)
        below.execute("BEGIN")
        below.execute("UPDATE fm_state SET applying = 1")
        for tier, target in ((Tier.GATEWAY, gateway), (Tier.DEVICE, below)):
            _copy_rows(hub, target, tier)
        below.execute("UPDATE fm_state SET applying = 0")
        below.execute("INSERT INTO contact (outlet_id, name) SELECT id, 'waits' FROM outlet")
        for connection in (gateway, below):
            connection.execute("COMMIT")
        for name, connection in (
            ("hub", hub),
            ("gateway", gateway),
            ("device", _open(below, work)),
        ):
            _write(folder / f"{name}.sql.gz", connection)
            connection.close()
        below.close()


def _nothing(_: sqlite3.Connection) -> None:
    return None


def _copy_rows(hub: sqlite3.Connection, target: sqlite3.Connection, tier: Tier) -> None:
    for table in TABLES.values():
        if table.is_at(tier):
            names = ", ".join(f'"{name}"' for name in table.wire_names)
            marks = ", ".join("?" * len(table.wire_names))
            target.executemany(
                f'INSERT INTO "{table.name}" ({names}) VALUES ({marks})',
                hub.execute(f'SELECT {names} FROM "{table.name}" WHERE partition <> 0').fetchall(),
            )


def _open(sealed: sqlite3.Connection, work: Path) -> sqlite3.Connection:
    """A copy without encryption."""
    version = sealed.execute("PRAGMA user_version").fetchone()[0]
    sealed.execute("ATTACH ? AS plain KEY ''", (str(work / "plain.db"),))
    sealed.execute("SELECT sqlcipher_export('plain')")
    sealed.execute("DETACH plain")
    plain = connect(work / "plain.db")
    plain.execute(f"PRAGMA user_version = {version}")
    return plain


def _write(path: Path, connection: sqlite3.Connection) -> None:
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    lines = [f"PRAGMA user_version = {version}", *connection.iterdump()]
    path.write_bytes(gzip.compress("\n".join(lines).encode(), mtime=0))


if __name__ == "__main__":
    asyncio.run(freeze(sys.argv[1]))
