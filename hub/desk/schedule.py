"""Adherence to the working schedule. Source of the rule: domain.md, section 4, "Schedule adherence".

A day is kept when the first session or opened day is not later than the timetable's beginning plus the tolerance, and
the last session not earlier than its end minus the tolerance. Of a day that is not over only the hours that have passed
are judged: who is at work has not left. The timetable of a role stands in the parameters of its workplace's mobile
function `route`: `day_begins`, `day_ends`, `tolerance_minutes`.
"""

import asyncio
import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from fieldmesh.data.types import Value
from hub.desk.people import parameters
from hub.rules.access import Access
from hub.storage.attendance import MOST_POSITIONS, Attendance, attendance
from hub.storage.database import HubDatabase
from hub.storage.field_day import Day
from hub.storage.rows import Connection, all_rows, rows_where
from hub.storage.workdays import is_workday

MOST_DAYS = 31
_MICROSECOND = datetime.timedelta(microseconds=1)
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


@dataclass(frozen=True, slots=True)
class Timetable:
    """Hours of a working day in the time zone of the viewer's office, and the minutes that are let pass."""

    begins: datetime.time = datetime.time(8, 30)
    ends: datetime.time = datetime.time(17, 0)
    tolerance_minutes: int = 15


class Verdict(StrEnum):
    """How a day was."""

    KEPT = "kept"
    LATE = "late"
    EARLY = "left early"
    ABSENT = "no session"
    OPEN = "not over"


@dataclass(frozen=True, slots=True)
class Kept:
    """One position's day against the timetable."""

    day: Attendance
    verdict: Verdict

    @property
    def is_exception(self) -> bool:
        """Whether the day was not kept."""
        return self.verdict not in {Verdict.KEPT, Verdict.OPEN}


@dataclass(frozen=True, slots=True)
class Adherence:
    """Days of positions against the timetable.

    Attributes:
        days: each of a position.
        judged: how many of them can be judged by now.
        kept: how many of these were kept.
        is_cut: whether there are more positions than were looked at.
    """

    days: list[Kept]
    judged: int
    kept: int
    is_cut: bool


async def adherence(
    database: HubDatabase,
    access: Access,
    days: Sequence[Day],
    *,
    zone: datetime.tzinfo,
    timetable: Timetable,
    now: int,
) -> Adherence:
    """Every position of the scope on every working day of the period that has begun.

    Raises:
        Rejected: `function_missing`.
    """
    access.need("schedule.view")
    chosen = [
        day
        for day in days[:MOST_DAYS]
        if day.since <= now and is_workday(datetime.date.fromisoformat(day.date))
    ]
    async with database.read() as connection:
        found = await attendance(connection, access.scope_for("schedule.view"), chosen)
        own = await _timetables(connection, timetable)

    def judged() -> Adherence:
        held = [
            Kept(one, verdict(one, own.get(one.role_id, timetable), zone, now)) for one in found
        ]
        over = [one for one in held if one.verdict is not Verdict.OPEN]
        kept = sum(not one.is_exception for one in over)
        return Adherence(held, len(over), kept, len(found) >= MOST_POSITIONS * max(1, len(chosen)))

    return await asyncio.to_thread(judged)


async def _timetables(connection: Connection, plain: Timetable) -> dict[Value, Timetable]:
    """Role → the timetable that its workplace sets."""
    workplaces = {
        row[0]: row[1] for row in await all_rows(connection, "workplace", ("id", "role_id"))
    }
    names = ("workplace_id", "parameters")
    rows = await rows_where(connection, "workplace_function", names, "function_code", ["route"])
    return {workplaces.get(row[0]): _read(parameters(row[1]), plain) for row in rows if row[1]}


def _read(said: Mapping[str, str], plain: Timetable) -> Timetable:
    """What can't be read stays as it is for everyone."""
    try:
        return Timetable(
            datetime.time.fromisoformat(said.get("day_begins", plain.begins.isoformat())),
            datetime.time.fromisoformat(said.get("day_ends", plain.ends.isoformat())),
            int(said.get("tolerance_minutes", plain.tolerance_minutes)),
        )
    except ValueError:
        return plain


def verdict(one: Attendance, timetable: Timetable, zone: datetime.tzinfo, now: int) -> Verdict:
    """How the day was, as far as one can say ``now`` (UTC microseconds)."""
    first = min([at for at in (one.first_session, one.opened) if at], default=0)
    last = max(one.last_session, one.closed)
    grace = datetime.timedelta(minutes=timetable.tolerance_minutes)
    date = datetime.date.fromisoformat(one.date)
    latest = datetime.datetime.combine(date, timetable.begins, zone) + grace
    ends = datetime.datetime.combine(date, timetable.ends, zone)
    if not first:
        return Verdict.ABSENT if _moment(now) > latest else Verdict.OPEN
    if _moment(first) > latest:
        return Verdict.LATE
    if _moment(last) >= ends - grace:
        return Verdict.KEPT
    return Verdict.EARLY if _moment(now) >= ends else Verdict.OPEN


def _moment(at: int) -> datetime.datetime:
    return _EPOCH + at * _MICROSECOND
