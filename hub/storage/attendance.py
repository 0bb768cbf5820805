"""First and last session, visit and working day of each position on each day: what a timetable is compared with."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from fieldmesh.data.schema import TABLES
from hub.storage.field_day import Day, first_id
from hub.storage.org_tables import replicated_table
from hub.storage.reach import Scope
from hub.storage.rows import Connection
from hub.storage.visible import visible

_DAY_US = 86_400_000_000
MOST_POSITIONS = 5_000


@dataclass(slots=True)
class Attendance:
    """One position on one day. Times are UTC microseconds, 0 = none."""

    position_id: bytes
    role_id: bytes
    code: str
    name: str
    date: str
    first_session: int = 0
    last_session: int = 0
    first_visit: int = 0
    last_visit: int = 0
    opened: int = 0
    closed: int = 0
    sessions: int = 0


async def attendance(connection: Connection, scope: Scope, days: Sequence[Day]) -> list[Attendance]:
    """Every position of the scope, of the first `MOST_POSITIONS`, on every one of the days, by date and code."""
    position = replicated_table("position")
    query = sa.select(
        position.c.id, position.c.role_id, position.c.code, position.c.name
    ).where(
        position.c.deleted == 0, position.c.status == "active", visible(TABLES["position"], scope),
        position.c.id.in_(sa.select(replicated_table("device").c.position_id)),
    )  # fmt: skip
    posts = await _rows(connection, query.order_by(position.c.code).limit(MOST_POSITIONS))
    found: list[Attendance] = []
    for day in days:
        held = {row[0]: Attendance(row[0], row[1], row[2], row[3] or "", day.date) for row in posts}
        await _fill(connection, held, day)
        found.extend(held.values())
    return found


async def _fill(connection: Connection, held: dict[bytes, Attendance], day: Day) -> None:
    session, device = replicated_table("sync_session"), replicated_table("device")
    visit, work = replicated_table("visit"), replicated_table("work_day")
    begun, seen, day_row = session.c.started_at, visit.c.started_at, work.c.position_id
    since, first, last = first_id(day.since - _DAY_US), sa.func.min, sa.func.max
    sessions = sa.select(
        device.c.position_id, first(begun), last(session.c.ended_at),
        sa.func.count(session.c.session_id.distinct()),
    )  # fmt: skip
    visits = sa.select(visit.c.position_id, first(seen), last(visit.c.finished_at), sa.func.count())
    worked = sa.select(day_row, first(work.c.opened_at), last(work.c.closed_at), sa.func.count())
    asked: dict[str, sa.Select[Any]] = {
        "session": sessions.join(device, device.c.id == session.c.device_id)
        .where(session.c.id >= since, begun >= day.since, begun < day.until)
        .group_by(device.c.position_id),
        "visit": visits.where(
            visit.c.id >= since, seen >= day.since, seen < day.until, visit.c.deleted == 0
        ).group_by(visit.c.position_id),
        "work": worked.where(work.c.date == day.date, work.c.deleted == 0).group_by(day_row),
    }
    rows: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
    for name, query in asked.items():
        rows[name] = await _rows(connection, query)
    for position, begin, end, count in rows["session"]:
        if position in held:
            one = held[position]
            one.first_session, one.last_session, one.sessions = begin or 0, end or 0, count
    for position, begin, end, _count in rows["visit"]:
        if position in held:
            held[position].first_visit, held[position].last_visit = begin or 0, end or begin or 0
    for position, begin, end, _count in rows["work"]:
        if position in held:
            held[position].opened, held[position].closed = begin or 0, end or 0


async def _rows(connection: Connection, query: sa.Select[Any]) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in (await connection.execute(query)).all()]
