"""Who serves which outlet."""

import datetime
from collections.abc import Sequence

from fieldmesh.basics.errors import Rejected
from fieldmesh.data.types import Value
from fieldmesh.service.translation import _
from hub.fleet.registry import Maker
from hub.fleet.subscriptions import Affected, Refreshed, refresh, today
from hub.storage.changes import ChangeWriter
from hub.storage.org_changes import delete_rows, update_rows, upsert_rows
from hub.storage.rows import Connection, Row, one_row, rows_where


async def move_outlets(
    writer: ChangeWriter, maker: Maker, *, outlets: Sequence[str], position: str
) -> Refreshed:
    """The outlets are served by ``position`` instead of the positions of the same kind of role.

    A merchandiser or technician who serves the outlet stays when it moves to another rep. Rows
    follow in the same transaction, so both reps' devices see one change. Promise 6 (Scope).

    Raises:
        Rejected: `not_found`.
    """
    connection = writer.connection
    new_position = await _position(connection, position)
    rows = await rows_where(connection, "outlet", ("code", "id"), "code", outlets)
    found = {str(row[0]): row[1] for row in rows if isinstance(row[1], bytes)}
    missing = [code for code in outlets if code not in found]
    if missing:
        raise Rejected(
            "not_found", place="outlet", text=_("there is no outlet {code}").format(code=missing[0])
        )
    names = ("id", "outlet_id", "position_id", "valid_from", "valid_to")
    held = await rows_where(
        connection, "outlet_assignment", names, "outlet_id", sorted(found.values())
    )
    same_kind = await _positions_like(connection, new_position, {row[2] for row in held})
    day = today(maker.clock)
    await _end(writer, [row for row in held if row[2] in same_kind and _is_open(row, day)], day)
    new = [
        (maker.identifiers.new(), outlet, new_position, day) for outlet in sorted(found.values())
    ]
    columns = ("id", "outlet_id", "position_id", "valid_from")
    await upsert_rows(writer, "outlet_assignment", columns, new)
    affected = Affected(outlets=frozenset(found.values()))
    return await refresh(writer, affected, clock=maker.clock, identifiers=maker.identifiers)


async def _end(writer: ChangeWriter, assignments: Sequence[Row], day: str) -> None:
    """Assignments that began earlier end yesterday.

    Those that begin today or later are taken back.
    """
    yesterday = datetime.date.fromisoformat(day) - datetime.timedelta(days=1)
    begun = [row for row in assignments if not isinstance(row[3], str) or row[3] < day]
    not_begun = [row[0] for row in assignments if row not in begun]
    ended = [(row[0], yesterday.isoformat()) for row in begun]
    await update_rows(writer, "outlet_assignment", ("id", "valid_to"), ended)
    await delete_rows(
        writer, "outlet_assignment", [one for one in not_begun if isinstance(one, bytes)]
    )


def _is_open(row: Row, day: str) -> bool:
    return not isinstance(row[4], str) or row[4] >= day


async def _position(connection: Connection, code: str) -> bytes:
    row = await one_row(connection, "position", ("id",), "code", code)
    if row is None or not isinstance(row[0], bytes):
        raise Rejected(
            "not_found", place="position", text=_("there is no position {code}").format(code=code)
        )
    return row[0]


async def _positions_like(
    connection: Connection, position: bytes, others: set[Value]
) -> set[Value]:
    """Those of ``others`` whose role is of the same kind as that of ``position``."""
    rows = await rows_where(connection, "position", ("id", "role_id"), "id", [position, *others])
    role_of = {row[0]: row[1] for row in rows}
    roles = await rows_where(connection, "role", ("id", "kind"), "id", set(role_of.values()))
    kind_of = {row[0]: row[1] for row in roles}
    wanted = kind_of.get(role_of.get(position))
    return {one for one in others if kind_of.get(role_of.get(one)) == wanted}
