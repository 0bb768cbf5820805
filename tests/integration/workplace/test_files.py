"""Lists as files, files as lists, and what a stranger may send."""

import csv
import io
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import openpyxl
import pytest

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
