"""user add, password, code, unlock, second-factor: what branch IT types at the hub's own machine."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from fieldmesh.basics.errors import Rejected
from hub.cli.answers import Answer
from hub.cli.program import parser
from hub.exchange.sample.generated import Size
from hub.storage import journal
from hub.storage.org_changes import head_office_write, update_rows
from hub.storage.person_facts import keep_person_facts, person_facts
from hub.storage.rows import ids_by_code, one_row
from tests.kit.workplace import PASSWORD, Person, Site, site

SMALL = Size(offices=1, reps=1, outlets_a_rep=1, products=1)
WORD, NEW = "the first long one 1", "another long one 42"


@dataclass
class Desk:
    """Somebody at a keyboard of the hub's machine, while the hub works."""

    site: Site
    folder: Path

    async def types(self, *words: str, password: str = "") -> Answer:
        """What ``fieldmesh-hub user …`` answers."""
        arguments = ["--home", str(self.site.office.home.folder), "user", *words]
        if password:
            file = self.folder / "password.txt"
            file.write_text(f"{password}\n", "utf-8")
            arguments += ["--password-file", str(file)]
        options = parser(arguments).parse_args(arguments)
        answer: Answer = await options.command(options)
        return answer

    async def kinds(self) -> set[str]:
        """Kinds of the journal's entries; its chain is whole."""
        async with self.site.office.database.read() as connection:
            await journal.verify(connection)
            return {one.kind for one in await journal.newest(connection, 50)}


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """A hub with a small company."""
    async with site(tmp_path, SMALL) as found:
        yield Desk(found, tmp_path)


async def tries(browser: Person, login: str, word: str) -> int:
    """The status of a sign-in."""
    return (await browser.post("/sign-in", {"login": login, "password": word}))[0]


async def test_the_first_person_is_made_at_the_keyboard_and_chooses_another_password(
    desk: Desk,
) -> None:
    """A hub that nobody can enter is of no use; a password that two people know is none."""
    words = ("add", "ana", "--person", "Ana P", "--role", "administrator", "--must-change")
    await desk.types(*words, password=WORD)
    async with desk.site.stranger() as ana:
        status, text = await ana.post("/sign-in", {"login": "ana", "password": WORD})
        assert status == 200
        assert 'name="again"' in text
        assert (await ana.json("/api/v1/people"))[0] == 401
        await ana.get("/sign-in/step")
        fields = {"old": WORD, "new": NEW, "again": NEW}
        assert (await ana.post("/sign-in/step", fields))[0] == 200
        assert (await ana.json("/api/v1/people"))[0] == 200
    assert "user_added" in await desk.kinds()


async def test_a_new_password_ends_sessions_and_the_old_one(desk: Desk) -> None:
    """Whoever has it set because it is known wants the one who knows it out."""
    async with desk.site.person("rep0001") as rep:
        await desk.types("password", "rep0001", password=NEW)
        assert (await rep.json("/api/v1/outlets"))[0] == 401
        assert await tries(rep, "rep0001", PASSWORD) == 401
        assert await tries(rep, "rep0001", NEW) == 200
    assert "password_set" in await desk.kinds()


async def test_a_code_is_used_once_and_a_later_one_takes_its_place(desk: Desk) -> None:
    """A code on an old note must not open anything."""
    first, second = await desk.types("code", "rep0001"), await desk.types("code", "rep0001")
    async with desk.site.stranger() as rep:
        for code, status in ((first, 403), (second, 200), (second, 403)):
            fields = {"code": str(code.facts["code"]), "new": NEW, "again": NEW}
            assert (await rep.post("/password", fields))[0] == status
        assert await tries(rep, "rep0001", NEW) == 200
    assert str(second.facts["address"]).endswith(f"/password?code={second.facts['code']}")


async def test_a_name_that_waits_is_let_try_again_at_once(desk: Desk) -> None:
    """Somebody locked out in front of a customer can't wait for the clock."""
    async with desk.site.stranger() as rep:
        for _ in range(5):
            assert await tries(rep, "rep0001", "wrong word") == 401
        assert await tries(rep, "rep0001", PASSWORD) == 429
        await desk.types("unlock", "rep0001")
        assert await tries(rep, "rep0001", PASSWORD) == 200
    assert "name_unlocked" in await desk.kinds()


async def test_a_lost_phone_is_forgotten_and_open_sessions_end(desk: Desk) -> None:
    """Whoever found the phone must not go on; its owner must get in."""
    office = desk.site.office
    async with desk.site.person("rep0001") as finder:
        async with office.database.write() as connection:
            row = await one_row(connection, "app_user", ("id",), "login", "rep0001")
            assert row is not None
            user = row[0]
            assert isinstance(user, bytes)
            facts = await person_facts(connection, user)
            await keep_person_facts(connection, user, replace(facts, factor="sealed"))
        async with desk.site.stranger() as rep:
            assert (
                "Second factor"
                in (await rep.post("/sign-in", {"login": "rep0001", "password": PASSWORD}))[1]
            )
        await desk.types("second-factor", "rep0001")
        assert (await finder.json("/api/v1/outlets"))[0] == 401
    async with desk.site.person("rep0001") as rep:
        assert (await rep.json("/api/v1/outlets"))[0] == 200
    assert "second_factor_removed" in await desk.kinds()


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("code", "nobody"), "no user nobody"),
        (("unlock", "nobody"), "no user nobody"),
        (("second-factor", "nobody"), "no user nobody"),
        (("add", "ana", "--role", "king"), "no role king"),
        (("add", "ana", "--position", "NONE"), "no position NONE"),
        (("add", "rep0001"), "rep0001"),
    ],
)
async def test_a_slip_of_the_hand_is_told_and_nothing_is_changed(
    desk: Desk, words: tuple[str, ...], problem: str
) -> None:
    """Half a person, with a login and no post, would be found by nobody."""
    password = WORD if words[0] == "add" else ""
    before = await desk.kinds()
    with pytest.raises(Rejected, match=problem):
        await desk.types(*words, password=password)
    assert await desk.kinds() == before
    async with desk.site.stranger() as ana:
        assert await tries(ana, "ana", WORD) == 401


async def test_a_login_with_a_capital_letter_signs_in_however_it_is_typed(desk: Desk) -> None:
    """Whom IT added as Ivan.Petrov was refused at the workplace for ever, with the right password."""
    await desk.types("add", " Ivan.Petrov", "--role", "administrator", password=WORD)
    with pytest.raises(Rejected, match="is in use"):
        await desk.types("add", "IVAN.petrov", password=WORD)
    for typed in ("Ivan.Petrov", "ivan.petrov", "IVAN.PETROV "):
        async with desk.site.stranger() as ivan:
            assert await tries(ivan, typed, WORD) == 200
    await desk.types("password", "Ivan.Petrov", password=NEW)
    async with desk.site.stranger() as ivan:
        assert await tries(ivan, "Ivan.Petrov", NEW) == 200


async def test_a_login_that_was_kept_with_a_capital_letter_signs_in_as_it_is_spelled(
    desk: Desk,
) -> None:
    """Somebody of an older release signs in on their device so, and nobody may take their name in small letters."""
    office = desk.site.office
    await desk.types("add", "Ivan", "--role", "administrator", password=WORD)
    async with head_office_write(
        office.database, office.clock, actor="test", kind="of before", about={}
    ) as writer:
        ids = await ids_by_code(writer.connection, "app_user", ["ivan"], column="login")
        await update_rows(writer, "app_user", ("id", "login"), [(ids["ivan"], "Ivan")])
    async with desk.site.stranger() as ivan:
        assert await tries(ivan, "Ivan", WORD) == 200
    with pytest.raises(Rejected, match="ivan"):
        await desk.types("add", "ivan", password=WORD)


async def test_a_login_that_is_given_at_the_workplace_is_kept_in_small_letters(desk: Desk) -> None:
    """Ivan and ivan side by side are one name to whoever types it, and one of them never signs in."""
    await desk.types("add", "ana", "--role", "administrator", password=WORD)
    async with desk.site.person("ana", WORD) as ana:
        for login, status in (("Maria.Kirova", 201), ("MARIA.kirova", 409), ("Rep0001", 409)):
            fields = {"login": login, "person": "Maria"}
            assert (await ana.json("/api/v1/people", "POST", json=fields))[0] == status, login
    async with desk.site.office.database.read() as connection:
        ids = await ids_by_code(connection, "app_user", ["maria.kirova"], column="login")
    assert ids
