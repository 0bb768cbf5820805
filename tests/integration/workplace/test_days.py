"""The days of the field as a screen shows them: board, map and timetable."""

import csv
import datetime
import html
import io
import re
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from unittest import mock

import pytest
from aiohttp.test_utils import make_mocked_request

from fieldmesh.codec.columns import from_rows
from fieldmesh.data.types import Value
from hub.desk import today
from hub.desk.today import day_of
from hub.fleet.office import Office
from hub.storage import places
from hub.storage.field_day import Figures
from hub.storage.org_changes import head_office_write
from hub.storage.reach import EVERYTHING
from hub.storage.rows import all_rows, rows_where
from hub.web.pages.portions import ROWS, portion
from tests.kit.workplace import REP, SUPERVISOR, Person, Site, site


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


async def positions_of(office: Office) -> list[bytes]:
    """All of them."""
    async with office.database.read() as connection:
        found = await all_rows(connection, "position", ("id",))
    return [one for (one,) in found if isinstance(one, bytes)]


def link(page: str, rel: str) -> str:
    """Where the page leads on; empty = nowhere."""
    found = re.search(rf'href="([^"]*)" rel="{rel}"', page)
    return html.unescape(found[1]) if found else ""


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
    now = datetime.date.fromisoformat(day_of("", office.clock.now(), datetime.UTC).date)
    week, soon = datetime.timedelta(days=7), now + datetime.timedelta(days=2)
    async with company.person("admin") as admin:
        assert len(await timetable(admin, now - week, now - week // 7)) == 5
        assert await timetable(admin, soon, soon + week) == set()


async def test_no_more_days_than_are_shown_stand_above_the_figures(company: Site) -> None:
    """A quarter that is asked for, and counted by its last month, judges people by what was not looked at."""
    async with company.person("admin") as admin:
        _, page = await admin.get("/schedule?since=2025-01-01&until=2025-06-30")
    assert 'value="2025-05-31"' in page
    assert "At most 31 days" in page


async def test_the_file_of_the_timetable_is_offered_to_whom_it_is_given(company: Site) -> None:
    """A button that leads to a refusal."""
    async with company.person("admin") as admin, company.person(SUPERVISOR) as supervisor:
        for person in (admin, supervisor):
            _, page = await person.get("/schedule?since=2025-01-01&until=2025-01-02")
            status, _ = await person.get("/schedule?format=csv")
            assert ("format=csv" in page) is (status == 200)


async def test_a_timetable_is_drawn_a_page_at_a_time_and_counted_whole(company: Site) -> None:
    """42,000 rows of one month in one page hold the hub up for seconds; half of them is no count."""
    office, codes = company.office, await positions_of(company.office)
    await stands(
        office, "device", ("code", "position_id"), [(f"D{n}", one) for n, one in enumerate(codes)]
    )
    async with company.person("admin") as admin:
        address, seen, count = "/schedule?since=2025-01-01&until=2025-01-31", 0, 23 * len(codes)
        while address:
            status, page = await admin.get(address)
            rows = page.count('data-title="Verdict"')
            assert (status, rows <= ROWS, f"of {count} days kept" in page) == (200, True, True)
            seen += rows
            address = link(page, "next")
    assert seen == count > ROWS


async def test_the_board_of_a_whole_company_is_drawn_a_page_at_a_time(company: Site) -> None:
    """5,000 rows take two seconds, every twenty seconds, of the loop that takes in what devices send."""
    figures = [Figures(n.to_bytes(16, "big"), f"P{n:04}", "Post", planned=1) for n in range(5_000)]
    with mock.patch.object(today, "field_day", return_value=figures):
        async with company.person("admin") as admin:
            _, page = await admin.get("/today?only=silent")
            assert page.count('data-title="Last sync"') == ROWS
            assert "<small>/ 5000</small>" in page
            assert "There are more positions in your area" in page
            _, page = await admin.get(link(page, "next"))
            assert page.count('data-title="Last sync"') == ROWS
            assert f"/positions/{uuid.UUID(int=ROWS)}" in page


@pytest.mark.parametrize(
    ("after", "rows", "first", "following"),
    [("", ROWS, "", f"/today?only=late&after={ROWS}"), (str(ROWS), 7, "/today?only=late", ""),
     ("9999999", 0, "/today?only=late", ""), ("-1", ROWS, "", f"/today?only=late&after={ROWS}")],
)  # fmt: skip
async def test_a_portion_knows_what_is_before_and_behind_it(
    after: str, rows: int, first: str, following: str
) -> None:
    """A page that leads nowhere hides the rest; one that forgets what was asked shows something else."""
    request = make_mocked_request("GET", f"/today?only=late&after={after}")
    shown, pages = portion(request, list(range(ROWS + 7)))
    assert (len(shown), pages["first"], pages["next"]) == (rows, first, following)


async def test_the_map_shows_where_everybody_is_though_not_all_points_fit(company: Site) -> None:
    """Over a region the map showed the morning from noon on, and who had started later was nowhere."""
    office, ann, bob = company.office, *sorted(await positions_of(company.office))[:2]
    day = day_of("", office.clock.now(), datetime.UTC)
    points: list[tuple[Value, ...]] = [
        (ann, day.since + n, 42_000_000, 23_000_000) for n in range(9)
    ]
    points += [
        (bob, day.since + 1_000, 43_000_000, 24_000_000),
        (None, day.since, 42_000_000, 23_000_000),
    ]
    await stands(office, "gps_point", ("position_id", "at", "latitude", "longitude"), points)
    places._tracks.cache_clear()
    with mock.patch.object(places, "MOST_POINTS", 4):
        async with office.database.read() as connection:
            found = await places.tracks(connection, EVERYTHING, day)
        async with company.person("admin") as admin:
            _, page = await admin.get("/today/map")
    places._tracks.cache_clear()
    assert [one.at - day.since for one in found if one.position_id == ann] == [6, 7, 8]
    assert [one.at - day.since for one in found if one.position_id == bob] == [1_000]
    assert (page.count('class="person'), "does not hold everything" in page) == (2, True)


async def test_stops_are_counted_whole_and_visited_by_those_who_had_planned_them(
    company: Site,
) -> None:
    """The merchandiser's visit would keep the rep's plan, and a share of 5,000 stops be told as that of all."""
    office, ann, bob = company.office, *sorted(await positions_of(company.office))[:2]
    day = day_of("", office.clock.now(), datetime.UTC)
    async with office.database.read() as connection:
        rows = await all_rows(connection, "outlet", ("id",))
    shops = [row[0] for row in rows[:3]]
    async with head_office_write(
        office.database, office.clock, actor="test", kind="made", about={}
    ) as writer:
        lines = [(one, 42_000_000, 23_000_000) for one in shops]
        names = ("id", "latitude", "longitude")
        await writer.update("outlet", from_rows("outlet", names, lines))
        plans = await all_rows(writer.connection, "visit_plan", ("id",))
        gone = [(row[0], "2020-01-01") for row in plans]
        await writer.update("visit_plan", from_rows("visit_plan", ("id", "date"), gone))
    planned = [(one, shop, day.date) for one in (ann, bob) for shop in shops]
    await stands(office, "visit_plan", ("position_id", "outlet_id", "date"), planned)
    visits: list[tuple[Value, ...]] = [(bob, shop, day.since + 1) for shop in shops[:2]]
    await stands(office, "visit", ("position_id", "outlet_id", "started_at"), visits)
    places._stops.cache_clear()
    with mock.patch.object(places, "MOST_STOPS", 4):
        async with company.person("admin") as admin:
            _, page = await admin.get("/today/map")
    places._stops.cache_clear()
    assert "2 of 6 planned outlets were visited" in page
    assert (page.count('class="stop '), "some stops are left out" in page) == (4, True)
