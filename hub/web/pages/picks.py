"""Fields that name another record: a hidden id, and beside it as ``<name>.shown`` what the person sees and types.

The text counts where it is not what the record of the id is called: no script may have run, or Enter came before
something was chosen, and then neither the old record nor none is what was meant.
"""

from collections.abc import Iterable, Mapping

from aiohttp import web
from multidict import MultiMapping

from fieldmesh.basics.identifiers import from_text
from fieldmesh.data.types import Value
from hub.desk import lists
from hub.desk.asking import id_text
from hub.desk.view import View
from hub.desk.views.registry import view_of_table
from hub.storage.database import HubDatabase
from hub.web.pages.labels import label_of, label_text
from hub.web.visitor import showing_for, visitor_of

SHOWN = ".shown"
_LONGEST, _OFFERED = 200, 50


async def chosen(
    request: web.Request,
    database: HubDatabase,
    sources: Mapping[str, View],
    given: MultiMapping[object],
) -> dict[str, list[str]]:
    """Field → its texts, with the ids of the records that were chosen or typed.

    What is neither the code nor the whole name of just one record stands in the id's place as it was typed: it is
    refused there, and the field shows it again.

    Args:
        request: who sends the form.
        database: of the records.
        sources: field → the view whose records it names.
        given: the form, or the parameters of the address.
    """
    found: dict[str, list[str]] = {}
    for name, value in given.items():
        if isinstance(value, str) and not name.endswith(SHOWN):
            found.setdefault(name, []).append(value)
    for name, view in sources.items():
        typed = [str(text).strip()[:_LONGEST] for text in given.getall(f"{name}{SHOWN}", [])]
        ids = found.get(name, [])
        if len(ids) == len(typed) and typed:
            found[name] = [
                await _meant(request, database, view, one, text)
                for one, text in zip(ids, typed, strict=True)
            ]
    return found


def sources_of(view: View, paths: Iterable[str]) -> dict[str, View]:
    """Those of the view's columns that name records, each with the view of these."""
    found = {path: view_of_table(view.column(path).references or "") for path in paths}
    return {path: other for path, other in found.items() if other is not None}


async def shown_of(request: web.Request, database: HubDatabase, view: View, text: str) -> str:
    """What the field shows: what the record is called, or the text that names none."""
    label = await label_of(database, visitor_of(request).access, view, text, showing_for(request))
    return label or ("" if is_id(text) else text)


def is_id(text: str) -> bool:
    """Whether the text is an id, whatever it names."""
    try:
        from_text(text)
    except ValueError:
        return False
    return True


async def named(request: web.Request, database: HubDatabase, view: View, typed: str) -> str:
    """The id of the one record that has what was typed as its code or whole name; else what was typed."""
    access, showing = visitor_of(request).access, showing_for(request)
    if not typed or is_id(typed) or not access.may(view.function):
        return typed
    wanted = _plain(typed)
    fitting = [
        row_id
        for row_id, label in await lists.choices(database, access, view, typed, _OFFERED)
        if wanted in {_plain(label_text(view, label, showing)), *_texts(label)}
    ]
    return id_text(fitting[0]) if len(fitting) == 1 else typed


async def _meant(
    request: web.Request, database: HubDatabase, view: View, row_id: str, typed: str
) -> str:
    """The id, where its record is called what was typed; else that of the one record that is."""
    access, showing = visitor_of(request).access, showing_for(request)
    label = await label_of(database, access, view, row_id, showing)
    same = _plain(label) == _plain(typed)
    return row_id if same else await named(request, database, view, typed)


def _texts(label: Iterable[Value]) -> set[str]:
    return {_plain(part) for part in label if isinstance(part, str)}


def _plain(text: str) -> str:
    """As it is compared: a browser's field has no line breaks."""
    return "".join(text.split()).casefold()
