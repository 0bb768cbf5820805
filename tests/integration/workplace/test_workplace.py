"""People at the workplace over HTTPS: who gets in, what they see, what they may change, and what programs get."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from fieldmesh.basics.errors import Rejected
from fieldmesh.basics.identifiers import stable_id, to_text
from hub.desk.people import access_of
from hub.desk.tokens import make_token
from hub.desk.views.registry import VIEWS
from hub.fleet.subscriptions import today
from hub.storage import journal
from hub.storage.rows import Connection, one_row
from tests.kit.workplace import OTHER_SUPERVISOR, SUPERVISOR, Site, site

NESTED_LINK = re.compile(r"<a [^>]*>((?!</a>).)*<a ", re.DOTALL)


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
            assert not NESTED_LINK.search(text), view.name
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
            everything = await admin.ids(name)
            own = await supervisor.ids(name)
            assert own < everything, name
            for hidden in list(everything - own)[:3]:
                assert (await supervisor.get(f"/{name}/{hidden}"))[0] == 404, name
                assert (await supervisor.json(f"/api/v1/{name}/{hidden}"))[0] == 404, name
    async with company.person(OTHER_SUPERVISOR) as other, company.person(SUPERVISOR) as supervisor:
        assert not (await other.ids("outlets")) & (await supervisor.ids("outlets"))


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
        row = min(await admin.ids("outlets"))
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
        row = min(await admin.ids("outlets"))
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


async def test_requests_that_are_repeated_at_once_are_done_once_and_answered_alike(
    company: Site,
) -> None:
    """A program that waits no longer sends again while the first is under way: it would hear that its code is taken."""
    async with company.person("admin") as admin:
        outlet = min(await admin.ids("outlets"))
        for view, fields in (
            ("positions", {"code": "NEW2", "name": "Once", "role_id": role("rep")}),
            ("contacts", {"outlet_id": outlet, "name": "Once", "phone": "+359 2 000"}),
        ):
            before, key = await admin.ids(view), {"Idempotency-Key": f"key of {view}"}
            async with asyncio.TaskGroup() as group:
                asked = [
                    group.create_task(
                        admin.json(f"/api/v1/{view}", "POST", json=fields, headers=key)
                    )
                    for _ in range(6)
                ]
            answers = [one.result() for one in asked]
            assert {status for status, _ in answers} == {201}, answers
            made = {answer["id"] for _, answer in answers}
            assert await admin.ids(view) - before == made
            assert len(made) == 1


async def test_what_the_database_says_stands_in_the_log_and_in_no_answer(
    company: Site, caplog: pytest.LogCaptureFixture
) -> None:
    """Its words name tables, columns and what somebody else wrote."""
    for statement, values, code in (
        ("INSERT INTO fm_idempotency VALUES (?, ?, '', 0, '', NULL)", (b"u", "secret"), "rows_refused"),
        ("SELECT nothing FROM nowhere WHERE secret = ?", ("secret",), "database_unreadable"),
    ):  # fmt: skip
        with pytest.raises(Rejected) as caught:
            async with company.office.database.write() as connection:
                await connection.exec_driver_sql(statement, values)
        assert caught.value.code == code
        told = f"{caught.value} {caught.value.fields}"
        assert not [word for word in ("secret", "fm_", "nowhere", "SQL") if word in told], told
        entry = caplog.records[-1]
        assert entry.__dict__["problem"] == code
        assert statement.split(" ")[2].lower() in f"{entry.__dict__}".lower()
        assert "'secret'" not in f"{entry.__dict__}"


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
        assert len(await admin.ids("outlets?q=zanz")) == 1


def role(kind: str) -> str:
    """Id of a standard role, as services take it."""
    return to_text(stable_id("role", kind))


async def company_user(connection: Connection, login: str) -> bytes:
    """Id of the person of that login."""
    row = await one_row(connection, "app_user", ("id",), "login", login)
    assert row is not None
    assert isinstance(row[0], bytes)
    return row[0]
