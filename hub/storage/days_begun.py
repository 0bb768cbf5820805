"""Which commit each day began with: it tells how old an LSN is, and whether the clock can be believed.

Days are counted as they were begun, not by the calendar: a clock that is wrong for a while adds one day, and makes
nothing older than it is.
"""

import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.storage.system_tables import DAY_BEGUN

_WITNESSES = 3
_SECOND_US = 1_000_000


def day_of(now: int) -> str:
    """The day in UTC, YYYY-MM-DD.

    Args:
        now: UTC microseconds.
    """
    moment = datetime.datetime.fromtimestamp(now // _SECOND_US, tz=datetime.UTC)
    return moment.date().isoformat()


async def note(connection: AsyncConnection, day: str, lsn: int) -> None:
    """The day began with this commit, unless it had begun before."""
    query = sa.select(DAY_BEGUN.c.day).where(DAY_BEGUN.c.day == day)
    if (await connection.execute(query)).first() is None:
        await connection.execute(sa.insert(DAY_BEGUN).values(day=day, lsn=lsn))


async def lsn_before(connection: AsyncConnection, days: int) -> int | None:
    """What is at or below this LSN is older than so many days; None = nothing is known to be."""
    query = sa.select(DAY_BEGUN.c.lsn).order_by(DAY_BEGUN.c.lsn.desc()).offset(days).limit(1)
    found = (await connection.execute(query)).scalar_one_or_none()
    return None if found is None else int(found)


async def forget_before(connection: AsyncConnection, lsn: int) -> None:
    """Days that began before this commit are not needed any more."""
    await connection.execute(sa.delete(DAY_BEGUN).where(DAY_BEGUN.c.lsn < lsn))


async def is_believed(connection: AsyncConnection, day: str) -> bool:
    """Whether it can be this day: not when two of the last three other days begun are later.

    A machine that has lost its clock begins in 1970. One later day alone says nothing: that time the clock may have
    run ahead.
    """
    query = sa.select(DAY_BEGUN.c.day).where(DAY_BEGUN.c.day != day)
    newest = query.order_by(DAY_BEGUN.c.lsn.desc()).limit(_WITNESSES)
    later = [one for (one,) in (await connection.execute(newest)).all() if one > day]
    return len(later) < _WITNESSES - 1
