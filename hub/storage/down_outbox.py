"""What waits to be published to DOWN, in LSN order. Forgotten when the broker holds it and its mark."""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from fieldmesh.basics.epochs import epoch_after_restore, make_lsn
from hub.storage.system_tables import DOWN_OUTBOX, HUB, HUB_EPOCH, SCOPE_CHANGE


@dataclass(frozen=True, slots=True)
class Payload:
    """A DownMessage to publish."""

    lsn: int
    part: int
    partition: int
    content: bytes


@dataclass(frozen=True, slots=True)
class Portion:
    """The next whole transactions to publish.

    Attributes:
        payloads: in LSN order; transactions are never cut.
        up_to: with these published, everything up to this LSN is.
        scope: (lsn, gateway) of the scope changes among them, in LSN order.
        remaining: whether more waits.
    """

    payloads: list[Payload]
    up_to: int
    scope: list[tuple[int, bytes]]
    remaining: bool


async def next_portion(connection: AsyncConnection, most: int) -> Portion:
    """The oldest transactions, about ``most`` messages. One snapshot."""
    newest = (await connection.execute(sa.select(HUB.c.lsn))).scalar_one()
    query = sa.select(DOWN_OUTBOX).order_by(DOWN_OUTBOX.c.lsn, DOWN_OUTBOX.c.part)
    rows = (await connection.execute(query.limit(most + 1))).all()
    up_to = newest
    remaining = len(rows) > most
    if remaining:
        last = rows[-1].lsn
        whole = [row for row in rows if row.lsn < last]
        if not whole:
            only = query.where(DOWN_OUTBOX.c.lsn == last)
            whole = list((await connection.execute(only)).all())
        rows, up_to = whole, whole[-1].lsn
    changes = await connection.execute(
        sa.select(SCOPE_CHANGE.c.lsn, SCOPE_CHANGE.c.gateway_id)
        .where(SCOPE_CHANGE.c.lsn <= up_to)
        .distinct()
        .order_by(SCOPE_CHANGE.c.lsn)
    )
    scope = [(row[0], row[1]) for row in changes.all()]
    return Portion([Payload(*row) for row in rows], up_to, scope, remaining)


async def forget_up_to(connection: AsyncConnection, lsn: int) -> None:
    """What was published up to the LSN is gone from the outbox. Repeating it is harmless."""
    await connection.execute(sa.delete(DOWN_OUTBOX).where(DOWN_OUTBOX.c.lsn <= lsn))
    await connection.execute(sa.delete(SCOPE_CHANGE).where(SCOPE_CHANGE.c.lsn <= lsn))
    newer = sa.update(HUB).where(HUB.c.published_lsn < lsn)
    await connection.execute(newer.values(published_lsn=lsn))


async def depth(connection: AsyncConnection) -> int:
    """How many messages wait."""
    return int(
        (await connection.execute(sa.select(sa.func.count()).select_from(DOWN_OUTBOX))).scalar_one()
    )


async def published_lsn(connection: AsyncConnection) -> int:
    """Up to where everything is at the broker."""
    return int((await connection.execute(sa.select(HUB.c.published_lsn))).scalar_one())


async def epochs(connection: AsyncConnection) -> list[tuple[int, int]]:
    """(epoch, last LSN of the epoch before that counts), oldest first."""
    rows = await connection.execute(sa.select(HUB_EPOCH).order_by(HUB_EPOCH.c.epoch))
    return [(row[0], row[1]) for row in rows.all()]


async def start_new_epoch(connection: AsyncConnection, now: int) -> int:
    """This database was restored: its next commits stand above every one of the lost future.

    Args:
        connection: of a write transaction.
        now: UTC microseconds; nothing may be restored once more before the next second.

    Returns:
        The epoch.
    """
    epoch, lsn = (await connection.execute(sa.select(HUB.c.epoch, HUB.c.lsn))).one()
    begun = epoch_after_restore(int(epoch), now)
    first = make_lsn(begun, 0)
    await connection.execute(sa.update(HUB).values(epoch=begun, lsn=first, published_lsn=first))
    await connection.execute(sa.insert(HUB_EPOCH).values(epoch=begun, began_after=lsn))
    return begun
