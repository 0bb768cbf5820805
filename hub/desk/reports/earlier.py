"""Figures of the days before, by the lines that they stand beside.

A day, week, month, quarter or year stands beside the one that is as many steps from the first of its own days: the
third week beside the third week. No two stand beside the same, so that nothing is lost or counted twice.
"""

import datetime

from hub.analysis.answers import Answer, Figures, Line
from hub.analysis.model.registry import DIMENSIONS
from hub.storage.columnar.terms import Grain

_MONTHS, _QUARTERS, _MONTHS_OF_QUARTER, _WEEK_DAYS = 12, 4, 3, 7


def beside(answer: Answer) -> dict[Line, Figures]:
    """Every line of the days before, its stretches of time moved to those of the answer's own days."""
    if answer.before is None:
        return {}
    since, before = answer.period.since, answer.before.since
    grains = [DIMENSIONS[code].grain for code in answer.question.dimensions]

    def moved(grain: Grain | None, value: object) -> object:
        if grain is None or not isinstance(value, str):
            return value
        steps = _number(since, grain) - _number(before, grain)
        return _first_day(
            _number(datetime.date.fromisoformat(value), grain) + steps, grain
        ).isoformat()

    return {tuple(map(moved, grains, line)): figures for line, figures in answer.earlier.items()}


def _number(day: datetime.date, grain: Grain) -> int:
    """Which stretch the day lies in, counted without gaps; a week begins on Monday."""
    return {
        Grain.DAY: day.toordinal(),
        Grain.WEEK: (day.toordinal() - 1) // _WEEK_DAYS,
        Grain.MONTH: day.year * _MONTHS + day.month - 1,
        Grain.QUARTER: day.year * _QUARTERS + (day.month - 1) // _MONTHS_OF_QUARTER,
        Grain.YEAR: day.year,
    }[grain]


def _first_day(number: int, grain: Grain) -> datetime.date:
    if grain is Grain.DAY:
        return datetime.date.fromordinal(number)
    if grain is Grain.WEEK:
        return datetime.date.fromordinal(number * _WEEK_DAYS + 1)
    months = {Grain.MONTH: 1, Grain.QUARTER: _MONTHS_OF_QUARTER, Grain.YEAR: _MONTHS}[grain]
    year, month = divmod(number * months, _MONTHS)
    return datetime.date(year, month + 1, 1)
