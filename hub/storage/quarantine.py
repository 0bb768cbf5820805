"""What could not be verified, decoded or applied: its bytes, its reason, and what an operator does with it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from fieldmesh.basics.errors import Rejected
from fieldmesh.service.translation import _
from hub.storage.system_tables import QUARANTINE

OPEN, RETRIED, RELEASED = "open", "retried", "released"
FORGED = frozenset({"signature_invalid", "altered_batch", "foreign_batch", "foreign_certificate"})
"""Codes of batches of which nobody knows who made them."""
_UNPROVEN = FORGED | {"device_unknown"}
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

    def without_bytes(self) -> "Held":
        """The same entry for a list."""
        return Held(
            self.number, self.device_id, self.device_epoch, self.sequence, self.code, self.text, self.at, self.state,
            len(self.payload),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Held:
    """An entry without its bytes: ``size`` says how many there are."""

    number: int
    device_id: bytes | None
    device_epoch: int
    sequence: int
    code: str
    text: str
    at: int
    state: str
    size: int


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something is in quarantine: problem code and text."""

    code: str
    text: str


async def put(
    connection: AsyncConnection,
    entry: Quarantined,
) -> bool:
    """The entry is kept. Returns False when that batch is kept already.

    The hash is of what the device signed, and holds for the rest where the signature was found right. A batch whose
    signature nobody could check is the same only by its bytes: an altered copy must not hide the true one.
    """
    proven = sa.and_(QUARANTINE.c.device_id.is_not(None), QUARANTINE.c.code.not_in(_UNPROVEN))
    known = sa.select(QUARANTINE.c.number).where(
        QUARANTINE.c.sha256 == entry.sha256,
        QUARANTINE.c.device_epoch == entry.device_epoch,
        QUARANTINE.c.sequence == entry.sequence,
        sa.or_(proven, QUARANTINE.c.payload == entry.payload),
    )
    if (await connection.execute(known)).first():
        return False
    values = {c.name: getattr(entry, c.name) for c in QUARANTINE.c if c.name != "number"}
    values["text"] = entry.text[:_MOST_TEXT]
    await connection.execute(sa.insert(QUARANTINE).values(values))
    return True


async def entries(
    connection: AsyncConnection, *, state: str = "", after: int = 0, most: int | None = None
) -> list[Held]:
    """Entries without their bytes, oldest first.

    Args:
        connection: to read by.
        state: of the entries; empty = any.
        after: entries above this number.
        most: so many at most; None = all.
    """
    length = sa.func.datalength if connection.dialect.name == "mssql" else sa.func.length
    columns: list[sa.ColumnElement[Any]] = [
        QUARANTINE.c[name] for name in Held.__dataclass_fields__ if name != "size"
    ]
    columns.append(length(QUARANTINE.c.payload))
    query = sa.select(*columns).where(QUARANTINE.c.number > after)
    if state:
        query = query.where(QUARANTINE.c.state == state)
    query = query.order_by(QUARANTINE.c.number).limit(most)
    rows: Sequence[Sequence[Any]] = (await connection.execute(query)).all()
    return [Held(*row) for row in rows]


async def count(connection: AsyncConnection, state: str) -> int:
    """How many entries are in the state."""
    query = sa.select(sa.func.count()).where(QUARANTINE.c.state == state)
    return int((await connection.execute(query)).scalar_one())


async def entry(connection: AsyncConnection, number: int) -> Quarantined | None:
    """One entry; None when there is none of that number."""
    query = sa.select(QUARANTINE).where(QUARANTINE.c.number == number)
    row = (await connection.execute(query)).first()
    return None if row is None else Quarantined(*row)


async def decide(connection: AsyncConnection, number: int, state: str) -> None:
    """The entry is in that state: an open one, or one that was closed and is applied after all.

    Raises:
        Rejected: `not_found`, there is none of that number that is to be decided.
    """
    before = (OPEN, RELEASED) if state == RETRIED else (OPEN,)
    query = sa.update(QUARANTINE).where(
        QUARANTINE.c.number == number, QUARANTINE.c.state.in_(before)
    )
    if not (await connection.execute(query.values(state=state))).rowcount:
        raise Rejected(
            "not_found",
            place="quarantine",
            text=_("There is no open entry {number}.").format(number=number),
        )
