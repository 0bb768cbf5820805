"""The search at the top of every page."""

from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path

import pytest

from tests.kit.forms import Form, form_of, sent
from tests.kit.workplace import OTHER_SUPERVISOR, SUPERVISOR, Person, Site, site


@pytest.fixture
async def company(tmp_path: Path) -> AsyncIterator[Site]:
    """Two offices, each with a supervisor and two reps of six outlets; an administrator."""
    async with site(tmp_path) as found:
        await found.add("admin", "administrator")
        yield found


async def searched(person: Person, words: str) -> str:
    """The page that comes of the words in the header's form."""
    form: Form = form_of((await person.get("/products"))[1], "/search")
    status, page = await sent(person, form, form.filled(q=words))
    assert status == 200
    return unescape(page)


async def test_the_search_of_the_header_finds_what_the_placeholder_promises(company: Site) -> None:
    """The first thing that people use on every page ended in "there is no such page"."""
    async with company.person("admin") as admin:
        _, outlets = await admin.json("/api/v1/outlets?limit=1")
        _, orders = await admin.json("/api/v1/orders?limit=1")
        outlet = (await admin.json(f"/api/v1/outlets/{outlets['rows'][0]['id']}"))[1]
        page = await searched(admin, f"{outlet['name'].split()[0][:4]}")
        assert "/outlets?q=" in page
        assert f'href="/outlets/{outlet["id"]}"' in page or "All that fit" in page
        page = await searched(admin, "Administrator")
        assert 'href="/roles/' in page
        number = (await admin.json(f"/api/v1/orders/{orders['rows'][0]['id']}"))[1]["number"]
        page = await searched(admin, number[:-1])
        assert "/orders?q=" in page
        for text, name in ((outlet["code"], outlet["name"]), (number.lower(), number)):
            title = (await searched(admin, text)).partition("<h1>")[2].partition("</h1>")[0]
            assert name in title, "the one that has it opens"


async def test_the_search_shows_nobody_what_they_may_not_see(company: Site) -> None:
    """Promise 6 (Scope): a search beside the lists would be a way around them."""
    async with company.person(SUPERVISOR) as one, company.person(OTHER_SUPERVISOR) as other:
        row = min(await one.ids("outlets"))
        code = (await one.json(f"/api/v1/outlets/{row}"))[1]["code"]
        assert row in await searched(one, code)
        page = await searched(other, code)
        assert row not in page
        assert "/outlets?q=" not in page
        assert 'href="/roles/' not in await searched(one, "administrator")


async def test_an_empty_search_says_what_can_be_searched_in_both_languages(company: Site) -> None:
    """A page without anything on it says nothing about what to do."""
    async with company.person("admin") as admin:
        for language, hint in (("en", "What can be searched"), ("bg", "Какво може да се търси")):
            for words in ("", "%20", "zanzibar", "%25"):
                headers = {"Accept-Language": language}
                status, page = await admin.get(f"/search?q={words}", headers=headers)
                assert status == 200
                assert hint in page
                assert page.count("autofocus") == 0


async def test_who_finds_what_is_sensitive_stands_in_the_journal(company: Site) -> None:
    """The search would be a way to look at people and contacts without a trace."""
    async with company.person("admin") as admin:
        page = await searched(admin, SUPERVISOR[:5])
        assert "/people/" in page
        _, page = await admin.get("/journal")
        assert "people" in page
