"""What records are called: in titles, where they are linked, and in fields that name them."""

from collections.abc import Sequence

from fieldmesh.basics.errors import Rejected
from fieldmesh.basics.identifiers import from_text
from fieldmesh.data.types import Value
from fieldmesh.service.translation import N_
from hub.desk import lists
from hub.desk.view import View
from hub.rules.access import Access
from hub.storage.database import HubDatabase
from hub.web.showing import NOTHING, Showing


def label_text(view: View, label: Sequence[Value], showing: Showing) -> str:
    """What a record of the view is called, of the values of its label; empty when all of them are."""
    parts = [
        showing.plain(view.column(path), value)
        for path, value in zip(view.label, label, strict=True)
    ]
    return " · ".join(part for part in parts if part != NOTHING)


def record_title(found: lists.Record, showing: Showing) -> str:
    """What an opened record is called."""
    return label_text(found.view, found.label, showing) or NOTHING


async def label_of(
    database: HubDatabase, access: Access, view: View, text: str, showing: Showing
) -> str:
    """What the record of an id is called; empty when the text is none, or the person sees no such record."""
    if not text:
        return ""
    try:
        found = await lists.record(database, access, view, row_id_of(text))
    except Rejected:
        return ""
    return label_text(view, found.label, showing)


def row_id_of(text: str) -> bytes:
    """The id in an address.

    Raises:
        Rejected: `not_found`, it is none.
    """
    try:
        return from_text(text)
    except ValueError:
        raise Rejected("not_found", place="address", text=N_("that is no id")) from None
