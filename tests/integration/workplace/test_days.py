"""The days of the field as a screen shows them: board, map and timetable."""

import csv
import datetime
import io
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from fieldmesh.codec.columns import from_rows
from fieldmesh.data.types import Value
from hub.desk.today import day_of
from hub.fleet.office import Office
from hub.storage.org_changes import head_office_write
from hub.storage.rows import rows_where
from tests.kit.workplace import REP, Person, Site, site


@pytest.fixture
async def company(tmp_path: Path) -> AsyncIterator[Site]:
    """Two offices, each with a supervisor and two reps of six outlets; an administrator."""
    async with site(tmp_path) as found:
        await found.add("admin", "administrator")
        yield found


async def stands(
    office: Office, table: str, names: tuple[str, ...], rows: list[tuple[Value, ...]]
) -> None:
    """Rows are there; each has a new id."""
    new = office.maker.identifiers.new
    async with head_office_write(
        office.database, office.clock, actor="test", kind="made", about={}
    ) as writer:
        lines = [(new(), *row) for row in rows]
        await writer.insert(table, from_rows(table, ("id", *names), lines))


async def position_of(office: Office, code: str) -> bytes:
    """Its id."""
    async with office.database.read() as connection:
        [(found,)] = await rows_where(connection, "position", ("id",), "code", [code])
    assert isinstance(found, bytes)
    return found


async def timetable(person: Person, since: datetime.date, until: datetime.date) -> set[str]:
    """The days of which the file of the timetable tells."""
    address = f"/schedule?format=csv&since={since}&until={until}"
    async with person.browser.get(person.base + address) as answer:
        assert answer.status == 200, await answer.text()
        held = csv.reader(io.StringIO((await answer.read()).decode("utf-8-sig")))
        return {line[0] for line in list(held)[1:]}


async def test_days_to_come_are_in_no_timetable(company: Site) -> None:
    """Everybody would be missing on days that have not begun, and be counted for them."""
    office = company.office
    await stands(
        office, "device", ("code", "position_id"), [("D1", await position_of(office, REP))]
    )
    today = datetime.date.fromisoformat(day_of("", office.clock.now(), datetime.UTC).date)
    week, soon = datetime.timedelta(days=7), today + datetime.timedelta(days=2)
    async with company.person("admin") as admin:
        assert len(await timetable(admin, today - week, today - week // 7)) == 5
        assert await timetable(admin, soon, soon + week) == set()
