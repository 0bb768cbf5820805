"""Rows of a list as cells of a table: text, where it leads, its tone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from fieldmesh.data.types import Value
from fieldmesh.service.translation import translate
from hub.desk.asking import id_text
from hub.desk.lists import Listed
from hub.desk.view import View
from hub.desk.views.registry import view_of_table
from hub.desk.words import column_title
from hub.rules.access import Access
from hub.web.showing import NOTHING, Showing, is_number, state_tone


@dataclass(frozen=True, slots=True)
class Column:
    """A heading."""

    title: str
    number: bool


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands in a place of the table."""

    text: str
    href: str = ""
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One row; ``href`` leads to its record."""

    href: str
    cells: tuple[Cell, ...]


def columns(view: View, language: str) -> list[Column]:
    """The headings of a view's list."""
    return [
        Column(translate(column_title(path), language), is_number(view.column(path)))
        for path in view.columns
    ]


def lines(listed: Listed, access: Access, showing: Showing) -> list[Line]:
    """The rows of a list."""
    view, places = listed.view, {path: at + 1 for at, path in enumerate(listed.paths)}
    shown = []
    for row in listed.rows:
        values = {path: row[at] for path, at in places.items()}
        cells = tuple(_cell(view, path, values, access, showing) for path in view.columns)
        shown.append(Line(f"/{view.name}/{id_text(row[0])}", cells))
    return shown


def _cell(
    view: View, path: str, values: Mapping[str, Value], access: Access, showing: Showing
) -> Cell:
    column, value = view.column(path), values[path]
    text = showing.value(column, value)
    link, _, _last = path.rpartition(".")
    if link:
        named = values[link]
        if value is None and named is not None:
            return Cell(translate("not in your area", showing.language))
        return Cell(text, address_of(view, link, named, access) if text != NOTHING else "")
    if column.name in {"state", "status", "outcome"}:
        return Cell(text, "", state_tone(view.table, value) or "none")
    return Cell(text)


def address_of(view: View, link: str, named: Value, access: Access) -> str:
    """Where the record that a link names is shown; empty when the person may not see such records."""
    target = view.column(link).references
    other = view_of_table(target) if target else None
    if other is None or not isinstance(named, bytes) or not access.may(other.function):
        return ""
    return f"/{other.name}/{id_text(named)}"


def address(path: str, parameters: Sequence[tuple[str, str]]) -> str:
    """An address with parameters that are not empty."""
    query = urlencode([(name, value) for name, value in parameters if value])
    return f"{path}?{query}" if query else path
