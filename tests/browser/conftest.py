"""A real Chromium before a real workplace."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, async_playwright

from tests.kit.debian import needed
from tests.kit.workplace import Site, site

QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
)  # fmt: skip


@pytest.fixture
async def company(tmp_path: Path) -> AsyncIterator[Site]:
    """Two offices, each with a supervisor and two reps of six outlets; an administrator."""
    async with site(tmp_path) as found:
        await found.add("admin", "administrator")
        yield found


@pytest.fixture
async def chromium() -> AsyncIterator[Browser]:
    """The browser, headless."""
    program = needed("chromium", "chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=list(QUIET))
        yield browser
        await browser.close()
