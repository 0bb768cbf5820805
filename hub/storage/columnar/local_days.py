"""Days of a time zone out of moments in UTC microseconds; when its clocks change is worked out beforehand."""

import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.elements import Grouping

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_MICROSECOND = datetime.timedelta(microseconds=1)
_DAY = datetime.timedelta(days=1)
_DAY_US = 86_400_000_000


def moments(since: datetime.date, until: datetime.date, zone: datetime.tzinfo) -> tuple[int, int]:
    """UTC microseconds of the first day's beginning and of the end of the last."""
    return _begins(since, zone), _begins(until + _DAY, zone)


def _begins(day: datetime.date, zone: datetime.tzinfo) -> int:
    return (datetime.datetime.combine(day, datetime.time(), zone) - _EPOCH) // _MICROSECOND


def offsets(
    since: datetime.date, until: datetime.date, zone: datetime.tzinfo
) -> list[tuple[int, int]]:
    """(from this moment on, microseconds ahead of UTC), for moments of the days; the first entry holds before too."""
    found: list[tuple[int, int]] = []
    day = since
    while day <= until + _DAY:
        at = _begins(day, zone)
        ahead = _ahead(at, zone)
        if not found:
            found.append((at, ahead))
        elif found[-1][1] != ahead:
            found.append((_change(_begins(day - _DAY, zone), at, zone), ahead))
        day += _DAY
    return found


def _ahead(at: int, zone: datetime.tzinfo) -> int:
    moment = (_EPOCH + at * _MICROSECOND).astimezone(zone)
    return (moment.utcoffset() or datetime.timedelta()) // _MICROSECOND


def _change(low: int, high: int, zone: datetime.tzinfo) -> int:
    """The moment between two at which the zone's offset becomes that of the later one."""
    later = _ahead(high, zone)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _ahead(middle, zone) == later else (middle, high)
    return high


def day_of(
    column: sa.ColumnElement[Any],
    since: datetime.date,
    until: datetime.date,
    zone: datetime.tzinfo,
) -> sa.ColumnElement[Any]:
    """The day on which a moment of the period lies."""
    days = _local(column, since, until, zone).op("//")(sa.literal(_DAY_US, sa.BigInteger()))
    return sa.cast(
        sa.literal_column("DATE '1970-01-01'").op("+")(sa.cast(days, sa.Integer())), sa.Date()
    )


def clock_of(
    column: sa.ColumnElement[Any],
    since: datetime.date,
    until: datetime.date,
    zone: datetime.tzinfo,
) -> sa.ColumnElement[Any]:
    """Microseconds from midnight at which a moment of the period lies."""
    local = _local(column, since, until, zone)
    return Grouping(local.op("%")(sa.literal(_DAY_US, sa.BigInteger())))


def _local(
    column: sa.ColumnElement[Any],
    since: datetime.date,
    until: datetime.date,
    zone: datetime.tzinfo,
) -> Grouping[Any]:
    """The moment as microseconds of the zone's own clocks."""
    steps = offsets(since, until, zone)
    ahead: sa.ColumnElement[Any] = sa.literal(steps[-1][1], sa.BigInteger())
    if len(steps) > 1:
        earlier = [(column < steps[n + 1][0], steps[n][1]) for n in range(len(steps) - 1)]
        ahead = sa.case(*earlier, else_=steps[-1][1])
    return Grouping(column + ahead)
