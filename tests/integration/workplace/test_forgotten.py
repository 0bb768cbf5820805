"""A forgotten password: a mail with a code, and nobody is told who is known."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from hub.config import HubSettings, WorkplaceSettings
from hub.exchange.sample.generated import Size
from hub.storage.org_changes import head_office_write, update_rows
from tests.kit.forms import form_of, sent
from tests.kit.mail_server import MailBox, mail_server
from tests.kit.workplace import Person, Site, site

SMALL = Size(offices=1, reps=1, outlets_a_rep=1, products=1)
NEW = "another long one 42"
ADDRESS = "https://hub.example"


@dataclass
class World:
    """A hub and its mail server; Ann has a mail address, Bob has none."""

    site: Site
    box: MailBox

    async def set(self, user: bytes, **values: str) -> None:
        """Columns of a person are so."""
        office = self.site.office
        async with head_office_write(
            office.database, office.clock, actor="test", kind="changed", about={}
        ) as writer:
            await update_rows(writer, "app_user", ("id", *values), [(user, *values.values())])


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """Ann and Bob are analysts."""
    async with mail_server(tmp_path / "mail") as box:
        settings = HubSettings(
            company="Aurora", mail=box.settings(), workplace=WorkplaceSettings(address=ADDRESS)
        )
        async with site(tmp_path, SMALL, settings) as found:
            made = World(found, box)
            await made.set(await found.add("ann", "analyst"), mail="ann@example.com")
            await found.add("bob", "analyst")
            yield made


async def asks(browser: Person, login: str, **headers: str) -> tuple[int, str]:
    """Somebody has forgotten the password of that name: status, and what the page says."""
    status, text = await browser.post("/password/forgotten", {"login": login}, headers=headers)
    return status, re.sub(r'value="[^"]*"', "", text)


async def test_a_mail_brings_an_address_with_which_a_password_is_chosen_once(world: World) -> None:
    """Somebody who has forgotten a password must not need a colleague with rights; nor may a code hold twice."""
    async with world.site.stranger() as ann:
        assert (await asks(ann, "ANN"))[0] == 200
        (mail,) = world.box.mails
        assert (mail["To"], mail["Subject"]) == ("ann@example.com", "A new password for Aurora")
        body = mail.get_body()
        assert body is not None
        found = re.search(rf"{ADDRESS}(/password\?code=\S+)", body.get_content())
        assert found is not None, body.get_content()
        _, page = await ann.get(found[1])
        code = re.search(r'name="code" value="([^"]+)"', page)
        assert code is not None
        fields = {"code": code[1], "new": NEW, "again": NEW}
        assert (await ann.post("/password", fields))[0] == 200
        assert (await ann.post("/password", fields))[0] == 403
    async with world.site.person("ann", NEW) as ann:
        assert (await ann.json("/api/v1/outlets"))[0] == 200


async def test_nobody_is_told_which_names_are_known_even_when_no_mail_goes_out(
    world: World,
) -> None:
    """A list of those who work here is half a break-in."""
    async with world.site.stranger() as browser:
        known = await asks(browser, "ann")
        world.box.refuses = "550 no such box"
        assert [await asks(browser, one) for one in ("bob", "nobody", "", "ann")] == [known] * 4
        world.box.refuses = ""
    assert len(world.box.mails) == 1


async def test_whoever_asks_too_often_waits_and_no_box_is_filled(world: World) -> None:
    """Without a limit a stranger fills somebody's box, and uses the company's server for it."""
    async with world.site.stranger() as browser:
        assert [(await asks(browser, "ann"))[0] for _ in range(7)] == [200] * 5 + [429] * 2
        assert (await asks(browser, "bob"))[0] == 200
    assert len(world.box.mails) == 5


async def test_a_page_of_another_site_can_not_ask(world: World) -> None:
    """Any page on the internet could have mails sent by its visitors."""
    async with world.site.stranger() as browser:
        assert (await asks(browser, "ann", **{"Sec-Fetch-Site": "cross-site"}))[0] == 403
    assert world.box.mails == []


async def test_people_who_sign_in_elsewhere_or_are_blocked_get_no_code(world: World) -> None:
    """A code would make a second password for somebody whose first is the directory's business."""
    eve = await world.site.add("eve", "analyst")
    await world.set(eve, mail="eve@example.com", auth_kind="directory")
    async with world.site.stranger() as browser:
        assert (await asks(browser, "eve"))[0] == 200
        await world.set(eve, auth_kind="local", status="inactive")
        assert (await asks(browser, "eve"))[0] == 200
    assert world.box.mails == []


async def test_without_mail_the_page_says_whom_to_ask(tmp_path: Path) -> None:
    """A form that leads nowhere is worse than a name to ask."""
    quiet = replace(HubSettings(company="Aurora"))
    async with site(tmp_path, SMALL, quiet) as company, company.stranger() as browser:
        status, text = await browser.get("/password/forgotten")
        assert status == 200
        assert 'name="login"' not in text


async def test_a_forgotten_password_is_chosen_anew_in_a_browser_that_is_still_signed_in(
    world: World,
) -> None:
    """The device asks for the password, the PC does not: its page would refuse its own form for ever."""
    async with world.site.person("ann") as ann:
        form = form_of((await ann.get("/password/forgotten"))[1], "/password/forgotten")
        assert (await sent(ann, form, form.filled(login="ann")))[0] == 200
        (mail,) = world.box.mails
        found = re.search(r"/password\?code=\S+", mail.get_body().get_content())
        assert found is not None
        form = form_of((await ann.get(found[0]))[1], "/password")
        assert (await sent(ann, form, form.filled(new=NEW, again=NEW)))[0] == 200
    async with world.site.person("ann", NEW) as ann:
        assert (await ann.json("/api/v1/outlets"))[0] == 200
