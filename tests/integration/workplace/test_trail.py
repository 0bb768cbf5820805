"""What people did and when they worked, as reports and as files; a return on the board of today as in reports."""

import csv
import datetime
import io
import json
import threading
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest

from fieldmesh.codec.columns import from_rows
from fieldmesh.data.types import Value
from hub.desk import journalled
from hub.desk.asking import Ask
from hub.desk.exports import Export, as_csv
from hub.desk.people import access_of
from hub.desk.today import day_of
from hub.desk.views.registry import VIEWS
from hub.fleet.subscriptions import today
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


async def entries_of(company: Site, kind: str) -> list[tuple[str, dict[str, object]]]:
    """Actor and content of the journal's entries of a kind, oldest first."""
    async with company.office.database.read() as connection:
        found = await journal.entries(connection, after=0, most=10_000, kind=kind)
    return [(one.actor, json.loads(one.payload)) for one in found]


async def test_an_export_that_is_broken_off_is_noted_with_what_was_given(company: Site) -> None:
    """Who cuts the line before the last row has the whole list but for a row, and nobody knows."""
    user = await user_of(company, "admin")
    async with company.office.database.read() as connection:
        access = await access_of(connection, user, today(company.office.clock))
    assert access is not None
    export = Export(VIEWS["people"], Ask(), "en")
    async with aclosing(as_csv(company.office, access, export)) as pieces:
        assert b"\xef\xbb\xbf" in await anext(pieces)
        await anext(pieces)
    [(actor, about)] = await entries_of(company, "exported")
    assert (actor, about["view"], about["rows"]) == ("admin", "people", 2)


async def test_what_is_refused_is_no_export_and_is_answered_in_words(company: Site) -> None:
    """A file that ends after its headings looks like an empty list."""
    async with company.person(REP.lower()) as rep:
        status, _ = await rep.get("/people/export?format=csv")
        assert status == 403
    assert await entries_of(company, "exported") == []


async def test_the_timetable_leaves_with_an_entry(company: Site) -> None:
    """When each person began and ended their days is taken along by nobody without a trace."""
    async with company.person("admin") as admin:
        times = await lines(admin, "/schedule?format=csv")
    [(actor, about)] = await entries_of(company, "exported")
    assert (actor, about["view"], about["rows"]) == ("admin", "schedule", len(times) - 1)


async def test_looking_at_a_sensitive_list_is_noted_once_and_pages_of_it_are_not(
    company: Site,
) -> None:
    """The architecture promises it; a leak is traced by who has looked, not by who has exported."""
    async with company.person("admin") as admin, company.person(SUPERVISOR) as supervisor:
        for _ in range(3):
            assert (await admin.get("/people"))[0] == 200
        people = await admin.ids("people")
        assert (await admin.get("/outlets"))[0] == 200
        assert await entries_of(company, "seen") == [("admin", {"view": "people"})]
        await supervisor.json("/api/v1/contacts")
        await supervisor.json("/api/v1/contacts")
        assert await entries_of(company, "seen") == [
            ("admin", {"view": "people"}), (SUPERVISOR, {"view": "contacts"}),
        ]  # fmt: skip
        company.office.seen.noted(await user_of(company, "admin"), ["people"], 0)
        assert (await admin.json(f"/api/v1/people/{min(people)}"))[0] == 200
        assert (await admin.get(f"/people/{min(people)}"))[0] == 200
    seen = await entries_of(company, "seen")
    assert seen.count(("admin", {"view": "people"})) == 2


async def user_of(company: Site, login: str) -> bytes:
    """The id of somebody."""
    async with company.office.database.read() as connection:
        [(user,)] = await rows_where(connection, "app_user", ("id",), "login", [login])
    assert isinstance(user, bytes)
    return user


async def test_files_of_reports_and_timetable_are_sent_while_they_are_made(company: Site) -> None:
    """A year of a nation's lines, held whole in memory for one reader, takes it from everybody else."""
    async with company.person("admin") as admin:
        sales = await lines(admin, "/analysis/reports/sales/export?span=days_365")
        assert len(sales) > 1
        times = await lines(admin, "/schedule?format=csv")
        assert times[0][0] == "date"
        assert (await admin.get("/analysis/reports/sales/export?format=pdf"))[0] == 400


async def test_the_board_counts_orders_as_reports_do(company: Site) -> None:
    """A board that adds what an import took back, or what was cancelled, shows a good day to who sold nothing."""
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
        (new(), f"X{n}", outlet, position, amount, back, state, now)
        for n, (amount, back, state) in enumerate((
            (10_000, 0, "accepted"), (700, 1, "accepted"), (-300, 1, "accepted"),
            (50, 0, "cancelled"), (60, 0, "rejected"),
        ))
    ]  # fmt: skip
    names = (
        "id",
        "number",
        "outlet_id",
        "position_id",
        "amount",
        "is_return",
        "state",
        "created_at",
    )
    async with head_office_write(
        office.database, office.clock, actor="test", kind="made", about={}
    ) as writer:
        await writer.insert("sales_order", from_rows("sales_order", names, rows))
    async with office.database.read() as connection:
        board = await field_day(connection, EVERYTHING, day_of("", now, datetime.UTC))
    [own] = [one for one in board if one.code == REP]
    assert (own.orders, own.amount) == (1, 10_000 - 700 - 300)


async def test_the_chain_is_checked_a_page_at_a_time_and_not_where_everybody_waits(
    company: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A year has millions of entries: one read that lasts for minutes, hashed in the loop that serves all."""
    threads: list[threading.Thread] = []
    followed = journal.followed

    def noted(link: journal.Head, page: list[journal.Entry]) -> journal.Head:
        threads.append(threading.current_thread())
        return followed(link, page)

    monkeypatch.setattr(journal, "followed", noted)
    monkeypatch.setattr(journalled, "_CHECK_PAGE", 2)
    async with company.office.database.write() as connection:
        for n in range(5):
            await journal.append(connection, at=n, kind="test", actor="ann", payload={"n": n})
    async with company.person("admin") as admin:
        await admin.get("/journal")
        _, page = await admin.post("/journal/check", {})
        assert "The journal is whole" in page
        assert len(threads) > 2
        assert threading.main_thread() not in threads
        async with company.office.database.write() as connection:
            await connection.exec_driver_sql(
                "UPDATE fm_journal SET payload = '{}' WHERE number = 4"
            )
        _, page = await admin.post("/journal/check", {})
        assert "entry 4" in page
