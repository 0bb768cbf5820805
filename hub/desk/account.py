"""What people settle for themselves: their language, their sessions."""

from dataclasses import dataclass, replace

from fieldmesh.basics.errors import Rejected
from fieldmesh.service.translation import LANGUAGES, N_
from hub.desk.signin import SignedIn, SignIn
from hub.fleet.office import Office
from hub.rules.access import Access
from hub.storage import journal, person_facts, web_sessions
from hub.storage.rows import rows_where
from hub.storage.web_sessions import WebSession


@dataclass(frozen=True, slots=True)
class HeldPost:
    """A post that somebody fills today, in words."""

    position_id: bytes
    code: str
    name: str
    role: str
    substitute: bool


async def posts(office: Office, access: Access) -> list[HeldPost]:
    """The person's posts of today."""
    of = {post.position_id: post for post in access.posts}
    names = ("id", "code", "name", "role_id")
    async with office.database.read() as connection:
        rows = await rows_where(connection, "position", names, "id", of)
        roles = {row[3] for row in rows if isinstance(row[3], bytes)}
        named = {
            row[0]: row[1]
            for row in await rows_where(connection, "role", ("id", "name"), "id", roles)
        }
    return [
        HeldPost(
            row[0],
            str(row[1]),
            str(row[2] or ""),
            str(named.get(row[3]) or ""),
            of[row[0]].substitute,
        )
        for row in rows
        if isinstance(row[0], bytes)
    ]


async def sessions(office: Office, sign_in: SignIn, access: Access) -> list[WebSession]:
    """The person's sessions that hold, the one that was used last first."""
    async with office.database.read() as connection:
        found = await web_sessions.sessions_of(connection, access.user_id)
    return [one for one in found if sign_in.holds(one)]


async def end_session(office: Office, signed_in: SignedIn, session_id: bytes) -> None:
    """That session of the person is over.

    Raises:
        Rejected: `not_found`, the person has no such session.
    """
    user = signed_in.session.user_id
    async with office.database.write() as connection:
        if not await web_sessions.end_session(connection, session_id, of=user):
            raise Rejected("not_found", place="session", text=N_("you have no such session"))
        await journal.append(
            connection, at=office.clock.now(), kind="session_ended", actor=signed_in.access.login,
            payload={"session": session_id.hex()}, subjects=[user],
        )  # fmt: skip


async def end_other_sessions(office: Office, signed_in: SignedIn) -> int:
    """Only this session of the person is left. Returns how many have ended."""
    session = signed_in.session
    async with office.database.write() as connection:
        ended = await web_sessions.end_sessions_of(
            connection, session.user_id, but=session.session_id
        )
        await journal.append(
            connection, at=office.clock.now(), kind="session_ended", actor=signed_in.access.login,
            payload={"ended": ended}, subjects=[session.user_id],
        )  # fmt: skip
    return ended


async def choose_language(office: Office, signed_in: SignedIn, language: str) -> None:
    """The workplace speaks the language to the person, from now on and everywhere; empty = as the browser says.

    Raises:
        Rejected: `form_wrong`.
    """
    if language and language not in LANGUAGES:
        raise Rejected("form_wrong", place="language", count=1, text=language[:20])
    user = signed_in.session.user_id
    async with office.database.write() as connection:
        facts = await person_facts.person_facts(connection, user)
        await person_facts.keep_person_facts(connection, user, replace(facts, language=language))
        await web_sessions.set_session_language(connection, user, language)
