"""Parts of batches that wait for a row of another device. Promises 1 (No loss) and 7 (Authority).

The batch is kept with its bytes, once; beside it the rows that it misses. Its other rows are applied.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from fieldmesh.data.schema import TABLES
from fieldmesh.replica.quarantine import RowKey
from hub.storage.rows import pieces
from hub.storage.system_tables import EARLY_BATCH, EARLY_ROW

_KEYS = ("device_id", "device_epoch", "sequence")
_NAMES = {table.number: name for name, table in TABLES.items()}


@dataclass(frozen=True, slots=True)
class EarlyBatch:
    """A batch of which a part waits. `payload` is the UpMessage as it came; `received_at` is UTC microseconds."""

    device_id: bytes
    device_epoch: int
    sequence: int
    payload: bytes
    received_at: int

    @property
    def place(self) -> tuple[bytes, int, int]:
        """Its key."""
        return self.device_id, self.device_epoch, self.sequence


@dataclass(frozen=True, slots=True)
class Missing:
    """A row that a batch waits for."""

    place: tuple[bytes, int, int]
    row: RowKey
    received_at: int


async def put(connection: AsyncConnection, batch: EarlyBatch, missing: Iterable[RowKey]) -> None:
    """A part of the batch waits for each of these rows. Doing it twice is harmless."""
    known = sa.select(EARLY_BATCH.c.sequence).where(_is(EARLY_BATCH, batch.place))
    if not (await connection.execute(known)).first():
        values = {column.name: getattr(batch, column.name) for column in EARLY_BATCH.c}
        await connection.execute(sa.insert(EARLY_BATCH).values(values))
    held = {one.row for one in await _missing(connection, _is(EARLY_ROW, batch.place))}
    lines = [
        {**dict(zip(_KEYS, batch.place, strict=True)), "table_no": TABLES[name].number, "row_id": row_id,
         "received_at": batch.received_at}
        for name, row_id in missing
        if (name, row_id) not in held
    ]  # fmt: skip
    if lines:
        await connection.execute(sa.insert(EARLY_ROW), lines)


async def is_any(connection: AsyncConnection) -> bool:
    """Whether anything waits."""
    return (await connection.execute(sa.select(EARLY_ROW.c.row_id).limit(1))).first() is not None


async def waiting_for(connection: AsyncConnection, rows: Iterable[RowKey]) -> list[Missing]:
    """What waits for one of these rows."""
    found: list[Missing] = []
    wanted = set(rows)
    for piece in pieces(sorted({row_id for _, row_id in wanted})):
        found += await _missing(connection, EARLY_ROW.c.row_id.in_(piece))
    return [one for one in found if one.row in wanted]


async def waiting_since_before(connection: AsyncConnection, moment: int) -> list[Missing]:
    """What has waited since before that moment (UTC microseconds)."""
    return await _missing(connection, EARLY_ROW.c.received_at < moment)


async def batch_of(connection: AsyncConnection, one: Missing) -> EarlyBatch:
    """The batch with its bytes."""
    query = sa.select(EARLY_BATCH).where(_is(EARLY_BATCH, one.place))
    return EarlyBatch(*(await connection.execute(query)).one())


async def forget(connection: AsyncConnection, ended: Sequence[Missing]) -> None:
    """Nothing waits for these any more; batches without a part that waits are gone."""
    for one in ended:
        row = sa.and_(
            _is(EARLY_ROW, one.place),
            EARLY_ROW.c.table_no == TABLES[one.row[0]].number,
            EARLY_ROW.c.row_id == one.row[1],
        )
        await connection.execute(sa.delete(EARLY_ROW).where(row))
    for place in {one.place for one in ended}:
        left = sa.select(EARLY_ROW.c.row_id).where(_is(EARLY_ROW, place)).limit(1)
        if not (await connection.execute(left)).first():
            await connection.execute(sa.delete(EARLY_BATCH).where(_is(EARLY_BATCH, place)))


async def everything(connection: AsyncConnection) -> list[Missing]:
    """All that waits, oldest first."""
    return await _missing(connection, sa.true())


async def _missing(connection: AsyncConnection, where: sa.ColumnElement[bool]) -> list[Missing]:
    query = sa.select(EARLY_ROW).where(where)
    query = query.order_by(EARLY_ROW.c.received_at, *(EARLY_ROW.c[name] for name in _KEYS))
    return [
        Missing((device_id, epoch, sequence), (_NAMES[table_no], row_id), received_at)
        for device_id, epoch, sequence, table_no, row_id, received_at in (
            await connection.execute(query)
        ).all()
    ]


def _is(table: sa.Table, place: tuple[bytes, int, int]) -> sa.ColumnElement[bool]:
    return sa.and_(*(table.c[name] == value for name, value in zip(_KEYS, place, strict=True)))
