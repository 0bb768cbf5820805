"""What people did and when they worked, as reports and as files; a return on the board of today as in reports."""

import csv
import datetime
import io
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from fieldmesh.codec.columns import from_rows
from fieldmesh.data.types import Value
from hub.desk.today import day_of
from hub.storage import journal
from hub.storage.field_day import field_day
from hub.storage.org_changes import head_office_write
from hub.storage.reach import EVERYTHING
from hub.storage.rows import rows_where
from tests.kit.workplace import REP, SUPERVISOR, Person, Site, site


@pytest.fixture
async def company(tmp_path: Path) -> AsyncIterator[Site]:
    """Two offices, each with a supervisor and two reps of six outlets; an administrator."""
    async with site(tmp_path) as found:
        await found.add("admin", "administrator")
        yield found


async def lines(person: Person, address: str) -> list[list[str]]:
    """Of a CSV file that comes in pieces: it has no length beforehand."""
    async with person.browser.get(person.base + address) as answer:
        assert answer.status == 200, await answer.text()
        assert answer.headers.get("Content-Length") is None
        return list(csv.reader(io.StringIO((await answer.read()).decode("utf-8-sig"))))


async def test_the_journal_is_taken_along_whole_by_days_and_kind_and_that_is_noted(
    company: Site,
) -> None:
    """An auditor who gets one page, or somebody who takes the journal without a trace."""
    async with company.person("admin") as admin, company.person(SUPERVISOR) as supervisor:
        _, catalogue = await admin.get("/analysis")
        assert 'href="/journal"' in catalogue
        assert 'href="/schedule"' in catalogue
        _, catalogue = await supervisor.get("/analysis")
        assert '<a href="/journal"' not in catalogue
        assert (await supervisor.get("/journal?format=csv"))[0] == 403
        async with company.office.database.write() as connection:
            for n in range(1_100):
                await journal.append(
                    connection,
                    at=company.office.clock.now(),
                    kind="test",
                    actor="=ann",
                    payload={"n": n},
                )
        whole = await lines(admin, "/journal?format=csv")
        async with company.office.database.read() as connection:
            found = await connection.exec_driver_sql("SELECT number, kind FROM fm_journal")
            held = [tuple(row) for row in found.fetchall()]
        assert len(whole) - 1 == len(held) - 1 > 1_100
        assert held[-1][1] == "exported"
        assert [int(line[0]) for line in whole[1:]] == sorted(
            (one[0] for one in held[:-1]), reverse=True
        )
        seen = await lines(admin, "/journal?format=csv&kind=exported")
        assert [line[3] for line in seen[1:]] == ["exported"]
        assert "journal" in seen[1][4]
        assert whole[5][2] == "'=ann"
        later = (
            datetime.datetime.fromtimestamp(
                company.office.clock.now() / 1_000_000 + 2 * 86_400, datetime.UTC
            )
            .date()
            .isoformat()
        )
        assert len(await lines(admin, f"/journal?format=csv&since={later}")) == 1
        assert len(await lines(admin, f"/journal?format=csv&until={later}&kind=test")) == 1_101


async def test_files_of_reports_and_timetable_are_sent_while_they_are_made(company: Site) -> None:
    """A year of a nation's lines, held whole in memory for one reader, takes it from everybody else."""
    async with company.person("admin") as admin:
        sales = await lines(admin, "/analysis/reports/sales/export?span=days_365")
        assert len(sales) > 1
        times = await lines(admin, "/schedule?format=csv")
        assert times[0][0] == "date"
        assert (await admin.get("/analysis/reports/sales/export?format=pdf"))[0] == 400


async def test_a_return_takes_off_whichever_sign_it_has_on_the_board_too(company: Site) -> None:
    """A board that adds what an import took back shows a good day to a rep who sold nothing."""
    office = company.office
    new, now = office.maker.identifiers.new, office.clock.now()
    async with office.database.read() as connection:
        [(position,)] = await rows_where(connection, "position", ("id",), "code", [REP])
        [(outlet,)] = (
            await rows_where(
                connection, "outlet_assignment", ("outlet_id",), "position_id", [position]
            )
        )[:1]
    rows: list[tuple[Value, ...]] = [
        (new(), f"X{n}", outlet, position, amount, back, now)
        for n, (amount, back) in enumerate(((10_000, 0), (700, 1), (-300, 1)))
    ]
    names = ("id", "number", "outlet_id", "position_id", "amount", "is_return", "created_at")
    async with head_office_write(
        office.database, office.clock, actor="test", kind="made", about={}
    ) as writer:
        await writer.insert("sales_order", from_rows("sales_order", names, rows))
    async with office.database.read() as connection:
        board = await field_day(connection, EVERYTHING, day_of("", now, datetime.UTC))
    assert {one.code: one.amount for one in board}[REP] == 10_000 - 700 - 300
