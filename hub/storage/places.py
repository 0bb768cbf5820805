"""Where people were on a day: track points and visits of the positions that the scope shows, for a map."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import sqlalchemy as sa

from fieldmesh.data.schema import TABLES
from hub.storage.field_day import DATE, FIRST_ID, SINCE, UNTIL, Day
from hub.storage.org_tables import replicated_table
from hub.storage.prepared import Prepared
from hub.storage.reach import Scope
from hub.storage.rows import Connection
from hub.storage.visible import ScopeKind, kind_of, values_of, visible_by

MOST_POINTS, MOST_STOPS = 20_000, 5_000


@dataclass(frozen=True, slots=True)
class Point:
    """A position's place at a moment. Degrees scaled by 10^6, UTC microseconds."""

    position_id: bytes
    at: int
    latitude: int
    longitude: int


@dataclass(frozen=True, slots=True)
class Stop:
    """An outlet on a position's plan of the day, and whether the position was there."""

    outlet_id: bytes
    position_id: bytes
    name: str
    sequence: int
    latitude: int
    longitude: int
    visited: bool


async def tracks(connection: Connection, scope: Scope, day: Day) -> list[Point]:
    """Track points of the day, oldest first; of more than `MOST_POINTS` the newest ones of each position."""
    asked = day.values | values_of(scope)
    return [Point(*row) for row in await _tracks(kind_of(scope)).rows(connection, asked)]


@cache
def _tracks(kind: ScopeKind) -> Prepared:
    point = replicated_table("gps_point")
    places = (point.c.position_id, point.c.at, point.c.latitude, point.c.longitude)
    age = sa.func.row_number().over(partition_by=point.c.position_id, order_by=point.c.at.desc())
    seen = sa.select(*places, age.label("age")).where(
        point.c.id >= FIRST_ID, point.c.at >= SINCE, point.c.at < UNTIL, point.c.deleted == 0,
        point.c.position_id.is_not(None), point.c.latitude.is_not(None), point.c.longitude.is_not(None),
        visible_by(TABLES["gps_point"], kind),
    ).subquery()  # fmt: skip
    held = [seen.c[one.name] for one in places]
    newest = sa.select(*held).order_by(seen.c.age).limit(MOST_POINTS).subquery()
    return Prepared(sa.select(*newest.c).order_by(newest.c.at))


async def stops(connection: Connection, scope: Scope, day: Day) -> list[Stop]:
    """Planned stops of the day with the place of their outlets, in the order of the plan."""
    asked = day.values | values_of(scope)
    rows = await _stops(kind_of(scope)).rows(connection, asked)
    return [
        Stop(outlet, position, name, place, latitude, longitude, bool(visited))
        for outlet, position, name, place, latitude, longitude, visited in rows
    ]


async def planned(connection: Connection, scope: Scope, day: Day) -> tuple[int, int]:
    """How many stops are planned for the day at places that are known, and how many of them were visited."""
    asked = day.values | values_of(scope)
    [(count, visited)] = await _planned(kind_of(scope)).rows(connection, asked)
    return count, visited or 0


@cache
def _planned(kind: ScopeKind) -> Prepared:
    stop = _every_stop(kind).subquery()
    counts: list[sa.ColumnElement[Any]] = [sa.func.count(), sa.func.sum(stop.c.visited)]
    return Prepared(sa.select(*counts))


@cache
def _stops(kind: ScopeKind) -> Prepared:
    every = _every_stop(kind).subquery()
    ordered = sa.select(*every.c).order_by(every.c.position_id, every.c.sequence_number)
    return Prepared(ordered.limit(MOST_STOPS))


def _every_stop(kind: ScopeKind) -> sa.Select[Any]:
    plan, outlet, visit = (replicated_table(name) for name in ("visit_plan", "outlet", "visit"))
    visited = (
        sa.select(visit.c.id)
        .where(
            visit.c.outlet_id == outlet.c.id, visit.c.position_id == plan.c.position_id,
            visit.c.deleted == 0, visit.c.id >= FIRST_ID,
            visit.c.started_at >= SINCE, visit.c.started_at < UNTIL,
        )
        .exists()
    )  # fmt: skip
    query = sa.select(
        outlet.c.id, plan.c.position_id, outlet.c.name, plan.c.sequence_number,
        outlet.c.latitude, outlet.c.longitude, sa.case((visited, 1), else_=0).label("visited"),
    )  # fmt: skip
    return query.join(outlet, outlet.c.id == plan.c.outlet_id).where(
        plan.c.date == DATE, plan.c.deleted == 0, outlet.c.latitude.is_not(None),
        outlet.c.longitude.is_not(None), visible_by(TABLES["visit_plan"], kind),
    )  # fmt: skip
