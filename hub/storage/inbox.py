"""Which batches of devices were decided, which wait for earlier ones, which are in quarantine.

Promises 2 (Once), 3 (Order) and 7 (Authority).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from fieldmesh.replica.watermark import Watermark
from hub.storage.rows import pieces
from hub.storage.system_tables import DEVICE_MARK, INBOX, WAITING


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision on a batch."""

    device_id: bytes
    device_epoch: int
    sequence: int
    sha256: bytes
    decision: str
    lsn: int
    gateway_id: bytes | None
    received_at: int
    rows: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """A batch that came before its turn. `payload` is the UpMessage as it came."""

    device_id: bytes
    device_epoch: int
    sequence: int
    sha256: bytes
    payload: bytes
    received_at: int


async def marks(connection: AsyncConnection, devices: Iterable[bytes]) -> dict[bytes, Watermark]:
    """How far each device's batches are decided; devices without any are absent."""
    found: dict[bytes, Watermark] = {}
    for piece in pieces(devices):
        query = sa.select(DEVICE_MARK).where(DEVICE_MARK.c.device_id.in_(piece))
        for device_id, epoch, sequence in (await connection.execute(query)).all():
            found[device_id] = Watermark(epoch, sequence)
    return found


async def newest_sha256(
    connection: AsyncConnection, devices: Iterable[bytes]
) -> dict[bytes, bytes]:
    """The digest of each device's newest decided batch; absent when a gap was given up before the next."""
    same = [
        INBOX.c[name] == DEVICE_MARK.c[name] for name in ("device_id", "device_epoch", "sequence")
    ]
    found: dict[bytes, bytes] = {}
    for piece in pieces(devices):
        query = sa.select(INBOX.c.device_id, INBOX.c.sha256).join(DEVICE_MARK, sa.and_(*same))
        query = query.where(DEVICE_MARK.c.device_id.in_(piece))
        found.update((row[0], row[1]) for row in (await connection.execute(query)).all())
    return found


async def set_mark(connection: AsyncConnection, device_id: bytes, mark: Watermark) -> None:
    """Everything of the device up to the mark is decided."""
    values = {"device_epoch": mark.device_epoch, "sequence": mark.sequence}
    mine = DEVICE_MARK.c.device_id == device_id
    changed = await connection.execute(sa.update(DEVICE_MARK).where(mine).values(values))
    if not changed.rowcount:
        await connection.execute(sa.insert(DEVICE_MARK).values(device_id=device_id, **values))


async def decision_on(
    connection: AsyncConnection, device_id: bytes, epoch: int, sequence: int
) -> Decided | None:
    """What was decided on that batch; None when nothing was."""
    query = sa.select(INBOX).where(
        INBOX.c.device_id == device_id,
        INBOX.c.device_epoch == epoch,
        INBOX.c.sequence == sequence,
    )
    row = (await connection.execute(query)).first()
    return None if row is None else Decided(*row)


async def record(connection: AsyncConnection, decisions: Sequence[Decided]) -> None:
    """The decisions stand."""
    if decisions:
        names = [column.name for column in INBOX.c]
        lines = [{name: getattr(decision, name) for name in names} for decision in decisions]
        await connection.execute(sa.insert(INBOX), lines)


async def park(connection: AsyncConnection, batch: Waiting) -> bool:
    """The batch waits for earlier ones. Returns False when it waits already."""
    where = _is(batch.device_id, batch.device_epoch, batch.sequence)
    if (await connection.execute(sa.select(WAITING.c.sequence).where(where))).first():
        return False
    values = {column.name: getattr(batch, column.name) for column in WAITING.c}
    await connection.execute(sa.insert(WAITING).values(values))
    return True


async def who_waits(connection: AsyncConnection, devices: Iterable[bytes]) -> set[bytes]:
    """Those of the devices of which batches wait."""
    found: set[bytes] = set()
    for piece in pieces(devices):
        query = sa.select(WAITING.c.device_id).where(WAITING.c.device_id.in_(piece)).distinct()
        found.update((await connection.execute(query)).scalars())
    return found


async def places_waiting(connection: AsyncConnection, device_id: bytes) -> list[tuple[int, int]]:
    """Epoch and sequence of the device's waiting batches, in order."""
    place = WAITING.c.device_epoch, WAITING.c.sequence
    query = sa.select(*place).where(WAITING.c.device_id == device_id).order_by(*place)
    return [(epoch, sequence) for epoch, sequence in (await connection.execute(query)).all()]


async def waiting_at(
    connection: AsyncConnection, device_id: bytes, epoch: int, sequence: int
) -> Waiting | None:
    """The batch that waits there, with its bytes; None when none does."""
    query = sa.select(WAITING).where(_is(device_id, epoch, sequence))
    row = (await connection.execute(query)).first()
    return None if row is None else Waiting(*row)


async def unpark(connection: AsyncConnection, device_id: bytes, epoch: int, sequence: int) -> None:
    """The batch waits no more."""
    await connection.execute(sa.delete(WAITING).where(_is(device_id, epoch, sequence)))


async def gaps(connection: AsyncConnection) -> list[tuple[bytes, Watermark, Watermark, int, int]]:
    """Devices with a gap: device, decided up to, first that waits, how many wait, since when (hub clock, µs)."""
    device, epoch = WAITING.c.device_id, WAITING.c.device_epoch
    each = (
        sa.select(
            device,
            sa.func.min(epoch).label("epoch"),
            sa.func.count().label("waiting"),
            sa.func.min(WAITING.c.received_at).label("since"),
        )
        .group_by(device)
        .subquery()
    )
    columns = [*each.c, sa.func.min(WAITING.c.sequence)]
    same = sa.and_(device == each.c.device_id, epoch == each.c.epoch)
    query = sa.select(*columns).select_from(each.join(WAITING, same))
    rows = (await connection.execute(query.group_by(*each.c).order_by(each.c.device_id))).all()
    held = await marks(connection, [row[0] for row in rows])
    return [
        (found, held.get(found, Watermark()), Watermark(began, sequence), waiting, since)
        for found, began, waiting, since, sequence in rows
    ]


async def count_gaps(connection: AsyncConnection) -> int:
    """How many devices have a gap."""
    query = sa.select(sa.func.count(WAITING.c.device_id.distinct()))
    return int((await connection.execute(query)).scalar_one())


def _is(device_id: bytes, epoch: int, sequence: int) -> sa.ColumnElement[bool]:
    return sa.and_(
        WAITING.c.device_id == device_id,
        WAITING.c.device_epoch == epoch,
        WAITING.c.sequence == sequence,
    )
