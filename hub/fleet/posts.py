"""Who fills which position: scope, sync and sign-in follow in the same transaction, or on the day it begins."""

from dataclasses import dataclass

from fieldmesh.basics.errors import Rejected
from fieldmesh.service.translation import N_, _
from hub.fleet.people import refresh_sign_ins
from hub.fleet.registry import Maker
from hub.fleet.subscriptions import Affected, refresh, today
from hub.storage.changes import ChangeWriter
from hub.storage.org_changes import update_rows, upsert_rows
from hub.storage.rows import one_row, rows_where

MAIN, SUBSTITUTE = "main", "substitute"


@dataclass(frozen=True, slots=True)
class Filling:
    """Somebody fills a position, from a day until a day (both included; None = open).

    Attributes:
        kind: ``main``, or ``substitute``: what the position sees comes to the person's own devices as well.
        row_id: of an assignment that begins anew; None = it is another one.
    """

    position: bytes
    user: bytes
    since: str
    until: str | None = None
    kind: str = MAIN
    row_id: bytes | None = None


async def fill(writer: ChangeWriter, maker: Maker, filling: Filling) -> bytes:
    """The person fills the position in that time. Returns the id of the assignment."""
    row_id = filling.row_id or maker.identifiers.new()
    names = ("id", "position_id", "user_id", "valid_from", "valid_to", "kind")
    row = (row_id, filling.position, filling.user, filling.since, filling.until, filling.kind)
    await upsert_rows(writer, "assignment", names, [row])
    await _settle(writer, maker, filling.position, filling.user)
    return row_id


async def end_filling(writer: ChangeWriter, maker: Maker, assignment: bytes, until: str) -> None:
    """That day is the last one of the assignment.

    Raises:
        Rejected: `not_found`.
    """
    row = await one_row(
        writer.connection, "assignment", ("position_id", "user_id"), "id", assignment
    )
    if row is None or not isinstance(row[0], bytes) or not isinstance(row[1], bytes):
        raise Rejected("not_found", place="assignment", text=N_("there is no such assignment"))
    await update_rows(writer, "assignment", ("id", "valid_to"), [(assignment, until)])
    await _settle(writer, maker, row[0], row[1])


async def assign(writer: ChangeWriter, maker: Maker, *, user: bytes, position: str) -> None:
    """The person fills the position of that code from today.

    Raises:
        Rejected: `not_found`.
    """
    row = await one_row(writer.connection, "position", ("id",), "code", position)
    if row is None or not isinstance(row[0], bytes):
        raise Rejected(
            "not_found",
            place="position",
            text=_("there is no position {code}").format(code=position),
        )
    await fill(writer, maker, Filling(row[0], user, today(maker.clock)))


async def _settle(writer: ChangeWriter, maker: Maker, position: bytes, user: bytes) -> None:
    """Sign-in on devices is true again, and what the person's own posts see while they stand in for others."""
    await refresh_sign_ins(writer, maker, [position])
    names = ("position_id", "kind")
    rows = await rows_where(writer.connection, "assignment", names, "user_id", [user])
    if any(row[1] == SUBSTITUTE for row in rows):
        posts = frozenset(row[0] for row in rows if isinstance(row[0], bytes))
        affected = Affected(positions=posts)
        await refresh(writer, affected, clock=maker.clock, identifiers=maker.identifiers)
