"""The journal for people: every action and sync session, its chain proven; adherence to the timetable."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from hub.rules.access import Access
from hub.storage import journal
from hub.storage.database import HubDatabase
from hub.storage.journal import Entry

PAGE = 50


@dataclass(frozen=True, slots=True)
class Ask:
    """What is asked of the journal: entries before a number, of a kind, of an actor, about a text."""

    before: int = 0
    kind: str = ""
    actor: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True)
class Journal:
    """A page of the journal, newest first; ``before`` leads to the next one, 0 = there is none."""

    entries: list[Entry]
    before: int
    kinds: list[str]


async def entries(database: HubDatabase, access: Access, ask: Ask) -> Journal:
    """A page of entries.

    Raises:
        Rejected: `function_missing`.
    """
    access.need("journal.view")
    async with database.read() as connection:
        found = await journal.search(
            connection,
            before=ask.before,
            kind=ask.kind,
            actor=ask.actor,
            words=ask.words,
            most=PAGE + 1,
        )
        kinds = await journal.kinds(connection)
    more = len(found) > PAGE
    shown = found[:PAGE]
    return Journal(shown, shown[-1].number if more else 0, kinds)


async def check(database: HubDatabase, access: Access) -> int:
    """The chain is whole; returns the number of entries.

    Raises:
        Rejected: `function_missing`; `journal_broken`, with the first entry that does not fit.
    """
    access.need("journal.check")
    async with database.read() as connection:
        return await journal.verify(connection)


def content(entry: Entry) -> Mapping[str, object]:
    """What an entry says."""
    found = json.loads(entry.payload)
    return found if isinstance(found, dict) else {"content": found}
