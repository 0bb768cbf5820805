"""Acts of people: nodes registered and revoked, posts given, outlets moved, orders answered, plans made."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from fieldmesh.basics.errors import Rejected
from fieldmesh.basics.identifiers import from_text, stable_id, to_text
from fieldmesh.codec.columns import from_rows
from fieldmesh.data.types import Value
from hub.desk import lists
from hub.desk.operation import Asked
from hub.desk.operations.registry import operation_named
from hub.desk.people import access_of
from hub.desk.views.registry import VIEWS
from hub.fleet.subscriptions import today
from hub.storage import journal
from hub.storage.org_changes import head_office_write, update_rows
from tests.kit.workplace import OTHER_REP, REP, Site, hands_of, site


@pytest.fixture
async def company(tmp_path: Path) -> AsyncIterator[Site]:
    """Two offices, each with a supervisor and two reps of six outlets; an administrator."""
    async with site(tmp_path) as found:
        await found.add("admin", "administrator")
        yield found


async def test_a_device_is_registered_with_a_code_that_is_shown_once_and_kept_nowhere(
    company: Site,
) -> None:
    """A code that stood in a log, a list or the journal would enrol somebody else's device."""
    async with company.person("admin") as admin:
        fields = {"code": "G1", "name": "First"}
        status, made = await admin.json("/api/v1/gateways/register", "POST", json=fields)
        assert status == 200, made
        gateway = next(iter(await admin.ids("gateways")))
        _, found = await admin.json("/api/v1/positions", params={"q": REP})
        fields = {"code": "D1", "gateway": gateway, "position": found["rows"][0]["id"]}
        status, text = await admin.post("/devices/register", fields)
        assert status == 200
        assert "FM-" in text
        code = text[text.index("FM-") :].split("<")[0]
        device = next(iter(await admin.ids("devices")))
        for path in ("/devices", f"/devices/{device}", f"/api/v1/devices/{device}"):
            assert code not in (await admin.get(path))[1]
    async with company.office.database.read() as connection:
        entries = await journal.newest(connection, 100)
    assert all(code not in entry.payload for entry in entries)


async def test_what_loses_something_is_asked_about_first(company: Site) -> None:
    """One wrong click must not erase a device."""
    async with company.person("admin") as admin:
        await admin.json("/api/v1/gateways/register", "POST", json={"code": "G1"})
        gateway = next(iter(await admin.ids("gateways")))
        status, text = await admin.post(f"/gateways/{gateway}/revoke", {})
        assert status == 400
        assert "Confirm it first." in text
        assert (await admin.json(f"/api/v1/gateways/{gateway}"))[1]["status"] == "registered"
        assert (await admin.post(f"/gateways/{gateway}/revoke", {"confirmed": "1"}))[0] == 200
        assert (await admin.json(f"/api/v1/gateways/{gateway}"))[1]["status"] == "revoked"
        status, problem = await admin.json(f"/api/v1/gateways/{gateway}/revoke", "POST", json={})
        assert (status, problem["code"]) == (409, "state_refused")


async def test_a_substitute_sees_the_post_of_the_absent_person_as_long_as_they_stand_in(
    company: Site,
) -> None:
    """A colleague who stands in without the absent rep's outlets can't help; one who keeps them sees too much."""
    async with company.person("admin") as admin, company.person(REP.lower()) as rep:
        before = await rep.ids("outlets")
        _, found = await admin.json("/api/v1/positions", params={"q": OTHER_REP})
        other = found["rows"][0]["id"]
        me = (await rep.json("/api/v1/me"))[1]["id"]
        day = today(company.office.clock)
        fields = {"person": me, "since": day, "until": day}
        path = f"/api/v1/positions/{other}/substitute"
        status, done = await admin.json(path, "POST", json=fields)
        assert status == 200, done
        during = await rep.ids("outlets")
        assert before < during
        _, held = await admin.json("/api/v1/assignments?kind=substitute")
        yesterday = f"{int(day[:4]) - 1}{day[4:]}"
        path = f"/api/v1/assignments/{held['rows'][0]['id']}/end"
        assert (await admin.json(path, "POST", json={"until": yesterday}))[0] == 200
        assert await rep.ids("outlets") == before


async def test_a_day_that_is_none_begins_and_ends_nothing(company: Site) -> None:
    """Days are compared as text: "31.12.2026" comes after every day until the year 3000."""
    async with company.person("admin") as admin, company.person(REP.lower()) as rep:
        before = await rep.ids("outlets")
        _, found = await admin.json("/api/v1/positions", params={"q": OTHER_REP})
        path = f"/api/v1/positions/{found['rows'][0]['id']}/substitute"
        fields = {"person": (await rep.json("/api/v1/me"))[1]["id"]}
        for text in ("31.12.2026", "tomorrow", "2026-02-30"):
            status, refused = await admin.json(path, "POST", json={**fields, "until": text})
            assert (status, refused["code"], refused["place"]) == (400, "form_wrong", "until")
        assert await rep.ids("outlets") == before
        fields |= {"since": "20310105", "until": "20310109"}
        assert (await admin.json(path, "POST", json=fields))[0] == 200
        _, held = await admin.json("/api/v1/assignments?kind=substitute")
        one = held["rows"][0]["id"]
        _, held = await admin.json(f"/api/v1/assignments/{one}")
        assert (held["valid_from"], held["valid_to"]) == ("2031-01-05", "2031-01-09")
        path = f"/api/v1/assignments/{one}/end"
        status, refused = await admin.json(path, "POST", json={"until": "31.12.2026"})
        assert (status, refused["place"]) == (400, "until")
        _, described = await admin.json("/api/v1/openapi.json")
        content = described["paths"]["/api/v1/assignments/{id}/end"]["post"]["requestBody"]
        until = content["content"]["application/json"]["schema"]["properties"]["until"]
        assert until == {"type": "string", "format": "date"}


async def test_the_preview_of_a_move_says_what_the_move_then_does(company: Site) -> None:
    """A preview that counts by its own rules would be believed and be wrong."""
    async with company.person("admin") as admin, company.person(REP.lower()) as loser:
        _, found = await admin.json("/api/v1/positions", params={"q": REP})
        source = found["rows"][0]["id"]
        _, found = await admin.json("/api/v1/positions", params={"q": OTHER_REP})
        target = found["rows"][0]["id"]
        before = await loser.ids("outlets")
        status, text = await admin.get(f"/move-outlets?from={source}")
        assert status == 200
        chosen = [one.split('"')[0] for one in text.split('name="outlet" value="')[1:]]
        assert len(chosen) == len(before)
        fields = [("csrf", admin.csrf), ("to", target), *(("outlet", one) for one in chosen[:2])]
        headers = {"Accept": "text/html", "Sec-Fetch-Site": "same-origin"}
        async with admin.browser.post(
            admin.base + "/move-outlets", data=fields, headers=headers
        ) as answer:
            preview = await answer.text()
        assert "2 outlets go to" in preview
        assert await loser.ids("outlets") == before
        fields.append(("confirmed", "1"))
        async with admin.browser.post(
            admin.base + "/move-outlets", data=fields, headers=headers
        ) as answer:
            assert "2 outlets are served by" in await answer.text()
        assert len(await loser.ids("outlets")) == len(before) - 2


async def test_a_distributor_answers_a_transfer_order_line_by_line(company: Site) -> None:
    """Part of an order that a distributor can't deliver must reach the rep with its reason."""
    async with company.person("admin") as admin:
        _, found = await admin.json("/api/v1/orders?limit=1")
        order = found["rows"][0]["id"]
        async with head_office_write(
            company.office.database, company.office.clock, actor="test", kind="test", about={}
        ) as writer:
            await update_rows(
                writer, "sales_order", ("id", "state"), [(from_text(order), "routed")]
            )
        status, text = await admin.get(f"/orders/{order}/answer")
        assert status == 200
        names = [part.split('"')[0] for part in text.split('name="accepted.')[1:]]
        fields = {
            f"accepted.{name}": text.split(f'name="accepted.{name}" value="')[1].split('"')[0]
            for name in names
        }
        fields[f"accepted.{names[0]}"] = "0"
        status, text = await admin.post(f"/orders/{order}/answer", fields)
        assert status == 400
        assert "a reason is needed" in text
        status, _ = await admin.post(
            f"/orders/{order}/answer", {**fields, f"reason.{names[0]}": "sold out"}
        )
        assert status == 200
        assert (await admin.json(f"/api/v1/orders/{order}"))[1]["state"] == "partly_confirmed"
        _, lines = await admin.json(f"/api/v1/order-lines/{names[0]}")
        assert (lines["accepted_quantity"], lines["reject_reason"]) == ("0.000", "sold out")


async def test_targets_are_set_split_and_approved_and_messages_reach_everybody_below(
    company: Site,
) -> None:
    """A plan that stops at the supervisor is no plan for the reps."""
    async with company.person("admin") as admin:
        _, found = await admin.json("/api/v1/positions", params={"q": "HEAD"})
        head = found["rows"][0]["id"]
        fields = {"position": head, "period": "2031-12", "kpi": "visits", "value": "1001"}
        status, done = await admin.json("/api/v1/targets/set", "POST", json=fields)
        assert status == 200, done
        target = next(iter(await admin.ids("targets?period=2031-12")))
        assert (await admin.json(f"/api/v1/targets/{target}/split", "POST", json={}))[0] == 200
        _, rows = await admin.json("/api/v1/targets?limit=100&period=2031-12")
        shares = [row["value"] for row in rows["rows"] if row["id"] != target]
        assert sorted(shares) == ["500.000", "501.000"]
        assert (await admin.json(f"/api/v1/targets/{target}/approve", "POST", json={}))[0] == 200
        status, _ = await admin.json(f"/api/v1/targets/{target}/approve", "POST", json={})
        assert status == 409
        fields = {"position": head, "below": True, "text": "Stock-taking on Friday"}
        status, done = await admin.json("/api/v1/messages/write", "POST", json=fields)
        assert "7 positions" in done["text"]


async def test_closed_posts_get_no_targets_and_messages(company: Site) -> None:
    """A part of the plan that stands at a post without people is sold by nobody."""
    async with company.person("admin") as admin:
        _, found = await admin.json("/api/v1/positions", params={"q": "HEAD"})
        head = found["rows"][0]["id"]
        closed, left = sorted(await admin.ids(f"positions?parent_position_id={head}"))
        fields = {"position": head, "period": "2031-12", "kpi": "visits", "value": "1001"}
        await admin.json("/api/v1/targets/set", "POST", json=fields)
        target = next(iter(await admin.ids("targets?period=2031-12")))
        status, done = await admin.json(
            f"/api/v1/positions/{closed}", "PATCH", json={"status": "inactive"}
        )
        assert status == 200, done
        await admin.json(f"/api/v1/targets/{target}/split", "POST", json={})
        _, rows = await admin.json("/api/v1/targets?limit=100&period=2031-12")
        shares = [one for one in rows["rows"] if one["id"] != target]
        assert [one["value"] for one in shares] == ["1001.000"]
        whole = (await admin.json(f"/api/v1/targets/{shares[0]['id']}"))[1]
        assert whole["position_id"] == left
        fields = {"position": head, "below": True, "text": "Stock-taking on Friday"}
        status, done = await admin.json("/api/v1/messages/write", "POST", json=fields)
        assert "6 positions" in done["text"]  # who is below the closed one still reads it


async def test_each_of_those_below_gets_the_whole_of_a_target_in_per_cent(company: Site) -> None:
    """Half of the distribution wanted, twice, is half of it."""
    async with company.person("admin") as admin:
        _, found = await admin.json("/api/v1/positions", params={"q": "HEAD"})
        fields = {"position": found["rows"][0]["id"], "period": "2031-12", "kpi": "distribution"}
        await admin.json("/api/v1/targets/set", "POST", json=fields | {"value": "80"})
        target = next(iter(await admin.ids("targets?period=2031-12")))
        await admin.json(f"/api/v1/targets/{target}/split", "POST", json={})
        _, rows = await admin.json("/api/v1/targets?limit=100&period=2031-12")
        assert [one["value"] for one in rows["rows"]] == ["80.000"] * 3


async def test_a_target_of_one_product_or_outlet_is_no_version_of_another(company: Site) -> None:
    """Approving the total must not end the targets of brands and outlets that stand beside it."""
    async with company.person("admin") as admin:
        _, found = await admin.json("/api/v1/positions", params={"q": "HEAD"})
        head = from_text(found["rows"][0]["id"])
        outlet = from_text(next(iter(await admin.ids("outlets"))))
        kinds: list[tuple[Value, Value, Value]] = [
            (head, None, None), (head, None, "juice"), (head, outlet, None), (None, outlet, None),
        ]  # fmt: skip
        ids = company.office.maker.identifiers
        rows: list[tuple[Value, ...]] = [
            (ids.new(), *kind, "2031-12", "visits", 1_000_000, version, state)
            for kind in kinds
            for version, state in ((1, "approved"), (2, "draft"))
        ]
        names = (
            "id", "position_id", "outlet_id", "product_dimension", "period", "kpi", "value", "version", "state",
        )  # fmt: skip
        async with head_office_write(
            company.office.database, company.office.clock, actor="test", kind="test", about={}
        ) as writer:
            await writer.insert("plan", from_rows("plan", names, rows))
        texts = [to_text(row[0]) for row in rows if isinstance(row[0], bytes)]
        for number in (1, 7):
            path = f"/api/v1/targets/{texts[number]}/approve"
            assert (await admin.json(path, "POST", json={}))[0] == 200
        states = [(await admin.json(f"/api/v1/targets/{one}"))[1]["state"] for one in texts]
        assert states == [
            "past", "approved", "approved", "draft", "approved", "draft", "past", "approved",
        ]  # fmt: skip
        path = f"/api/v1/targets/{texts[2]}/split"
        assert (await admin.json(path, "POST", json={}))[0] == 200
        made = await admin.ids("targets?period=2031-12") - set(texts)
        shares = [(await admin.json(f"/api/v1/targets/{one}"))[1] for one in made]
        assert [(one["product_dimension"], one["version"]) for one in shares] == [("juice", 1)] * 2


_PROPOSED: tuple[tuple[str, Value], ...] = (("payload", "{}"), ("state", "new"))


@pytest.mark.parametrize(
    ("view", "columns", "first", "second"),
    [
        ("service-requests", (("number", "S1"), ("state", "verified")), "close", "close"),
        ("outlet-proposals", _PROPOSED, "approve", "reject"),
        ("outlet-proposals", _PROPOSED, "reject", "approve"),
        ("outlet-proposals", _PROPOSED, "reject", "merge"),
        ("targets", (("period", "2031-12"), ("kpi", "visits")), "approve", "approve"),
    ],
)
async def test_of_two_who_decide_at_once_the_second_is_told(
    company: Site, view: str, columns: tuple[tuple[str, Value], ...], first: str, second: str
) -> None:
    """Both saw the state that allows it; two approvals made two outlets, a rejected request was assigned."""
    user = await company.add("moderator", "administrator")
    office, row_id = company.office, company.office.maker.identifiers.new()
    outlet, position = stable_id("outlet", 1), stable_id("position", REP)
    async with head_office_write(
        office.database, office.clock, actor="test", kind="test", about={}
    ) as writer:
        table = VIEWS[view].table
        author = "author_position_id" if table == "service_request" else "position_id"
        row = {"id": row_id, author: position, **dict(columns)}
        await writer.insert(table, from_rows(table, tuple(row), [tuple(row.values())]))
    async with office.database.read() as connection:
        access = await access_of(connection, user, today(office.clock))
    assert access is not None
    seen = await lists.record(office.database, access, VIEWS[view], row_id)
    texts = {"code": "NEW1", "text": "why", "outlet": to_text(outlet)}
    asked = Asked(hands_of(office), access, seen, texts)
    await operation_named(view, first, of_record=True).run(asked)
    with pytest.raises(Rejected) as refused:
        await operation_named(view, second, of_record=True).run(asked)
    assert refused.value.code == "state_refused"
    after = await lists.record(office.database, access, VIEWS[view], row_id)
    assert str(after.values["state"]).startswith(first)
