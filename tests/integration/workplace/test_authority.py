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


async def test_a_head_makes_no_post_that_reaches_farther_than_the_own(company: Site) -> None:
    """By a post of a distributor's staff below the own one, a head had its orders in every region."""
    role = {one: to_text(stable_id("role", one)) for one in ("head", "rep", "distributor")}
    own = to_text(stable_id("position", SUPERVISOR.upper()))
    async with company.person("admin") as admin, company.person(SUPERVISOR) as head:
        path = f"/api/v1/positions/{own}"
        assert (await admin.json(path, "PATCH", json={"role_id": role["head"]}))[0] == 200
        me = (await head.json("/api/v1/me"))[1]["id"]
        seller = next(iter(await head.ids("distributors")))
        below = {"name": "New", "parent_position_id": own, "role_id": role["distributor"]}
        fields = {"code": "NEW1", "distributor_id": seller, **below}
        status, problem = await head.json("/api/v1/positions", "POST", json=fields)
        assert (status, problem["code"]) == (403, "more_than_own")
        fields = {"code": "NEW2", **below, "role_id": role["rep"], "distributor_id": seller}
        status, made = await head.json("/api/v1/positions", "POST", json=fields)
        assert status == 201, made
        path = f"/api/v1/positions/{made['id']}"
        fields = {"role_id": role["distributor"]}
        status, problem = await head.json(path, "PATCH", json=fields)
        assert (status, problem["code"]) == (403, "more_than_own")
        status, done = await head.json(f"{path}/assign", "POST", json={"person": me})
        assert status == 200, done


async def test_a_post_with_one_wider_function_is_given_by_those_who_have_it_so_wide(
    company: Site,
) -> None:
    """By a role that sees all orders, a head who gave it to themselves saw them too."""
    row = {
        "role_id": to_text(stable_id("role", "rep")),
        "function_code": "order.view",
        "scope_rule": "company",
    }
    own = to_text(stable_id("position", SUPERVISOR.upper()))
    async with company.person("admin") as admin, company.person(SUPERVISOR) as head:
        fields = {"role_id": to_text(stable_id("role", "head"))}
        path = f"/api/v1/positions/{own}"
        assert (await admin.json(path, "PATCH", json=fields))[0] == 200
        me = (await head.json("/api/v1/me"))[1]["id"]
        rep = await found(head, "positions?q=REP0003")
        path = f"/api/v1/positions/{rep}/assign"
        status, wide = await admin.json("/api/v1/permissions", "POST", json=row)
        assert status == 201, wide
        status, problem = await head.json(path, "POST", json={"person": me})
        assert (status, problem["code"]) == (403, "more_than_own")
        assert "See orders" in problem["title"]
        narrow = {"scope_rule": "subtree"}
        wide_path = f"/api/v1/permissions/{wide['id']}"
        assert (await admin.json(wide_path, "PATCH", json=narrow))[0] == 200
        status, done = await head.json(path, "POST", json={"person": me})
        assert status == 200, done
