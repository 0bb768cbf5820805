"""The hub's journal: a hash chain that shows when an entry was changed, left out or put in. Promise 9 (Audit).

hash = sha256 of previous hash, number, time (µs), kind, actor and payload, each followed by a line feed, in hex.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from fieldmesh.basics.errors import Rejected
from hub.storage.prepared import Prepared
from hub.storage.system_tables import JOURNAL, JOURNAL_SUBJECT

_PAGE = 5_000
BEGINNING = "0" * 64


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry. `at` is UTC microseconds; `payload` is JSON."""

    number: int
    at: int
    kind: str
    actor: str
    payload: str
    previous_hash: str
    hash: str

    def right_hash(self) -> str:
        """What its hash must be."""
        content = f"{self.previous_hash}\n{self.number}\n{self.at}\n{self.kind}\n{self.actor}\n{self.payload}\n"
        return hashlib.sha256(content.encode()).hexdigest()


_COLUMNS = (
    JOURNAL.c.number,
    JOURNAL.c.at,
    JOURNAL.c.kind,
    JOURNAL.c.actor,
    JOURNAL.c.payload,
    JOURNAL.c.previous_hash,
    JOURNAL.c.hash,
)


async def append(
    connection: AsyncConnection,
    *,
    at: int,
    kind: str,
    actor: str,
    payload: Mapping[str, object],
    subjects: Iterable[bytes] = (),
) -> int:
    """The entry is the newest of the chain. Returns its number. Durability: with the caller's transaction.

    Args:
        connection: of a write transaction.
        at: UTC microseconds.
        kind: what happened.
        actor: who did it.
        payload: what there is to say, for JSON.
        subjects: rows that it is about: their histories show it.
    """
    newest = (
        await connection.execute(
            sa.select(JOURNAL.c.number, JOURNAL.c.hash).order_by(JOURNAL.c.number.desc()).limit(1)
        )
    ).first()
    number, previous = (newest[0] + 1, newest[1]) if newest else (1, BEGINNING)
    text = json.dumps(payload, ensure_ascii=False, sort_keys=True, default=str)
    made = Entry(number, at, kind, actor, text, previous, "")
    await connection.execute(
        sa.insert(JOURNAL).values(
            number=number,
            at=at,
            kind=kind,
            actor=actor,
            payload=text,
            previous_hash=previous,
            hash=made.right_hash(),
        )
    )
    about = [{"row_id": one, "number": number} for one in dict.fromkeys(subjects)]
    if about:
        await connection.execute(sa.insert(JOURNAL_SUBJECT), about)
    return number


async def about_row(connection: AsyncConnection, row_id: bytes, most: int) -> list[Entry]:
    """The newest entries about a row, newest first."""
    rows = await _about_row().rows(connection, {"row": row_id, "most": most})
    return [Entry(*row) for row in rows]


@cache
def _about_row() -> Prepared:
    subject = JOURNAL_SUBJECT.c
    numbers = sa.select(subject.number).where(subject.row_id == sa.bindparam("row"))
    query = sa.select(*_COLUMNS).where(JOURNAL.c.number.in_(numbers))
    most = sa.bindparam("most", type_=sa.Integer())
    return Prepared(query.order_by(JOURNAL.c.number.desc()).limit(most))


async def verify(connection: AsyncConnection, progress: Callable[[int], None] | None = None) -> int:
    """The chain is whole. Returns the number of entries.

    Raises:
        Rejected: `journal_broken`, with the number of the first entry that does not fit.
    """
    end = Link()
    while page := await entries(connection, after=end.number, most=_PAGE):
        end = followed(end, page)
        if progress is not None:
            progress(end.number)
    return end.number


@dataclass(frozen=True, slots=True)
class Link:
    """How far a chain was proven: number and hash of the last entry."""

    number: int = 0
    hash: str = BEGINNING


def followed(link: Link, page: Iterable[Entry]) -> Link:
    """The chain goes on with these entries; returns its end. Hashing takes time.

    Raises:
        Rejected: `journal_broken`, with the number of the first entry that does not fit.
    """
    number, previous = link.number, link.hash
    for entry in page:
        number += 1
        is_next = entry.number == number and entry.previous_hash == previous
        if not is_next or entry.hash != entry.right_hash():
            raise Rejected("journal_broken", place="journal", number=number)
        previous = entry.hash
    return Link(number, previous)


async def entries(
    connection: AsyncConnection, *, after: int, most: int, kind: str = ""
) -> list[Entry]:
    """The next entries after a number, oldest first; of one kind when it is given."""
    query = sa.select(*_COLUMNS).where(JOURNAL.c.number > after)
    if kind:
        query = query.where(JOURNAL.c.kind == kind)
    rows = await connection.execute(query.order_by(JOURNAL.c.number).limit(most))
    return [Entry(*row) for row in rows.all()]


async def newest(connection: AsyncConnection, most: int, *, kind: str = "") -> list[Entry]:
    """The newest entries, newest first."""
    query = sa.select(*_COLUMNS)
    if kind:
        query = query.where(JOURNAL.c.kind == kind)
    rows = await connection.execute(query.order_by(JOURNAL.c.number.desc()).limit(most))
    return [Entry(*row) for row in rows.all()]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for in the journal.

    Attributes:
        before: entries below this number; 0 = from the newest.
        kind: of entries; empty = every kind.
        actor: how the actor begins; empty = everybody.
        words: a text that they hold; empty = any.
        since: UTC microseconds; 0 = from the beginning.
        until: UTC microseconds, not counted; 0 = to the end.
    """

    before: int = 0
    kind: str = ""
    actor: str = ""
    words: str = ""
    since: int = 0
    until: int = 0


async def search(connection: AsyncConnection, wanted: Wanted, most: int) -> list[Entry]:
    """Entries that fit, newest first."""
    query = _fitting(sa.select(*_COLUMNS), wanted)
    rows = await connection.execute(query.order_by(JOURNAL.c.number.desc()).limit(most))
    return [Entry(*row) for row in rows.all()]


async def count(connection: AsyncConnection, wanted: Wanted, most: int) -> int:
    """How many entries fit, at most one more than ``most``."""
    found = _fitting(sa.select(JOURNAL.c.number), wanted).limit(most + 1).subquery()
    return int(
        (await connection.execute(sa.select(sa.func.count()).select_from(found))).scalar() or 0
    )


def _fitting(query: sa.Select[Any], wanted: Wanted) -> sa.Select[Any]:
    if wanted.before:
        query = query.where(JOURNAL.c.number < wanted.before)
    if wanted.kind:
        query = query.where(JOURNAL.c.kind == wanted.kind)
    if wanted.actor:
        query = query.where(JOURNAL.c.actor.startswith(wanted.actor, autoescape=True))
    if wanted.words:
        query = query.where(JOURNAL.c.payload.contains(wanted.words, autoescape=True))
    if wanted.since:
        query = query.where(JOURNAL.c.at >= wanted.since)
    if wanted.until:
        query = query.where(JOURNAL.c.at < wanted.until)
    return query


async def kinds(connection: AsyncConnection) -> list[str]:
    """The kinds that the newest entries have, for a filter."""
    newest_ones = (
        sa.select(JOURNAL.c.kind).order_by(JOURNAL.c.number.desc()).limit(_PAGE).subquery()
    )
    rows = await connection.execute(sa.select(newest_ones.c.kind).distinct())
    return sorted(str(row[0]) for row in rows.all())
