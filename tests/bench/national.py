"""A company of national size: 6,501 positions, 800,640 outlets. Founded once, kept for the next run."""

import shutil
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.demo.network import Network
from deploy.demo.proxy import Line
from fieldmesh.basics.identifiers import stable_id
from fieldmesh.data.schema import SCHEMA_VERSION
from fieldmesh.data.types import Value
from hub.fleet.office import Office, open_office
from hub.fleet.people import add_user
from hub.fleet.posts import assign
from hub.fleet.standard import assign_role
from hub.fleet.subscriptions import Affected, refresh
from hub.storage.org_changes import head_office_write, update_rows, upsert_rows
from hub.storage.rows import rows_where
from hub.trust.signin import make_verifier
from tests.bench.company import PASSWORD

KEPT = Path("build/national")
ADMINISTRATOR, MANAGER = "boss", "reg01"
_LOAD_S = 4 * 3_600.0


@dataclass(frozen=True, slots=True)
class National:
    """How large the company is: one region an office, eight reps a supervisor."""

    offices: int
    reps: int
    outlets: int

    @property
    def words(self) -> list[str]:
        """For the command that loads a sample."""
        given = {"offices": self.offices, "reps": self.reps, "outlets": self.outlets, "orders": 0}
        return [word for name, value in given.items() for word in (f"--{name}", str(value))]

    @property
    def name(self) -> str:
        """Of its folder: one of another size or schema is another one."""
        return f"{self.reps}x{self.outlets}-schema-{SCHEMA_VERSION}"


NATIONAL = National(20, 5_760, 139)
QUICK_NATIONAL = National(2, 32, 139)


@asynccontextmanager
async def national(size: National) -> AsyncIterator[tuple[Network, Office]]:
    """The company's hub serves; its office reads beside it."""
    folder = KEPT.absolute() / size.name
    whole = folder / "founded"
    if not whole.exists():
        shutil.rmtree(folder, ignore_errors=True)
    async with Line(0) as line:
        network = Network(folder, line, PASSWORD)
        try:
            if not whole.exists():
                began = time.perf_counter()
                await _found(network, size)
                whole.write_text(f"{time.perf_counter() - began:.0f} s\n", encoding="utf-8")
            office = await open_office(network.hub.folder)
            try:
                network.hub.https_port = office.settings.https.port
                line.target_port = office.settings.bus.port
                await network.hub.start()
                yield network, office
            finally:
                await office.database.close()
        finally:
            await network.close()


async def _found(network: Network, size: National) -> None:
    """The hub's own command loads the company; it gets region managers, and gateways are taken to have heard all."""
    sys.stderr.write(f"founding {size.name}: its outlets take a quarter of an hour, once …\n")
    await network.hub.init("National")
    await network.hub.ask("sample", *size.words, timeout_s=_LOAD_S)
    office = await open_office(network.hub.folder)
    try:
        await add_managers(office, size)
        async with office.database.write() as connection:
            await connection.exec_driver_sql("DELETE FROM fm_down_outbox")
    finally:
        await office.database.close()


async def add_managers(office: Office, size: National) -> None:
    """A manager for each region stands between its supervisors and the head of sales; an administrator besides."""
    maker, verifier = office.maker, make_verifier(PASSWORD)
    async with head_office_write(
        office.database, office.clock, actor="bench", kind="regions_added", about={}
    ) as writer:
        head, role = stable_id("position", "HEAD"), stable_id("role", "supervisor")
        regions = {n: stable_id("position", f"REG{n:02d}") for n in range(1, size.offices + 1)}
        names: tuple[str, ...] = (
            "id", "parent_position_id", "role_id", "territory_id", "code", "name",
        )  # fmt: skip
        rows: list[tuple[Value, ...]] = [
            (region, head, role, stable_id("territory", "office", n), f"REG{n:02d}", f"Region {n}")
            for n, region in regions.items()
        ]
        await upsert_rows(writer, "position", names, rows)
        below = await rows_where(
            writer.connection, "position", ("id", "code"), "parent_position_id", [head]
        )
        moved = [
            (row[0], regions[int(str(row[1])[3:5])]) for row in below if str(row[1])[:3] == "SUP"
        ]
        await update_rows(writer, "position", ("id", "parent_position_id"), moved)
        touched = frozenset(row[0] for row in moved) | set(regions.values())
        affected = Affected(positions=touched)
        await refresh(writer, affected, clock=maker.clock, identifiers=maker.identifiers)
        for login in (MANAGER, ADMINISTRATOR):
            user = await add_user(
                writer, maker, login=login, person=login.title(), verifier=verifier
            )
            if login == MANAGER:
                await assign(writer, maker, user=user, position=MANAGER.upper())
            else:
                await assign_role(writer, maker, user=user, role="administrator")
