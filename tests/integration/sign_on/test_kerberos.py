"""Windows sign-in with real tickets: a real MIT KDC, and curl as the browser."""

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from hub.config import HubSettings, KerberosSettings
from hub.desk.admission import DIRECTORY
from hub.exchange.sample.generated import Size
from hub.fleet.standard import assign_role
from hub.storage import journal
from hub.storage.org_changes import head_office_write, upsert_rows
from tests.kit.debian import needs, path_of
from tests.kit.kdc import REALM, Kdc, kdc
from tests.kit.servers import done
from tests.kit.workplace import Site, site

SMALL = Size(offices=1, reps=1, outlets_a_rep=1, products=1)


@dataclass
class World:
    """A hub, and the realm of its company."""

    site: Site
    kdc: Kdc
    folder: Path

    async def opens(self, environment: Mapping[str, str], path: str, jar: str) -> str:
        """Status, and the page of the sign-in and what it leads to, for a browser with these tickets."""
        trust = self.folder / "authority.pem"
        trust.write_bytes(self.site.office.trust.authority.pem)
        jar_file = self.folder / jar
        command = [
            path_of("curl"), "--silent", "--location", "--negotiate", "--user", ":", "--cacert", str(trust),
            "--cookie-jar", str(jar_file), "--cookie", str(jar_file), "--header", "Accept: text/html",
            "--write-out", "%{http_code}", f"{self.site.base}{path}",
        ]  # fmt: skip
        return (await done(command, environment)).decode()

    async def add(self, login: str) -> None:
        """Somebody of the directory whom the hub knows, with a post of an analyst."""
        office = self.site.office
        async with head_office_write(
            office.database, office.clock, actor="test", kind="user_added", about={}
        ) as writer:
            user = office.maker.identifiers.new()
            row = (user, login, login, DIRECTORY, "active")
            names = ("id", "login", "person", "auth_kind", "status")
            await upsert_rows(writer, "app_user", names, [row])
            await assign_role(writer, office.maker, user=user, role="analyst")


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """A realm with Ann, Eve and the hub."""
    needs("curl", "curl")
    async with kdc(tmp_path / "kdc") as centre:
        keytab = tmp_path / "hub.keytab"
        await centre.add_service("HTTP/localhost", keytab)
        for name in ("ann", "eve", "boss", "cifs/printer", "PC1$"):
            await centre.add_person(name, "word of the realm")
        settings = HubSettings(kerberos=KerberosSettings(str(keytab), REALM))
        async with site(tmp_path, SMALL, settings) as found:
            world = World(found, centre, tmp_path)
            await world.add("ann")
            yield world


async def test_somebody_of_the_companys_network_is_in_without_a_password(world: World) -> None:
    """Whoever has signed in to their machine types a second password badly, or writes it down."""
    mine = await world.kdc.ticket("ann", "word of the realm")
    page = await world.opens(mine, "/sign-in/kerberos?next=/outlets", "ann")
    assert page.endswith("200")
    assert "ann" in page
    assert 'name="password"' not in page


async def test_without_a_ticket_or_with_a_strangers_nobody_is_in(world: World) -> None:
    """A realm's member whom the hub does not know, a service, or a local login must not come in by this door."""
    await world.site.add("boss", "administrator")
    async with (
        world.site.stranger() as browser,
        browser.browser.get(f"{browser.base}/sign-in/kerberos") as answer,
    ):
        assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, "Negotiate")
    for name in ("eve", "boss", "cifs/printer", "PC1$"):
        mine = await world.kdc.ticket(name, "word of the realm")
        page = await world.opens(mine, "/sign-in/kerberos", name.replace("/", "-"))
        assert page.endswith("401"), name
    async with world.site.office.database.read() as connection:
        await journal.verify(connection)
        entries = await journal.newest(connection, 20)
    refused = [one.payload for one in entries if one.kind == "sign_in_refused"]
    whys = [json.loads(one)["why"] for one in refused]
    assert whys == ["ticket_refused", "ticket_refused", "sign_in_refused", "sign_in_refused"]


async def test_a_ticket_that_is_none_is_refused_in_words(world: World) -> None:
    """What a stranger sends to a library of the system must not take the hub down."""
    async with world.site.stranger() as stranger:
        for token in ("", "AAAA", "YIIB", "not base64!", "YII" + "A" * 4000):
            headers = {"Authorization": f"Negotiate {token}"}
            status, text = await stranger.get("/sign-in/kerberos", headers=headers)
            assert status == 401, token[:10]
            assert "Windows sign-in" in text
        assert (await stranger.get("/sign-in"))[0] == 200
