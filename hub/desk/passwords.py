"""Passwords of people: changed by themselves, or chosen anew with a code that is used once.

A new password ends the person's other sessions and reaches their devices with the next full sync.
"""

import asyncio
import hashlib
import logging
import secrets
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Self

from fieldmesh.basics.errors import Rejected, Retry
from fieldmesh.data.types import Value
from fieldmesh.service.mail import Mailer, Message
from fieldmesh.service.translation import N_, translate
from hub.desk.guard import Caller, Guard, forgive, login_name, names_of
from hub.desk.signin import LOCAL, SignedIn, Step
from hub.fleet.office import Office
from hub.fleet.people import set_verifier
from hub.storage import person_facts
from hub.storage.changes import ChangeWriter
from hub.storage.logins import row_of_login
from hub.storage.org_changes import head_office_write
from hub.storage.rows import Connection, one_row
from hub.storage.web_sessions import end_sessions_of, set_steps
from hub.trust.signin import is_password, make_verifier

LOG = logging.getLogger(__name__)
CODE_HOURS = 24
_HOUR_US = 3_600_000_000
_CODE_BYTES = 18
_LEAST_DIFFERENT = 5
_USER = ("login", "person", "status", "auth_kind", "mail")
_SUBJECT = N_("A new password for {company}")
_TEXT = N_(
    "{person},\n\nwith this address you choose a new password within {hours} hours:\n\n{address}\n\n"
    "If you have not asked for it, do nothing: your password stays as it is."
)


class Passwords:
    """Passwords of the people of one hub."""

    def __init__(self, office: Office, guard: Guard, mailer: Mailer) -> None:
        """Codes go out by ``mailer``, if it is set up."""
        self._office = office
        self._guard = guard
        self._mailer = mailer

    @classmethod
    def of(cls, office: Office) -> Self:
        """Those of an office, with its mail server and a guard of their own, for whoever tries no passwords."""
        guard = Guard(office.database, office.clock, office.settings.workplace)
        return cls(office, guard, Mailer(office.settings.mail, office.clock))

    @property
    def sends_mail(self) -> bool:
        """Whether somebody who has forgotten their password can be sent a code."""
        return self._mailer.is_set_up and bool(self._office.settings.workplace.address)

    async def change(self, signed_in: SignedIn, old: str, new: str) -> int:
        """The person has the new password. Returns how many other sessions have ended.

        Raises:
            Rejected: `password_wrong`, or what is wrong with the new one.
            Retry: `sign_in_locked`.
        """
        session, access = signed_in.session, signed_in.access
        caller = Caller(session.origin)
        names = names_of(access.login, caller)
        async with self._guard.one_by_one(names[0]):
            await self._guard.refuse_waiting(names)
            async with self._office.database.read() as connection:
                row = await one_row(connection, "app_user", ("verifier",), "id", access.user_id)
            held = str(row[0]) if row is not None and row[0] else ""
            if not await asyncio.to_thread(is_password, held, old):
                await self._guard.note_failure(names, access.login, caller)
                raise Rejected("password_wrong", place="old")
        if old == new:
            raise Rejected("password_same", place="new")
        verifier = await _verifier(new, access.login)
        async with self._writing(access.login, "password_changed", access.user_id) as writer:
            ended = await self._set(writer, access.user_id, verifier, but=session.session_id)
            await forgive(writer.connection, names)
            left = tuple(one for one in session.steps if one != Step.PASSWORD)
            await set_steps(writer.connection, session.session_id, left)
        return ended

    async def use_code(self, code: str, new: str, caller: Caller) -> str:
        """Who the code was made for has the new password. Returns their login.

        Raises:
            Rejected: `password_code_unknown`, or what is wrong with the new password.
            Retry: `sign_in_locked`.
        """
        names = names_of("", caller)[1:]
        await self._guard.refuse_waiting(names)
        async with self._office.database.read() as connection:
            user = await person_facts.person_of_password_code(
                connection, _hash(code), self._office.clock.now()
            )
            row = None if user is None else await one_row(connection, "app_user", _USER, "id", user)
        if user is None or row is None or row[2] != "active":
            await self._guard.note_failure(names, "", caller)
            raise Rejected("password_code_unknown", place="code")
        login = str(row[0])
        verifier = await _verifier(new, login)
        async with self._writing(login, "password_chosen", user) as writer:
            await self._set(writer, user, verifier)
            await forgive(writer.connection, [login_name(login)])
        return login

    async def ask(self, login: str, caller: Caller, language: str) -> None:
        """Who has forgotten their password is sent a code, if their address is known; nobody is told whether it is.

        Raises:
            Retry: `sign_in_locked`, too much was asked from that address.
        """
        names = (f"forgotten {login.strip().casefold()[:80]}", names_of("", caller)[1])
        async with self._office.database.write() as connection:
            await self._guard.refuse_waiting_in(connection, names)
            asked = login.strip()[:80]
            await self._guard.note_failure_in(connection, names, asked, caller, "password_asked")
        async with self._office.database.read() as connection:
            row = await row_of_login(connection, (*_USER, "id"), login)
        try:
            await self._send_code(row, language)
        except Retry as error:  # who asks must not hear that there was a mail to be sent
            LOG.warning("mail_failed", extra={"text": str(error)})

    async def _send_code(self, row: Sequence[Value] | None, language: str) -> None:
        """A code is on its way to an active person with an address; for others the mail server was reached in vain."""
        if not self.sends_mail:
            return
        named = row is not None and row[2:4] == ("active", LOCAL) and bool(row[4])
        if row is None or not named or not isinstance(row[5], bytes):
            await self._mailer.knock()
            return
        async with self._office.database.write() as connection:
            code = await make_code(connection, row[5], self._office.clock.now())
        await self.send(str(row[4]), str(row[1] or row[0]), code, language)

    async def send(self, mail: str, person: str, code: str, language: str) -> None:
        """The code is on its way to its person.

        Raises:
            Retry: `mail_failed`.
        """
        company, address = self._office.settings.company, self.address_of(code)
        subject = translate(_SUBJECT, language).format(company=company)
        text = translate(_TEXT, language).format(person=person, hours=CODE_HOURS, address=address)
        await self._mailer.send(Message((mail,), subject, text))

    def address_of(self, code: str) -> str:
        """Where the code is used."""
        return f"{self._office.settings.workplace.address.rstrip('/')}/password?code={code}"

    def _writing(
        self, actor: str, kind: str, user: bytes
    ) -> AbstractAsyncContextManager[ChangeWriter]:
        return head_office_write(
            self._office.database,
            self._office.clock,
            actor=actor,
            kind=kind,
            about={},
            subjects=[user],
        )

    async def _set(
        self, writer: ChangeWriter, user: bytes, verifier: str, *, but: bytes | None = None
    ) -> int:
        connection = writer.connection
        await set_verifier(writer, self._office.maker, user, verifier)
        facts = await person_facts.person_facts(connection, user)
        await person_facts.keep_person_facts(connection, user, replace(facts, must_change=False))
        await person_facts.forget_password_codes(connection, user)
        return await end_sessions_of(connection, user, but=but)


async def make_code(connection: Connection, user: bytes, now: int) -> str:
    """A code with which the person chooses a new password once, within a day; earlier ones hold no longer."""
    code = secrets.token_urlsafe(_CODE_BYTES)
    await person_facts.add_password_code(connection, user, _hash(code), now + CODE_HOURS * _HOUR_US)
    return code


async def must_change(connection: Connection, user: bytes) -> None:
    """The person chooses another password when they next sign in at the workplace: somebody else knows this one."""
    facts = await person_facts.person_facts(connection, user)
    await person_facts.keep_person_facts(connection, user, replace(facts, must_change=True))


async def _verifier(password: str, login: str) -> str:
    """The verifier of a password that is no plain one.

    Raises:
        Rejected: `password_too_short`, `password_too_long`, `password_too_plain`.
    """
    plain = password.casefold()
    if len(set(plain)) < _LEAST_DIFFERENT or login.casefold() in plain:
        raise Rejected("password_too_plain", place="new")
    return await asyncio.to_thread(make_verifier, password)


def _hash(code: str) -> str:
    return hashlib.sha256(code.strip().encode()).hexdigest()
