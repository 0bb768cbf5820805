"""A hub's own process with a small company, and programs that ask it with tokens."""

import json
import re
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from yarl import URL

from deploy.demo.network import Network
from deploy.demo.proxy import Line
from tests.kit.ready import ready
from tests.kit.workplace import Person

PASSWORD = "sample-password"
BOSS = "boss"
SMALL = ("--offices", "2", "--reps", "4", "--outlets", "4", "--products", "6")
_FUNCTION = re.compile(r'name="function" value="([^"]+)"')
_TOKEN = re.compile(r"fmt_[\w-]+")


@dataclass(frozen=True, slots=True)
class Served:
    """A hub that serves.

    Attributes:
        network: its process.
        base: its address.
        authority: PEM file of its authority.
    """

    network: Network
    base: str
    authority: Path

    @asynccontextmanager
    async def stranger(self) -> AsyncIterator[Person]:
        """A browser without a session."""
        trust = ssl.create_default_context(cafile=str(self.authority))
        connector = aiohttp.TCPConnector(ssl=trust)
        async with aiohttp.ClientSession(connector=connector) as browser:
            yield Person(browser, self.base)

    async def token(self, login: str) -> dict[str, str]:
        """What a program sends that acts in the person's name with all that they may do."""
        async with self._signed_in(login) as person:
            _, page = await person.get("/account/tokens")
            fields = [("csrf", person.csrf), ("name", "program"), ("days", "1")]
            fields += [("function", one) for one in _FUNCTION.findall(page)]
            headers = {"Accept": "text/html", "Sec-Fetch-Site": "same-origin"}
            address = f"{self.base}/account/tokens"
            async with person.browser.post(address, data=fields, headers=headers) as answer:
                found = _TOKEN.search(await answer.text())
        assert found is not None, page
        return {"Authorization": f"Bearer {found[0]}"}

    async def session(self, login: str) -> dict[str, str]:
        """What a browser sends in which the person has signed in."""
        async with self._signed_in(login) as person:
            held = person.browser.cookie_jar.filter_cookies(URL(self.base))
            return {
                "Cookie": "; ".join(f"{name}={one.value}" for name, one in held.items()),
                "X-Fieldmesh-Csrf": person.csrf,
                "Sec-Fetch-Site": "same-origin",
            }

    @asynccontextmanager
    async def _signed_in(self, login: str) -> AsyncIterator[Person]:
        async with self.stranger() as person:
            fields = {"login": login, "password": PASSWORD}
            status, text = await person.post("/sign-in", fields)
            assert status == 200, text
            await person.get("/outlets")
            yield person

    @asynccontextmanager
    async def program(self, headers: Mapping[str, str]) -> AsyncIterator["Program"]:
        """A program that sends what `token` or `session` gave."""
        async with self.stranger() as person:
            yield Program(person.browser, self.base, headers)


@dataclass(frozen=True, slots=True)
class Program:
    """Asks web services."""

    browser: aiohttp.ClientSession
    base: str
    headers: Mapping[str, str]

    async def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Status and content of the answer."""
        sent = None if body is None else json.dumps(body)
        async with self.browser.request(
            method, self.base + path, data=sent, headers=self.headers
        ) as answer:
            return answer.status, await answer.json(content_type=None)


@asynccontextmanager
async def served(
    folder: Path, settings: str = "", size: Sequence[str] = SMALL
) -> AsyncIterator[Served]:
    """The hub's process serves a sample company, whose administrator is `BOSS`.

    Args:
        folder: where it stands.
        settings: lines for the end of its settings.
        size: of the company, as the hub's command takes it.
    """
    async with Line(0) as line:
        network = Network(folder / "net", line, PASSWORD)
        hub = network.hub
        with ready():
            try:
                await hub.init("Served")
                await hub.ask("sample", *size)
                words = ("--role", "administrator", "--password-file", str(network.password_file))
                await hub.ask("user", "add", BOSS, *words)
                with (hub.folder / "hub.toml").open("a", encoding="utf-8") as file:
                    file.write(settings)
                await hub.start()
                yield Served(
                    network,
                    f"https://localhost:{hub.https_port}",
                    hub.folder / "trust" / "authority.pem",
                )
            finally:
                await network.close()
