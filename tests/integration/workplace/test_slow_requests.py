"""Requests that come by drops, or only half: their lines are cut, and others are served meanwhile."""

import asyncio
import contextlib
import ssl
from pathlib import Path
from urllib.parse import urlsplit

from hub.config import HubSettings, WorkplaceSettings
from hub.exchange.sample.generated import Size
from tests.kit.workplace import Site, site

SMALL = Size(offices=1, reps=1, outlets_a_rep=1, products=1)
HEAD = b"POST /sign-in HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\nSec-Fetch-Site: same-origin\r\n"
BODY = b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 5000\r\n\r\nlogin=ann&password="
HALVES = (
    b"", HEAD[:20], HEAD, HEAD + BODY, HEAD + b"Transfer-Encoding: chunked\r\n\r\n500\r\nlogin=",
    b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n" + HEAD,
)  # fmt: skip
REQUEST_S, DEADLINE_S, DROP_S = 1.0, 20.0, 0.1


async def cut(company: Site, half: bytes) -> None:
    """The hub has ended the line, although a letter comes now and then."""
    address = urlsplit(company.base)
    reader, writer = await asyncio.open_connection(
        address.hostname, address.port, ssl=company.trust
    )
    writer.write(half)
    try:
        async with asyncio.TaskGroup() as group:
            drops = group.create_task(drip(writer, bool(half)))
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                while await reader.read(1 << 16):
                    pass
            drops.cancel()
    finally:
        writer.transport.abort()


async def drip(writer: asyncio.StreamWriter, begun: bool) -> None:  # noqa: FBT001 - whether there is what goes on
    """A letter comes now and then, for ever."""
    while begun and not writer.is_closing():
        writer.write(b"x")
        await asyncio.sleep(DROP_S)


async def test_requests_that_never_end_are_cut_off_and_others_are_served(tmp_path: Path) -> None:
    """A few thousand half requests, a letter a minute each, would hold every line of the hub."""
    settings = HubSettings(workplace=WorkplaceSettings(request_s=REQUEST_S))
    async with site(tmp_path, SMALL, settings) as company, asyncio.timeout(DEADLINE_S):
        async with asyncio.TaskGroup() as halves:
            for half in HALVES:
                halves.create_task(cut(company, half))
            async with company.stranger() as browser:
                assert (await browser.get("/sign-in"))[0] == 200
        async with company.stranger() as browser:
            assert (await browser.get("/sign-in"))[0] == 200
