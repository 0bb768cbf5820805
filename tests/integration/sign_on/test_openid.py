"""Single sign-on through a provider of OpenID Connect that lies where it can."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import aiohttp
import pytest
from joserfc.jwk import ECKey

from fieldmesh.basics.errors import Rejected
from fieldmesh.basics.identifiers import stable_id
from hub.config import HubSettings, OpenIdSettings
from hub.desk.admission import SINGLE_SIGN_ON, Source
from hub.exchange.sample.generated import Size
from hub.storage import journal
from hub.storage.org_changes import head_office_write, upsert_rows
from hub.trust import openid
from tests.kit.openid_provider import Provider, provider
from tests.kit.workplace import Person, Site, site

SMALL = Size(offices=1, reps=1, outlets_a_rep=1, products=1)
POSTS = {"Analysts": "role:analyst", "Rep one": "position:REP0001"}
FAR = 4_000_000_000
ANN = {
    "preferred_username": "Ann@Example",
    "name": "Ann A",
    "email": "ann@example.com",
    "groups": ["analysts"],
}
LIES: tuple[dict[str, object], ...] = (
    {"nonce": "old"}, {"nonce": None}, {"aud": "another"}, {"iss": "https://else"}, {"exp": 1_700_000_000},
    {"exp": None}, {"iat": FAR}, {"nbf": FAR, "exp": FAR + 60}, {"azp": "another"},
    {"aud": ["fieldmesh", "another"]}, {"sub": None}, {"preferred_username": ""}, {"preferred_username": "x" * 81},
)  # fmt: skip


LOGOUT_LIES: tuple[dict[str, object], ...] = (
    {"events": None}, {"events": {"else": {}}}, {"nonce": "n"}, {"aud": "another"}, {"iss": "https://else"},
    {"iat": None}, {"iat": FAR, "exp": FAR + 60}, {"sub": None}, {"sub": None, "sid": 7}, {"sub": ""},
    {"exp": 1_700_000_000},
)  # fmt: skip


@dataclass
class World:
    """A hub and the provider that it trusts."""

    site: Site
    provider: Provider

    async def comes(self, person: Person) -> tuple[int, str]:
        """Somebody clicks on the button, is recognised at the provider, and comes back."""
        base = person.base
        async with person.browser.get(f"{base}/sign-in/openid", allow_redirects=False) as answer:
            there = answer.headers["Location"]
        async with (
            aiohttp.ClientSession() as at_provider,
            at_provider.get(there, ssl=False, allow_redirects=False) as answer,
        ):
            back = answer.headers["Location"]
        return await person.get(back.removeprefix(base))

    async def ended(self, **claims: object) -> int:
        """Status after the provider has told the hub that a session is over."""
        form = {"logout_token": self.provider.logout_token(**claims)}
        async with (
            self.site.stranger() as there,
            there.browser.post(f"{there.base}/sign-in/openid/ended", data=form) as answer,
        ):
            return answer.status

    async def is_in(self, person: Person) -> bool:
        """Whether lists are open to the browser."""
        return (await person.json("/api/v1/outlets"))[0] == 200

    async def entries(self) -> list[tuple[str, str]]:
        """Kind and content of the journal's entries, the newest first; its chain is whole."""
        async with self.site.office.database.read() as connection:
            await journal.verify(connection)
            return [(one.kind, one.payload) for one in await journal.newest(connection, 100)]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """A hub that trusts a provider."""
    async with provider(tmp_path / "provider") as op:
        settings = HubSettings(openid=op.settings(**POSTS))
        async with site(tmp_path, SMALL, settings) as found:
            yield World(found, op)


async def test_who_is_recognised_gets_the_posts_of_their_groups_and_loses_them_again(
    world: World,
) -> None:
    """Somebody who changes departments would keep the old one's rights, or be typed in twice."""
    world.provider.claims = dict(ANN)
    async with world.site.stranger() as ann:
        assert "Company" in (await ann.get("/sign-in"))[1]
        status, text = await world.comes(ann)
        assert status == 200, text
        _, me = await ann.json("/api/v1/me")
        assert (me["login"], me["person"]) == ("ann@example", "Ann A")
        assert (await ann.json("/api/v1/outlets"))[1]["total"] >= 1
        assert (await ann.get("/today"))[0] == 403
    world.provider.claims["groups"] = ["Rep one", "of no meaning"]
    async with world.site.stranger() as ann:
        assert (await world.comes(ann))[0] == 200
        _, found = await ann.json("/api/v1/me")
        assert "report.build" not in str(found)
    world.provider.claims["groups"] = []
    async with world.site.stranger() as ann:
        assert (await world.comes(ann))[0] == 403
    entries = await world.entries()
    assert ("sign_in_refused", "no_post") in {
        (kind, "no_post") for kind, content in entries if '"why": "no_post"' in content
    }
    recognised = [content for kind, content in entries if kind == "recognised"]
    assert len(recognised) == 3
    assert all('"source": "single sign-on"' in one for one in recognised)


async def test_a_login_of_another_kind_is_not_taken_over(world: World) -> None:
    """A provider that lets people choose their names could make anybody the hub's administrator."""
    await world.site.add("boss", "administrator")
    world.provider.claims = {**ANN, "preferred_username": "boss"}
    async with world.site.stranger() as thief:
        status, text = await world.comes(thief)
        assert status == 403
        assert "another way" in text
        assert not await world.is_in(thief)


async def test_a_token_that_was_not_made_for_this_sign_in_opens_nothing(world: World) -> None:
    """A token stolen elsewhere, or yesterday, must not be good here."""
    for lie in LIES:
        world.provider.claims = {**ANN, **lie}
        async with world.site.stranger() as ann:
            assert (await world.comes(ann))[0] == 401, lie
            assert not await world.is_in(ann), lie
    refused = [content for kind, content in await world.entries() if kind == "sign_in_refused"]
    assert len(refused) == len(LIES)


async def test_only_the_providers_keys_sign_and_new_ones_are_learnt(world: World) -> None:
    """Anybody could sign tokens; and a provider that changes its key locks everybody out."""
    world.provider.claims = dict(ANN)
    async with world.site.stranger() as ann:
        assert (await world.comes(ann))[0] == 200
    world.provider.forger = ECKey.generate_key("P-256")
    async with world.site.stranger() as ann:
        assert (await world.comes(ann))[0] == 401
    world.provider.forger = "public"
    async with world.site.stranger() as ann:
        assert (await world.comes(ann))[0] == 401
    world.provider.forger = None
    world.provider.new_key()
    async with world.site.stranger() as ann:
        assert (await world.comes(ann))[0] == 200


async def test_an_answer_that_nobody_here_has_asked_for_is_refused(world: World) -> None:
    """Another site could sign a browser in as somebody else, who then types secrets into the wrong account."""
    world.provider.claims = dict(ANN)
    async with world.site.stranger() as ann:
        assert (await ann.get("/sign-in/openid/return?code=x&state=y"))[0] == 401
        async with ann.browser.get(f"{ann.base}/sign-in/openid", allow_redirects=False):
            pass
        path = "/sign-in/openid/return?error=e&error_description=Call+our+hotline&state=y"
        status, text = await ann.get(path)
        assert status == 401
        assert "hotline" not in text, "words of a stranger on the company's page"
        forged = {"Cookie": "__Host-fieldmesh-openid=AAAA"}
        assert (await ann.get("/sign-in/openid/return?code=x", headers=forged))[0] in {400, 401}


async def test_who_is_signed_out_at_the_provider_is_out_here_at_once(world: World) -> None:
    """Somebody who has left the company, or a laptop that is lost, would go on reading for hours."""
    world.provider.claims = {**ANN, "sid": "laptop"}
    async with world.site.stranger() as laptop, world.site.stranger() as phone:
        await world.comes(laptop)
        world.provider.claims = {**ANN, "sid": "phone"}
        await world.comes(phone)
        assert await world.ended(sid="laptop") == 200
        assert [await world.is_in(one) for one in (laptop, phone)] == [False, True]
        world.provider.claims = {**ANN, "sub": "another", "preferred_username": "bob"}
        async with world.site.stranger() as bob:
            await world.comes(bob)
            assert await world.ended() == 200
            assert [await world.is_in(one) for one in (phone, bob)] == [False, True]
    told = [content for kind, content in await world.entries() if kind == "signed_out"]
    assert len(told) == 2
    assert all("ended at the provider" in one for one in told)


async def test_nobody_else_ends_a_session_and_no_old_word_a_new_one(world: World) -> None:
    """A stranger, or a copy of yesterday's token, could keep a whole department out."""
    now = world.site.office.clock.now() // 1_000_000
    world.provider.claims = dict(ANN)
    async with world.site.stranger() as ann:
        await world.comes(ann)
        for lie in LOGOUT_LIES:
            assert await world.ended(**lie) == 401, lie
        assert await world.ended(iat=now - 3_600) == 401
        assert await world.ended(iat=now - 120) == 200
        world.provider.forger = ECKey.generate_key("P-256")
        assert await world.ended() == 401
        assert await world.is_in(ann)


async def test_the_provider_is_asked_again_before_long(tmp_path: Path) -> None:
    """A provider that tells nobody of people who have left would leave them a week's session."""
    async with provider(tmp_path / "provider") as op:
        settings = HubSettings(openid=replace(op.settings(**POSTS), longest_s=2.0))
        async with site(tmp_path, SMALL, settings) as found:
            world, op.claims = World(found, op), dict(ANN)
            async with found.stranger() as ann:
                assert (await world.comes(ann))[0] == 200
                until = time.monotonic() + 30
                while await world.is_in(ann):
                    assert time.monotonic() < until, "the session goes on"
                    await asyncio.sleep(0.1)
                assert (await world.comes(ann))[0] == 200


async def test_who_stays_too_long_at_the_provider_begins_anew(world: World) -> None:
    """What a browser keeps for one sign-in must not open the door for ever."""
    office = world.site.office
    line = openid.Provider(office.settings.openid, office.clock)
    _, begun = await line.begin("https://hub/return", "/")
    late = replace(begun, until=office.clock.now() - 1)
    with pytest.raises(Rejected, match="too long"):
        await line.finish(late, {"code": "x", "state": begun.state})


async def test_providers_differ_in_length_and_in_how_the_hub_shows_its_secret(
    world: World,
) -> None:
    """Half a description is no description; most providers take the secret in one of two ways only."""
    world.provider.claims, world.provider.padding = dict(ANN), 300_000
    world.provider.takes_forms = True
    async with world.site.stranger() as ann:
        assert (await world.comes(ann))[0] == 200


async def test_a_second_factor_that_a_role_demands_is_asked_for_unless_the_provider_has(
    tmp_path: Path,
) -> None:
    """A door beside the rule makes the rule worthless; asking twice makes people leave their phones on the desk."""
    async with provider(tmp_path / "provider") as op:
        for trusted in (False, True):
            settings = HubSettings(openid=replace(op.settings(**POSTS), second_factor=trusted))
            async with site(tmp_path / str(trusted), SMALL, settings) as found:
                await _demand_second_factor(found)
                world, op.claims = World(found, op), dict(ANN)
                async with found.stranger() as ann:
                    _, text = await world.comes(ann)
                    assert ("Set up a second factor" in text) is not trusted
                    assert await world.is_in(ann) is trusted


def test_settings_that_would_open_a_wrong_door_are_refused_at_the_start() -> None:
    """A group that gives nothing, or a provider in clear, would be found out by who should have come in."""
    with pytest.raises(Rejected, match="https"):
        openid.Provider(OpenIdSettings(issuer="http://login.example.com"), None)  # type: ignore[arg-type]
    for post in ("analyst", "role:", "roles:analyst"):
        with pytest.raises(Rejected, match="Analysts"):
            Source(SINGLE_SIGN_ON, {"Analysts": post})


async def _demand_second_factor(company: Site) -> None:
    """Analysts need a second factor."""
    office = company.office
    async with head_office_write(
        office.database, office.clock, actor="test", kind="demanded", about={}
    ) as writer:
        workplace, row = (office.maker.identifiers.new() for _ in range(2))
        role = stable_id("role", "analyst")
        names: tuple[str, ...] = ("id", "code", "name", "kind", "role_id")
        await upsert_rows(writer, "workplace", names, [(workplace, "A", "A", "web", role)])
        names = ("id", "workplace_id", "function_code", "enabled", "parameters")
        demand = (row, workplace, "workplace.use", 1, '{"second_factor": "1"}')
        await upsert_rows(writer, "workplace_function", names, [demand])
