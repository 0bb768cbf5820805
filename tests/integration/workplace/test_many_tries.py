"""Many tries at once get no further than one after the other: passwords, codes of the second factor, and their pace."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from unittest import mock

import pytest

from fieldmesh.basics.clock import ManualClock
from fieldmesh.basics.errors import Retry
from hub.config import HubSettings, PaceSettings
from hub.desk.guard import Caller, Guard
from hub.exchange.sample.generated import Size
from hub.storage.person_facts import PersonFacts, keep_person_facts
from hub.trust import totp
from hub.trust.vault import Vault
from hub.web.turns import Turns
from tests.kit.workplace import PASSWORD, Person, Site, site

SMALL = Size(offices=1, reps=1, outlets_a_rep=1, products=1)
TRIES, AT_ONCE = 5, 30
LOCKED, REFUSED, BUSY, BROKEN = 429, 401, 503, 500


@pytest.fixture
async def company(tmp_path: Path) -> AsyncIterator[Site]:
    """A small company with Ann, who is an analyst."""
    async with site(tmp_path, SMALL) as found:
        await found.add("ann", "analyst")
        yield found


async def at_once(person: Person, path: str, fields: dict[str, str]) -> Counter[int]:
    """How often each status came when the form was sent many times at once."""
    async with asyncio.TaskGroup() as group:
        sent = [group.create_task(person.post(path, fields)) for _ in range(AT_ONCE)]
    return Counter(one.result()[0] for one in sent)


async def with_factor(company: Site) -> bytes:
    """Ann has a second factor; its secret."""
    async with company.office.database.read() as connection:
        found = await connection.exec_driver_sql("SELECT id FROM app_user WHERE login = 'ann'")
        user = bytes(found.scalar_one())
    secret = totp.new_secret()
    sealed = Vault.load_or_create(company.office.home.trust).seal(secret, user)
    async with company.office.database.write() as connection:
        await keep_person_facts(connection, user, PersonFacts(factor=sealed, factor_since=1))
    return secret


async def test_no_failure_shortens_the_wait_of_a_name(company: Site) -> None:
    """A wrong password that was under way when the wait began would end it: guessing goes on without waiting."""
    settings = company.office.settings.workplace
    guard, caller = Guard(company.office.database, ManualClock(), settings), Caller("192.0.2.1")
    for _ in range(TRIES + 1):
        await guard.note_failure(["login ann"], "ann", caller)
    with pytest.raises(Retry, match="Too many wrong passwords"):
        await guard.refuse_waiting(["login ann"])


async def test_codes_that_come_at_once_are_no_more_tries_than_one_after_the_other(
    company: Site,
) -> None:
    """Six digits that may be tried thirty at once, again and again, are found before long."""
    secret = await with_factor(company)
    async with company.stranger() as ann:
        await ann.post("/sign-in", {"login": "ann", "password": PASSWORD})
        await ann.get("/sign-in/step")
        answers = await at_once(ann, "/sign-in/step", {"code": "no code"})
        assert answers == {REFUSED: TRIES, LOCKED: AT_ONCE - TRIES}
        right = totp.code_at(secret, totp.step_at(company.office.clock.now()))
        assert (await ann.post("/sign-in/step", {"code": right}))[0] == LOCKED


async def test_passwords_that_come_at_once_are_no_more_tries_than_one_after_the_other(
    company: Site,
) -> None:
    """A wait that thirty guesses pass together, before the first of them is counted, is none."""
    async with company.stranger() as guesser:
        answers = await at_once(guesser, "/sign-in", {"login": "ann", "password": "wrong word"})
        assert answers[REFUSED] <= TRIES
        assert set(answers) <= {REFUSED, LOCKED, BUSY}
        for _ in range(TRIES):
            await guesser.post("/sign-in", {"login": "ann", "password": "wrong word"})
        status, _ = await guesser.post("/sign-in", {"login": "ann", "password": PASSWORD})
        assert status == LOCKED


async def test_old_passwords_that_come_at_once_are_no_more_tries_either(company: Site) -> None:
    """Whoever finds a browser open would guess the password where it is changed."""
    async with company.person("ann") as finder:
        await finder.get("/account/password")
        fields = {"old": "wrong word", "new": "another long one 42", "again": "another long one 42"}
        answers = await at_once(finder, "/account/password", fields)
        assert answers[REFUSED] <= TRIES
        assert set(answers) <= {REFUSED, LOCKED, BUSY}


async def test_steps_of_a_sign_in_have_the_pace_of_attempts_and_pages_have_not(
    tmp_path: Path,
) -> None:
    """Thirty codes a second are asked of somebody who has a password; nobody types so fast."""
    settings = HubSettings(pace=PaceSettings(attempts_at_once=2, attempts_a_minute=1))
    async with site(tmp_path, SMALL, settings) as company:
        await company.add("ann", "analyst")
        await with_factor(company)
        async with company.stranger() as ann:
            await ann.post("/sign-in", {"login": "ann", "password": PASSWORD})
            await ann.get("/sign-in/step")
            wrong = [await ann.post("/sign-in/step", {"code": "no code"}) for _ in range(3)]
            assert [status for status, _ in wrong] == [REFUSED, REFUSED, LOCKED]
            assert [(await ann.get("/sign-in/step"))[0] for _ in range(3)] == [200] * 3


@pytest.mark.parametrize("cookie", ["", "of nobody"])
async def test_what_a_stranger_asks_too_often_takes_nobodys_turn(
    tmp_path: Path, cookie: str
) -> None:
    """While something is written there are fifty turns a second for all: one address could have them all."""
    settings = HubSettings(pace=PaceSettings(address_at_once=5, address_a_second=0.001))
    async with site(tmp_path, SMALL, settings) as company:
        await company.add("ann", "analyst")
        async with company.person("ann") as ann, company.stranger() as stranger:
            headers = {"Cookie": f"__Host-fieldmesh={cookie}"} if cookie else {}
            with mock.patch.object(Turns, "take", autospec=True) as take:
                paths = ["/today", "/healthXYZ", "/static/x", "/static/0123456789ab/none.js"] * 5
                answers = [(await stranger.get(path, headers=headers))[0] for path in paths]
                assert answers.count(LOCKED) >= len(paths) - 5
                assert BROKEN not in answers
                assert take.call_count <= 5
            assert (await ann.get("/account"))[0] == 200
            assert (await stranger.get("/health"))[0] == 200


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"GET /api/v1/me HTTP/1.1\r\nAuthorization: Bearer \xff", REFUSED),
        (b"GET /api/v1/me HTTP/1.1\r\nCookie: __Host-fieldmesh=\xff", REFUSED),
        (b"GET /api/v1/me HTTP/1.1\r\nAuthorization: Bearer \xd1\x8f", REFUSED),
    ],
)
async def test_bytes_that_are_no_text_are_no_failure_of_the_server(
    company: Site, head: bytes, status: int
) -> None:
    """Each was an exception with a trace in the log, before anything counts how often a stranger asks."""
    port = int(company.base.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("localhost", port, ssl=company.trust)
    writer.write(head + b"\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    assert answer.split(b" ", 2)[1] == str(status).encode()
