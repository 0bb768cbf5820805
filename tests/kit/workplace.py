"""A hub with a small company whose workplace is served over HTTPS, and people who use it."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import aiohttp
from cryptography.hazmat.primitives.asymmetric import ec

from fieldmesh.basics.clock import ManualClock
from fieldmesh.service.health import Health
from fieldmesh.service.metrics import Registry
from fieldmesh.service.tls import certificate_pem
from hub.analysis.answers import Analyst
from hub.config import HubSettings
from hub.desk.hands import Applied, Hands, Note
from hub.desk.reports.running import analyst_of
from hub.exchange.sample.generated import GeneratedCompany, Size
from hub.exchange.sample.loading import load_company
from hub.fleet.office import Office, make_office
from hub.fleet.people import add_user
from hub.fleet.standard import assign_role
from hub.fleet.subscriptions import refresh_everything
from hub.metrics import RequestFigures
from hub.storage.org_changes import head_office_write
from hub.trust.authority import key_to_pem
from hub.trust.pace import Pace
from hub.trust.signin import make_verifier
from hub.web.enrolment import EnrolmentPage
from hub.web.server import WebServer
from hub.web.workplace import Workplace

PASSWORD = "a long password"
VERIFIER = make_verifier(PASSWORD)
REP, OTHER_REP = "REP0001", "REP0002"
SUPERVISOR, OTHER_SUPERVISOR = "sup01-000", "sup02-000"
SMALL = Size(offices=2, reps=4, outlets_a_rep=6, products=12)


class _Csrf(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.value = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        if tag == "input" and named.get("name") == "csrf":
            self.value = named.get("value") or ""


@dataclass
class Person:
    """Somebody with a browser."""

    browser: aiohttp.ClientSession
    base: str
    csrf: str = ""

    async def get(self, path: str, **options: Any) -> tuple[int, str]:
        """Status and text of a page; redirects are followed."""
        headers = {"Accept": "text/html", **options.pop("headers", {})}
        async with self.browser.get(self.base + path, headers=headers, **options) as answer:
            text = await answer.text()
            reader = _Csrf()
            reader.feed(text)
            self.csrf = reader.value or self.csrf
            return answer.status, text

    async def post(self, path: str, fields: dict[str, str], **options: Any) -> tuple[int, str]:
        """Status and text after a form was sent with the session's token."""
        headers = {
            "Accept": "text/html",
            "Sec-Fetch-Site": "same-origin",
            **options.pop("headers", {}),
        }
        content = {"csrf": self.csrf, **fields}
        async with self.browser.post(
            self.base + path, data=content, headers=headers, **options
        ) as answer:
            return answer.status, await answer.text()

    async def json(self, path: str, method: str = "GET", **options: Any) -> tuple[int, Any]:
        """Status and content of a web service's answer."""
        headers = {
            "X-Fieldmesh-Csrf": self.csrf,
            "Sec-Fetch-Site": "same-origin",
            **options.pop("headers", {}),
        }
        async with self.browser.request(
            method, self.base + path, headers=headers, **options
        ) as answer:
            return answer.status, await answer.json(content_type=None)

    async def ids(self, name: str) -> set[str]:
        """Ids of every row of a list; ``name`` may ask: ``tasks?state=new``."""
        found: set[str] = set()
        after = ""
        path, _, query = name.partition("?")
        while True:
            _, page = await self.json(f"/api/v1/{path}?limit=1000&after={after}&{query}")
            found |= {row["id"] for row in page["rows"]}
            if page["after"] is None:
                return found
            after = page["after"]


@dataclass
class Site:
    """A served workplace."""

    office: Office
    base: str
    trust: ssl.SSLContext
    analyst: Analyst

    @asynccontextmanager
    async def stranger(self) -> AsyncIterator[Person]:
        """A browser without a session."""
        connector = aiohttp.TCPConnector(ssl=self.trust)
        async with aiohttp.ClientSession(connector=connector) as browser:
            yield Person(browser, self.base)

    @asynccontextmanager
    async def person(self, login: str, password: str = PASSWORD) -> AsyncIterator[Person]:
        """A browser that has signed in."""
        async with self.stranger() as found:
            status, text = await found.post("/sign-in", {"login": login, "password": password})
            assert status == 200, text
            await found.get("/products")
            yield found

    async def add(self, login: str, role: str) -> bytes:
        """A person of head office."""
        async with head_office_write(
            self.office.database, self.office.clock, actor="test", kind="user_added", about={}
        ) as writer:
            user = await add_user(
                writer, self.office.maker, login=login, person=login.title(), verifier=VERIFIER
            )
            await assign_role(writer, self.office.maker, user=user, role=role)
            return user


def hands_of(office: Office) -> Hands:
    """The hub without a bus: gateways do not hear it."""

    async def nothing(_one: bytes, note: Note) -> Applied:
        async with office.database.write() as connection:
            await note(connection)
        return Applied(0, 0, 0)

    return Hands(office, nothing, nothing, lambda device, _reason: b"order" + device)


@asynccontextmanager
async def site(
    folder: Path, size: Size | None = None, settings: HubSettings | None = None
) -> AsyncIterator[Site]:
    """A generated company, and its workplace over HTTPS. Everybody's password is `PASSWORD`."""
    office = await make_office(folder / "hub", settings or HubSettings(company="Aurora"), "")
    now = office.clock.now()
    source = GeneratedCompany(size or SMALL, 1, now, VERIFIER)
    await load_company(office.database, office.clock, source, lambda _table, _rows: None)
    await refresh_everything(
        office.database, clock=office.clock, identifiers=office.maker.identifiers
    )
    key = ec.generate_private_key(ec.SECP256R1())
    chain_file, key_file = folder / "chain.pem", folder / "key.pem"
    issued = office.trust.authority.issue_server(key.public_key(), ["localhost"])
    chain_file.write_bytes(certificate_pem(issued.der) + office.trust.authority.pem)
    key_file.write_bytes(key_to_pem(key))
    pace = Pace(ManualClock(), tries=5, refill_s=1)
    registry = Registry("hub")

    async def nobody(_request: object) -> Any:
        raise AssertionError

    page = EnrolmentPage(nobody, office.trust.authority.certificate, pace)
    analyst = analyst_of(office)
    workplace = Workplace(hands_of(office), analyst, RequestFigures(registry))
    server = WebServer(page, workplace, lambda: Health(ready=True), registry)
    port = await server.start("127.0.0.1", 0, chain=chain_file, key=key_file)
    trust = ssl.create_default_context(cadata=office.trust.authority.pem.decode())
    try:
        yield Site(office, f"https://localhost:{port}", trust, analyst)
    finally:
        await server.stop()
        await analyst.columns.close()
        await office.database.close()
