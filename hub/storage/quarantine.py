"""What could not be verified, decoded or applied: its bytes, its reason, and what an operator does with it."""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.storage.system_tables import QUARANTINE

OPEN, RETRIED, RELEASED = "open", "retried", "released"
_MOST_TEXT = 1000


@dataclass(frozen=True, slots=True)
class Quarantined:
    """One entry. `payload` is the UpMessage as it came; `at` is UTC microseconds."""

    number: int
    device_id: bytes | None
    device_epoch: int
    sequence: int
    sha256: bytes
    payload: bytes
    code: str
    text: str
    gateway_id: bytes | None
    at: int
    state: str


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something is in quarantine: problem code and text."""

    code: str
    text: str


async def put(
    connection: AsyncConnection,
    entry: Quarantined,
) -> bool:
    """The entry is kept. Returns False when the same bytes of that batch are kept already."""
    known = sa.select(QUARANTINE.c.number).where(
        QUARANTINE.c.sha256 == entry.sha256,
        QUARANTINE.c.device_epoch == entry.device_epoch,
        QUARANTINE.c.sequence == entry.sequence,
    )
    if (await connection.execute(known)).first():
        return False
    values = {c.name: getattr(entry, c.name) for c in QUARANTINE.c if c.name != "number"}
    values["text"] = entry.text[:_MOST_TEXT]
    await connection.execute(sa.insert(QUARANTINE).values(values))
    return True


async def entries(connection: AsyncConnection, *, state: str = "") -> list[Quarantined]:
    """All entries, or those in a state, oldest first."""
    query = sa.select(QUARANTINE).order_by(QUARANTINE.c.number)
    if state:
        query = query.where(QUARANTINE.c.state == state)
    return [Quarantined(*row) for row in (await connection.execute(query)).all()]


async def entry(connection: AsyncConnection, number: int) -> Quarantined | None:
    """One entry; None when there is none of that number."""
    query = sa.select(QUARANTINE).where(QUARANTINE.c.number == number)
    row = (await connection.execute(query)).first()
    return None if row is None else Quarantined(*row)


async def set_state(connection: AsyncConnection, number: int, state: str) -> None:
    """The entry is in that state."""
    query = sa.update(QUARANTINE).where(QUARANTINE.c.number == number).values(state=state)
    await connection.execute(query)
