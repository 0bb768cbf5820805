"""What the field did on one day, counted for each position that the scope shows.

Ids are UUIDv7: rows made since a moment are a range of the primary key, so that a day is found among years of
documents without another index. A device's clock may be wrong by hours: the range begins a day earlier, and the row's
own time decides.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

import sqlalchemy as sa

from fieldmesh.data.schema import TABLES
from hub.storage.org_tables import replicated_table
from hub.storage.prepared import Prepared
from hub.storage.reach import Scope
from hub.storage.returns import FELL_AWAY, less_returns
from hub.storage.rows import Connection
from hub.storage.visible import ScopeKind, kind_of, values_of, visible_by

_DAY_US = 86_400_000_000
_WORK = replicated_table("work_day")
DATE = sa.bindparam("date", type_=_WORK.c.date.type)
SINCE, UNTIL = (sa.bindparam(name, type_=_WORK.c.opened_at.type) for name in ("since", "until"))
FIRST_ID = sa.bindparam("first_id", type_=_WORK.c.id.type)
"""Of a day, in statements that are made once and run with its `values`."""
FIELD_KINDS = ("rep", "merchandiser", "technician")
MOST_POSITIONS = 5_000


@dataclass(frozen=True, slots=True)
class Day:
    """One day of somebody's time zone: YYYY-MM-DD, and its beginning and end in UTC microseconds."""

    date: str
    since: int
    until: int

    @property
    def values(self) -> dict[str, object]:
        """Of the parameters of statements about a day."""
        first = first_id(self.since - _DAY_US)
        return {"date": self.date, "since": self.since, "until": self.until, "first_id": first}


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
        orders: taken, without returns and those that fell away, as in reports.
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
    rows = await _positions(kind_of(scope)).rows(connection, values_of(scope))
    found = {row[0]: Figures(row[0], row[1], row[2] or "") for row in rows}
    for query, note in _questions():
        for position, *values in await query.rows(connection, day.values):
            if position in found:
                note(found[position], *values)
    return sorted(found.values(), key=lambda one: one.code)


@cache
def _positions(kind: ScopeKind) -> Prepared:
    position, role = replicated_table("position"), replicated_table("role")
    query = sa.select(position.c.id, position.c.code, position.c.name)
    query = query.join(role, role.c.id == position.c.role_id).where(
        role.c.kind.in_(FIELD_KINDS), position.c.status == "active", position.c.deleted == 0,
        visible_by(TABLES["position"], kind),
    )  # fmt: skip
    return Prepared(query.order_by(position.c.code).limit(MOST_POSITIONS))


@cache
def _questions() -> tuple[tuple[Prepared, Callable[..., None]], ...]:
    """What is asked about a day: rows that begin with a position, and what they say of it. Made once."""
    return (
        (Prepared(_people()), _note_person),
        (Prepared(_work_days()), _note_work_day),
        (Prepared(_plans()), _note_plan),
        (Prepared(_visits()), _note_visits),
        (Prepared(_orders()), _note_orders),
        (Prepared(_sessions()), _note_session),
    )


def _people() -> sa.Select[Any]:
    held, user = replicated_table("assignment"), replicated_table("app_user")
    since, until = held.c.valid_from, held.c.valid_to
    query = sa.select(held.c.position_id, user.c.person, user.c.login)
    query = query.join(user, user.c.id == held.c.user_id).where(
        held.c.deleted == 0, user.c.deleted == 0,
        sa.or_(since.is_(None), since <= DATE), sa.or_(until.is_(None), until >= DATE),
    )  # fmt: skip
    return query.order_by(sa.case((held.c.kind == "substitute", 0), else_=1).desc())


def _note_person(one: Figures, person: str | None, login: str) -> None:
    one.person = person or login


def _work_days() -> sa.Select[Any]:
    work = replicated_table("work_day")
    query = sa.select(
        work.c.position_id, sa.func.min(work.c.opened_at), sa.func.max(work.c.closed_at)
    )
    return query.where(work.c.date == DATE, *_own(work)).group_by(work.c.position_id)


def _note_work_day(one: Figures, opened: int | None, closed: int | None) -> None:
    one.opened_at, one.closed_at = opened or 0, closed or 0


def _plans() -> sa.Select[Any]:
    plan = replicated_table("visit_plan")
    query = sa.select(plan.c.position_id, sa.func.count())
    return query.where(plan.c.date == DATE, plan.c.deleted == 0).group_by(plan.c.position_id)


def _note_plan(one: Figures, count: int) -> None:
    one.planned = count


def _visits() -> sa.Select[Any]:
    visit = replicated_table("visit")
    query = sa.select(visit.c.position_id, sa.func.count(), sa.func.max(visit.c.started_at))
    query = query.where(visit.c.started_at >= SINCE, visit.c.started_at < UNTIL, *_own(visit))
    return query.group_by(visit.c.position_id)


def _note_visits(one: Figures, count: int, last: int | None) -> None:
    one.visits, one.last_visit = count, last or 0


def _orders() -> sa.Select[Any]:
    order = replicated_table("sales_order")
    value = less_returns(order.c.is_return == 1, order.c.amount)
    taken = sa.func.sum(value, type_=order.c.amount.type)
    orders = sa.func.sum(sa.case((order.c.is_return == 0, 1), else_=0))
    query = sa.select(order.c.position_id, orders, taken).where(order.c.state.not_in(FELL_AWAY))
    query = query.where(order.c.created_at >= SINCE, order.c.created_at < UNTIL, *_own(order))
    return query.group_by(order.c.position_id)


def _note_orders(one: Figures, count: int, amount: int | None) -> None:
    one.orders, one.amount = count, int(amount or 0)


def _sessions() -> sa.Select[Any]:
    session, device = replicated_table("sync_session"), replicated_table("device")
    query = sa.select(device.c.position_id, sa.func.max(session.c.ended_at))
    query = query.join(device, device.c.id == session.c.device_id).where(
        session.c.started_at >= SINCE, session.c.started_at < UNTIL, session.c.outcome == "done",
        session.c.id >= FIRST_ID,
    )  # fmt: skip
    return query.group_by(device.c.position_id)


def _note_session(one: Figures, ended: int | None) -> None:
    one.synced_at = ended or 0


def _own(table: sa.Table) -> Iterable[sa.ColumnElement[bool]]:
    """Rows that are not deleted and may be of the day: ids made from the day before on."""
    return (table.c.deleted == 0, table.c.id >= FIRST_ID)


def first_id(at: int) -> bytes:
    """The least UUIDv7 of a moment. Source: RFC 9562, section 5.7."""
    return (max(0, at) // 1000).to_bytes(6, "big") + bytes(10)
