"""Acting reaches no farther than the function that is used, and a change of who sees what holds at once."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from fieldmesh.basics.identifiers import from_text, stable_id, to_text
from fieldmesh.data.types import Value
from hub.exchange.sample.frame import office_id
from hub.storage import journal
from hub.storage.org_changes import head_office_write, update_rows, upsert_rows
from hub.storage.rows import rows_where
from tests.kit.workplace import OTHER_SUPERVISOR, SUPERVISOR, Person, Site, site

OWN_REP, FOREIGN_REP = "REP0001", "REP0002"
"""Below SUPERVISOR, and below the other one."""
OWN_OFFICE, OTHER_OFFICE = to_text(office_id(1)), to_text(office_id(2))

_PROPOSED = ("id", "position_id", "outlet_id", "payload", "state")


@pytest.fixture
async def company(tmp_path: Path) -> AsyncIterator[Site]:
    """Two offices, each with a supervisor and two reps; an administrator."""
    async with site(tmp_path) as found:
        await found.add("admin", "administrator")
        yield found


def position(code: str) -> str:
    """Id of a position of the company."""
    return to_text(stable_id("position", code))


async def upsert(
    company: Site, table: str, names: tuple[str, ...], line: tuple[Value, ...]
) -> None:
    """A row stands as if it had come from elsewhere."""
    async with head_office_write(
        company.office.database, company.office.clock, actor="test", kind="test", about={}
    ) as writer:
        await upsert_rows(writer, table, names, [line])


async def widened(admin: Person, role: str, function: str) -> None:
    """People with the role see the whole company by the function."""
    row = {
        "role_id": to_text(stable_id("role", role)),
        "function_code": function,
        "scope_rule": "company",
    }
    status, made = await admin.json("/api/v1/permissions", "POST", json=row)
    assert status == 201, made


async def head_of_a_region(admin: Person) -> None:
    """The supervisor is the head of a region."""
    fields = {"role_id": to_text(stable_id("role", "head"))}
    path = f"/api/v1/positions/{position(SUPERVISOR.upper())}"
    status, done = await admin.json(path, "PATCH", json=fields)
    assert status == 200, done


async def test_a_distributor_that_sees_more_orders_answers_its_own_only(company: Site) -> None:
    """Who may look at the whole company's orders confirmed those of another distributor."""
    own, other = stable_id("distributor", 1), stable_id("distributor", 2)
    await company.add("seller", "distributor")
    async with company.person("admin") as admin:
        await widened(admin, "distributor", "order.view")
        orders = sorted(await admin.ids("orders"))[:2]
    async with head_office_write(
        company.office.database, company.office.clock, actor="test", kind="test", about={}
    ) as writer:
        [post] = await rows_where(
            writer.connection, "position", ("id",), "code", ["OFFICE-DISTRIBUTOR"]
        )
        await update_rows(writer, "position", ("id", "distributor_id"), [(post[0], own)])
        rows = [
            (from_text(one), "routed", seller)
            for one, seller in zip(orders, (own, other), strict=True)
        ]
        await update_rows(writer, "sales_order", ("id", "state", "distributor_id"), rows)
    async with company.person("seller") as seller, company.person("admin") as admin:
        forms = {one: (await admin.get(f"/orders/{one}/answer"))[1] for one in orders}
        for order, wanted in zip(orders, (200, 404), strict=True):
            assert (await seller.json(f"/api/v1/orders/{order}"))[0] == 200
            assert (await seller.get(f"/orders/{order}/answer"))[0] == wanted
            fields = {
                part.split('"')[0]: part.split('value="')[1].split('"')[0]
                for part in forms[order].split('name="')
                if part.startswith("accepted.")
            }
            status, text = await seller.post(f"/orders/{order}/answer", fields)
            assert status == wanted, text
            held = (await seller.json(f"/api/v1/orders/{order}"))[1]["state"]
            assert held == ("confirmed" if wanted == 200 else "routed")


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("targets/set", {"period": "2031-12", "kpi": "visits", "value": "10"}),
        ("messages/write", {"below": True, "text": "Come at once"}),
        ("visit-plans/plan", {"since": "2031-01-06", "until": "2031-01-10"}),
    ],
)
async def test_a_wide_view_sets_no_targets_messages_and_visits_for_other_teams(
    company: Site, path: str, fields: dict[str, object]
) -> None:
    """Acts of a list asked only whether the position could be seen."""
    async with company.person("admin") as admin, company.person(SUPERVISOR) as supervisor:
        await widened(admin, "supervisor", "organisation.view")
        for code, wanted in ((FOREIGN_REP, 400), (OTHER_SUPERVISOR.upper(), 400), (OWN_REP, 200)):
            asked = {**fields, "position": position(code)}
            status, said = await supervisor.json(f"/api/v1/{path}", "POST", json=asked)
            assert status == wanted, said
            assert wanted == 200 or "position" in said["fields"]["problems"]


async def test_a_wide_view_hangs_no_records_on_other_teams(company: Site) -> None:
    """A task could be made for, and moved to, a position that its writer only looks at."""
    async with company.person("admin") as admin, company.person(SUPERVISOR) as supervisor:
        await widened(admin, "supervisor", "organisation.view")
        foreign = {"text": "Count the stock", "position_id": position(FOREIGN_REP)}
        status, said = await supervisor.json("/api/v1/tasks", "POST", json=foreign)
        assert status == 400, said
        assert "position_id" in said["fields"]["problems"]
        own = {**foreign, "position_id": position(OWN_REP)}
        status, task = await supervisor.json("/api/v1/tasks", "POST", json=own)
        assert status == 201, task
        path = f"/api/v1/tasks/{task['id']}"
        fields = {"position_id": position(FOREIGN_REP)}
        assert (await supervisor.json(path, "PATCH", json=fields))[0] == 400
        assert (await supervisor.json(path, "PATCH", json={"text": "Count it"}))[0] == 200


async def test_a_position_is_put_only_below_ones_own_and_keeps_what_stands_above(
    company: Site,
) -> None:
    """A wide view let a head hang a position into another region; a form sends back links that nobody has touched."""
    async with company.person("admin") as admin, company.person(SUPERVISOR) as head:
        await head_of_a_region(admin)
        await widened(admin, "head", "organisation.view")
        path = f"/api/v1/positions/{position(OWN_REP)}"
        fields = {"parent_position_id": position(OTHER_SUPERVISOR.upper())}
        status, said = await head.json(path, "PATCH", json=fields)
        assert status == 400, said
        foreign = to_text(stable_id("territory", FOREIGN_REP))
        status, said = await head.json(path, "PATCH", json={"territory_id": foreign})
        assert status == 400, said
        own = f"/api/v1/positions/{position(SUPERVISOR.upper())}"
        _, held = await head.json(own)
        fields = {"name": "East", "parent_position_id": held["parent_position_id"]}
        status, said = await head.json(own, "PATCH", json=fields)
        assert status == 200, said


async def test_a_head_brings_no_other_offices_stock_within_reach(company: Site) -> None:
    """Offices are seen by everybody: a head hung the own one below another, and had its warehouses."""
    async with company.person("admin") as admin, company.person(SUPERVISOR) as head:
        await head_of_a_region(admin)
        before = await head.ids("warehouses")
        path = f"/api/v1/offices/{OWN_OFFICE}"
        status, said = await head.json(path, "PATCH", json={"parent_id": OTHER_OFFICE})
        assert (status, said["code"]) == (403, "more_than_own")
        path = f"/api/v1/offices/{OTHER_OFFICE}"
        status, said = await head.json(path, "PATCH", json={"parent_id": OWN_OFFICE})
        assert (status, said["code"]) == (403, "more_than_own")
        path = f"/api/v1/territories/{to_text(stable_id('territory', OWN_REP))}"
        status, said = await head.json(path, "PATCH", json={"org_unit_id": OTHER_OFFICE})
        assert (status, said["code"]) == (403, "more_than_own")
        fields = {"code": "TX", "name": "X", "org_unit_id": OTHER_OFFICE}
        status, said = await head.json("/api/v1/territories", "POST", json=fields)
        assert (status, said["code"]) == (403, "more_than_own")
        assert await head.ids("warehouses") == before


async def test_a_head_takes_no_stock_from_others_by_moving_what_they_stand_on(
    company: Site,
) -> None:
    """Two regions of one office, or of one territory: what the one head moves, the other loses."""
    path = f"/api/v1/positions/{position(OTHER_SUPERVISOR.upper())}"
    shared = {"territory_id": to_text(stable_id("territory", "office", 1))}
    async with company.person("admin") as admin, company.person(SUPERVISOR) as head:
        await head_of_a_region(admin)
        status, said = await admin.json(path, "PATCH", json=shared)
        assert status == 200, said
        fields = {"code": "OF9", "name": "East", "kind": "office", "parent_id": OWN_OFFICE}
        status, office = await head.json("/api/v1/offices", "POST", json=fields)
        assert status == 201, office
        for place, change in (
            (f"offices/{OWN_OFFICE}", {"parent_id": None}),
            (f"territories/{shared['territory_id']}", {"org_unit_id": office["id"]}),
        ):
            status, said = await head.json(f"/api/v1/{place}", "PATCH", json=change)
            assert (status, said.get("code")) == (403, "more_than_own"), place


async def test_a_head_orders_the_own_offices(company: Site) -> None:
    """A guard that keeps heads from their own region would be switched off."""
    async with company.person("admin") as admin, company.person(SUPERVISOR) as head:
        await head_of_a_region(admin)
        fields = {"code": "OF9", "name": "East", "kind": "office", "parent_id": OWN_OFFICE}
        status, office = await head.json("/api/v1/offices", "POST", json=fields)
        assert status == 201, office
        fields = {"code": "T9", "name": "East", "org_unit_id": office["id"]}
        status, said = await head.json("/api/v1/territories", "POST", json=fields)
        assert status == 201, said
        path = f"/api/v1/territories/{to_text(stable_id('territory', OWN_REP))}"
        status, said = await head.json(path, "PATCH", json={"org_unit_id": office["id"]})
        assert status == 200, said
        path = f"/api/v1/offices/{OWN_OFFICE}"
        assert (await head.json(path, "PATCH", json={"name": "West"}))[0] == 200


async def test_a_head_renames_no_office_of_others(company: Site) -> None:
    """Everybody sees all offices: their mail came at another hour, under another name."""
    async with company.person("admin") as admin, company.person(SUPERVISOR) as head:
        await head_of_a_region(admin)
        for change in ({"time_zone": "Asia/Tokyo"}, {"name": "Mine"}):
            status, said = await head.json(f"/api/v1/offices/{OTHER_OFFICE}", "PATCH", json=change)
            assert (status, said.get("code")) == (403, "more_than_own"), change


async def test_what_offices_and_territories_show_holds_at_once(company: Site) -> None:
    """A change of offices was believed to have no effect, until the night made it true."""
    own, other = (to_text(stable_id("warehouse", "office", n)) for n in (1, 2))
    async with company.person("admin") as admin, company.person(OWN_REP.lower()) as rep:
        assert await rep.ids("warehouses") == {own}
        path = f"/api/v1/offices/{OWN_OFFICE}"
        status, said = await admin.json(path, "PATCH", json={"parent_id": OTHER_OFFICE})
        assert status == 200, said
        assert await rep.ids("warehouses") == {own, other}
        path = f"/api/v1/territories/{to_text(stable_id('territory', OWN_REP))}"
        status, said = await admin.json(path, "PATCH", json={"org_unit_id": OTHER_OFFICE})
        assert status == 200, said
        assert await rep.ids("warehouses") == {other}


async def test_a_price_list_that_becomes_the_default_is_seen_at_once(company: Site) -> None:
    """Reps sold by yesterday's list until the night."""
    row = (stable_id("price_list", "new"), "PL-NEW", "New list", 0)
    async with head_office_write(
        company.office.database, company.office.clock, actor="test", kind="test", about={}
    ) as writer:
        await upsert_rows(writer, "price_list", ("id", "code", "name", "is_default"), [row])
    new = to_text(stable_id("price_list", "new"))
    async with company.person("admin") as admin, company.person(OWN_REP.lower()) as rep:
        assert new not in await rep.ids("price-lists")
        for flag in (True, False):
            path = f"/api/v1/price-lists/{new}"
            status, said = await admin.json(path, "PATCH", json={"is_default": flag})
            assert status == 200, said
            assert (new in await rep.ids("price-lists")) == flag


async def test_a_proposal_changes_no_outlet_beyond_its_moderator(company: Site) -> None:
    """The device writes which outlet it means: a rep could have any outlet changed by the own supervisor."""
    async with company.person("admin") as admin, company.person(SUPERVISOR) as supervisor:
        mine = await supervisor.ids("outlets")
        foreign = min(await admin.ids("outlets") - mine)
        proposals = {}
        for outlet in (foreign, min(mine)):
            row_id = company.office.maker.identifiers.new()
            proposals[outlet] = to_text(row_id)
            content = json.dumps({"name": "Taken over"})
            line = (row_id, from_text(position(OWN_REP)), from_text(outlet), content, "new")
            await upsert(company, "outlet_change_request", _PROPOSED, line)
        before = {one: (await admin.json(f"/api/v1/outlets/{one}"))[1] for one in proposals}
        for outlet, wanted in ((foreign, 404), (min(mine), 200)):
            path = f"/api/v1/outlet-proposals/{proposals[outlet]}"
            status, said = await supervisor.json(f"{path}/approve", "POST", json={})
            assert status == wanted, said
            name = (await admin.json(f"/api/v1/outlets/{outlet}"))[1]["name"]
            assert name == ("Taken over" if wanted == 200 else before[outlet]["name"])
            state = (await admin.json(path))[1]["state"]
            assert state == ("approved" if wanted == 200 else "new")
    async with company.office.database.read() as connection:
        newest = (await journal.newest(connection, 1))[0]
    noted = json.loads(newest.payload)
    assert noted["before"] == {"name": before[min(mine)]["name"]}
    assert noted["after"] == {"name": "Taken over"}
