"""Every screen in a real browser: wide and at phone width, by keyboard, in both languages, read out by axe-core."""

import random
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, BrowserContext, Page

from tests.kit.workplace import PASSWORD, Site

WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
SERIOUS = {"serious", "critical"}


async def signed_in(
    chromium: Browser, company: Site, login: str, size: dict[str, int], **options: Any
) -> tuple[BrowserContext, Page, list[str]]:
    """A browser window of somebody, and what its console complains about."""
    context = await chromium.new_context(
        ignore_https_errors=True,
        viewport={"width": size["width"], "height": size["height"]},
        **options,
    )
    page = await context.new_page()
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    await page.goto(f"{company.base}/sign-in")
    await page.fill("[name=login]", login)
    await page.fill("[name=password]", PASSWORD)
    await page.press("[name=password]", "Enter")
    await page.wait_for_load_state()
    return context, page, complaints


async def places(page: Page) -> list[str]:
    """Addresses of all screens that the navigation leads to, areas opened one after the other."""
    areas = await page.eval_on_selector_all(
        ".side > details > ul > li > a", "all => all.map(a => a.href)"
    )
    found: dict[str, None] = {}
    for area in areas:
        await page.goto(area)
        inner = await page.eval_on_selector_all(".side li a", "all => all.map(a => a.href)")
        found |= dict.fromkeys([area, *inner])
    return list(found)


def some(addresses: list[str], share: int, *, thorough: bool) -> list[str]:
    """All of them, or one in ``share``, other ones each time; `--thorough` opens all."""
    return addresses if thorough else addresses[random.Random().randrange(share) :: share]


async def faults(page: Page) -> list[str]:
    """What axe-core finds serious on the page."""
    results = await Axe().run(page)
    return [
        f"{found['id']}: {found['nodes'][0]['target']}"
        for found in results.response["violations"]
        if found["impact"] in SERIOUS
    ]


@pytest.mark.long
async def test_an_administrator_reaches_every_screen_and_none_has_a_serious_fault(
    chromium: Browser, company: Site, *, thorough: bool
) -> None:
    """A screen that a screen reader can't read, or that fails in a browser, is found here and not by a person."""
    context, page, complaints = await signed_in(chromium, company, "admin", WIDE)
    for address in some(await places(page), 4, thorough=thorough):
        answer = await page.goto(address)
        assert answer is not None
        assert answer.status == 200, address
        assert await faults(page) == [], address
    assert complaints == []
    await context.close()


@pytest.mark.long
async def test_every_screen_of_a_supervisor_fits_a_phone(
    chromium: Browser, company: Site, *, thorough: bool
) -> None:
    """The mobile workplace of managers: nothing may have to be scrolled sideways, nothing may be out of reach."""
    context, page, complaints = await signed_in(
        chromium, company, "sup01-000", PHONE, color_scheme="dark", has_touch=True
    )
    for address in some(await places(page), 4, thorough=thorough):
        await page.goto(address)
        wide = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, (address, wide)
        assert await faults(page) == [], address
    assert complaints == []
    await context.close()


async def test_no_link_of_a_screen_is_dead(chromium: Browser, company: Site) -> None:
    """A dead link says that nobody has tried; so does a form that asks for a page that is not there."""
    context, page, _ = await signed_in(chromium, company, "sup01-000", WIDE)
    seen: set[str] = set()
    for address in (await places(page))[::3]:
        await page.goto(address)
        links = await page.eval_on_selector_all("main a", "all => all.map(a => a.href)")
        forms = await page.eval_on_selector_all(
            "form[method=get]", "all => all.map(form => form.action)"
        )
        for link in [*links[:6], *forms]:
            path = urlsplit(link).path
            if path in seen or not link.startswith(company.base):
                continue
            seen.add(path)
            answer = await context.request.get(link)
            assert answer.status == 200, link
    assert len(seen) > 20
    await context.close()


async def test_a_record_is_changed_by_keyboard_alone(chromium: Browser, company: Site) -> None:
    """Who can't use a mouse works here too: search with a slash, open, change, save."""
    context, page, _ = await signed_in(chromium, company, "admin", WIDE)
    await page.goto(f"{company.base}/outlets")
    await page.focus("a.row")
    await page.keyboard.press("Enter")
    await page.wait_for_load_state()
    assert await page.locator(":focus").count() == 1 or await page.title()
    change = page.get_by_role("link", name="Change", exact=True)
    await change.focus()
    await page.keyboard.press("Enter")
    await page.wait_for_selector("[name=name]")
    await page.focus("[name=name]")
    await page.keyboard.press("Control+A")
    await page.keyboard.type("Changed by keyboard")
    await page.keyboard.press("Enter")
    await page.wait_for_selector(".note.good")
    assert "Changed by keyboard" in await page.inner_text("h1")
    await context.close()


async def test_a_slash_leads_to_the_search_and_enter_to_what_it_finds(
    chromium: Browser, company: Site
) -> None:
    """Who knows a code is at its record with a handful of keys, on a phone too."""
    for size in (WIDE, PHONE):
        context, page, complaints = await signed_in(chromium, company, "sup01-000", size)
        await page.goto(f"{company.base}/outlets")
        name = await page.inner_text("a.row")
        await page.locator("main").focus()
        await page.keyboard.press("/")
        await page.keyboard.type("shop")
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/search?q=shop")
        assert await page.input_value(".find input") == "shop"
        assert await faults(page) == []
        assert await page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/outlets/*")
        await page.goto(f"{company.base}/search?q=nothing+of+this+name")
        assert await faults(page) == []
        await page.goto(f"{company.base}/search?q={name}")
        assert await page.inner_text("h1")
        assert complaints == []
        await context.close()


async def test_a_field_that_names_a_record_offers_what_fits(
    chromium: Browser, company: Site
) -> None:
    """Nobody knows the id of a position."""
    context, page, _ = await signed_in(chromium, company, "admin", WIDE)
    await page.goto(f"{company.base}/messages/write")
    async with page.expect_response(lambda answer: "/choices/positions" in answer.url):
        await page.locator("[name='position.shown']").press_sequentially("REP0002")
    await page.wait_for_function("document.querySelector('#l-position option')")
    label = await page.get_attribute("#l-position option", "value")
    await page.fill("[name='position.shown']", label or "")
    await page.fill("[name=text]", "Hello")
    await page.click("main form button")
    await page.wait_for_selector(".note.good")
    await context.close()


async def test_pages_speak_bulgarian_to_who_asks_for_it(chromium: Browser, company: Site) -> None:
    """A half-translated page is in no language."""
    context, page, _ = await signed_in(chromium, company, "admin", WIDE, locale="bg-BG")
    await page.goto(f"{company.base}/outlets")
    assert await page.inner_text("h1") == "Обекти"
    assert await page.get_attribute("html", "lang") == "bg"
    text = await page.inner_text("body")
    for english in ("Search", "Show", "Filters", "rows", "Outlets", "Status"):
        assert english not in text, english
    await context.close()


async def test_light_and_dark_are_chosen_and_kept(chromium: Browser, company: Site) -> None:
    """A choice that is forgotten is asked for on each page."""
    context, page, _ = await signed_in(chromium, company, "admin", WIDE)
    await page.click(".who > summary")
    await page.click("button[value=dark]")
    await page.goto(f"{company.base}/products")
    assert await page.get_attribute("html", "data-theme") == "dark"
    assert await faults(page) == []
    await context.close()


async def test_a_board_that_gets_no_answer_says_of_when_it_is(
    chromium: Browser, company: Site
) -> None:
    """Figures of an hour ago would look like those of now; and who is signed out would look at them for ever."""
    context, page, _ = await signed_in(chromium, company, "sup01-000", WIDE)
    await page.clock.install()
    await page.goto(f"{company.base}/today")
    assert await page.locator(".note.bad[role=status]:visible").count() == 0
    await page.route("**/today", lambda route: route.abort())
    for _ in range(2):
        async with page.expect_event("requestfailed"):
            await page.clock.run_for(20_000)
    await page.wait_for_selector(".note.bad[role=status]:visible")
    await page.unroute("**/today")
    async with company.office.database.write() as connection:
        await connection.exec_driver_sql("DELETE FROM fm_web_session")
    await page.clock.run_for(20_000)
    await page.wait_for_url("**/sign-in?**")
    await context.close()
