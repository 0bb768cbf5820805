"""Reports on pages: everyone's own figures, files that say the same, own reports that are shared, mail that comes."""

import asyncio
import csv
import email
import email.policy
import html
import io
import re
from collections.abc import AsyncIterator
from email.message import EmailMessage
from pathlib import Path

import duckdb
import openpyxl
import pytest

from fieldmesh.basics.errors import Rejected
from fieldmesh.codec.columns import from_rows
from fieldmesh.service.mail import Line, MailServer
from hub.analysis.standard import STANDARD, is_sound
from hub.config import HubSettings
from hub.desk import exports
from hub.desk.reports.mailing import ReportMailing
from hub.storage.org_changes import head_office_write
from hub.storage.rows import rows_where
from tests.kit.forms import form_of, sent
from tests.kit.workplace import OTHER_SUPERVISOR, SUPERVISOR, Person, Site, site

YEAR = "span=days_365"
SALES = f"/analysis/reports/sales?{YEAR}"


@pytest.fixture
async def company(tmp_path: Path) -> AsyncIterator[Site]:
    """Two offices, each with a supervisor and two reps of six outlets; an administrator."""
    async with site(tmp_path) as found:
        await found.add("admin", "administrator")
        yield found


async def file(person: Person, address: str) -> bytes:
    """The content of a report's file."""
    async with person.browser.get(person.base + address) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.read()


async def total(person: Person) -> float:
    """The year's sales, by the CSV file."""
    text = (await file(person, f"/analysis/reports/sales/export?{YEAR}&compare=")).decode(
        "utf-8-sig"
    )
    return sum(float(line.split(",")[1] or 0) for line in text.splitlines()[1:] if line[0] != "Σ")


async def test_every_standard_report_opens_for_whoever_may_see_its_figures(company: Site) -> None:
    """A report of the catalogue that fails, or names what is not there, is found by its readers."""
    assert all(is_sound(one) for one in STANDARD.values())
    async with company.person("admin") as admin, company.person(SUPERVISOR) as supervisor:
        for person in (admin, supervisor):
            _, catalogue = await person.get("/analysis")
            codes = re.findall(r'href="/analysis/reports/([a-z-]+)"', catalogue)
            assert len(codes) >= 20
            for code in codes:
                status, text = await person.get(f"/analysis/reports/{code}?{YEAR}")
                assert status == 200, (code, text)


async def test_teams_together_have_what_the_company_has_and_each_only_its_own(
    company: Site,
) -> None:
    """A supervisor who sees the other team's sales in a total sees what is not theirs."""
    figures = []
    for login in ("admin", SUPERVISOR, OTHER_SUPERVISOR):
        async with company.person(login) as person:
            figures.append(round(await total(person), 2))
    whole, one, other = figures
    assert 0 < one < whole
    assert round(one + other, 2) == whole
    async with company.office.database.read() as connection:
        lines = await rows_where(connection, "order_line", ("amount",), "deleted", [0])
    assert whole == sum(int(line[0] or 0) for line in lines) / 100


async def test_files_hold_the_same_figures(company: Site) -> None:
    """Whoever takes a file along decides by other numbers than whoever looks at the page."""
    async with company.person("admin") as person:
        base = f"/analysis/reports/brands/export?{YEAR}&format="
        rows = (await file(person, base + "csv")).decode("utf-8-sig").splitlines()
        expected = {
            line.split(",")[0]: float(line.split(",")[1]) for line in rows[1:] if line[0] != "Σ"
        }
        book = openpyxl.load_workbook(io.BytesIO(await file(person, base + "xlsx")))
        cells = [
            row
            for row in book.worksheets[0].iter_rows(min_row=5, values_only=True)
            if row[0] != "Σ"
        ]
        assert {row[0]: row[1] for row in cells} == expected
        parquet = company.office.home.folder / "brands.parquet"
        parquet.write_bytes(await file(person, base + "parquet"))
        with duckdb.connect() as connection:
            found = connection.execute(f"SELECT * FROM '{parquet}'").fetchall()
        assert {row[0]: float(row[1]) for row in found} == expected


async def test_a_figure_leads_to_the_documents_that_it_is_counted_from(company: Site) -> None:
    """A number that nobody can look behind is not believed."""
    address = f"/analysis/build?m=orders&r=position&{YEAR}"
    async with company.person("admin") as person:
        _, text = await person.get(address)
        links = re.findall(r'<a href="(/orders\?[^"]+)">(\d+)</a>', text)
        assert links
        for href, count in links:
            _, listed = await person.get(html.unescape(href))
            assert f"{count} rows" in listed


async def test_an_own_report_is_kept_shared_within_the_scope_and_deleted(company: Site) -> None:
    """Shared reports hold questions: their readers get their own figures, and people beside do not get them at all."""
    async with company.person("admin") as admin, company.person(SUPERVISOR) as supervisor:
        _, text = await admin.get(f"/analysis/build?m=sales&m=orders&r=supervisor&a=month&{YEAR}")
        found = re.search(r'name="query" value="([^"]*)"', text)
        assert found is not None
        fields = {"query": html.unescape(found.group(1)), "title": "By month <1>", "report": ""}
        status, text = await admin.post("/analysis/keep", fields)
        assert status == 200
        assert "By month &lt;1&gt;" in text
        own = re.findall(r'action="(/analysis/own/[0-9a-f]+)/delete"', text)[0]
        assert (await supervisor.get(own))[0] == 404
        assert (await admin.post(f"{own}/share", {"shared": "1"}))[0] == 200
        status, text = await supervisor.get(own)
        assert status == 200
        assert text.count("Supervisor 0") < (await admin.get(own))[1].count("Supervisor 0")
        assert (await supervisor.post(f"{own}/delete", {}))[0] in {403, 404}
        assert (await admin.post(f"{own}/delete", {}))[0] == 200
        assert (await supervisor.get(own))[0] == 404


async def test_what_does_not_fit_together_is_said_in_the_builder(company: Site) -> None:
    """A wrong choice that ends on an error page loses the form."""
    async with company.person("admin") as person:
        status, text = await person.get("/analysis/build?m=outlets_served&r=month")
        assert status == 200
        assert 'role="alert"' in text
        assert (await person.get("/analysis/reports/sales?f.day=1"))[0] == 400
        assert (await person.get("/analysis/reports/nothing"))[0] == 404


async def test_a_report_with_more_lines_than_a_person_may_take_along_leaves_in_no_file(
    company: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A workplace that limits exports to some rows limited lists alone: a report took everything along."""
    async with company.person("admin") as person:
        await file(person, "/analysis/reports/brands/export?format=csv")
        monkeypatch.setattr(exports, "MOST", 1)
        status, said = await person.get("/analysis/reports/brands/export?format=csv")
        assert (status, "More than 1 rows" in said) == (400, True), said


async def brands_of(person: Person) -> list[str]:
    """The brands of all products."""
    rows = [await person.json(f"/api/v1/products/{row}") for row in await person.ids("products")]
    return sorted({row["brand"] for _, row in rows})


async def kept(person: Person, query: str) -> str:
    """The address of an own report of that question."""
    _, page = await person.get(f"/analysis/build?{query}")
    form = form_of(page, "/analysis/keep")
    status, page = await sent(person, form, form.filled(title="Mine"))
    assert status == 200, page
    return re.findall(r'action="(/analysis/own/[0-9a-f]+)/delete"', page)[0]


async def test_a_file_holds_what_its_page_shows_when_the_reports_own_filters_are_taken_away(
    company: Site,
) -> None:
    """Figures that are sent on would be of one brand, of other days, in another order, without a sign."""
    async with company.person("admin") as admin:
        brands = await brands_of(admin)
        brand = brands[0]
        question = f"m=sales&r=brand&{YEAR}&compare=previous&fd=brand&fv={brand}&down=0"
        own = await kept(admin, question)
        for asked in ("f.brand=", "f.brand=&compare=", "f.brand=&down=1", ""):
            _, page = await admin.get(f"{own}?{asked}")
            link = re.search(r'href="([^"]*format=csv)"', page)
            assert link is not None
            text = (await file(admin, html.unescape(link[1]))).decode("utf-8-sig")
            head, *lines = csv.reader(io.StringIO(text))
            body = page.partition("<tbody>")[2].partition("</tbody>")[0]
            shown = re.findall(r"<tr><td[^>]*>([^<]*)</td>", body)
            assert [line[0] for line in lines if line[0] != "Σ"] == shown, asked
            assert len(shown) == (len(brands) if "f.brand" in asked else 1), asked
            heads = page.partition("<thead>")[2].partition("</thead>")[0].count("<th ")
            assert len(head) == heads, asked


async def test_a_filter_of_two_values_keeps_both_when_the_page_is_shown_anew(company: Site) -> None:
    """Other days of the same report would be figures of the first value alone."""
    async with company.person("admin") as admin:
        brands = (await brands_of(admin))[:2]
        rows = (await admin.json("/api/v1/outlets?limit=2"))[1]["rows"]
        outlets = "&".join(f"f.outlet={row['id']}" for row in rows)
        for filters in ("&".join(f"fd=brand&fv={one}" for one in brands), outlets):
            own = await kept(admin, f"m=sales&r=brand&r=outlet&span=today&{filters}")
            form = form_of((await admin.get(own))[1], own)
            status, page = await sent(admin, form, form.filled(span="days_365"))
            assert status == 200
            shown = re.findall(r"<tr><td[^>]*>([^<]*)</td><td[^>]*><a[^>]*>([^<]*)<", page)
            place = 0 if "brand" in filters else 1
            assert len({line[place] for line in shown}) == 2, filters


async def test_a_form_of_the_builder_that_cannot_be_read_stands_there_again(company: Site) -> None:
    """A wrong number would cost the choice of figures, rows and filters."""
    async with company.person("admin") as admin:
        _, page = await admin.json("/api/v1/outlets?limit=1")
        code = page["rows"][0]["code"]
        typed = f"/analysis/build?m=sales&r=outlet&fd=outlet&fv={code}&top=99999"
        _, page = await admin.get(typed)
        assert 'role="alert"' in page
        fields = form_of(page, "/analysis/build").fields
        assert {("m", "sales"), ("r", "outlet"), ("fd", "outlet")} <= set(fields)
        assert any(name == "fv" and text.startswith(f"{code} · ") for name, text in fields)
        _, page = await admin.get(typed.replace("99999", "5") + f"&{YEAR}")
        assert "Σ" not in page
        assert len(re.findall(r'href="/outlets/[0-9a-f-]{36}"', page)) == 1
        form = form_of(page, "/analysis/build")
        assert (await sent(admin, form))[1].count('href="/outlets/') == page.count(
            'href="/outlets/'
        )


async def test_exports_and_sensitive_reports_stand_in_the_journal(company: Site) -> None:
    """Who has taken debts away must be known."""
    async with company.person("admin") as person:
        await person.get("/analysis/reports/red-list")
        await file(person, "/analysis/reports/sales/export?format=csv")
        _, text = await person.get("/journal?kind=report_exported")
        assert "report_exported" in text or "admin" in text
    async with company.office.database.read() as connection:
        rows = (await connection.exec_driver_sql("SELECT kind FROM fm_journal")).fetchall()
    kinds = {row[0] for row in rows}
    assert {"report_seen", "report_exported"} <= kinds


class _Server(asyncio.Protocol):
    """A mail server that takes everything. Source: RFC 5321."""

    def __init__(self, taken: list[EmailMessage]) -> None:
        self._taken, self._held, self._data = taken, b"", b""
        self._reads = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._line = transport
        transport.write(b"220 mail\r\n")

    def data_received(self, data: bytes) -> None:
        self._held += data
        while b"\r\n" in self._held:
            line, _, self._held = self._held.partition(b"\r\n")
            self._take(line)

    def _take(self, line: bytes) -> None:
        if self._reads and line != b".":
            self._data += line + b"\r\n"
            return
        if self._reads:
            made = email.message_from_bytes(self._data, policy=email.policy.default)
            assert isinstance(made, EmailMessage)
            self._taken.append(made)
            self._reads, self._data = False, b""
        self._reads = line.upper() == b"DATA"
        answers = {b"DATA": b"354 go on", b"QUIT": b"221 bye"}
        self._line.write(answers.get(line.upper(), b"250 ok") + b"\r\n")


async def test_a_report_comes_by_mail_once_with_its_readers_figures(tmp_path: Path) -> None:
    """A mail with the figures of whoever made the report would carry them past every right."""
    taken: list[EmailMessage] = []
    server = await asyncio.get_running_loop().create_server(lambda: _Server(taken), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    mail = MailServer(host="127.0.0.1", port=port, line=Line.PLAIN, sender="hub@example.org")
    asked = {"report": "sales", "every": "day", "format": "csv"}
    async with site(tmp_path, settings=HubSettings(company="Aurora", mail=mail)) as company:
        user = await company.add("admin", "administrator")
        async with company.person(SUPERVISOR) as person:
            assert (await person.post("/analysis/mail", asked))[0] == 403
        async with company.person("admin") as admin:
            status, text = await admin.post("/analysis/mail", asked)
            assert status == 409
            assert "You have no mail address" in text
            await address_is(company, user, "admin@example.org")
            _, text = await admin.post("/analysis/mail", asked)
            assert "Sent to you by mail" in text
            expected = await total(admin)
            mailing = ReportMailing(company.office, company.analyst)
            await address_is(company, user, "")
            assert await mailing.send_due() == 0
            assert "You have no mail address" in (await admin.get("/analysis"))[1]
        await address_is(company, user, "admin@example.org")
        mailing = ReportMailing(company.office, company.analyst)
        assert await mailing.send_due() == 1
        assert await mailing.send_due() == 0
    server.close()
    [came] = taken
    assert came["To"] == "admin@example.org"
    [attached] = list(came.iter_attachments())
    content = attached.get_content()
    lines = (content if isinstance(content, str) else content.decode()).splitlines()
    assert round(float(lines[1].split(",")[1]), 2) == round(expected, 2)


async def address_is(company: Site, user: bytes, address: str) -> None:
    """The person has that mail address, or none."""
    async with head_office_write(
        company.office.database, company.office.clock, actor="test", kind="mail", about={}
    ) as writer:
        rows = from_rows("app_user", ("id", "mail"), [(user, address or None)])
        await writer.update("app_user", rows)


async def test_a_hub_without_a_mail_server_promises_no_mail(company: Site) -> None:
    """A mail in the morning was promised where nothing ever comes."""
    async with company.person("admin") as admin:
        assert "/analysis/mail" not in (await admin.get(SALES))[1]
        asked = {"report": "sales", "every": "day", "format": "csv"}
        status, text = await admin.post("/analysis/mail", asked)
        assert status == 409
        assert "no mail server" in text


async def test_programs_get_the_same_figures_in_the_same_scope(company: Site) -> None:
    """A service with rights of its own would be a way around the pages."""
    async with company.person("admin") as admin, company.person(SUPERVISOR) as supervisor:
        status, catalogue = await admin.json("/api/v1/reports")
        assert status == 200
        assert {one["code"] for one in catalogue["reports"]} == set(STANDARD)
        for person in (admin, supervisor):
            status, answer = await person.json(f"/api/v1/reports/sales?{YEAR}&compare=")
            assert status == 200
            assert float(answer["total"][0]) == round(await total(person), 2)
        status, problem = await admin.json("/api/v1/reports/ask?m=outlets_served&r=month")
        assert (status, problem["code"]) == (400, "question_wrong")
        assert (await supervisor.json("/api/v1/reports/ask?m=sales"))[0] == 403
        assert (await admin.json("/api/v1/reports/none"))[0] == 404


async def test_what_the_columnar_copy_says_of_a_question_stands_in_no_answer(company: Site) -> None:
    """Its words are pieces of statements, which nobody who reads a report can do anything with."""
    columns = company.analyst.columns
    await columns.follow()
    with pytest.raises(Rejected) as caught:
        await columns.ask("SELECT hidden FROM nowhere", ())
    assert caught.value.code == "question_wrong"
    assert "nowhere" not in f"{caught.value} {caught.value.fields}"
