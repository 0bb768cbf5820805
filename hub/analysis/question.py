"""A question: measures by dimensions over some days, filtered, compared, in an order. Checked before it is asked."""

import datetime
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from fieldmesh.basics.errors import Rejected
from fieldmesh.service.translation import N_, _
from hub.analysis.model.kinds import Over, universes
from hub.analysis.model.registry import DIMENSIONS, FACTS, MEASURES, functions_for
from hub.storage.columnar.terms import Period

MOST_MEASURES, MOST_ROWS, MOST_DAYS = 12, 4, 1_100
_YEARS = frozenset(range(1900, 9999))
"""Days of other years leave no room for those before."""
_FEBRUARY, _LEAP_DAY = 2, 29


class Span(StrEnum):
    """Days that are named by today."""

    TODAY = "today"
    YESTERDAY = "yesterday"
    WEEK = "week"
    LAST_WEEK = "last_week"
    MONTH = "month"
    LAST_MONTH = "last_month"
    QUARTER = "quarter"
    YEAR = "year"
    DAYS_30 = "days_30"
    DAYS_365 = "days_365"


SPAN_TITLES = {
    Span.TODAY: N_("Today"), Span.YESTERDAY: N_("Yesterday"), Span.WEEK: N_("This week"),
    Span.LAST_WEEK: N_("Last week"), Span.MONTH: N_("This month"), Span.LAST_MONTH: N_("Last month"),
    Span.QUARTER: N_("This quarter"), Span.YEAR: N_("This year"), Span.DAYS_30: N_("The last 30 days"),
    Span.DAYS_365: N_("The last 365 days"),
}  # fmt: skip


FINISHED = frozenset({Span.YESTERDAY, Span.LAST_WEEK, Span.LAST_MONTH})
"""Spans that have ended before the day by which they are named."""


def days_of(span: Span, today: datetime.date) -> Period:
    """The days that a span means today."""
    day, week = datetime.timedelta(days=1), datetime.timedelta(days=7)
    monday, first = today - day * today.weekday(), today.replace(day=1)
    quarter = first.replace(month=(first.month - 1) // 3 * 3 + 1)
    last_month = first - day
    return {
        Span.TODAY: Period(today, today),
        Span.YESTERDAY: Period(today - day, today - day),
        Span.WEEK: Period(monday, today),
        Span.LAST_WEEK: Period(monday - week, monday - day),
        Span.MONTH: Period(first, today),
        Span.LAST_MONTH: Period(last_month.replace(day=1), last_month),
        Span.QUARTER: Period(quarter, today),
        Span.YEAR: Period(first.replace(month=1), today),
        Span.DAYS_30: Period(today - day * 29, today),
        Span.DAYS_365: Period(today - day * 364, today),
    }[span]


class Compare(StrEnum):
    """What the figures are compared with."""

    NOTHING = ""
    PREVIOUS = "previous"
    YEAR = "year"


class Chart(StrEnum):
    """How the figures are drawn."""

    NONE = "none"
    BARS = "bars"
    LINE = "line"


@dataclass(frozen=True, slots=True)
class Question:
    """What somebody wants to know.

    Attributes:
        measures: codes.
        rows: dimensions that make the lines.
        across: dimension whose values stand beside one another; empty = none.
        span: days by name; ``since`` and ``until`` stand over it.
        since: first day.
        until: last day.
        filters: dimension → values, in storage form as text (ids in hex).
        compare: with what.
        sort: measure or dimension; empty = by the rows' own order.
        descends: whether the largest comes first.
        top: most lines; 0 = all.
        chart: how it is drawn.
    """

    measures: tuple[str, ...]
    rows: tuple[str, ...] = ()
    across: str = ""
    span: Span = Span.MONTH
    since: datetime.date | None = None
    until: datetime.date | None = None
    filters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    compare: Compare = Compare.NOTHING
    sort: str = ""
    descends: bool = True
    top: int = 0
    chart: Chart = Chart.BARS

    @property
    def dimensions(self) -> tuple[str, ...]:
        """All that figures are grouped by."""
        return (*self.rows, self.across) if self.across else self.rows

    def period(self, today: datetime.date) -> Period:
        """The days.

        Raises:
            Rejected: `question_wrong`, they are none or too many.
        """
        named = days_of(self.span, today)
        found = Period(self.since or named.since, self.until or named.until)
        ends = {found.since.year, found.until.year}
        if not 0 <= (found.until - found.since).days <= MOST_DAYS or not ends <= _YEARS:
            raise Rejected(
                "question_wrong", place="since", text=N_("the days are none, or too many")
            )
        return found

    def until_morning_of(self, day: datetime.date) -> "Question":
        """The same question of whole days only, as one asks it on a morning: those that are named end the day before.

        Raises:
            Rejected: as `period`.
        """
        named_by = day if self.span in FINISHED else day - datetime.timedelta(days=1)
        days = self.period(named_by)
        return replace(self, since=days.since, until=days.until)

    def as_json(self) -> str:
        """For keeping."""
        plain = {
            "measures": self.measures, "rows": self.rows, "across": self.across, "span": self.span,
            "since": self.since and self.since.isoformat(), "until": self.until and self.until.isoformat(),
            "filters": {name: list(values) for name, values in self.filters.items()}, "compare": self.compare,
            "sort": self.sort, "descends": self.descends, "top": self.top, "chart": self.chart,
        }  # fmt: skip
        return json.dumps(plain)


def from_json(text: str) -> Question:
    """What `as_json` kept.

    Raises:
        Rejected: `question_wrong`.
    """
    try:
        held = json.loads(text)
        since, until = (
            datetime.date.fromisoformat(held[name]) if held[name] else None
            for name in ("since", "until")
        )
        return Question(
            tuple(map(str, held["measures"])), tuple(map(str, held["rows"])), str(held["across"]), Span(held["span"]),
            since, until, {str(k): tuple(map(str, v)) for k, v in held["filters"].items()}, Compare(held["compare"]),
            str(held["sort"]), bool(held["descends"]), int(held["top"]), Chart(held["chart"]),
        )  # fmt: skip
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Rejected("question_wrong", place="report", text=str(error)[:100]) from None


def year_before(period: Period) -> Period:
    """The same days a year earlier."""
    return Period(_year_before(period.since), _year_before(period.until))


def _year_before(day: datetime.date) -> datetime.date:
    if (day.month, day.day) == (_FEBRUARY, _LEAP_DAY):
        return day.replace(year=day.year - 1, day=_LEAP_DAY - 1)
    return day.replace(year=day.year - 1)


def checked(question: Question) -> Question:
    """The question can be asked.

    Raises:
        Rejected: `question_wrong`, with what does not fit.
    """
    for code in question.measures:
        _known(code, MEASURES, "measures")
    for code in (*question.dimensions, *question.filters):
        _known(code, DIMENSIONS, "rows")
    unfit = [code for code in question.filters if not DIMENSIONS[code].is_filter]
    if unfit:
        raise Rejected(
            "question_wrong", place=unfit[0], text=_("no filter: {name}").format(name=unfit[0])
        )
    if not 1 <= len(question.measures) <= MOST_MEASURES:
        raise Rejected(
            "question_wrong",
            place="measures",
            text=_("1 to {most} figures").format(most=MOST_MEASURES),
        )
    if len(question.rows) > MOST_ROWS or len(set(question.dimensions)) < len(question.dimensions):
        text = _("at most {most} different rows").format(most=MOST_ROWS)
        raise Rejected("question_wrong", place="rows", text=text)
    for code in question.measures:
        _check_measure(code, question)
    if question.sort and question.sort not in {*question.measures, *question.dimensions}:
        return replace(question, sort="")
    return question


def _check_measure(code: str, question: Question) -> None:
    measure = MEASURES[code]
    free = set(universes(measure.formula))
    needed = [FACTS[one.fact] for one in measure.formula.bases() if one not in free]
    compares = any(one.over is Over.BEFORE for one in measure.formula.bases())
    for name in (*question.dimensions, *question.filters):
        dimension = DIMENSIONS[name]
        lacking = any(not dimension.fits(one) for one in needed)
        if lacking or (compares and dimension.entity in {"day", *(one.code for one in needed)}):
            text = _("“{measure}” is not known by “{dimension}”").format(
                measure=_(measure.title), dimension=_(DIMENSIONS[name].title)
            )
            raise Rejected("question_wrong", place=code, text=text)


def _known(code: str, known: Mapping[str, object], place: str) -> None:
    if code not in known:
        raise Rejected(
            "question_wrong", place=place, text=_("there is no {name}").format(name=code[:40])
        )


def functions_of(question: Question) -> tuple[str, ...]:
    """Functions that somebody needs to see all figures of the question."""
    found = [one for code in question.measures for one in functions_for(MEASURES[code])]
    return tuple(dict.fromkeys(found))
