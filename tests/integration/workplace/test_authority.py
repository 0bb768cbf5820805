"""Nobody hands on rights that they do not have, and a function reaches no farther than its scope."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from fieldmesh.basics.identifiers import stable_id, to_text
from tests.kit.workplace import Person, Site, site

SUPERVISOR = "sup01-000"


@pytest.fixture
async def company(tmp_path: Path) -> AsyncIterator[Site]:
    """Two offices with reps and supervisors; an administrator and somebody of branch IT."""
    async with site(tmp_path) as found:
        await found.add("admin", "administrator")
        await found.add("tech", "branch_it")
        yield found


async def found(person: Person, path: str) -> str:
    """Id of the first record of a list."""
    status, page = await person.json(f"/api/v1/{path}")
    assert status == 200, page
    return str(page["rows"][0]["id"])


async def test_branch_it_gives_field_posts_and_none_with_more_rights_than_its_own(
    company: Site,
) -> None:
    """Who may assign people could make themselves an administrator."""
    async with company.person("tech") as tech:
        me = (await tech.json("/api/v1/me"))[1]["id"]
        office_post = await found(tech, "positions?q=OFFICE-ADMINISTRATOR")
        path = f"/api/v1/positions/{office_post}/assign"
        status, problem = await tech.json(path, "POST", json={"person": me})
        assert (status, problem["code"]) == (403, "more_than_own")
        rep = await found(tech, "positions?q=REP0001")
        path = f"/api/v1/positions/{rep}/assign"
        assert (await tech.json(path, "POST", json={"person": me}))[0] == 200


async def test_branch_it_does_not_block_an_administrator(company: Site) -> None:
    """Who may change people could lock those out who watch them."""
    async with company.person("tech") as tech:
        admin = await found(tech, "people?q=admin")
        path = f"/api/v1/people/{admin}"
        status, problem = await tech.json(path, "PATCH", json={"status": "inactive"})
        assert (status, problem["code"]) == (403, "more_than_own")
        rep = await found(tech, "people?q=rep0001")
        path = f"/api/v1/people/{rep}"
        assert (await tech.json(path, "PATCH", json={"status": "inactive"}))[0] == 200


async def test_a_wide_view_does_not_widen_what_may_be_changed(company: Site) -> None:
    """A supervisor who may look at the whole company must not move another team's outlets or stand in for its reps."""
    wide = {
        "role_id": to_text(stable_id("role", "supervisor")),
        "function_code": "organisation.view",
        "scope_rule": "company",
    }
    async with company.person("admin") as admin, company.person(SUPERVISOR) as supervisor:
        me = (await supervisor.json("/api/v1/me"))[1]["id"]
        assert (await admin.json("/api/v1/permissions", "POST", json=wide))[0] == 201
        other = await found(admin, "positions?q=REP0004")
        assert (await supervisor.json(f"/api/v1/positions/{other}"))[0] == 200
        fields = {"person": me, "until": "2099-01-01"}
        path = f"/api/v1/positions/{other}/substitute"
        status, problem = await supervisor.json(path, "POST", json=fields)
        assert (status, problem["code"]) == (404, "not_found")
        own = await found(admin, "positions?q=REP0001")
        path = f"/api/v1/positions/{own}/substitute"
        assert (await supervisor.json(path, "POST", json=fields))[0] == 200
