"""An answer as a table: lines in order, values beside one another, what it is compared with, the total."""

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from fieldmesh.basics.errors import Rejected
from fieldmesh.service.translation import translate
from hub.analysis.answers import Answer, Figures, Line
from hub.analysis.model.kinds import Unit
from hub.analysis.model.registry import DIMENSIONS, MEASURES
from hub.analysis.question import Compare
from hub.desk.reports.earlier import beside
from hub.desk.words import word
from hub.storage.columnar.terms import Grain

MOST_ACROSS = 31
NOBODY = "–"


@dataclass(frozen=True, slots=True)
class Heading:
    """A column: its title, the unit of its figures (None: it names the line), the measure or dimension behind it.

    Attributes:
        title: in the language of the table.
        unit: of the figures; None = it names the line.
        code: measure or dimension.
        role: ``now``, ``before``, ``change``, or ``name``.
        group: the value of the dimension that stands across.
    """

    title: str
    unit: Unit | None
    code: str
    role: str = "now"
    group: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A line: what it is called, its dimensions' values, its figures."""

    names: tuple[str, ...]
    line: Line
    figures: tuple[Fraction | None, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Headings, rows and the total; ``lines``: how many there are before the top was taken."""

    headings: tuple[Heading, ...]
    rows: list[Row]
    total: tuple[Fraction | None, ...]
    lines: int


def table_of(answer: Answer, language: str) -> Table:
    """The table, in a language. What there was in the days before only has a line too.

    Raises:
        Rejected: `question_too_wide`, more than `MOST_ACROSS` values stand across.
    """
    question = answer.question
    wide = len(question.rows)
    earlier = beside(answer)
    found = dict.fromkeys((*answer.lines, *earlier))
    across = _across(found) if question.across else [None]
    roles = ("now",) if answer.before is None else ("now", "before", "change")
    headings = [
        Heading(translate(DIMENSIONS[code].title, language), None, code, "name")
        for code in question.rows
    ]
    for value in across:
        group = label(answer, question.across, value, language) if question.across else ""
        for code in question.measures:
            headings += [_heading(code, role, group, question.compare, language) for role in roles]
    lines = dict.fromkeys(line[:wide] for line in found)
    rows = [
        Row(
            tuple(
                label(answer, code, value, language)
                for code, value in zip(question.rows, line, strict=True)
            ),
            line,
            tuple(
                figure
                for value in across
                for figure in _figures(answer, earlier, line, value, roles)
            ),
        )
        for line in lines
    ]
    rows = _ordered(rows, answer, headings)
    shown = rows[: question.top] if question.top else rows
    total = (
        _pairs(answer.total, answer.total_before, question.measures, roles)
        if not question.across
        else ()
    )
    return Table(tuple(headings), shown, tuple(total), len(rows))


def label(answer: Answer, code: str, value: object, language: str) -> str:
    """What a value of a dimension is called."""
    dimension = DIMENSIONS[code]
    if value is None or value == "":
        return NOBODY
    if dimension.bands and isinstance(value, int):
        return translate(dimension.band_titles[value], language)
    if dimension.labels:
        return answer.labels.get(code, {}).get(value, NOBODY)
    if dimension.grain is not None:
        return shown_stretch(str(value), dimension.grain)
    return word(str(value), language) if dimension.coded else str(value)


def shown_stretch(first: str, grain: Grain) -> str:
    """A stretch of time by its first day: 2026-11-25, 2026-W48, 2026-11, 2026-Q4, 2026."""
    day = datetime.date.fromisoformat(first)
    year, week, _ = day.isocalendar()
    return {
        Grain.DAY: first,
        Grain.WEEK: f"{year}-W{week:02d}",
        Grain.MONTH: first[:7],
        Grain.QUARTER: f"{day.year}-Q{(day.month + 2) // 3}",
        Grain.YEAR: first[:4],
    }[grain]


def _heading(code: str, role: str, group: str, compare: Compare, language: str) -> Heading:
    measure = MEASURES[code]
    title = translate(measure.title, language)
    if role == "before":
        words = (
            translate("a year before", language)
            if compare is Compare.YEAR
            else translate("before", language)
        )
        title = f"{title}, {words}"
    if role == "change":
        title = f"{title}, {translate('change, %', language)}"
    if group:
        title = f"{group}: {title}"
    return Heading(title, Unit.PERCENT if role == "change" else measure.unit, code, role, group)


def _across(lines: Iterable[Line]) -> list[object]:
    values = {line[-1] for line in lines}
    named = sorted(values - {None}, key=lambda one: (isinstance(one, bytes), one))
    if len(named) > MOST_ACROSS:
        raise Rejected("question_too_wide", place="across", most=MOST_ACROSS)
    return [*named, *([None] if None in values else [])]


def _figures(
    answer: Answer,
    earlier: Mapping[Line, Figures],
    line: Line,
    value: object,
    roles: Sequence[str],
) -> list[Fraction | None]:
    whole = (*line, value) if answer.question.across else line
    now, before = answer.lines.get(whole, {}), earlier.get(whole, {})
    return _pairs(now, before, answer.question.measures, roles)


def _pairs(
    now: Figures, before: Figures, measures: Sequence[str], roles: Sequence[str]
) -> list[Fraction | None]:
    found = []
    for code in measures:
        new, old = now.get(code), before.get(code)
        change = (new or Fraction(0)) / old * 100 - 100 if old else None
        found += [{"now": new, "before": old, "change": change}[role] for role in roles]
    return found


def _ordered(rows: list[Row], answer: Answer, headings: Sequence[Heading]) -> list[Row]:
    question, wide = answer.question, len(answer.question.rows)
    first_is_time = bool(question.rows) and DIMENSIONS[question.rows[0]].grain is not None
    sort = question.sort or (question.rows[0] if first_is_time else question.measures[0])
    if sort in question.rows:
        place, by_value = question.rows.index(sort), DIMENSIONS[sort]
        plain = bool(by_value.grain or by_value.bands)
        rows = sorted(rows, key=lambda row: row.names)
        return sorted(
            rows, key=lambda row: _value_key(row.line[place] if plain else row.names[place])
        )
    places = [n for n, one in enumerate(headings[wide:]) if one.code == sort and one.role == "now"]
    sign = -1 if question.descends else 1

    def weight(row: Row) -> tuple[bool, Fraction, tuple[str, ...]]:
        known = [row.figures[place] for place in places if row.figures[place] is not None]
        return (
            not known,
            sign * sum((one for one in known if one is not None), Fraction(0)),
            row.names,
        )

    return sorted(rows, key=weight)


def _value_key(value: object) -> tuple[bool, object]:
    return value is None, value if value is not None else 0
