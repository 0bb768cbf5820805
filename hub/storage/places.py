"""Where people were on a day: track points and visits of the positions that the scope shows, for a map."""

from dataclasses import dataclass
from functools import cache

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
    """An outlet on a position's plan of the day, and whether it was visited."""

    outlet_id: bytes
    position_id: bytes
    name: str
    sequence: int
    latitude: int
    longitude: int
    visited: bool


async def tracks(connection: Connection, scope: Scope, day: Day) -> list[Point]:
    """Track points of the day, oldest first."""
    asked = day.values | values_of(scope)
    return [Point(*row) for row in await _tracks(kind_of(scope)).rows(connection, asked)]


@cache
def _tracks(kind: ScopeKind) -> Prepared:
    point = replicated_table("gps_point")
    query = sa.select(point.c.position_id, point.c.at, point.c.latitude, point.c.longitude)
    query = query.where(
        point.c.id >= FIRST_ID, point.c.at >= SINCE, point.c.at < UNTIL,
        point.c.deleted == 0, point.c.latitude.is_not(None), point.c.longitude.is_not(None),
        visible_by(TABLES["gps_point"], kind),
    )  # fmt: skip
    return Prepared(query.order_by(point.c.at).limit(MOST_POINTS))


async def stops(connection: Connection, scope: Scope, day: Day) -> list[Stop]:
    """Planned stops of the day with the place of their outlets, in the order of the plan."""
    asked = day.values | values_of(scope)
    rows = await _stops(kind_of(scope)).rows(connection, asked)
    return [
        Stop(outlet, position, name, place, latitude, longitude, bool(visited))
        for outlet, position, name, place, latitude, longitude, visited in rows
    ]


@cache
def _stops(kind: ScopeKind) -> Prepared:
    plan, outlet, visit = (replicated_table(name) for name in ("visit_plan", "outlet", "visit"))
    visited = (
        sa.select(visit.c.id)
        .where(
            visit.c.outlet_id == outlet.c.id, visit.c.deleted == 0, visit.c.id >= FIRST_ID,
            visit.c.started_at >= SINCE, visit.c.started_at < UNTIL,
        )
        .exists()
    )  # fmt: skip
    query = sa.select(
        outlet.c.id, plan.c.position_id, outlet.c.name, plan.c.sequence_number,
        outlet.c.latitude, outlet.c.longitude, sa.case((visited, 1), else_=0),
    )  # fmt: skip
    query = query.join(outlet, outlet.c.id == plan.c.outlet_id).where(
        plan.c.date == DATE, plan.c.deleted == 0, outlet.c.latitude.is_not(None),
        outlet.c.longitude.is_not(None), visible_by(TABLES["visit_plan"], kind),
    )  # fmt: skip
    ordered = query.order_by(plan.c.position_id, plan.c.sequence_number)
    return Prepared(ordered.limit(MOST_STOPS))
