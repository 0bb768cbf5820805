"""Signing in at the workplace with name and password; sessions; waiting after wrong passwords.

The answer to a wrong name takes as long as to a wrong password, and says the same.
"""

import asyncio
import hashlib
import math
import secrets
from dataclasses import dataclass

from fieldmesh.basics.clock import Clock
from fieldmesh.basics.errors import Rejected, Retry
from hub.config import WorkplaceSettings
from hub.desk.people import access_of
from hub.fleet.registry import Maker
from hub.fleet.subscriptions import today
from hub.rules.access import Access
from hub.storage import journal
from hub.storage.database import HubDatabase
from hub.storage.rows import one_row
from hub.storage.web_sessions import (
    WebSession,
    access_version,
    add_session,
    end_session,
    end_sessions_of,
    forget_ended,
    guard_of,
    note_seen,
    session_of_token,
    set_guard,
)
from hub.trust.signin import is_password, make_verifier

_TOKEN_BYTES = 32
_SECOND_US = 1_000_000
_SEEN_EVERY_US = 60 * _SECOND_US
_LONGEST_WAIT_S = 3_600.0
_KNOWN = 4_096
_PEOPLE_AT_AN_ADDRESS = 20
"""A branch comes from one address: one person's mistakes must not lock its others out."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session, and what its person may do now."""

    session: WebSession
    access: Access


class SignIn:
    """Sign-in and sessions of one hub."""

    def __init__(self, database: HubDatabase, maker: Maker, settings: WorkplaceSettings) -> None:
        """Nobody is remembered yet; sessions stand in the database."""
        self._database = database
        self._maker = maker
        self._settings = settings
        self._nobody = make_verifier(secrets.token_urlsafe())
        self._known: dict[tuple[bytes, int, str], Access] = {}

    @property
    def _clock(self) -> Clock:
        return self._maker.clock

    async def sign_in(self, login: str, password: str, *, origin: str, agent: str) -> str:
        """The person has a new session. Returns its token, which is kept nowhere.

        Args:
            login: as typed.
            password: as typed.
            origin: network address, for the journal.
            agent: what the browser calls itself.

        Raises:
            Rejected: `sign_in_refused`.
            Retry: `sign_in_locked`.
        """
        name = login.strip().casefold()[:80]
        names = (f"login {name}", f"address {origin[:80]}")
        await self._refuse_locked(names)
        async with self._database.read() as connection:
            row = await one_row(connection, "app_user", ("id", "verifier", "status"), "login", name)
        verifier = str(row[1]) if row is not None and row[1] else self._nobody
        right = await asyncio.to_thread(is_password, verifier, password)
        if row is None or not right or row[2] != "active" or not isinstance(row[0], bytes):
            await self._note_failure(names, name, origin)
            raise Rejected("sign_in_refused", place="login")
        return await self.begin(row[0], origin=origin, agent=agent, names=names)

    async def begin(
        self, user_id: bytes, *, origin: str, agent: str, names: tuple[str, ...] = ()
    ) -> str:
        """Somebody who has proven who they are has a new session. Returns its token."""
        token, now = secrets.token_urlsafe(_TOKEN_BYTES), self._clock.now()
        session = WebSession(
            self._maker.identifiers.new(), _hash(token), secrets.token_urlsafe(_TOKEN_BYTES), user_id,
            now, now, now + int(self._settings.longest_s * _SECOND_US), origin[:80], agent[:200],
            second_factor=False,
        )  # fmt: skip
        async with self._database.write() as connection:
            for name in names:
                await set_guard(connection, name, 0, 0)
            idle = now - int(self._settings.idle_s * _SECOND_US)
            await forget_ended(connection, now, idle)
            await add_session(connection, session)
            about = {"user": user_id.hex(), "origin": origin}
            await journal.append(
                connection, at=now, kind="signed_in", actor=user_id.hex(), payload=about
            )
        return token

    async def who(self, token: str) -> SignedIn | None:
        """The session of a token and what its person may do now; None when it is over."""
        now = self._clock.now()
        async with self._database.read() as connection:
            session = await session_of_token(connection, _hash(token))
            if session is None or not self._holds(session, now):
                return None
            key = (session.user_id, await access_version(connection), today(self._clock))
            access = self._known.get(key)
            if access is None:
                access = await access_of(connection, session.user_id, key[2])
        if access is None:
            return None
        if len(self._known) >= _KNOWN:
            self._known.clear()
        self._known[key] = access
        if now - session.seen_at > _SEEN_EVERY_US:
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
                actor=signed_in.access.login, payload=about,
            )  # fmt: skip

    def _holds(self, session: WebSession, now: int) -> bool:
        idle = session.seen_at + int(self._settings.idle_s * _SECOND_US)
        return now < min(session.expires_at, idle)

    async def _refuse_locked(self, names: tuple[str, ...]) -> None:
        now = self._clock.now()
        async with self._database.read() as connection:
            until = max([(await guard_of(connection, name))[1] for name in names])
        if until > now:
            delay_s = (until - now) / _SECOND_US
            raise Retry(
                "sign_in_locked", place="login", delay_s=delay_s, minutes=math.ceil(delay_s / 60)
            )

    async def _note_failure(self, names: tuple[str, ...], login: str, origin: str) -> None:
        """After each further row of wrong passwords the wait is twice as long, up to an hour."""
        now, settings = self._clock.now(), self._settings
        async with self._database.write() as connection:
            for name in names:
                failures = (await guard_of(connection, name))[0] + 1
                tries = settings.tries * (1 if name.startswith("login ") else _PEOPLE_AT_AN_ADDRESS)
                turns, rest = divmod(failures, max(1, tries))
                wait_s = (
                    min(_LONGEST_WAIT_S, settings.wait_s * 2 ** min(turns - 1, 10))
                    if not rest
                    else 0.0
                )
                await set_guard(connection, name, failures, now + int(wait_s * _SECOND_US))
            about = {"login": login, "origin": origin}
            await journal.append(
                connection, at=now, kind="sign_in_refused", actor=login, payload=about
            )


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
