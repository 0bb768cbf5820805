"""The hub's journal: a hash chain that shows when an entry was changed, left out or put in. Promise 9 (Audit).

Whoever can write the database can cut off the end, or work the chain out anew from any entry: against that helps only
an end that is noted elsewhere (`Head`, `fieldmesh-hub audit verify --noted`).

hash = sha256 of previous hash, number, time (µs), kind, actor and payload, each followed by a line feed, in hex.
"""

import asyncio
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from fieldmesh.basics.errors import Rejected
from hub.storage.prepared import Prepared
from hub.storage.search import ESCAPE, pattern
from hub.storage.system_tables import JOURNAL, JOURNAL_SUBJECT

_PAGE = 1_000
_KINDS_OF = 5_000
BEGINNING = "0" * 64


@dataclass(frozen=True, slots=True)
class Head:
    """The newest entry's number and hash. Who keeps them elsewhere sees later whether what was before them stands."""

    number: int
    hash: str


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


async def verify(connection: AsyncConnection, noted: Head | None = None) -> Head:
    """The chain is whole. Returns its end, whose number is that of the entries.

    The chain alone does not tell that its end was cut off, or worked out anew: whoever noted an earlier end sees it.

    Args:
        connection: to the hub's database.
        noted: an end that somebody kept; its entry must be there as it was.

    Raises:
        Rejected: `journal_broken`, with the number of the first entry that does not fit, or of the noted one.
    """
    head, stands = Head(0, BEGINNING), noted is None
    while page := await entries(connection, after=head.number, most=_PAGE):
        before = head
        head = await asyncio.to_thread(followed, head, page)
        if noted is not None and before.number < noted.number <= head.number:
            stands = page[noted.number - before.number - 1].hash == noted.hash
    if noted is not None and not stands:
        raise Rejected("journal_broken", place="journal", number=noted.number)
    return head


def followed(head: Head, page: Sequence[Entry]) -> Head:
    """The end of the chain after these entries. Hashing takes time: it is for a thread.

    Raises:
        Rejected: `journal_broken`, with the number of the first entry that does not fit.
    """
    for entry in page:
        expected = head.number + 1
        if (
            entry.number != expected
            or entry.previous_hash != head.hash
            or entry.hash != entry.right_hash()
        ):
            raise Rejected("journal_broken", place="journal", number=expected)
        head = Head(expected, entry.hash)
    return head


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
        query = query.where(JOURNAL.c.actor.like(pattern(wanted.actor), escape=ESCAPE))
    if wanted.words:
        query = query.where(JOURNAL.c.payload.like(f"%{pattern(wanted.words)}", escape=ESCAPE))
    if wanted.since:
        query = query.where(JOURNAL.c.at >= wanted.since)
    if wanted.until:
        query = query.where(JOURNAL.c.at < wanted.until)
    return query


async def kinds(connection: AsyncConnection) -> list[str]:
    """The kinds that the newest entries have, for a filter."""
    newest_ones = (
        sa.select(JOURNAL.c.kind).order_by(JOURNAL.c.number.desc()).limit(_KINDS_OF).subquery()
    )
    rows = await connection.execute(sa.select(newest_ones.c.kind).distinct())
    return sorted(str(row[0]) for row in rows.all())
