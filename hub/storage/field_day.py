"""What the field did on one day, counted for each position that the scope shows.

Ids are UUIDv7: rows made since a moment are a range of the primary key, so that a day is found among years of
documents without another index. A device's clock may be wrong by hours: the range begins a day earlier, and the row's
own time decides.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from fieldmesh.data.schema import TABLES
from hub.storage.org_tables import replicated_table
from hub.storage.reach import Scope
from hub.storage.rows import Connection
from hub.storage.visible import visible

_DAY_US = 86_400_000_000
FIELD_KINDS = ("rep", "merchandiser", "technician")
MOST_POSITIONS = 5_000


@dataclass(frozen=True, slots=True)
class Day:
    """One day of somebody's time zone: YYYY-MM-DD, and its beginning and end in UTC microseconds."""

    date: str
    since: int
    until: int


@dataclass(slots=True)
class Figures:
    """What one position did. Times are UTC microseconds, amounts scaled by 10^2.

    Attributes:
        position_id: the position.
        code: of the position.
        name: of the position.
        person: who fills it; empty = nobody.
        opened_at: working day opened on the device.
        closed_at: working day closed.
        planned: visits planned.
        visits: visits begun.
        last_visit: when the newest one began.
        orders: taken.
        amount: of the orders, returns taken off.
        synced_at: end of the newest sync session.
    """

    position_id: bytes
    code: str
    name: str
    person: str = ""
    opened_at: int = 0
    closed_at: int = 0
    planned: int = 0
    visits: int = 0
    last_visit: int = 0
    orders: int = 0
    amount: int = 0
    synced_at: int = 0


async def field_day(connection: Connection, scope: Scope, day: Day) -> list[Figures]:
    """The positions of the field in the scope, by code, with what they did on the day."""
    found = await _positions(connection, scope)
    for position, person in await _people(connection, found, day.date):
        found[position].person = person
    work = replicated_table("work_day")
    query = sa.select(
        work.c.position_id, sa.func.min(work.c.opened_at), sa.func.max(work.c.closed_at)
    )
    query = query.where(work.c.date == day.date, *_own(work, day)).group_by(work.c.position_id)
    for position, opened, closed in await _rows(connection, query):
        if position in found:
            found[position].opened_at, found[position].closed_at = opened or 0, closed or 0
    plan = replicated_table("visit_plan")
    query = sa.select(plan.c.position_id, sa.func.count())
    query = query.where(plan.c.date == day.date, plan.c.deleted == 0).group_by(plan.c.position_id)
    for position, count in await _rows(connection, query):
        if position in found:
            found[position].planned = count
    await _visits(connection, found, day)
    await _orders(connection, found, day)
    await _sessions(connection, found, day)
    return sorted(found.values(), key=lambda one: one.code)


async def _positions(connection: Connection, scope: Scope) -> dict[bytes, Figures]:
    position, role = replicated_table("position"), replicated_table("role")
    query = sa.select(position.c.id, position.c.code, position.c.name)
    query = query.join(role, role.c.id == position.c.role_id).where(
        role.c.kind.in_(FIELD_KINDS), position.c.status == "active", position.c.deleted == 0,
        visible(TABLES["position"], scope),
    )  # fmt: skip
    rows = await _rows(connection, query.order_by(position.c.code).limit(MOST_POSITIONS))
    return {row[0]: Figures(row[0], row[1], row[2] or "") for row in rows}


async def _people(
    connection: Connection, found: dict[bytes, Figures], date: str
) -> list[tuple[bytes, str]]:
    held, user = replicated_table("assignment"), replicated_table("app_user")
    since, until = held.c.valid_from, held.c.valid_to
    query = sa.select(held.c.position_id, user.c.person, user.c.login, held.c.kind)
    query = query.join(user, user.c.id == held.c.user_id).where(
        held.c.deleted == 0, user.c.deleted == 0,
        sa.or_(since.is_(None), since <= date), sa.or_(until.is_(None), until >= date),
    )  # fmt: skip
    rows = await _rows(
        connection, query.order_by(sa.case((held.c.kind == "substitute", 0), else_=1).desc())
    )
    return [(row[0], row[1] or row[2]) for row in rows if row[0] in found]


async def _visits(connection: Connection, found: dict[bytes, Figures], day: Day) -> None:
    visit = replicated_table("visit")
    query = sa.select(visit.c.position_id, sa.func.count(), sa.func.max(visit.c.started_at))
    query = query.where(
        visit.c.started_at >= day.since, visit.c.started_at < day.until, *_own(visit, day)
    )
    for position, count, last in await _rows(connection, query.group_by(visit.c.position_id)):
        if position in found:
            found[position].visits, found[position].last_visit = count, last or 0


async def _orders(connection: Connection, found: dict[bytes, Figures], day: Day) -> None:
    order = replicated_table("sales_order")
    kind = order.c.amount.type
    sold = sa.func.sum(sa.case((order.c.is_return == 0, order.c.amount), else_=None), type_=kind)
    back = sa.func.sum(sa.case((order.c.is_return == 1, order.c.amount), else_=None), type_=kind)
    query = sa.select(order.c.position_id, sa.func.count(), sold, back)
    query = query.where(
        order.c.created_at >= day.since, order.c.created_at < day.until, *_own(order, day)
    )
    for position, count, total, taken_back in await _rows(
        connection, query.group_by(order.c.position_id)
    ):
        if position in found:
            found[position].orders = count
            found[position].amount = int(total or 0) - int(taken_back or 0)


async def _sessions(connection: Connection, found: dict[bytes, Figures], day: Day) -> None:
    session, device = replicated_table("sync_session"), replicated_table("device")
    query = sa.select(device.c.position_id, sa.func.max(session.c.ended_at))
    query = query.join(device, device.c.id == session.c.device_id).where(
        session.c.started_at >= day.since, session.c.started_at < day.until, session.c.outcome == "done",
        session.c.id >= first_id(day.since - _DAY_US),
    )  # fmt: skip
    for position, ended in await _rows(connection, query.group_by(device.c.position_id)):
        if position in found:
            found[position].synced_at = ended or 0


def _own(table: sa.Table, day: Day) -> Iterable[sa.ColumnElement[bool]]:
    """Rows that are not deleted and may be of the day: ids made from the day before on."""
    return (table.c.deleted == 0, table.c.id >= first_id(day.since - _DAY_US))


def first_id(at: int) -> bytes:
    """The least UUIDv7 of a moment. Source: RFC 9562, section 5.7."""
    return (max(0, at) // 1000).to_bytes(6, "big") + bytes(10)


async def _rows(connection: Connection, query: sa.Select[Any]) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in (await connection.execute(query)).all()]
