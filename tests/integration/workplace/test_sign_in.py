"""Signing in: passwords, codes for new ones, the second factor, sessions. Through a browser over HTTPS."""

import base64
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from fieldmesh.basics.identifiers import stable_id, to_text
from hub.exchange.sample.generated import Size
from hub.storage import journal
from hub.trust import totp
from tests.kit.workplace import PASSWORD, Person, Site, site

NEW = "another long one 42"
SMALL = Size(offices=1, reps=1, outlets_a_rep=1, products=1)


@pytest.fixture
async def company(tmp_path: Path) -> AsyncIterator[Site]:
    """A small company with an administrator, branch IT and an analyst."""
    async with site(tmp_path, SMALL) as found:
        for login, role in (("admin", "administrator"), ("tech", "branch_it"), ("ann", "analyst")):
            await found.add(login, role)
        yield found


async def signed_in(person: Person, login: str) -> str:
    """The page after name and password were sent."""
    _status, text = await person.post("/sign-in", {"login": login, "password": PASSWORD})
    await person.get("/sign-in")
    return text


def secret_of(text: str) -> bytes:
    """The secret that the page offers."""
    found = re.search(r'<p class="code">([A-Z2-7]+)</p>', text)
    assert found is not None, text
    return base64.b32decode(found[1])


def hidden(text: str, name: str) -> str:
    """The value of a hidden field."""
    found = re.search(rf'name="{name}" value="([^"]*)"', text)
    assert found is not None, text
    return found[1]


def code_now(company: Site, secret: bytes, aside: int = 0) -> str:
    """What the app shows."""
    return totp.code_at(secret, totp.step_at(company.office.clock.now()) + aside)


async def enrolled(company: Site, person: Person) -> tuple[bytes, list[str]]:
    """The person has set up a second factor: its secret, and the recovery codes."""
    _, text = await person.get("/account/second-factor")
    secret = secret_of(text)
    fields = {"sealed": hidden(text, "sealed"), "code": code_now(company, secret)}
    status, text = await person.post("/account/second-factor", fields)
    assert status == 200, text
    return secret, re.findall(r"<li>([0-9a-f]{10})</li>", text)


async def test_wrong_passwords_make_a_name_wait_and_a_right_one_does_not_help_meanwhile(
    company: Site,
) -> None:
    """Without a wait a password is guessed; with a wait that a right password ends, guessing would tell."""
    async with company.stranger() as stranger:
        for _ in range(5):
            status, _ = await stranger.post(
                "/sign-in", {"login": "admin", "password": "wrong word"}
            )
            assert status == 401
        status, text = await stranger.post(
            "/sign-in", {"login": "admin", "password": "a long password"}
        )
        assert status == 429
        assert "Too many wrong passwords" in text


async def test_a_second_factor_is_asked_for_and_no_code_is_taken_twice(company: Site) -> None:
    """A code seen over a shoulder, or a password alone, must not let anybody in."""
    async with company.person("ann") as ann:
        secret, recovery = await enrolled(company, ann)
    assert len(recovery) == 10
    async with company.stranger() as browser:
        assert "Second factor" in await signed_in(browser, "ann")
        for path in ("/outlets", "/account", "/api/v1/outlets"):
            assert 'name="password"' not in (await browser.get(path))[1]
            assert "Zagreb" not in (await browser.get(path))[1]
        assert (await browser.json("/api/v1/outlets"))[0] == 401
        used = code_now(company, secret)
        status, text = await browser.post("/sign-in/step", {"code": used})
        assert status == 401
        assert "used already" in text
        await browser.get("/sign-in/step")
        status, _ = await browser.post("/sign-in/step", {"code": code_now(company, secret, 1)})
        assert status == 200
        assert (await browser.json("/api/v1/outlets"))[0] == 200
    async with company.stranger() as browser:
        await signed_in(browser, "ann")
        assert (await browser.post("/sign-in/step", {"code": recovery[0]}))[0] == 200
    async with company.stranger() as browser:
        await signed_in(browser, "ann")
        assert (await browser.post("/sign-in/step", {"code": recovery[0]}))[0] == 401


async def test_a_workplace_that_demands_a_second_factor_opens_nothing_without(
    company: Site,
) -> None:
    """A rule for the role that a person can put off is no rule."""
    fields = {
        "code": "ANALYST", "name": "Analysts", "kind": "web",
        "role_id": to_text(stable_id("role", "analyst")),
    }  # fmt: skip
    async with company.person("admin") as admin:
        _, made = await admin.json("/api/v1/workplaces", "POST", json=fields)
        demand = {
            "workplace_id": made["id"], "function_code": "workplace.use", "enabled": True,
            "parameters": '{"second_factor": "1"}',
        }  # fmt: skip
        assert (await admin.json("/api/v1/workplace-functions", "POST", json=demand))[0] == 201
    async with company.stranger() as ann:
        text = await signed_in(ann, "ann")
        assert "Set up a second factor" in text
        assert (await ann.json("/api/v1/outlets"))[0] == 401
        _, text = await ann.get("/sign-in/step")
        secret = secret_of(text)
        fields = {"sealed": hidden(text, "sealed"), "code": "000000"}
        status, again = await ann.post("/sign-in/step", fields)
        assert status == 401
        assert secret_of(again) == secret
        fields["code"] = code_now(company, secret)
        assert "Recovery codes" in (await ann.post("/sign-in/step", fields))[1]
        assert (await ann.json("/api/v1/outlets"))[0] == 200
        await ann.get("/account/second-factor")
        fields = {"code": code_now(company, secret, 1)}
        status, text = await ann.post("/account/second-factor/remove", fields)
        assert status == 403


async def test_a_new_password_ends_the_other_sessions_and_reaches_devices(company: Site) -> None:
    """Who changes a password because somebody knows it wants that somebody out."""
    async with company.person("rep0001") as here, company.person("rep0001") as there:
        await here.get("/account/password")
        fields = {"old": "not it at all", "new": NEW, "again": NEW}
        assert (await here.post("/account/password", fields))[0] == 401
        for weak in ("short", "rep0001 rep0001", "aaaaaaaaaaaa", PASSWORD):
            fields = {"old": PASSWORD, "new": weak, "again": weak}
            assert (await here.post("/account/password", fields))[0] == 400, weak
        fields = {"old": PASSWORD, "new": NEW, "again": NEW}
        status, text = await here.post("/account/password", fields)
        assert status == 200
        assert "that have ended: 1" in text
        assert (await there.json("/api/v1/outlets"))[0] == 401
        assert (await here.json("/api/v1/outlets"))[0] == 200
    async with company.stranger() as old:
        assert (await old.post("/sign-in", {"login": "rep0001", "password": PASSWORD}))[0] == 401


async def test_a_code_gives_a_new_password_once_and_frees_the_name(company: Site) -> None:
    """A code that holds twice is a second password; somebody locked out must be helped at once."""
    async with company.stranger() as rep, company.person("tech") as tech:
        for _ in range(5):
            await rep.post("/sign-in", {"login": "rep0001", "password": "wrong word"})
        assert (await rep.post("/sign-in", {"login": "rep0001", "password": PASSWORD}))[0] == 429
        _, people = await tech.json("/api/v1/people?q=rep0001")
        path = f"/api/v1/people/{people['rows'][0]['id']}/new-password"
        status, done = await tech.json(path, "POST", json={})
        assert status == 200, done
        fields = {"code": done["code"], "new": NEW, "again": NEW}
        assert (await rep.post("/password", {**fields, "again": "other"}))[0] == 400
        assert (await rep.post("/password", fields))[0] == 200
        assert (await rep.post("/password", fields))[0] == 403
        assert (await rep.post("/sign-in", {"login": "rep0001", "password": NEW}))[0] == 200
    async with company.office.database.read() as connection:
        entries = await journal.newest(connection, 200)
        await journal.verify(connection)
    wanted = {"password_code_made", "password_chosen", "sign_in_refused"}
    assert wanted <= {one.kind for one in entries}
    assert all(done["code"] not in one.payload for one in entries)


async def test_branch_it_helps_field_people_and_not_those_above_it(company: Site) -> None:
    """Who may reset passwords could become an administrator by theirs."""
    async with company.person("tech") as tech:
        for login, status in (("admin", 403), ("rep0001", 200)):
            _, people = await tech.json(f"/api/v1/people?q={login}")
            row = people["rows"][0]["id"]
            for act in ("new-password", "unlock", "end-sessions", "remove-second-factor"):
                found, problem = await tech.json(f"/api/v1/people/{row}/{act}", "POST", json={})
                assert found == status, (login, act, problem)


async def test_people_end_their_own_sessions_and_nobody_elses(company: Site) -> None:
    """A browser forgotten in an office must be closed from home; another's must not."""
    async with company.person("ann") as here, company.person("ann") as there:
        async with company.person("admin") as admin:
            await admin.get("/account")
            _, own = await there.get("/account")
            other = hidden(own, "session")
            status, _ = await admin.post("/account/sessions/end", {"session": other})
            assert status == 404
            assert (await here.json("/api/v1/outlets"))[0] == 200
        status, _ = await there.post("/account/sessions/end", {"session": other})
        assert status == 200
        assert (await here.json("/api/v1/outlets"))[0] == 401
        assert (await there.json("/api/v1/outlets"))[0] == 200


async def test_the_workplace_speaks_the_language_that_a_person_chose(company: Site) -> None:
    """A choice that is gone with the browser is no choice."""
    async with company.person("ann") as ann:
        await ann.get("/account")
        await ann.post("/account/language", {"language": "bg"})
    async with company.person("ann") as ann:
        assert '<html lang="bg"' in (await ann.get("/account"))[1]


async def test_a_token_is_made_listed_and_dropped_on_its_page(company: Site) -> None:
    """A token that can't be taken back outlives the program that lost it."""
    async with company.person("admin") as admin, company.stranger() as program:
        await admin.get("/account/tokens")
        fields = {"name": "orders", "days": "1", "function": "order.view"}
        _, text = await admin.post("/account/tokens", fields)
        secret = re.search(r"fmt_[\w-]+", text)
        assert secret is not None
        headers = {"Authorization": f"Bearer {secret[0]}"}
        assert (await program.json("/api/v1/orders", headers=headers))[0] == 200
        _, text = await admin.get("/account/tokens")
        assert secret[0] not in text
        await admin.post("/account/tokens/drop", {"token": hidden(text, "token")})
        assert (await program.json("/api/v1/orders", headers=headers))[0] == 401


async def test_a_page_that_refreshes_itself_keeps_no_session_open_and_takes_no_message(
    company: Site,
) -> None:
    """A board on an unattended screen would never end; and it would eat what another page was to say."""
    database, part = company.office.database, {"X-Fieldmesh-Part": "today"}

    async def seen() -> int:
        async with database.read() as connection:
            found = await connection.exec_driver_sql("SELECT MAX(seen_at) FROM fm_web_session")
            return int(found.scalar_one())

    async with company.person("admin") as admin:
        async with database.write() as connection:
            await connection.exec_driver_sql(
                "UPDATE fm_web_session SET seen_at = seen_at - 900000000"
            )
        before = await seen()
        assert (await admin.get("/today", headers=part))[0] == 200
        assert await seen() == before
        headers = {"Sec-Fetch-Site": "same-origin"}
        fields = {"csrf": admin.csrf, "language": "en"}
        address = f"{admin.base}/account/language"
        async with admin.browser.post(
            address, data=fields, headers=headers, allow_redirects=False
        ) as answer:
            assert answer.status == 303
        assert await seen() > before
        assert 'class="note good"' not in (await admin.get("/today", headers=part))[1]
        assert 'class="note good"' in (await admin.get("/products"))[1]
