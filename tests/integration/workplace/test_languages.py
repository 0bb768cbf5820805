"""Everybody reads and hears their own language, whatever the hub's is."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from fieldmesh.basics.identifiers import stable_id, to_text
from fieldmesh.service import translation
from fieldmesh.service.translation import in_language, language, translate
from hub.storage.person_facts import PersonFacts, keep_person_facts
from tests.kit.workplace import PASSWORD, REP, Site, site

BULGARIAN, ENGLISH = {"Accept-Language": "bg"}, {"Accept-Language": "en"}
WRITTEN = "Written to {count} positions."


@pytest.fixture
async def company(tmp_path: Path) -> AsyncIterator[Site]:
    """Two offices, each with a supervisor and two reps of six outlets; an administrator."""
    async with site(tmp_path) as found:
        await found.add("admin", "administrator")
        yield found


@pytest.fixture(params=["en", "bg"])
def hub_speaks(request: pytest.FixtureRequest) -> Iterator[str]:
    """The hub's own language."""
    before = language()
    yield translation.set_language(request.param)
    translation.set_language(before)


def said(msgid: str, wanted: str, **values: object) -> str:
    """The text in that language."""
    return translate(msgid, wanted).format(**values)


@pytest.mark.usefixtures("hub_speaks")
@pytest.mark.parametrize("wanted", ["bg", "en"])
async def test_what_an_act_or_a_form_answers_is_in_the_readers_language(
    company: Site, wanted: str
) -> None:
    """An English sentence on a Bulgarian page, or the other way round, is not read; the slip is made again."""
    other, headers = {"bg": "en", "en": "bg"}[wanted], {"Accept-Language": wanted}
    async with company.person("admin") as admin:
        _, found = await admin.json("/api/v1/positions", params={"q": REP})
        fields = {"position": found["rows"][0]["id"], "text": "Здравей"}
        _, page = await admin.post("/messages/write", fields, headers=headers)
        assert said(WRITTEN, wanted, count=1) in page
        _, answer = await admin.json("/api/v1/messages/write", "POST", json=fields, headers=headers)
        assert answer["text"] == said(WRITTEN, wanted, count=1)
        _, page = await admin.post("/positions/new", {"role_id": "x"}, headers=headers)
        for text in ("is needed", "choose one from the list"):
            assert said(text, wanted) in page
            assert said(text, other) not in page
        _, page = await admin.post("/visit-plans/plan", {**fields, "since": "x"}, headers=headers)
        assert said("{text} is not a date like 2026-01-31", wanted, text="x") in page


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (f"/outlets/{'0' * 32}", "there is no such record for you"),
        ("/nowhere/at-all", "there is no such page"),
        ("/analysis/build?m=nothing", "there is no {name}"),
        ("/people", "See people"),
    ],
)
async def test_what_stands_within_a_problem_is_in_the_readers_language_too(
    company: Site, path: str, text: str
) -> None:
    """A Bulgarian page that says “there is no such record for you” tells half of its readers nothing."""
    login = REP.lower() if path == "/people" else "admin"
    async with company.person(login) as person:
        _, page = await person.get(path, headers=BULGARIAN)
        assert said(text, "bg", name="nothing") in page
        main = re.sub(r"<[^>]*>", "", page[page.index("<main") : page.index("</main")])
        assert said(text, "en", name="nothing") not in main


async def test_people_who_ask_at_once_hear_each_their_own_language(company: Site) -> None:
    """A language that stood for all who are served would be that of whoever came last."""
    async with company.person("admin") as admin:

        async def refused(headers: dict[str, str]) -> Any:
            body = {"code": "", "role_id": to_text(stable_id("role", "rep"))}
            _, problem = await admin.json("/api/v1/positions", "POST", json=body, headers=headers)
            return problem["title"]

        async with asyncio.TaskGroup() as group:
            asked = [group.create_task(refused(one)) for one in [BULGARIAN, ENGLISH] * 8]
        answers = [one.result() for one in asked]
    assert all(said("is needed", "bg") in one for one in answers[::2])
    assert all("is needed" in one for one in answers[1::2])
    assert language() == "en"


def test_a_language_holds_for_what_is_done_in_it() -> None:
    """After the request of a Bulgarian the log and the next one would be in Bulgarian."""
    with in_language("bg"):
        assert language() == "bg"
        assert translation._("is needed") == translate("is needed", "bg")
        assert translation.ngettext("a", "b", 1) == "a"
    assert translation._("is needed") == "is needed"


async def test_the_steps_of_a_sign_in_speak_the_language_that_was_chosen(company: Site) -> None:
    """Who can't read the page of the second factor on a strange PC can't come in."""
    async with company.office.database.read() as connection:
        found = await connection.exec_driver_sql("SELECT id FROM app_user WHERE login = 'admin'")
        user = bytes(found.scalar_one())
    async with company.office.database.write() as connection:
        facts = PersonFacts(must_change=True, language="bg")
        await keep_person_facts(connection, user, facts)
    async with company.stranger() as admin:
        await admin.post("/sign-in", {"login": "admin", "password": PASSWORD}, headers=ENGLISH)
        _, page = await admin.get("/sign-in/step", headers=ENGLISH)
        assert '<html lang="bg"' in page
