"""Months, quarters and years as texts: 2026-11, 2026-Q4, 2026."""

import datetime
from typing import Any

import sqlalchemy as sa

from hub.storage.columnar.terms import Period

_QUARTERS = {f"-Q{n + 1}": [f"{3 * n + month:02d}" for month in (1, 2, 3)] for n in range(4)}
_YEAR = len("2026")


def named_periods(period: Period) -> tuple[str, ...]:
    """The months that the period touches, and the quarters and years that it holds whole."""
    found: list[str] = []
    month = period.since.replace(day=1)
    while month <= period.until:
        found.append(f"{month:%Y-%m}")
        month = (month + datetime.timedelta(days=31)).replace(day=1)
    held = set(found)
    for year in sorted({one[:4] for one in found}):
        quarters = [[f"{year}-{3 * q + m:02d}" for m in (1, 2, 3)] for q in range(4)]
        found += [
            f"{year}-Q{n + 1}" for n, months in enumerate(quarters) if held.issuperset(months)
        ]
        if held.issuperset(one for months in quarters for one in months):
            found.append(year)
    return tuple(found)


def part_of(inner: sa.ColumnElement[Any], outer: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    """The one period is shorter than the other and lies in it."""
    of_year = sa.and_(
        sa.func.length(outer) == _YEAR,
        sa.func.length(inner) > _YEAR,
        sa.func.left(inner, _YEAR) == outer,
    )
    rest, year = sa.func.substr(inner, _YEAR + 2), sa.func.left(inner, _YEAR)
    quarter = sa.case(*((rest.in_(months), name) for name, months in _QUARTERS.items()))
    return sa.or_(of_year, year.op("||")(quarter) == outer)
