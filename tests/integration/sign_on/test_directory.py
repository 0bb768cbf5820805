"""People of a real LDAP directory: passwords, groups, posts; over TLS or not at all."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from fieldmesh.basics.errors import Rejected, Retry
from hub.config import DirectorySettings, HubSettings
from hub.desk.directory import DirectoryPeople
from hub.exchange.sample.generated import Size
from hub.storage import journal
from hub.trust.directory import Directory
from tests.kit.ldap_server import BASE, NAMELESS, LdapServer, dn_of, group, ldap_server, person
from tests.kit.workplace import PASSWORD, Person, Site, site

SMALL = Size(offices=1, reps=1, outlets_a_rep=1, products=1)
WORD = "a word of ann's"


@dataclass
class World:
    """A hub and its directory."""

    site: Site
    ldap: LdapServer

    async def kinds(self) -> list[str]:
        """Kinds of the journal's entries, the newest first; its chain is whole."""
        async with self.site.office.database.read() as connection:
            await journal.verify(connection)
            return [one.kind for one in await journal.newest(connection, 100)]

    def people(self, **settings: str) -> DirectoryPeople:
        """Those of the directory, with other settings."""
        office = self.site.office
        other = replace(office.settings.directory, **settings)  # type: ignore[arg-type]
        return DirectoryPeople(replace(office, settings=replace(office.settings, directory=other)))


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """Ann and Bob are in the directory; Ann is an analyst. An entry there leads to a server that is away."""
    async with ldap_server(tmp_path / "ldap") as ldap:
        await ldap.add(
            person("ann", "Ann A", WORD), person("bob", "Bob (b)", "bob's word"),
            group("Analysts", "ann"), group("Supervisors", "bob"),
            f"dn: dc=else,{BASE}\nobjectClass: referral\nobjectClass: extensibleObject\ndc: else\n"
            f"ref: ldap://127.0.0.1:1/{BASE}",
        )  # fmt: skip
        settings = HubSettings(
            directory=ldap.settings(
                analysts="role:analyst",
                Supervisors="position:SUP01-000",
                Operators="role:administrator",
            )
        )
        async with site(tmp_path, SMALL, settings) as found:
            yield World(found, ldap)


async def tries(stranger: Person, login: str, word: str) -> int:
    """The status of a sign-in."""
    return (await stranger.post("/sign-in", {"login": login, "password": word}))[0]


async def test_a_password_of_the_directory_lets_in_and_groups_give_posts(world: World) -> None:
    """People with a second password forget it; rights kept in two places differ."""
    async with world.site.person("ann", WORD) as ann:
        _, me = await ann.json("/api/v1/me")
        assert (me["login"], me["person"]) == ("ann", "Ann A")
        assert (await ann.get("/today"))[0] == 403
    async with world.site.person("BOB", "bob's word") as bob:
        assert (await bob.get("/today"))[0] == 200
    async with world.site.stranger() as stranger:
        for login, word in (
            ("ann", "wrong"), ("ann", ""), ("*", WORD), ("ann)(uid=*", WORD), ("a*", WORD), ("", ""),
            (dn_of("ann"), WORD),
        ):  # fmt: skip
            assert await tries(stranger, login, word) == 401, login
    await world.ldap.set_members("Analysts", "bob")
    async with world.site.stranger() as ann:
        assert await tries(ann, "ann", WORD) == 403, "who has lost the group comes in no more"
        assert (await ann.json("/api/v1/outlets"))[0] == 401
    kinds = await world.kinds()
    assert kinds.count("recognised") == 3
    assert kinds.count("sign_in_refused") == 8


async def test_groups_are_followed_while_people_work_and_who_is_gone_is_out(world: World) -> None:
    """Somebody who was dismissed at noon must not work until the evening, nor their programs."""
    people = world.people()
    await world.ldap.add(person("ops", "Op S", "ops's word"), group("Operators", "ops"))
    async with world.site.person("ann", WORD) as ann, world.site.person("ops", "ops's word") as ops:
        assert await people.refresh() == 0
        await ops.get("/account/tokens")
        fields = {"name": "p", "days": "1", "function": "order.view"}
        token = re.search(r"fmt_[\w-]+", (await ops.post("/account/tokens", fields))[1])
        assert token is not None
        headers = {"Authorization": f"Bearer {token[0]}"}
        await world.ldap.set_members("Analysts", "bob")
        assert await people.refresh() == 1
        assert (await ann.json("/api/v1/outlets"))[0] == 401
        async with world.site.stranger() as program:
            assert (await program.json("/api/v1/orders", headers=headers))[0] == 200
            await world.ldap.remove(dn_of("ops"))
            assert await people.refresh() == 1
            assert (await program.json("/api/v1/orders", headers=headers))[0] == 401
        assert (await ops.json("/api/v1/orders"))[0] == 401
        assert await people.refresh() == 0
    kinds = await world.kinds()
    assert (kinds.count("groups_read"), kinds.count("directory_left")) == (1, 1)


async def test_a_directory_that_is_suddenly_empty_or_answers_half_takes_nobodys_rights(
    world: World,
) -> None:
    """A wrong base in the settings must not shut a company out."""
    logins = [f"p{number}" for number in range(4)]
    await world.ldap.add(*(person(one, one.upper(), WORD) for one in logins))
    await world.ldap.set_members("Analysts", *logins)
    for login in logins:
        async with world.site.person(login, WORD):
            pass
    with pytest.raises(Rejected, match="at once"):
        await world.people(base=f"ou=groups,{BASE}").refresh()
    with pytest.raises(Retry, match="does not answer"):
        await world.people(base=f"ou=nobody,{BASE}").refresh()
    with pytest.raises(Retry, match="does not answer"):
        await world.people(group_base=f"ou=nothing,{BASE}").refresh()
    async with world.site.person("p0", WORD) as one:
        assert (await one.json("/api/v1/outlets"))[0] == 200


async def test_the_line_is_always_protected_and_the_server_must_be_the_right_one(
    world: World,
) -> None:
    """Passwords that pass in clear, or to whoever answers, are everybody's."""
    starts = Directory(world.ldap.settings(starts_tls=True))
    found = await starts.check("ann", WORD)
    assert found is not None
    assert (found.person, found.mail, found.groups) == ("Ann A", "ann@example.com", {"Analysts"})
    for starts_tls in (False, True):
        settings = world.ldap.settings(starts_tls=starts_tls)
        other = str(world.site.office.home.trust / "authority.pem")
        elsewhere = [one.replace("localhost", NAMELESS) for one in settings.urls]
        for wrong in (replace(settings, authority=other), replace(settings, urls=elsewhere)):
            with pytest.raises(Retry, match="does not answer"):
                await Directory(wrong).check("ann", WORD)
    for url in ("localhost", "http://localhost", "ldapi:///run/ldapi", "ldaps://"):
        with pytest.raises(Rejected, match="no address"):
            Directory(replace(settings, urls=[url]))
    second = Directory(replace(world.ldap.settings(), urls=["ldaps://localhost:1", *settings.urls]))
    assert await second.find("ann") is not None


async def test_while_the_directory_is_away_the_hubs_own_people_work_and_guessing_still_counts(
    tmp_path: Path,
) -> None:
    """The one who mends the network must get in; and who guesses their password meanwhile must not get on."""
    settings = HubSettings(directory=DirectorySettings(urls=["ldaps://localhost:1"], base=BASE))
    async with site(tmp_path, SMALL, settings) as company:
        await company.add("boss", "administrator")
        async with company.person("boss") as boss:
            assert (await boss.json("/api/v1/outlets"))[0] == 200
        async with company.stranger() as thief:
            assert await tries(thief, "ann", WORD) == 503
            for number in range(5):
                assert await tries(thief, "boss", f"wrong {number}") == 503
            assert await tries(thief, "boss", PASSWORD) == 429


async def test_a_namesake_in_the_directory_does_not_come_in_for_somebody_of_the_hub(
    world: World,
) -> None:
    """Whoever may add people to the directory could become the hub's administrator."""
    await world.site.add("boss", "administrator")
    await world.ldap.add(person("boss", "Another Boss", "boss's word"))
    await world.ldap.set_members("Analysts", "boss")
    async with world.site.stranger() as other:
        assert await tries(other, "boss", "boss's word") == 401
    async with world.site.person("boss") as boss:
        assert (await boss.json("/api/v1/me"))[1]["person"] == "Boss"
