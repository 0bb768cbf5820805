"""One write transaction of head office: rows through the change path, and a journal entry."""

from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager

from fieldmesh.basics.clock import Clock
from fieldmesh.codec.columns import from_rows
from fieldmesh.data.types import Value
from hub.storage import journal
from hub.storage.changes import ChangeWriter, writing
from hub.storage.database import HubDatabase


@asynccontextmanager
async def head_office_write(
    database: HubDatabase,
    clock: Clock,
    *,
    actor: str,
    kind: str,
    about: Mapping[str, object],
    subjects: Collection[bytes] = (),
) -> AsyncIterator[ChangeWriter]:
    """A transaction whose changes get one LSN and travel to everyone who may see them.

    Leaving it without an error commits rows, outbox and a journal entry of ``kind`` by ``actor``;
    an error leaves nothing behind. ``about`` and ``subjects`` (rows whose histories show the entry)
    are read at the end and may be filled meanwhile. Promise 9 (Audit).
    """
    async with writing(database, clock) as writer:
        yield writer
        await journal.append(
            writer.connection,
            at=clock.now(),
            kind=kind,
            actor=actor,
            payload=dict(about),
            subjects=subjects,
        )


@asynccontextmanager
async def trial_write(database: HubDatabase, clock: Clock) -> AsyncIterator[ChangeWriter]:
    """A transaction of head office that is taken back at the end."""
    async with database.trial() as connection:
        writer = ChangeWriter(connection, clock)
        await writer.open()
        yield writer


async def update_rows(
    writer: ChangeWriter,
    table: str,
    names: Sequence[str],
    rows: Iterable[Sequence[Value]],
) -> int:
    """Rows whose first value is their id have these values; returns how many were named."""
    lines = [tuple(row) for row in rows]
    if lines:
        await writer.update(table, from_rows(table, tuple(names), lines))
    return len(lines)


async def upsert_rows(
    writer: ChangeWriter, table: str, names: Sequence[str], rows: Iterable[Sequence[Value]]
) -> int:
    """Rows whose first value is their id exist and have these values.

    Returns how many were named.
    """
    lines = [tuple(row) for row in rows]
    if lines:
        await writer.upsert(table, from_rows(table, tuple(names), lines))
    return len(lines)


async def delete_rows(writer: ChangeWriter, table: str, ids: Iterable[bytes]) -> int:
    """The rows are deleted, with a removal for everyone who held them.

    Returns how many were named.
    """
    lines: list[tuple[Value, ...]] = [(one,) for one in ids]
    if lines:
        await writer.delete(table, from_rows(table, ("id",), lines))
    return len(lines)
