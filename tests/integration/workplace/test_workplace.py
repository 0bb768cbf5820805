"""People at the workplace over HTTPS: who gets in, what they see, what they may change, and what programs get."""

import csv
import io
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import openpyxl
import pytest

from fieldmesh.basics.identifiers import from_text, stable_id, to_text
from hub.desk.people import access_of
from hub.desk.tokens import make_token
from hub.desk.views.registry import VIEWS
from hub.fleet.subscriptions import today
from hub.storage import journal
from hub.storage.org_changes import head_office_write, update_rows
from hub.storage.rows import Connection, one_row
from tests.kit.workplace import Person, Site, site

REP, OTHER_REP = "REP0001", "REP0002"
SUPERVISOR, OTHER_SUPERVISOR = "sup01-000", "sup02-000"


@pytest.fixture
async def company(tmp_path: Path) -> AsyncIterator[Site]:
    """Two offices, each with a supervisor and two reps of six outlets; an administrator."""
    async with site(tmp_path) as found:
        await found.add("admin", "administrator")
        yield found


async def test_a_stranger_is_shown_the_door_and_nothing_else(company: Site) -> None:
    """A page or service that answered strangers would be open to the world."""
    async with company.stranger() as stranger:
        for view in VIEWS.values():
            status, text = await stranger.get(f"/{view.name}")
            assert status == 200
            assert 'name="password"' in text
            status, problem = await stranger.json(f"/api/v1/{view.name}")
            assert (status, problem["code"]) == (401, "sign_in_needed")
        status, problem = await stranger.json(
            "/api/v1/me", headers={"Authorization": "Bearer fmt_no"}
        )
        assert (status, problem["code"]) == (401, "token_refused")


async def test_every_list_and_record_opens_for_an_administrator(company: Site) -> None:
    """A screen that fails is found here and not by a person."""
    async with company.person("admin") as admin:
        for view in VIEWS.values():
            status, text = await admin.get(f"/{view.name}")
            assert status == 200, (view.name, text[-500:])
            status, found = await admin.json(f"/api/v1/{view.name}?limit=1")
            assert status == 200, (view.name, found)
            for row in found["rows"]:
                assert (await admin.get(f"/{view.name}/{row['id']}"))[0] == 200, view.name
                status, whole = await admin.json(f"/api/v1/{view.name}/{row['id']}")
                assert whole["id"] == row["id"]


async def test_a_supervisor_sees_what_is_below_and_nothing_beside(company: Site) -> None:
    """Promise 6 for people: lists, records by their id, and services by another's id."""
    async with company.person("admin") as admin, company.person(SUPERVISOR) as supervisor:
        for name in (
            "outlets",
            "orders",
            "positions",
            "visit-plans",
            "debts",
            "order-lines",
            "people",
        ):
            everything = await _ids(admin, name)
            own = await _ids(supervisor, name)
            assert own < everything, name
            for hidden in list(everything - own)[:3]:
                assert (await supervisor.get(f"/{name}/{hidden}"))[0] == 404, name
                assert (await supervisor.json(f"/api/v1/{name}/{hidden}"))[0] == 404, name
    async with company.person(OTHER_SUPERVISOR) as other, company.person(SUPERVISOR) as supervisor:
        assert not (await _ids(other, "outlets")) & (await _ids(supervisor, "outlets"))


async def test_a_function_that_the_workplace_has_switched_off_is_gone_at_once(
    company: Site,
) -> None:
    """A right that stays until the next sign-in can't be taken from somebody."""
    async with company.person("admin") as admin, company.person(SUPERVISOR) as supervisor:
        assert (await supervisor.get("/debts"))[0] == 200
        fields = {
            "code": "SUP-WEB",
            "name": "Supervisors",
            "kind": "web",
            "role_id": to_text(stable_id("role", "supervisor")),
        }
        status, made = await admin.json("/api/v1/workplaces", "POST", json=fields)
        assert status == 201, made
        off = {"workplace_id": made["id"], "function_code": "debt.view", "enabled": False}
        assert (await admin.json("/api/v1/workplace-functions", "POST", json=off))[0] == 201
        status, text = await supervisor.get("/debts")
        assert status == 403
        assert "See debts and limits" in text
        assert "/debts" not in (await supervisor.get("/outlets"))[1]


async def test_a_change_is_journalled_with_before_and_after_and_refused_when_somebody_was_faster(
    company: Site,
) -> None:
    """Two people who save over each other lose one's work; a change without a trace can't be asked about."""
    async with company.person("admin") as admin:
        row = min(await _ids(admin, "outlets"))
        status, whole = await admin.json(f"/api/v1/outlets/{row}")
        path, old = f"/api/v1/outlets/{row}", {"If-Match": f'"{whole["version"]}"'}
        status, done = await admin.json(path, "PATCH", json={"name": "New name"}, headers=old)
        assert status == 200, done
        assert done["version"] > whole["version"]
        status, problem = await admin.json(path, "PATCH", json={"name": "Other"}, headers=old)
        assert (status, problem["code"]) == (409, "record_changed_since")
        status, text = await admin.get(f"/outlets/{row}")
        assert "has changed it" in text
        assert whole["name"] in text
        assert "New name" in text
    async with company.office.database.read() as connection:
        await journal.verify(connection)


async def test_a_form_of_another_site_changes_nothing(company: Site) -> None:
    """A page elsewhere that makes a signed-in browser send a form must not be obeyed."""
    async with company.person("admin") as admin:
        row = min(await _ids(admin, "outlets"))
        for csrf, site_ in (
            ("", "same-origin"),
            ("guessed", "same-origin"),
            (admin.csrf, "cross-site"),
        ):
            admin.csrf = csrf
            fields = {"name": "Taken over"}
            status, _ = await admin.post(
                f"/outlets/{row}/change", fields, headers={"Sec-Fetch-Site": site_}
            )
            assert status == 403, (csrf, site_)
        assert (await admin.json(f"/api/v1/outlets/{row}"))[1]["name"] != "Taken over"


async def test_a_refused_form_comes_back_filled_in_with_its_reasons(company: Site) -> None:
    """Who has to type everything again types it wrong."""
    async with company.person("admin") as admin:
        fields = {"code": "", "name": "A post", "role_id": "nonsense"}
        status, text = await admin.post("/positions/new", fields)
        assert status == 400
        assert 'value="A post"' in text
        assert "is needed" in text
        assert "choose one from the list" in text


async def test_a_repeated_request_is_done_once(company: Site) -> None:
    """Promise 2 for programs: a line that breaks after the work makes them send it again."""
    async with company.person("admin") as admin:
        fields, key = (
            {"code": "NEW1", "name": "Once", "role_id": role("rep")},
            {"Idempotency-Key": "k1"},
        )
        first = await admin.json(
            "/api/v1/positions",
            "POST",
            json=fields,
            headers=key,
        )
        again = await admin.json(
            "/api/v1/positions",
            "POST",
            json=fields,
            headers=key,
        )
        assert first[0] == 201
        assert first == again
        status, problem = await admin.json(
            "/api/v1/positions", "POST", json={**fields, "name": "Other"}, headers=key
        )
        assert (status, problem["code"]) == (409, "key_used_otherwise")


async def test_a_program_has_only_the_functions_of_its_token(company: Site) -> None:
    """A token for reading orders that could change prices would be a person's password by another name."""
    office = company.office
    async with office.database.read() as connection:
        user = await company_user(connection, "admin")
        access = await access_of(connection, user, today(office.clock))
    assert access is not None
    secret = await make_token(office, access, name="orders", functions=["order.view"], days=1)
    headers = {"Authorization": f"Bearer {secret}"}
    async with company.stranger() as program:
        assert (await program.json("/api/v1/orders", headers=headers))[0] == 200
        status, problem = await program.json("/api/v1/prices", headers=headers)
        assert (status, problem["code"]) == (403, "function_missing")
        assert (await program.get("/orders", headers=headers))[1].count('name="password"') == 1


async def test_pages_are_walked_through_without_missing_or_repeating_a_row(company: Site) -> None:
    """A pager that counts places would skip rows while others come in."""
    async with company.person("admin") as admin:
        for name in ("outlets", "prices", "order-lines", "visit-plans"):
            seen: list[str] = []
            after = ""
            while True:
                _, found = await admin.json(f"/api/v1/{name}?limit=7&after={after}")
                seen += [row["id"] for row in found["rows"]]
                if found["after"] is None:
                    break
                after = found["after"]
            assert len(seen) == len(set(seen)) == found["total"], name


async def test_search_finds_by_the_beginnings_of_words_in_any_order(company: Site) -> None:
    """People remember a part of a name and the street, not the code."""
    async with company.person("admin") as admin:
        _, whole = await admin.json("/api/v1/outlets?limit=1")
        row = (await admin.json(f"/api/v1/outlets/{whole['rows'][0]['id']}"))[1]
        words = f"{row['address'].split()[-1][:4].lower()} {row['name'].split()[0][:3].upper()}"
        _, found = await admin.json("/api/v1/outlets", params={"q": words})
        assert row["id"] in {one["id"] for one in found["rows"]}
        await admin.json(f"/api/v1/outlets/{row['id']}", "PATCH", json={"name": "Zanzibar"})
        assert len(await _ids(admin, "outlets?q=zanz")) == 1


def role(kind: str) -> str:
    """Id of a standard role, as services take it."""
    return to_text(stable_id("role", kind))


async def company_user(connection: Connection, login: str) -> bytes:
    """Id of the person of that login."""
    row = await one_row(connection, "app_user", ("id",), "login", login)
    assert row is not None
    assert isinstance(row[0], bytes)
    return row[0]


async def _ids(person: Person, name: str) -> set[str]:
    found: set[str] = set()
    after = ""
    path, _, query = name.partition("?")
    while True:
        _, page = await person.json(f"/api/v1/{path}?limit=1000&after={after}&{query}")
        found |= {row["id"] for row in page["rows"]}
        if page["after"] is None:
            return found
        after = page["after"]


async def test_a_device_is_registered_with_a_code_that_is_shown_once_and_kept_nowhere(
    company: Site,
) -> None:
    """A code that stood in a log, a list or the journal would enrol somebody else's device."""
    async with company.person("admin") as admin:
        fields = {"code": "G1", "name": "First"}
        status, made = await admin.json("/api/v1/gateways/register", "POST", json=fields)
        assert status == 200, made
        gateway = next(iter(await _ids(admin, "gateways")))
        _, found = await admin.json("/api/v1/positions", params={"q": REP})
        fields = {"code": "D1", "gateway": gateway, "position": found["rows"][0]["id"]}
        status, text = await admin.post("/devices/register", fields)
        assert status == 200
        assert "FM-" in text
        code = text[text.index("FM-") :].split("<")[0]
        device = next(iter(await _ids(admin, "devices")))
        for path in ("/devices", f"/devices/{device}", f"/api/v1/devices/{device}"):
            assert code not in (await admin.get(path))[1]
    async with company.office.database.read() as connection:
        entries = await journal.newest(connection, 100)
    assert all(code not in entry.payload for entry in entries)


async def test_what_loses_something_is_asked_about_first(company: Site) -> None:
    """One wrong click must not erase a device."""
    async with company.person("admin") as admin:
        await admin.json("/api/v1/gateways/register", "POST", json={"code": "G1"})
        gateway = next(iter(await _ids(admin, "gateways")))
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
        before = await _ids(rep, "outlets")
        _, found = await admin.json("/api/v1/positions", params={"q": OTHER_REP})
        other = found["rows"][0]["id"]
        me = (await rep.json("/api/v1/me"))[1]["id"]
        day = today(company.office.clock)
        fields = {"person": me, "since": day, "until": day}
        path = f"/api/v1/positions/{other}/substitute"
        status, done = await admin.json(path, "POST", json=fields)
        assert status == 200, done
        during = await _ids(rep, "outlets")
        assert before < during
        _, held = await admin.json("/api/v1/assignments?kind=substitute")
        yesterday = f"{int(day[:4]) - 1}{day[4:]}"
        path = f"/api/v1/assignments/{held['rows'][0]['id']}/end"
        assert (await admin.json(path, "POST", json={"until": yesterday}))[0] == 200
        assert await _ids(rep, "outlets") == before


async def test_the_preview_of_a_move_says_what_the_move_then_does(company: Site) -> None:
    """A preview that counts by its own rules would be believed and be wrong."""
    async with company.person("admin") as admin, company.person(REP.lower()) as loser:
        _, found = await admin.json("/api/v1/positions", params={"q": REP})
        source = found["rows"][0]["id"]
        _, found = await admin.json("/api/v1/positions", params={"q": OTHER_REP})
        target = found["rows"][0]["id"]
        before = await _ids(loser, "outlets")
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
        assert await _ids(loser, "outlets") == before
        fields.append(("confirmed", "1"))
        async with admin.browser.post(
            admin.base + "/move-outlets", data=fields, headers=headers
        ) as answer:
            assert "2 outlets are served by" in await answer.text()
        assert len(await _ids(loser, "outlets")) == len(before) - 2


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
        target = next(iter(await _ids(admin, "targets?period=2031-12")))
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


async def test_a_list_is_exported_whole_as_csv_and_workbook_and_noted(company: Site) -> None:
    """An export that ends at a page, shows what the scope hides, or leaves no trace."""
    async with company.person("admin") as admin, company.person(SUPERVISOR) as supervisor:
        _, text = await supervisor.get("/orders/export?format=csv")
        lines = list(csv.reader(io.StringIO(text.lstrip("\ufeff"))))
        own = await _ids(supervisor, "orders")
        assert len(lines) - 1 == len(own) < len(await _ids(admin, "orders"))
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
            assert len(await _ids(admin, "product-groups?q=ZZ")) == (0 if status == 400 else 2)


async def test_a_stranger_can_send_little(company: Site) -> None:
    """A body of any size from anybody fills the memory of the hub."""
    async with company.stranger() as stranger:
        status, _ = await stranger.post("/import", {"kind": "x" * 200_000})
        assert status in {401, 403, 413}
        status, _ = await stranger.post("/sign-in", {"login": "x" * 200_000})
        assert status == 413
