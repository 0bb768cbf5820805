"""Sample companies in a real hub database."""

import random
from pathlib import Path

from fieldmesh.basics.clock import ManualClock
from fieldmesh.basics.identifiers import IdentifierMaker
from fieldmesh.data.schema import TABLES
from hub.exchange.sample.generated import GeneratedCompany, Size
from hub.exchange.sample.iowa import IowaCompany
from hub.exchange.sample.loading import load_company, write_work
from hub.exchange.sample.source import CompanySource
from hub.fleet.subscriptions import refresh_everything
from hub.storage.contents import prove
from hub.storage.database import HubDatabase, sqlite_url
from hub.storage.rows import all_rows
from tests.kit.orders import write_folder

NOW = 1_800_000_000_000_000


async def held(database: HubDatabase) -> dict[str, int]:
    """Table → rows of the hub."""
    async with database.read() as connection:
        return {
            name: len(await all_rows(connection, name, ("id",)))
            for name in ("outlet", "order_line", "price", "subscription")
        }


async def loaded_twice(folder: Path, source: CompanySource, again: CompanySource) -> dict[str, int]:
    """Rows after the first load; the second changed nothing and all digests are true."""
    clock = ManualClock(NOW)
    identifiers = IdentifierMaker(clock, random.Random(1))
    database = HubDatabase(sqlite_url(folder / "hub.db"))
    await database.create(clock.now())
    counts: list[dict[str, int]] = []
    for one in (source, again):
        told: dict[str, int] = {}
        loaded = await load_company(database, clock, one, told.__setitem__)
        assert set(told) == set(loaded) <= set(TABLES)
        await refresh_everything(database, clock=clock, identifiers=identifiers)
        counts.append(await held(database))
    assert counts[0] == counts[1]
    async with database.read() as connection:
        findings = await prove(connection)
    await database.close()
    assert not findings
    return counts[0]


async def test_a_generated_company_loads_once_however_often(tmp_path: Path) -> None:
    """Without it a second run of the command would double the company."""
    size = Size(reps=2, outlets_a_rep=10, products=10, orders_an_outlet=5, lines_an_order=2)
    rows = await loaded_twice(
        tmp_path, GeneratedCompany(size, 1, NOW, "v"), GeneratedCompany(size, 1, NOW, "v")
    )
    assert (rows["outlet"], rows["order_line"], rows["price"]) == (20, 200, 40)
    assert rows["subscription"] > 0


async def test_real_orders_load_once_however_often(tmp_path: Path) -> None:
    """Without it a second run of the importer would double the company."""
    folder = write_folder(tmp_path / "files")
    rows = await loaded_twice(
        tmp_path, IowaCompany(folder, 2, 2, "v", NOW), IowaCompany(folder, 2, 2, "v", NOW)
    )
    assert (rows["outlet"], rows["order_line"], rows["price"]) == (4, 5, 6)


def test_the_days_work_is_a_file_for_each_rep(tmp_path: Path) -> None:
    """Without it the demo's devices would have nothing to do."""
    company = GeneratedCompany(Size(reps=2, outlets_a_rep=3, products=5), 1, NOW, "v")
    assert write_work(company, tmp_path / "work") == {"REP0001": 3, "REP0002": 3}
    assert len((tmp_path / "work" / "REP0001.jsonl").read_text().splitlines()) == 3
