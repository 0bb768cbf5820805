"""Tables of reports where they are shown, sent and written to files."""

import threading
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from hub.analysis.standard import STANDARD
from hub.desk.reports import tables
from hub.web.api import reports
from hub.web.pages import report_showing
from tests.kit.workplace import Site, site

YEAR = "span=days_365"
SALES = "/analysis/reports/sales"


@pytest.fixture
async def company(tmp_path: Path) -> AsyncIterator[Site]:
    """Two offices, each with a supervisor and two reps of six outlets; an administrator."""
    async with site(tmp_path) as found:
        await found.add("admin", "administrator")
        yield found


@pytest.fixture
def makers(monkeypatch: pytest.MonkeyPatch) -> list[threading.Thread]:
    """Where each table is made."""
    found: list[threading.Thread] = []
    ordered = tables._ordered

    def noted(*arguments: object) -> object:
        found.append(threading.current_thread())
        return ordered(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(tables, "_ordered", noted)
    return found


async def test_no_table_is_made_where_everybody_waits_for_it(
    company: Site, makers: list[threading.Thread]
) -> None:
    """20,000 lines take a third of a second, in which no device, gateway or person would be heard."""
    addresses = (
        f"{SALES}?{YEAR}",
        f"{SALES}/export?{YEAR}",
        f"/analysis/build?m=sales&r=product&{YEAR}",
        f"/api/v1/reports/sales?{YEAR}",
    )
    async with company.person("admin") as admin:
        for number, address in enumerate(addresses, 1):
            assert (await admin.get(address))[0] == 200
            assert len(makers) == number
    assert threading.main_thread() not in makers


async def test_a_file_holds_the_whole_table_however_few_lines_the_page_shows(
    company: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that ends where the page does looks whole, and what is summed up from it is too little."""
    brands = STANDARD["brands"]
    short = replace(brands, question=replace(brands.question, top=1))
    monkeypatch.setitem(STANDARD, "brands", short)
    async with company.person("admin") as admin:
        _, answer = await admin.json(f"/api/v1/reports/brands?{YEAR}")
        assert len(answer["rows"]) == 1 < answer["lines"]
        status, text = await admin.get(f"/analysis/reports/brands/export?{YEAR}")
    assert status == 200
    lines = [line for line in text.splitlines()[1:] if line[0] != "Σ"]
    assert len(lines) == answer["lines"]


async def test_a_page_writes_no_more_cells_than_it_shows_and_not_where_everybody_waits(
    company: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """200,000 lines of which a chart draws 400, or 1,116 columns of 500 rows, held the hub up for half a minute."""
    writers: list[threading.Thread] = []
    written = report_showing.figure

    def noted(*arguments: object) -> str:
        writers.append(threading.current_thread())
        return written(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(report_showing, "figure", noted)
    monkeypatch.setattr(report_showing, "MOST_POINTS", 3)
    monkeypatch.setattr(report_showing, "SHOWN_CELLS", 10)
    monkeypatch.setattr(reports, "MOST_CELLS", 10)
    asked = f"m=sales&r=outlet&{YEAR}"
    async with company.person("admin") as admin:
        _, page = await admin.get(f"/analysis/build?{asked}&chart=line")
        assert '<svg class="chart"' in page
        assert "5 shown" in page
        assert len(writers) == 3 + 5 + 1
        assert threading.main_thread() not in writers
        _, answer = await admin.json(f"/api/v1/reports/ask?{asked}")
        assert len(answer["rows"]) == 5 < answer["lines"]
