"""A file gives nobody rights that its loader could not give by hand."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from fieldmesh.basics.identifiers import stable_id, to_text
from tests.kit.workplace import Person, Site, site


@pytest.fixture
async def company(tmp_path: Path) -> AsyncIterator[Site]:
    """A small company; somebody of each kind of role that loads files."""
    async with site(tmp_path) as found:
        await found.add("admin", "administrator")
        await found.add("tech", "branch_it")
        await found.add("ops", "operations")
        yield found


async def load(person: Person, kind: str, text: str) -> tuple[int, str]:
    """Status and page of a file loaded at the workplace."""
    form = aiohttp.FormData({"csrf": person.csrf, "kind": kind})
    form.add_field("file", text.encode(), filename=f"{kind}.csv", content_type="text/csv")
    headers = {"Accept": "text/html", "Sec-Fetch-Site": "same-origin"}
    async with person.browser.post(f"{person.base}/import", data=form, headers=headers) as answer:
        return answer.status, await answer.text()


async def allow(admin: Person, role: str, *functions: str) -> None:
    """The role has the functions besides, by a workplace of its own."""
    place = {"code": role[:3].upper(), "name": role, "kind": "web"}
    place["role_id"] = to_text(stable_id("role", role))
    _, made = await admin.json("/api/v1/workplaces", "POST", json=place)
    for function in functions:
        row = {"workplace_id": made["id"], "function_code": function, "enabled": True}
        status, answer = await admin.json("/api/v1/workplace-functions", "POST", json=row)
        assert status == 201, answer


@pytest.mark.parametrize(
    ("login", "kind", "text"),
    [
        ("ops", "assignment", "position,user,valid_from\nREP0001,ops,2026-01-01\n"),
        ("ops", "app_user", "login,person\nnew,New\n"),
        ("tech", "position", "code,role\nREP0009,rep\n"),
        ("tech", "org_unit", "code,parent\nOF01,OF02\n"),
        ("tech", "territory", "code,org_unit\nTO01,OF02\n"),
        ("tech", "role", "code,kind\nrep,administrator\n"),
        ("tech", "permission", "role,function_code,scope_rule\nrep,order.view,company\n"),
        ("tech", "workplace", "code,role\nREP-MOBILE,branch_it\n"),
        ("tech", "workplace_function", "workplace,function_code\nREP-MOBILE,rights.change\n"),
        ("ops", "price", "price_list,product_unit,amount\nPL-BASE,{product}/piece,0.01\n"),
        ("ops", "promotion", "code,kind\nFREE,percent\n"),
        ("ops", "outlet_discount", "outlet,percent\n{outlet},100\n"),
        ("ops", "debt_limit", "contract,credit_limit,blocked\nC-chain-0,1000000,no\n"),
        ("ops", "plan", "position,period,kpi,value,state\nREP0001,2026-11,visits,1,approved\n"),
    ],
)
async def test_a_file_needs_the_function_by_which_its_rows_are_changed_by_hand(
    company: Site, login: str, kind: str, text: str
) -> None:
    """With the right to load files alone, anybody could be made an administrator, or anything be sold for nothing."""
    async with company.person(login) as person, company.person("admin") as admin:
        for view in ("product", "outlet"):
            _, known = await admin.json(f"/api/v1/{view}s?limit=1")
            text = text.replace(f"{{{view}}}", known["rows"][0]["code"])
        status, said = await load(person, kind, text)
        assert status == 403, said
        status, said = await load(admin, kind, text)
        assert status == 200, said


async def test_branch_it_makes_nobody_an_administrator_by_a_file(company: Site) -> None:
    """The example of the review: a line that gives the administrator's post to its writer."""
    heading = "position,user,valid_from,valid_to\n"
    async with company.person("tech") as tech, company.person("admin") as admin:
        good = "REP0001,rep0002,2026-02-01,2026-02-02\n"
        bad = "OFFICE-ADMINISTRATOR,tech,2026-01-01,\n"
        before = await admin.ids("assignments")
        status, said = await load(tech, "assignment", heading + good + bad)
        assert status == 400
        assert "assignment.csv:3" in said
        assert "assignment.csv:2" not in said
        assert "Nobody hands on rights" in said
        assert await admin.ids("assignments") == before
        status, said = await load(tech, "assignment", heading + good)
        assert status == 200, said
        assert len(await admin.ids("assignments")) == len(before) + 1


async def test_branch_it_blocks_no_administrator_by_a_file(company: Site) -> None:
    """A new mail address is a new password: who is above is not taken over by a file either."""
    async with company.person("tech") as tech:
        text = "login,mail\nrep0001,rep@example.com\nadmin,tech@example.com\n"
        status, said = await load(tech, "app_user", text)
        assert status == 400
        assert "app_user.csv:3" in said
        assert "app_user.csv:2" not in said
        status, said = await load(tech, "app_user", "login,mail\nrep0001,rep@example.com\n")
        assert status == 200, said


async def test_a_file_shapes_no_post_above_its_loader_before_or_after(company: Site) -> None:
    """A post with more rights must be neither made nor unmade by who has fewer."""
    async with company.person("admin") as admin, company.person("tech") as tech:
        await allow(admin, "branch_it", "organisation.change")
        for line in ("REP0002,administrator", "OFFICE-ADMINISTRATOR,rep"):
            text = f"code,role\nREP0001,merchandiser\n{line}\n"
            status, said = await load(tech, "position", text)
            assert status == 400
            assert "position.csv:3" in said
            assert "position.csv:2" not in said
        status, said = await load(tech, "position", "code,role\nREP0001,merchandiser\n")
        assert status == 200, said


async def test_who_reaches_a_region_loads_no_file_that_decides_who_sees_what_or_what_is_to_be_sold(
    company: Site,
) -> None:
    """A line of a file may name any row of the company."""
    async with company.person("admin") as admin, company.person("sup01-000") as supervisor:
        await allow(admin, "supervisor", "data.import", "target.approve")
        _, outlets = await supervisor.json("/api/v1/outlets?limit=1")
        text = f"outlet,position,valid_from\n{outlets['rows'][0]['code']},REP0002,2026-01-01\n"
        status, said = await load(supervisor, "outlet_assignment", text)
        assert status == 400
        assert "Nobody hands on rights" in said
        text = "position,period,kpi,value,state\nREP0002,2026-11,visits,1,approved\n"
        status, said = await load(supervisor, "plan", text)
        assert status == 400
        assert "Nobody hands on rights" in said
        status, said = await load(supervisor, "product_group", "code,name\nZ1,Water\n")
        assert status == 200, said
