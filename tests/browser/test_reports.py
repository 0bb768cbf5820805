"""Reports in a real browser: read out by axe-core, at phone width, by keyboard, in both languages."""

import random

import pytest
from playwright.async_api import Browser

from hub.analysis.standard import STANDARD
from tests.browser.test_screens import PHONE, WIDE, faults, signed_in, some
from tests.kit.workplace import Site

BUILT = "/analysis/build?m=sales&m=orders&r=supervisor&r=position&a=month&span=days_365"


def addresses(*, thorough: bool) -> list[str]:
    """Some standard reports over a year, with the one that has a line; the catalogue; the builder with a result."""
    chosen = [code for code in STANDARD if code != "sales"]
    random.Random().shuffle(chosen)
    reports = ["sales", *some(chosen, 6, thorough=thorough)]
    return ["/analysis", BUILT, *(f"/analysis/reports/{code}?span=days_365" for code in reports)]


@pytest.mark.long
async def test_reports_have_no_serious_fault(
    chromium: Browser, company: Site, *, thorough: bool
) -> None:
    """A chart without words, or a form without labels, is nothing to who can't see it."""
    context, page, complaints = await signed_in(chromium, company, "admin", WIDE)
    for path in addresses(thorough=thorough):
        answer = await page.goto(company.base + path)
        assert answer is not None
        assert answer.status == 200, path
        assert await faults(page) == [], path
    assert complaints == []
    await context.close()


@pytest.mark.long
async def test_reports_fit_a_phone_in_the_dark(
    chromium: Browser, company: Site, *, thorough: bool
) -> None:
    """A supervisor looks at the team's figures on the way."""
    context, page, _ = await signed_in(
        chromium, company, "sup01-000", PHONE, color_scheme="dark", has_touch=True
    )
    for path in addresses(thorough=thorough):
        if path == BUILT:
            continue
        await page.goto(company.base + path)
        wide = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, (path, wide)
        assert await faults(page) == [], path
    await context.close()


async def test_a_report_is_built_and_kept_by_keyboard(chromium: Browser, company: Site) -> None:
    """From the figures to the kept report without a mouse, and in Bulgarian."""
    context, page, complaints = await signed_in(chromium, company, "admin", WIDE, locale="bg-BG")
    await page.goto(f"{company.base}/analysis/build")
    await page.focus("input[value=sales]")
    await page.keyboard.press("Space")
    await page.select_option("#b-r1", "position")
    await page.select_option("#f-span", label="Последните 365 дни")
    await page.locator("form.stack button").press("Enter")
    await page.wait_for_selector("svg.chart")
    assert await page.locator("tbody tr").count() == 4
    await page.focus("#f-title")
    await page.keyboard.type("Моят отчет")
    await page.keyboard.press("Enter")
    await page.wait_for_selector(".note.good")
    assert await page.inner_text("h1") == "Моят отчет"
    assert complaints == []
    await context.close()
