"""The board of today: who started, who synced and who did not, visits and orders against plan, alarms; and the map."""

import datetime
from contextlib import suppress
from dataclasses import dataclass

from fieldmesh.service.translation import N_
from hub.rules.access import Access
from hub.storage import conflicts, inbox, places, quarantine
from hub.storage.database import HubDatabase
from hub.storage.field_day import MOST_POSITIONS, Day, Figures, field_day
from hub.storage.places import Point, Stop

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_MICROSECOND = datetime.timedelta(microseconds=1)
_YEARS = range(1900, 9999)
"""Days of other years are nobody's, and leave no room for the week before and the day after."""
LATE_HOUR = 9
"""Whoever has not opened their day by then is late."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something that a person should look at: English msgid with ``count``, where it leads."""

    text: str
    count: int
    address: str


@dataclass(frozen=True, slots=True)
class Board:
    """The day as one person sees it.

    Attributes:
        day: which one.
        positions: what each position did.
        late: positions that have not opened their day though it is late.
        silent: positions that have not synced on the day.
        alarms: of the network, for those who may see it.
    """

    day: Day
    positions: list[Figures]
    late: frozenset[bytes]
    silent: frozenset[bytes]
    alarms: list[Alarm]

    @property
    def is_cut(self) -> bool:
        """Whether there may be more positions than these."""
        return len(self.positions) >= MOST_POSITIONS


def day_of(text: str, now: int, zone: datetime.tzinfo) -> Day:
    """The day that an address names (YYYY-MM-DD), or today in the person's time zone."""
    date = (_EPOCH + now * _MICROSECOND).astimezone(zone).date()
    with suppress(ValueError):
        named = datetime.date.fromisoformat(text)
        date = named if named.year in _YEARS else date
    since = datetime.datetime.combine(date, datetime.time(), zone)
    until = datetime.datetime.combine(date + datetime.timedelta(days=1), datetime.time(), zone)
    return Day(date.isoformat(), (since - _EPOCH) // _MICROSECOND, (until - _EPOCH) // _MICROSECOND)


async def board(database: HubDatabase, access: Access, day: Day, now: int) -> Board:
    """The board of a day.

    Raises:
        Rejected: `function_missing`.
    """
    access.need("today.view")
    async with database.read() as connection:
        positions = await field_day(connection, access.scope_for("today.view"), day)
    is_late = now >= day.since + LATE_HOUR * 3_600_000_000
    late = frozenset(one.position_id for one in positions if is_late and not _has_begun(one))
    silent = frozenset(one.position_id for one in positions if not one.synced_at)
    return Board(day, positions, late, silent, await _alarms(database, access))


def _has_begun(one: Figures) -> bool:
    return bool(one.opened_at or one.visits or not one.planned)


async def _alarms(database: HubDatabase, access: Access) -> list[Alarm]:
    if not access.may("quarantine.manage"):
        return []
    async with database.read() as connection:
        held = await quarantine.count(connection, quarantine.OPEN)
        gaps = await inbox.count_gaps(connection)
        open_ = await conflicts.count(connection, conflicts.OPEN)
    found = [
        Alarm(N_("{count} batches in quarantine"), held, "/oversight/quarantine"),
        Alarm(N_("{count} devices with a gap"), gaps, "/oversight/gaps"),
        Alarm(N_("{count} open conflicts"), open_, "/oversight/conflicts"),
    ]
    return [one for one in found if one.count]


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Tracks and planned stops of a day.

    Attributes:
        points: oldest first; of very many, the newest ones of each position.
        stops: of the plans; of very many, some.
        planned: how many stops there are.
        visited: how many of them were visited.
    """

    points: list[Point]
    stops: list[Stop]
    planned: int
    visited: int

    @property
    def is_cut(self) -> bool:
        """Whether some are left out."""
        return len(self.points) >= places.MOST_POINTS or len(self.stops) < self.planned


async def whereabouts(database: HubDatabase, access: Access, day: Day) -> Whereabouts:
    """Tracks and planned stops of the day.

    Raises:
        Rejected: `function_missing`.
    """
    access.need("map.view")
    scope = access.scope_for("map.view")
    async with database.read() as connection:
        points = await places.tracks(connection, scope, day)
        stops = await places.stops(connection, scope, day)
        return Whereabouts(points, stops, *await places.planned(connection, scope, day))
