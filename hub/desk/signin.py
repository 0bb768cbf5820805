"""Signing in at the workplace: sessions, and the steps that are left before one opens anything.

The answer to a wrong name takes as long as to a wrong password, and says the same.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NoReturn

from fieldmesh.basics.clock import Clock
from fieldmesh.basics.errors import Rejected, Retry
from fieldmesh.basics.logins import folded
from hub.desk.admission import DIRECTORY
from hub.desk.directory import DirectoryPeople
from hub.desk.guard import Caller, Guard, forgive, names_of
from hub.desk.people import access_of
from hub.fleet.office import Office
from hub.fleet.subscriptions import today
from hub.rules.access import Access
from hub.storage import journal
from hub.storage.logins import row_of_login
from hub.storage.person_facts import PersonFacts, person_facts
from hub.storage.provider_sessions import end_provider_sessions, note_provider_session
from hub.storage.web_sessions import (
    WebSession,
    add_session,
    end_session,
    end_sessions_of,
    forget_ended,
    note_seen,
    session_of_token,
)
from hub.trust.identity import SessionThere
from hub.trust.signin import is_password, make_verifier, token_hash

USE = "workplace.use"
_TOKEN_BYTES = 32
_SECOND_US = 1_000_000
_SEEN_EVERY_US = 60 * _SECOND_US
_KNOWN = 4_096


class Way(StrEnum):
    """How somebody proves who they are."""

    PASSWORD = "password"  # noqa: S105 - a word, no password
    DIRECTORY = "directory"
    KERBEROS = "kerberos"
    OPENID = "openid"


class Step(StrEnum):
    """What is left to do before a session opens anything, in this order."""

    FACTOR = "factor"
    PASSWORD = "password"  # noqa: S105 - a word, no password
    ENROL = "enrol"


@dataclass(frozen=True, slots=True)
class Recognised:
    """Somebody whom another system has recognised, and their session there, if it can be ended there."""

    user_id: bytes
    there: SessionThere | None = None


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session, and what its person may do now."""

    session: WebSession
    access: Access

    @property
    def step(self) -> Step | None:
        """What is to be done next; None = everything is open."""
        return Step(self.session.steps[0]) if self.session.steps else None


class SignIn:
    """Sign-in and sessions of one hub."""

    def __init__(self, office: Office, guard: Guard, directory: DirectoryPeople) -> None:
        """Nobody is remembered yet; sessions stand in the database. Whom the hub does not know, ``directory`` may."""
        self._database = office.database
        self._maker = office.maker
        self._settings = office.settings.workplace
        self._provider_s = office.settings.openid.longest_s
        self._guard = guard
        self._directory = directory
        self._factored = frozenset(
            way
            for way, there in (
                (Way.KERBEROS, office.settings.kerberos.second_factor),
                (Way.OPENID, office.settings.openid.second_factor),
            )
            if there
        )
        self._nobody = make_verifier(secrets.token_urlsafe())
        self._known: dict[tuple[bytes, int, str], Access] = {}

    @property
    def _clock(self) -> Clock:
        return self._maker.clock

    async def sign_in(self, login: str, password: str, caller: Caller) -> str:
        """The person has a new session. Returns its token, which is kept nowhere.

        Raises:
            Rejected: `sign_in_refused`, `no_post`, `account_of_another_kind`.
            Retry: `sign_in_locked`, `directory_away`.
        """
        name = folded(login)
        names = names_of(name, caller)
        async with self._guard.one_by_one(names[0]):
            await self._guard.refuse_waiting(names)
            try:
                user, way = await self._proven(login, password, caller)
                return await self.begin(user, caller, way, names)
            except Rejected as error:
                await self._guard.note_failure(names, name[:80], caller, why=error.code)
                raise

    async def recognised(
        self, caller: Caller, way: Way, prove: Callable[[], Awaitable[Recognised]]
    ) -> str:
        """Somebody whom another system recognises has a new session. Returns its token.

        Who is refused stands in the journal, and their address waits as after wrong passwords.

        Args:
            caller: where they come from.
            way: how they prove who they are.
            prove: finds out who it is.

        Raises:
            Rejected: `no_post`, and what ``prove`` refuses with.
            Retry: `sign_in_locked`, and what ``prove`` has to wait for.
        """
        names = names_of("", caller)[1:]
        await self._guard.refuse_waiting(names)
        try:
            found = await prove()
            return await self.begin(found.user_id, caller, way, there=found.there)
        except Rejected as error:
            login = str(error.fields.get("login", ""))
            await self._guard.note_failure(names, login, caller, why=error.code)
            raise

    async def _proven(self, login: str, password: str, caller: Caller) -> tuple[bytes, Way]:
        """Whose name and password it is, as the hub knows or the directory.

        The password of somebody who signs in otherwise is not shown to the directory, where it could lock a namesake
        out; the directory is asked for nobody instead, so that the answer takes as long.

        Raises:
            Rejected: `sign_in_refused`, `account_of_another_kind`.
            Retry: `directory_away`.
        """
        columns = ("id", "verifier", "status", "auth_kind")
        async with self._database.read() as connection:
            row = await row_of_login(connection, columns, login)
        verifier = str(row[1]) if row is not None and row[1] else self._nobody
        right = await asyncio.to_thread(is_password, verifier, password)
        if row is not None and row[3] != DIRECTORY:
            if right and (row[2], row[3]) == ("active", LOCAL) and isinstance(row[0], bytes):
                return row[0], Way.PASSWORD
            await self._refuse_later(login, caller)
        user = await self._directory.with_password(folded(login), password)
        if user is None:
            raise Rejected("sign_in_refused", place="login")
        return user, Way.DIRECTORY

    async def _refuse_later(self, login: str, caller: Caller) -> NoReturn:
        """A wrong password of somebody whom the hub knows counts also while the directory is away."""
        try:
            await self._directory.in_vain()
        except Retry as error:
            await self._guard.note_failure(names_of(login, caller), login, caller, why=error.code)
            raise
        raise Rejected("sign_in_refused", place="login")

    async def begin(
        self,
        user_id: bytes,
        caller: Caller,
        way: Way,
        names: Sequence[str] = (),
        *,
        there: SessionThere | None = None,
    ) -> str:
        """Somebody who has proven who they are has a new session. Returns its token.

        Args:
            user_id: the person.
            caller: where they come from.
            way: how they have proven it.
            names: of the guard, that may begin anew.
            there: the person's session at the provider: when it ends, so does this one.

        Raises:
            Rejected: `no_post`, none of the person's posts of today lets them use the workplace.
        """
        now = self._clock.now()
        async with self._database.read() as connection:
            access = await access_of(connection, user_id, today(self._clock))
            facts = await person_facts(connection, user_id)
        if access is None or not access.may(USE):
            raise Rejected("no_post", place="login")
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        session = WebSession(
            self._maker.identifiers.new(), token_hash(token), secrets.token_urlsafe(_TOKEN_BYTES), user_id,
            now, now, now + int(self._longest_s(way) * _SECOND_US), caller.origin[:80],
            caller.agent[:200], way.value, self._steps(way, facts, access), facts.language,
        )  # fmt: skip
        async with self._database.write() as connection:
            await forgive(connection, names)
            await forget_ended(connection, now, now - int(self._settings.idle_s * _SECOND_US))
            await add_session(connection, session)
            if there is not None:
                await note_provider_session(
                    connection, session.session_id, there.subject, there.session
                )
            about = {"user": user_id.hex(), "origin": caller.origin, "way": way.value}
            await journal.append(
                connection, at=now, kind="signed_in", actor=access.login, payload=about,
                subjects=[user_id],
            )  # fmt: skip
        return token

    def _longest_s(self, way: Way) -> float:
        """Whom a provider has recognised it is asked for again sooner: they may have left there."""
        longest = self._settings.longest_s
        return min(longest, self._provider_s) if way is Way.OPENID else longest

    async def ended_there(self, there: SessionThere, at: int) -> int:
        """Sessions that came from one at the provider are over. Returns how many there were.

        Args:
            there: that has ended.
            at: when, UTC microseconds; who has come again since then stays.
        """
        async with self._database.write() as connection:
            ended = await end_provider_sessions(connection, there.subject, there.session, at)
            for user, count in ended.items():
                await journal.append(
                    connection, at=self._clock.now(), kind="signed_out", actor=Way.OPENID.value,
                    payload={"sessions": count, "why": "ended at the provider"}, subjects=[user],
                )  # fmt: skip
        return sum(ended.values())

    def _steps(self, way: Way, facts: PersonFacts, access: Access) -> tuple[str, ...]:
        """Who was asked for a second factor elsewhere, as the settings say, is not asked for another one here."""
        wanted = {
            Step.FACTOR: bool(facts.factor),
            Step.PASSWORD: facts.must_change and way is Way.PASSWORD,
            Step.ENROL: not facts.factor and access.demands(USE, "second_factor"),
        }
        if way in self._factored:
            wanted |= {Step.FACTOR: False, Step.ENROL: False}
        return tuple(step.value for step, left in wanted.items() if left)

    async def who(self, token: str, *, used: bool = True) -> SignedIn | None:
        """The session of a token and what its person may do now; None when it is over.

        Args:
            token: of the cookie.
            used: whether somebody does something; a page that refreshes itself does not keep a session from ending.
        """
        now = self._clock.now()
        async with self._database.read() as connection:
            found = await session_of_token(connection, token_hash(token))
            if found is None or not self.holds(found[0]):
                return None
            session, version = found
            key = (session.user_id, version, today(self._clock))
            access = self._known.get(key)
            if access is None:
                access = await access_of(connection, session.user_id, key[2])
        if access is None or not access.may(USE):
            return None
        if len(self._known) >= _KNOWN:
            self._known.clear()
        self._known[key] = access
        if used and now - session.seen_at > _SEEN_EVERY_US:
            async with self._database.write() as connection:
                await note_seen(connection, session.session_id, now)
        return SignedIn(session, access)

    async def sign_out(self, signed_in: SignedIn, *, everywhere: bool = False) -> None:
        """The session is over, or all sessions of the person."""
        session = signed_in.session
        async with self._database.write() as connection:
            if everywhere:
                await end_sessions_of(connection, session.user_id)
            else:
                await end_session(connection, session.session_id)
            about = {"everywhere": everywhere, "origin": session.origin}
            await journal.append(
                connection, at=self._clock.now(), kind="signed_out",
                actor=signed_in.access.login, payload=about, subjects=[session.user_id],
            )  # fmt: skip

    def holds(self, session: WebSession) -> bool:
        """Whether neither end of the session has come."""
        idle = session.seen_at + int(self._settings.idle_s * _SECOND_US)
        return self._clock.now() < min(session.expires_at, idle)


LOCAL = "local"
"""How somebody signs in whose password the hub itself knows."""
