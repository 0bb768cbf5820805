"""Rows of a list as rows of a table: text, where it leads, its tone.

They are drawn here and not by a template, which takes five times as long for a list's 450 cells.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from urllib.parse import urlencode

from markupsafe import Markup, escape

from fieldmesh.data.types import Value
from fieldmesh.service.translation import translate
from hub.desk.asking import id_text
from hub.desk.lists import Listed
from hub.desk.view import View
from hub.desk.views.registry import VIEWS, view_of_table
from hub.desk.words import column_title
from hub.rules.access import Access
from hub.web.showing import Showing, is_number, state_tone

Row = tuple[Value, ...]
_KEPT = 8_192
"""Texts that are kept as they stand in a page: a list has the same ones many times."""
_STATES = frozenset({"state", "status", "outcome"})


@dataclass(frozen=True, slots=True)
class Column:
    """A heading."""

    title: str
    number: bool


def columns(view: View, language: str) -> Sequence[Column]:
    """The headings of a view's list."""
    return _columns(view.name, language)


@cache
def _columns(name: str, language: str) -> Sequence[Column]:
    view = VIEWS[name]
    return [
        Column(translate(column_title(path), language), is_number(view.column(path)))
        for path in view.columns
    ]


@cache
def _beginnings(name: str, language: str) -> Sequence[str]:
    """How the cells of a view's list begin."""
    begin, number = Markup('<td data-title="{}"{}>'), Markup(' class="number"')
    return [
        begin.format(one.title, number if one.number else "") for one in _columns(name, language)
    ]


def lines(listed: Listed, access: Access, showing: Showing) -> list[Markup]:
    """The rows of a list; the first cell of each leads to its record."""
    if not listed.rows:
        return []
    view, begins = listed.view, _beginnings(listed.view.name, showing.language)
    first, *others = view.columns
    name, begin = _text(listed, first, showing), begins[0]
    draw = [_drawing(listed, path, access, showing) for path in others]
    drawn = []
    for row in listed.rows:
        cells = [f"{start}{one(row)}</td>" for start, one in zip(begins[1:], draw, strict=True)]
        href = f"/{view.name}/{id_text(row[0])}"
        text = f'{begin}<a class="row" href="{href}">{name(row)}</a></td>'
        drawn.append(Markup(f"<tr>{text}{''.join(cells)}</tr>"))  # noqa: S704 - cells are escaped
    return drawn


def _text(listed: Listed, path: str, showing: Showing) -> Callable[[Row], str]:
    """The text of a row's value in the column, escaped."""
    at, link = listed.paths.index(path) + 1, path.rpartition(".")[0]
    shown = showing.shower(listed.view.column(path))
    if not link:
        return lambda row: _safe(shown(row[at]))
    named_at = listed.paths.index(link) + 1
    hidden = escape(translate("not in your area", showing.language))

    def name(row: Row) -> str:
        is_hidden = row[at] is None and row[named_at] is not None
        return hidden if is_hidden else _safe(shown(row[at]))

    return name


def _safe(text: str) -> str:
    """The text, escaped where it is not markup already."""
    return text if isinstance(text, Markup) else _escaped(text)


@lru_cache(maxsize=_KEPT)
def _escaped(text: str) -> str:
    return str(escape(text))


def _drawing(listed: Listed, path: str, access: Access, showing: Showing) -> Callable[[Row], str]:
    """How a row's value in the column is drawn: a state with its tone, a link to a record that may be seen."""
    view, text = listed.view, _text(listed, path, showing)
    at, link = listed.paths.index(path) + 1, path.rpartition(".")[0]
    base = _base_of(view, link, access) if link else ""
    named_at = listed.paths.index(link) + 1 if link else 0

    def state(row: Row) -> str:
        tone = state_tone(view.table, row[at]) or "none"
        return f'<span class="badge {tone}">{text(row)}</span>'

    def linked(row: Row) -> str:
        named = row[named_at]
        if row[at] in {None, ""} or not isinstance(named, bytes):
            return text(row)
        return f'<a href="{base}/{id_text(named)}">{text(row)}</a>'

    if base:
        return linked
    return state if not link and view.column(path).name in _STATES else text


def address_of(view: View, link: str, named: Value, access: Access) -> str:
    """Where the record that a link names is shown; empty when the person may not see such records."""
    base = _base_of(view, link, access)
    return f"{base}/{id_text(named)}" if base and isinstance(named, bytes) else ""


def _base_of(view: View, link: str, access: Access) -> str:
    """Where such records are shown; empty when the person may not see them."""
    target = view.column(link).references
    other = view_of_table(target) if target else None
    return f"/{other.name}" if other is not None and access.may(other.function) else ""


def address(path: str, parameters: Sequence[tuple[str, str]]) -> str:
    """An address with parameters that are not empty."""
    query = urlencode([(name, value) for name, value in parameters if value])
    return f"{path}?{query}" if query else path
