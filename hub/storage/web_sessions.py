"""Sessions of people at the workplace. Of a token only the SHA-256 is kept."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from hub.storage.prepared import Prepared
from hub.storage.rows import Connection
from hub.storage.system_tables import HUB, PROVIDER_SESSION, WEB_SESSION


@dataclass(frozen=True, slots=True)
class WebSession:
    """One browser of one person. Times are UTC microseconds.

    Attributes:
        way: how the person has proven who they are: ``password``, ``directory``, ``kerberos``, ``openid``.
        steps: what they still have to do before anything opens, in order.
        language: that they have chosen; empty = as the browser says.
    """

    session_id: bytes
    token_hash: str
    csrf: str
    user_id: bytes
    created_at: int
    seen_at: int
    expires_at: int
    origin: str
    agent: str
    way: str = "password"
    steps: tuple[str, ...] = ()
    language: str = ""


_COLUMNS = tuple(WEB_SESSION.c[name] for name in WebSession.__dataclass_fields__)
_BY_TOKEN = Prepared(
    sa.select(*_COLUMNS, sa.select(HUB.c.access_lsn).scalar_subquery()).where(
        WEB_SESSION.c.token_hash == sa.bindparam("token_hash")
    )
)
"""Every request asks it."""


async def add_session(connection: Connection, session: WebSession) -> None:
    """The session holds."""
    values = {name: getattr(session, name) for name in WebSession.__dataclass_fields__}
    values["steps"] = " ".join(session.steps)
    await connection.execute(sa.insert(WEB_SESSION).values(**values))


async def session_of_token(
    connection: Connection, token_hash: str
) -> tuple[WebSession, int] | None:
    """The session of a token, and a number that grows with every change of what people may do and see."""
    rows = await _BY_TOKEN.rows(connection, {"token_hash": token_hash})
    return (_session(rows[0][:-1]), int(rows[0][-1])) if rows else None


async def sessions_of(connection: Connection, user_id: bytes) -> list[WebSession]:
    """All sessions of a person, the one that was used last first."""
    query = sa.select(*_COLUMNS).where(WEB_SESSION.c.user_id == user_id)
    rows = (await connection.execute(query.order_by(WEB_SESSION.c.seen_at.desc()))).all()
    return [_session(row) for row in rows]


async def note_seen(connection: Connection, session_id: bytes, at: int) -> None:
    """The session was used."""
    await _update(connection, session_id, seen_at=at)


async def set_steps(connection: Connection, session_id: bytes, steps: tuple[str, ...]) -> None:
    """These steps are left before anything opens."""
    await _update(connection, session_id, steps=" ".join(steps))


async def set_session_language(connection: Connection, user_id: bytes, language: str) -> None:
    """All sessions of the person are in the language."""
    mine = WEB_SESSION.c.user_id == user_id
    await connection.execute(sa.update(WEB_SESSION).where(mine).values(language=language))


async def end_session(
    connection: Connection, session_id: bytes, *, of: bytes | None = None
) -> bool:
    """The session is over, if it is that person's where one is named. Returns whether there was one."""
    mine = WEB_SESSION.c.session_id == session_id
    if of is not None:
        mine = sa.and_(mine, WEB_SESSION.c.user_id == of)
    return (await connection.execute(sa.delete(WEB_SESSION).where(mine))).rowcount > 0


async def end_sessions_of(
    connection: Connection, user_id: bytes, *, but: bytes | None = None
) -> int:
    """All sessions of a person are over, but one if it is named. Returns how many there were."""
    mine = WEB_SESSION.c.user_id == user_id
    if but is not None:
        mine = sa.and_(mine, WEB_SESSION.c.session_id != but)
    return (await connection.execute(sa.delete(WEB_SESSION).where(mine))).rowcount


async def end_all_sessions(connection: Connection) -> None:
    """Everybody has to sign in again."""
    await connection.execute(sa.delete(PROVIDER_SESSION))
    await connection.execute(sa.delete(WEB_SESSION))


async def forget_ended(connection: Connection, now: int, idle_since: int) -> None:
    """Sessions whose end has come are gone."""
    over = sa.or_(WEB_SESSION.c.expires_at <= now, WEB_SESSION.c.seen_at <= idle_since)
    await connection.execute(sa.delete(WEB_SESSION).where(over))


async def _update(connection: Connection, session_id: bytes, **values: object) -> None:
    mine = WEB_SESSION.c.session_id == session_id
    await connection.execute(sa.update(WEB_SESSION).where(mine).values(**values))


def _session(row: Any) -> WebSession:
    named = dict(zip(WebSession.__dataclass_fields__, row, strict=True))
    return WebSession(**{**named, "steps": tuple(named["steps"].split())})
