"""The journal for people: every action and sync session, its chain proven; adherence to the timetable."""

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, replace

from hub.desk.csv_lines import MARK, line, safe
from hub.desk.exports import check_size, iso, most_rows, note_export
from hub.fleet.office import Office
from hub.rules.access import Access
from hub.storage import journal
from hub.storage.database import HubDatabase
from hub.storage.journal import Entry, Wanted

_CHECK_PAGE = 1_000
PAGE, _EXPORT_PAGE = 50, 1_000


@dataclass(frozen=True, slots=True)
class Journal:
    """A page of the journal, newest first; ``before`` leads to the next one, 0 = there is none."""

    entries: list[Entry]
    before: int
    kinds: list[str]


async def entries(database: HubDatabase, access: Access, wanted: Wanted) -> Journal:
    """A page of entries.

    Raises:
        Rejected: `function_missing`.
    """
    access.need("journal.view")
    async with database.read() as connection:
        found = await journal.search(connection, wanted, PAGE + 1)
        kinds = await journal.kinds(connection)
    more = len(found) > PAGE
    shown = found[:PAGE]
    return Journal(shown, shown[-1].number if more else 0, kinds)


async def as_csv(office: Office, access: Access, wanted: Wanted) -> AsyncGenerator[bytes, None]:
    """All entries that fit as CSV, newest first, page by page; that they were taken along is an entry too.

    Raises:
        Rejected: `function_missing`, of the journal or of exports; `export_too_large`, before the first entry.
    """
    access.need("journal.view")
    most, given = most_rows(access), 0
    async with office.database.read() as connection:
        check_size(await journal.count(connection, wanted, most), most, "journal")
    yield MARK + line(["number", "at", "actor", "kind", "content", "hash"])
    try:
        while True:
            async with office.database.read() as connection:
                found = await journal.search(connection, wanted, _EXPORT_PAGE)
            if not found:
                break
            given += len(found)
            wanted = replace(wanted, before=found[-1].number)
            yield b"".join(
                line(
                    [
                        str(one.number),
                        iso(one.at),
                        safe(one.actor),
                        one.kind,
                        safe(one.payload),
                        one.hash,
                    ]
                )
                for one in found
            )
    finally:
        await note_export(office, access, "journal", given, wanted)


async def check(database: HubDatabase, access: Access) -> int:
    """The chain is whole; returns the number of entries.

    A year has millions of them: each page is a read of its own, and is hashed beside the event loop.

    Raises:
        Rejected: `function_missing`; `journal_broken`, with the first entry that does not fit.
    """
    access.need("journal.check")
    end = journal.Head(0, journal.BEGINNING)
    while True:
        async with database.read() as connection:
            page = await journal.entries(connection, after=end.number, most=_CHECK_PAGE)
        if not page:
            return end.number
        end = await asyncio.to_thread(journal.followed, end, page)


def content(entry: Entry) -> Mapping[str, object]:
    """What an entry says."""
    found = json.loads(entry.payload)
    return found if isinstance(found, dict) else {"content": found}
