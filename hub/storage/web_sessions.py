"""Sessions of people at the workplace, and how often a name was tried in vain."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from hub.storage.rows import Connection
from hub.storage.system_tables import HUB, SIGN_IN_GUARD, WEB_SESSION


@dataclass(frozen=True, slots=True)
class WebSession:
    """One browser of one person. Times are UTC microseconds; of the token only the SHA-256 is kept."""

    session_id: bytes
    token_hash: str
    csrf: str
    user_id: bytes
    created_at: int
    seen_at: int
    expires_at: int
    origin: str
    agent: str
    second_factor: bool


_COLUMNS = tuple(WEB_SESSION.c[name] for name in WebSession.__dataclass_fields__)


async def add_session(connection: Connection, session: WebSession) -> None:
    """The session holds."""
    values = {name: getattr(session, name) for name in WebSession.__dataclass_fields__}
    values["second_factor"] = int(session.second_factor)
    await connection.execute(sa.insert(WEB_SESSION).values(**values))


async def session_of_token(connection: Connection, token_hash: str) -> WebSession | None:
    """The session of a token; None = there is none."""
    query = sa.select(*_COLUMNS).where(WEB_SESSION.c.token_hash == token_hash)
    row = (await connection.execute(query)).first()
    return None if row is None else _session(row)


async def sessions_of(connection: Connection, user_id: bytes) -> list[WebSession]:
    """All sessions of a person, the newest first."""
    query = sa.select(*_COLUMNS).where(WEB_SESSION.c.user_id == user_id)
    rows = (await connection.execute(query.order_by(WEB_SESSION.c.created_at.desc()))).all()
    return [_session(row) for row in rows]


async def note_seen(connection: Connection, session_id: bytes, at: int) -> None:
    """The session was used."""
    mine = WEB_SESSION.c.session_id == session_id
    await connection.execute(sa.update(WEB_SESSION).where(mine).values(seen_at=at))


async def end_session(connection: Connection, session_id: bytes) -> None:
    """The session is over."""
    await connection.execute(sa.delete(WEB_SESSION).where(WEB_SESSION.c.session_id == session_id))


async def end_sessions_of(
    connection: Connection, user_id: bytes, *, but: bytes | None = None
) -> int:
    """All sessions of a person are over, but one if it is named. Returns how many there were."""
    mine = WEB_SESSION.c.user_id == user_id
    if but is not None:
        mine = sa.and_(mine, WEB_SESSION.c.session_id != but)
    return (await connection.execute(sa.delete(WEB_SESSION).where(mine))).rowcount


async def forget_ended(connection: Connection, now: int, idle_since: int) -> None:
    """Sessions whose end has come are gone."""
    over = sa.or_(WEB_SESSION.c.expires_at <= now, WEB_SESSION.c.seen_at <= idle_since)
    await connection.execute(sa.delete(WEB_SESSION).where(over))


async def guard_of(connection: Connection, name: str) -> tuple[int, int]:
    """Failures in a row, and until when the name waits (0 = it does not)."""
    query = sa.select(SIGN_IN_GUARD.c.failures, SIGN_IN_GUARD.c.locked_until)
    row = (await connection.execute(query.where(SIGN_IN_GUARD.c.name == name))).first()
    return (0, 0) if row is None else (int(row[0]), int(row[1] or 0))


async def set_guard(connection: Connection, name: str, failures: int, locked_until: int) -> None:
    """So often in a row the name was tried in vain; 0 = it may begin anew."""
    await connection.execute(sa.delete(SIGN_IN_GUARD).where(SIGN_IN_GUARD.c.name == name))
    if failures:
        values = {"name": name, "failures": failures, "locked_until": locked_until}
        await connection.execute(sa.insert(SIGN_IN_GUARD).values(**values))


async def access_version(connection: Connection) -> int:
    """Grows with every change of what people may do and see."""
    return int((await connection.execute(sa.select(HUB.c.access_lsn))).scalar_one())


def _session(row: Any) -> WebSession:
    named = dict(zip(WebSession.__dataclass_fields__, row, strict=True))
    return WebSession(**{**named, "second_factor": bool(named["second_factor"])})
