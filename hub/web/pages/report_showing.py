"""Answers as people see them: cells with links to the documents, and the chart."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from babel.numbers import format_decimal
from markupsafe import Markup

from fieldmesh.service.translation import translate
from hub.analysis.answers import Answer
from hub.analysis.model.kinds import Fact, Unit
from hub.analysis.model.registry import DIMENSIONS, MEASURES, facts_of
from hub.analysis.question import Chart
from hub.desk.asking import id_text
from hub.desk.reports.files import DIGITS, clock, rounded
from hub.desk.reports.tables import Heading, Row, Table
from hub.desk.views.registry import VIEWS
from hub.rules.access import Access
from hub.storage.columnar.terms import Grain
from hub.web.charts import MOST_BARS, MOST_POINTS, Drawing, Series, bars, lines
from hub.web.pages.cells import Column, address
from hub.web.showing import NOTHING, Showing

SHOWN_ROWS, SHOWN_CELLS = 500, 10_000
"""Of a page, at most; a cell takes 50 µs to write and to lay out."""
_DAY = datetime.timedelta(days=1)
_MOST_SERIES = 6


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands in a place of the table, and where it leads."""

    text: str
    href: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One row."""

    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class ShownTable:
    """Columns, rows and the total, ready for `table` of parts.html."""

    columns: list[Column]
    rows: list[Line]
    total: list[str]


def figure(value: Fraction | None, unit: Unit, showing: Showing) -> str:
    """A figure with its unit's digits."""
    if value is None:
        return NOTHING
    if unit is Unit.BYTES:
        return showing.size(int(value))
    if unit is Unit.CLOCK:
        return clock(value)
    digits = DIGITS[unit]
    fixed = unit in {Unit.MONEY, Unit.PERCENT, Unit.DECIMAL, Unit.MINUTES, Unit.DAYS}
    pattern = "#,##0" + ("." + ("0" if fixed else "#") * digits if digits else "")
    text = str(format_decimal(rounded(value, unit), pattern, locale=showing.language))
    return f"{text} %" if unit is Unit.PERCENT else text


def shown(
    answer: Answer, table: Table, title: str, access: Access, showing: Showing
) -> dict[str, Any]:
    """The table, its chart, how many lines there are and how many are shown; takes time, and is made in a thread."""
    found = shown_table(answer, table, access, showing)
    chart = drawn(answer, table, title, showing)
    return {"table": found, "chart": chart, "lines": table.lines, "shown": len(found.rows)}


def shown_table(answer: Answer, table: Table, access: Access, showing: Showing) -> ShownTable:
    """The first rows of the table, fewer of a wide one."""
    most = max(1, min(SHOWN_ROWS, SHOWN_CELLS // len(table.headings)))
    units = [one for one in table.headings if one.unit is not None]
    facts = {one.code: facts_of(MEASURES[one.code])[0] for one in units}
    rows = []
    for row in table.rows[:most]:
        names = [
            Cell(_name(code, text, showing), _record(code, value, access))
            for code, text, value in zip(answer.question.rows, row.names, row.line, strict=True)
        ]
        leads = {fact.code: _documents(answer, row, fact, access) for fact in facts.values()}
        figures = [
            Cell(
                figure(value, one.unit or Unit.COUNT, showing),
                leads[facts[one.code].code] if one.role == "now" else "",
            )
            for value, one in zip(row.figures, units, strict=True)
        ]
        rows.append(Line((*names, *figures)))
    total = [
        figure(value, one.unit or Unit.COUNT, showing)
        for value, one in zip(table.total, units, strict=False)
    ]
    return ShownTable(
        [Column(one.title, one.unit is not None) for one in table.headings], rows, total
    )


def _name(code: str, text: str, showing: Showing) -> str:
    return showing.day(text) if DIMENSIONS[code].grain is Grain.DAY else text


def _record(code: str, value: object, access: Access) -> str:
    view = VIEWS.get(DIMENSIONS[code].view)
    known = isinstance(value, bytes) and view is not None and access.may(view.function)
    return f"/{view.name}/{id_text(value)}" if known and view and isinstance(value, bytes) else ""


def _documents(answer: Answer, row: Row, fact: Fact, access: Access) -> str:
    """The list of the documents that figures of a fact are counted from; empty when no list shows those of the line."""
    view = VIEWS.get(fact.view)
    if view is None or not access.may(view.function) or answer.question.across:
        return ""
    since, until = answer.period.since, answer.period.until
    asked: list[tuple[str, str]] = []
    held = [(code, value) for code, value in zip(answer.question.rows, row.line, strict=True)]
    for code, texts in answer.question.filters.items():
        if code not in fact.leads:
            return ""
        asked += [(fact.leads[code], text) for text in texts]
    for code, value in held:
        grain = DIMENSIONS[code].grain
        if grain is not None and isinstance(value, str):
            first = datetime.date.fromisoformat(value)
            since, until = max(since, first), min(until, _last_day(first, grain))
        elif code in fact.leads and value is not None:
            asked.append(
                (fact.leads[code], id_text(value) if isinstance(value, bytes) else str(value))
            )
        else:
            return ""
    if fact.day and not fact.view_day:
        return ""
    if fact.day:
        asked += [
            (f"{fact.view_day}.from", since.isoformat()),
            (f"{fact.view_day}.until", until.isoformat()),
        ]
    return address(f"/{view.name}", asked)


def _last_day(first: datetime.date, grain: Grain) -> datetime.date:
    days = {Grain.DAY: 1, Grain.WEEK: 7, Grain.MONTH: 31, Grain.QUARTER: 92, Grain.YEAR: 366}[grain]
    if grain in {Grain.DAY, Grain.WEEK}:
        return first + _DAY * (days - 1)
    return (first + _DAY * days).replace(day=1) - _DAY


def drawn(answer: Answer, table: Table, title: str, showing: Showing) -> Markup | None:
    """The chart of the first figure that there is, and of what it is compared with; None when there is none."""
    question = answer.question
    units = [one for one in table.headings if one.unit is not None]
    rows = table.rows[: MOST_POINTS if question.chart is Chart.LINE else MOST_BARS]
    measure = _drawn_measure(
        rows, units, sorted(question.measures, key=lambda one: one != question.sort)
    )
    if question.chart is Chart.NONE or not measure or not question.rows:
        return None
    places = _drawn_places(units, measure)
    by_time = DIMENSIONS[question.rows[0]].grain is not None
    names = [" · ".join(row.names) if by_time else row.names[-1] for row in rows]
    series = [
        Series(
            units[n].title, [None if (v := row.figures[n]) is None else float(v) for row in rows]
        )
        for n in places
    ]
    shown = [
        [figure(row.figures[n], units[n].unit or Unit.COUNT, showing) for row in rows]
        for n in places
    ]
    about = translate(
        "{figure} by {rows}; the table below holds the same figures.", showing.language
    ).format(
        figure=translate(MEASURES[measure].title, showing.language),
        rows=", ".join(translate(DIMENSIONS[one].title, showing.language) for one in question.rows),
    )
    drawing = Drawing(title, about, names, series, shown)
    return lines(drawing) if question.chart is Chart.LINE else bars(drawing)


def _drawn_measure(rows: Sequence[Row], units: Sequence[Heading], measures: Sequence[str]) -> str:
    """The first measure with a figure other than 0; empty = there is none."""
    for code in measures:
        places = [n for n, one in enumerate(units) if one.code == code and one.role == "now"]
        if any(row.figures[n] for row in rows for n in places):
            return code
    return ""


def _drawn_places(units: Sequence[Heading], measure: str) -> list[int]:
    fitting = [n for n, one in enumerate(units) if one.code == measure and one.role != "change"]
    return fitting[:_MOST_SERIES]
