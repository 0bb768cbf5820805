"""What the journal says about a record: who did what to it, before and after."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from hub.desk.lists import Record
from hub.rules.access import Access
from hub.storage import journal
from hub.storage.database import HubDatabase

MOST = 30


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of the journal about a record.

    Attributes:
        at: UTC microseconds.
        kind: what happened.
        actor: who did it.
        before: column → value as it stood in the journal.
        after: the same, afterwards.
    """

    at: int
    kind: str
    actor: str
    before: Mapping[str, object] = field(default_factory=dict)
    after: Mapping[str, object] = field(default_factory=dict)


async def history(database: HubDatabase, access: Access, found: Record) -> list[Event]:
    """The newest events of a record that the person has opened, newest first."""
    access.need(found.view.function)
    async with database.read() as connection:
        entries = await journal.about_row(connection, found.row_id, MOST)
    return [_event(entry) for entry in entries]


def _event(entry: journal.Entry) -> Event:
    content = json.loads(entry.payload)
    parts = [content.get(name) for name in ("before", "after")]
    before, after = (part if isinstance(part, dict) else {} for part in parts)
    return Event(entry.at, entry.kind, entry.actor, before, after)
