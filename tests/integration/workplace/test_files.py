"""Lists as files, files as lists, and what a stranger may send."""

import csv
import datetime
import io
import zoneinfo
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import openpyxl
import pytest

from fieldmesh.codec.columns import from_rows
from hub.desk import exports
from hub.desk.asking import Ask
from hub.desk.csv_lines import safe
from hub.desk.exports import Export
from hub.desk.people import access_of
from hub.desk.reports.files import as_csv, as_xlsx
from hub.desk.reports.tables import Heading, Row, Table
from hub.desk.views.registry import VIEWS
from hub.fleet.subscriptions import today
from hub.storage import journal
from hub.storage.org_changes import head_office_write
from hub.storage.rows import all_rows, rows_where
from tests.kit.workplace import SUPERVISOR, Site, site


@pytest.fixture
async def company(tmp_path: Path) -> AsyncIterator[Site]:
    """Two offices, each with a supervisor and two reps of six outlets; an administrator."""
    async with site(tmp_path) as found:
        await found.add("admin", "administrator")
        yield found


async def test_a_list_is_exported_whole_as_csv_and_workbook_and_noted(company: Site) -> None:
    """An export that ends at a page, shows what the scope hides, or leaves no trace."""
    async with company.person("admin") as admin, company.person(SUPERVISOR) as supervisor:
        _, text = await supervisor.get("/orders/export?format=csv")
        lines = list(csv.reader(io.StringIO(text.lstrip("\ufeff"))))
        own = await supervisor.ids("orders")
        assert len(lines) - 1 == len(own) < len(await admin.ids("orders"))
        async with supervisor.browser.get(f"{supervisor.base}/orders/export?format=xlsx") as answer:
            book = openpyxl.load_workbook(io.BytesIO(await answer.read()))
        rows = list(book.active.iter_rows(values_only=True))  # type: ignore[union-attr]
        assert len(rows) == len(lines)
        assert rows[0][0] == "Number"
        status, found = await admin.get("/journal?kind=exported")
        assert status == 200
        assert SUPERVISOR in found


@pytest.mark.parametrize(
    "address",
    ["/orders/export?format=csv", "/api/v1/orders/export?format=xlsx", "/journal?format=csv"],
)
async def test_an_export_that_would_be_cut_is_refused_and_nothing_of_it_leaves(
    company: Site, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that ends at a limit looks whole: its reader counts too little and never knows."""
    async with company.person("admin") as admin:
        count = len(await admin.ids("orders"))
        monkeypatch.setattr(exports, "MOST", 1)
        status, said = await admin.get(address)
        assert status == 400
        assert "More than 1 rows" in said
        async with company.office.database.read() as connection:
            assert not await journal.search(connection, journal.Wanted(kind="exported"), 1)
        monkeypatch.setattr(exports, "MOST", count if "orders" in address else 10_000)
        async with admin.browser.get(admin.base + address) as answer:
            assert answer.status == 200
            assert await answer.read()


LIKE_FORMULAS = ("=1+1", "{=1+1}", " =1+1", "external:c:/x.xlsx", "https://x.example/y")


def texts_of(content: bytes) -> list[str]:
    """The texts of a workbook, none of which is a formula or a link."""
    sheet = openpyxl.load_workbook(io.BytesIO(content)).active
    assert sheet is not None
    cells = [one for row in sheet.iter_rows() for one in row if one.value is not None]
    assert {one.data_type for one in cells} <= {"s", "n", "b", "d"}
    assert not any(one.hyperlink for one in cells)
    return [str(one.value) for one in cells]


async def test_no_text_of_a_list_becomes_a_formula_or_a_link_in_a_file(company: Site) -> None:
    """Who names an outlet so has head office's spreadsheets fetch, and tell, what they like."""
    async with company.person("admin") as admin:
        for number, name in enumerate(LIKE_FORMULAS):
            fields = {"code": f"ZZ{number}", "name": name}
            assert (await admin.json("/api/v1/legal-parties", "POST", json=fields))[0] == 201
        _, text = await admin.get("/legal-parties/export?format=csv&q=ZZ")
        lines = list(csv.reader(io.StringIO(text.lstrip("\ufeff"))))
        in_csv = {row[lines[0].index("Name")] for row in lines[1:]}
        assert {"'=1+1", "'{=1+1}"} <= in_csv
        assert not in_csv & set(LIKE_FORMULAS[:2])
        async with admin.browser.get(
            f"{admin.base}/legal-parties/export?format=xlsx&q=ZZ"
        ) as answer:
            found = texts_of(await answer.read())
    assert "external:c:/x.xlsx" in found
    assert any("{=1+1}" in one for one in found)


@pytest.mark.parametrize("title", LIKE_FORMULAS)
def test_no_heading_of_a_report_becomes_a_formula_or_a_link_in_a_file(title: str) -> None:
    """What stands across is a value of somebody's row: a brand, an outlet, a remark."""
    heading = Heading(title, None, "brand", "name")
    table = Table((heading,), [Row((title,), (b"x",), ())], (), 1)
    path = as_xlsx(table, title, title, "en")
    try:
        assert len(texts_of(path.read_bytes())) == 4
    finally:
        path.unlink()
    written = b"".join(as_csv(table)).decode("utf-8-sig")
    assert all(one == [safe(title)] for one in csv.reader(io.StringIO(written)))


async def test_a_file_with_a_wrong_line_loads_nothing_and_every_wrong_line_is_named(
    company: Site,
) -> None:
    """Half a file is worse than none: nobody knows which half."""
    async with company.person("admin") as admin:
        for text, status in (
            ("code,name\nZZ1,Water\n,Juice\n", 400),
            ("code,name\nZZ1,Water\nZZ2,Juice\n", 200),
        ):
            form = aiohttp.FormData({"csrf": admin.csrf, "kind": "product_group"})
            form.add_field(
                "file", text.encode(), filename="product_group.csv", content_type="text/csv"
            )
            headers = {"Accept": "text/html", "Sec-Fetch-Site": "same-origin"}
            async with admin.browser.post(
                f"{admin.base}/import", data=form, headers=headers
            ) as answer:
                said = await answer.text()
                assert answer.status == status, said
            assert ("nothing was loaded" in said) == (status == 400)
            assert ("product_group.csv:3" in said) == (status == 400)
            assert len(await admin.ids("product-groups?q=ZZ")) == (0 if status == 400 else 2)


async def test_a_stranger_can_send_little(company: Site) -> None:
    """A body of any size from anybody fills the memory of the hub."""
    async with company.stranger() as stranger:
        status, _ = await stranger.post("/import", {"kind": "x" * 200_000})
        assert status in {401, 403, 413}
        status, _ = await stranger.post("/sign-in", {"login": "x" * 200_000})
        assert status == 413


@pytest.mark.parametrize(("zone", "shown"), [("Europe/Sofia", 1), ("UTC", 22)])
async def test_times_in_a_workbook_are_those_of_the_page(
    company: Site, zone: str, shown: int
) -> None:
    """What happened at half past one stood under the day before, and sums of days did not agree with the page's."""
    office, at = company.office, datetime.datetime(2026, 7, 27, 22, 30, tzinfo=datetime.UTC)
    async with office.database.read() as connection:
        position = (await all_rows(connection, "position", ("id",)))[0][0]
        [(user,)] = await rows_where(connection, "app_user", ("id",), "login", ["admin"])
        access = await access_of(connection, bytes(user), today(office.clock))
    async with head_office_write(
        office.database, office.clock, actor="test", kind="made", about={}
    ) as writer:
        line = (
            office.maker.identifiers.new(),
            position,
            "2026-07-28",
            int(at.timestamp()) * 1_000_000,
        )
        names = ("id", "position_id", "date", "opened_at")
        await writer.insert("work_day", from_rows("work_day", names, [line]))
    assert access is not None
    export = Export(VIEWS["work-days"], Ask(), "en", zoneinfo.ZoneInfo(zone))
    path = await exports.as_xlsx(office, access, export)
    rows = list(openpyxl.load_workbook(path).active.iter_rows(values_only=True))  # type: ignore[union-attr]
    path.unlink()
    assert rows[0][3] == f"Opened at ({zone})"
    assert isinstance(rows[1][3], datetime.datetime)
    assert (rows[1][3].hour, rows[1][3].minute) == (shown, 30)
