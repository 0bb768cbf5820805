"""Every list searched at once: the first records of each that have the words, of the lists that the person may see."""

from dataclasses import dataclass

from fieldmesh.data.types import Value
from hub.desk import lists
from hub.desk.asking import MOST_WORDS, is_searchable
from hub.desk.view import Area, View
from hub.desk.views.registry import VIEWS
from hub.fleet.office import Office
from hub.rules.access import Access
from hub.storage import search
from hub.storage.lists import Page, Wanted, page

FIRST = 5
"""Records that are shown of a list."""
_TOLD, _FEWEST_SIGNS = 2, 3
_AREAS = (Area.OUTLETS, Area.PRODUCTS, Area.DOCUMENTS, Area.ORGANISATION, Area.ROUTES)
"""In the order in which people look for something; others come after these."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a list has of what was searched.

    Attributes:
        view: the list.
        paths: of what is told of each record besides what it is called.
        rows: id, the values of the view's label, those of the paths.
        exact: how many of the rows, the first ones, have just the words as code, number or name.
        more: whether the list has others.
    """

    view: View
    paths: tuple[str, ...]
    rows: list[tuple[Value, ...]]
    exact: int
    more: bool


async def found(office: Office, access: Access, words: str) -> list[Found]:
    """The lists that have something, those with just the words first; sensitive ones are noted as seen."""
    asked = " ".join(words.split()[:MOST_WORDS])
    every: list[Found] = []
    async with office.database.read() as connection:
        for view in VIEWS.values():
            if not access.may(view.function) or not _may_have(view, asked):
                continue
            told = tuple(path for path in view.columns if path not in view.label)[:_TOLD]
            paths = (*view.label, *told)
            wanted = Wanted(view.table, paths, (), view.ordering, most=FIRST, words=asked)
            held = await page(connection, access.scope_for(view.function), wanted)
            if held.rows:
                every.append(_found(view, told, held, asked))
    await lists.note_seen(office, access, [one.view for one in every])
    return sorted(every, key=lambda one: (not one.exact, _place(one.view)))


def _may_have(view: View, words: str) -> bool:
    """Whether the list is asked: for documents the words must look like the beginning of a number."""
    if not words or not is_searchable(view):
        return False
    is_number = len(words) >= _FEWEST_SIGNS and any(sign.isdigit() for sign in words)
    return view.table in search.SEARCHED or is_number


def _found(view: View, told: tuple[str, ...], held: Page, words: str) -> Found:
    wide = len(view.label)

    def is_other(row: tuple[Value, ...]) -> bool:
        names = (part for part in row[1 : 1 + wide] if isinstance(part, str))
        return words.casefold() not in {name.casefold() for name in names}

    rows = sorted(held.rows, key=is_other)
    exact = sum(not is_other(row) for row in rows)
    return Found(view, told, rows, exact, held.after is not None)


def _place(view: View) -> int:
    return _AREAS.index(view.area) if view.area in _AREAS else len(_AREAS)
