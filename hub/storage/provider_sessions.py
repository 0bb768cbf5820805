"""Which session at the sign-on provider a session here came from."""

import sqlalchemy as sa

from hub.storage.rows import Connection, pieces
from hub.storage.system_tables import PROVIDER_SESSION, WEB_SESSION

_LONGEST_NAME = 255


async def note_provider_session(
    connection: Connection, session_id: bytes, subject: str, name: str
) -> None:
    """The session came from that one; what is known of sessions that are over is forgotten.

    Args:
        connection: of a write transaction.
        session_id: of the session here.
        subject: the person, as the provider calls them.
        name: of the session there; empty = it has none.
    """
    held = sa.select(WEB_SESSION.c.session_id)
    await connection.execute(
        sa.delete(PROVIDER_SESSION).where(PROVIDER_SESSION.c.session_id.not_in(held))
    )
    values = {
        "session_id": session_id,
        "subject": subject[:_LONGEST_NAME],
        "name": name[:_LONGEST_NAME],
    }
    await connection.execute(sa.insert(PROVIDER_SESSION).values(**values))


async def end_provider_sessions(
    connection: Connection, subject: str, name: str, until: int
) -> dict[bytes, int]:
    """The sessions that came from there are over. Returns of how many sessions of each person that is true.

    Args:
        connection: of a write transaction.
        subject: the person, as the provider calls them; empty = whoever has the named session.
        name: of the session there; empty = all of the person's.
        until: sessions that began later stay, UTC microseconds.
    """
    held = sa.select(WEB_SESSION.c.session_id, WEB_SESSION.c.user_id)
    held = held.join(PROVIDER_SESSION, PROVIDER_SESSION.c.session_id == WEB_SESSION.c.session_id)
    held = held.where(WEB_SESSION.c.created_at <= until)
    if subject:
        held = held.where(PROVIDER_SESSION.c.subject == subject[:_LONGEST_NAME])
    if name:
        held = held.where(PROVIDER_SESSION.c.name == name[:_LONGEST_NAME])
    found = (await connection.execute(held)).all()
    ended: dict[bytes, int] = {}
    for _session, user in found:
        ended[user] = ended.get(user, 0) + 1
    for piece in pieces(row[0] for row in found):
        await connection.execute(sa.delete(WEB_SESSION).where(WEB_SESSION.c.session_id.in_(piece)))
    return ended
