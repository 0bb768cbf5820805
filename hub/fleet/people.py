"""Users, their passwords, and on which devices they sign in."""

from collections.abc import Iterable

from fieldmesh.basics.errors import Rejected
from fieldmesh.basics.logins import folded
from fieldmesh.service.translation import _
from hub.fleet.registry import Maker
from hub.fleet.subscriptions import today
from hub.rules.patches import Assignment
from hub.storage.changes import ChangeWriter
from hub.storage.logins import kept_logins, row_of_login
from hub.storage.org_changes import delete_rows, update_rows, upsert_rows
from hub.storage.rows import all_rows, rows_where


async def add_user(
    writer: ChangeWriter, maker: Maker, *, login: str, person: str, verifier: str
) -> bytes:
    """The person may sign in where one of their positions is served.

    Raises:
        Rejected: `code_taken`, the login is someone's already.
    """
    login = folded(login)
    if login in await kept_logins(writer.connection):
        raise Rejected("code_taken", place="login", code=login)
    user_id = maker.identifiers.new()
    row = (user_id, login, person, "local", "active", verifier)
    names = ("id", "login", "person", "auth_kind", "status", "verifier")
    await upsert_rows(writer, "app_user", names, [row])
    return user_id


async def set_password(writer: ChangeWriter, maker: Maker, *, login: str, verifier: str) -> bytes:
    """The person's verifier is new, here and on every device that may let them in.

    Raises:
        Rejected: `not_found`.
    """
    row = await row_of_login(writer.connection, ("id",), login)
    if row is None or not isinstance(row[0], bytes):
        raise Rejected(
            "not_found", place="login", text=_("there is no user {login}").format(login=login)
        )
    await set_verifier(writer, maker, row[0], verifier)
    return row[0]


async def set_verifier(writer: ChangeWriter, maker: Maker, user: bytes, verifier: str) -> None:
    """As `set_password`, for a person by their id."""
    await update_rows(writer, "app_user", ("id", "verifier"), [(user, verifier)])
    await refresh_sign_ins_of(writer, maker, user)


async def refresh_sign_ins_of(writer: ChangeWriter, maker: Maker, user: bytes) -> int:
    """As `refresh_sign_ins`, for the positions of one person."""
    rows = await rows_where(writer.connection, "assignment", ("position_id",), "user_id", [user])
    return await refresh_sign_ins(
        writer, maker, {row[0] for row in rows if isinstance(row[0], bytes)}
    )


async def refresh_sign_ins(
    writer: ChangeWriter, maker: Maker, positions: Iterable[bytes] | None
) -> int:
    """`sign_in` holds exactly the active people with a verifier who fill the positions today.

    Args:
        writer: the transaction of the change.
        maker: ids and the time.
        positions: the positions; None = all that have an assignment.

    Returns:
        How many rows came, changed or went.
    """
    connection, day = writer.connection, today(maker.clock)
    names = ("user_id", "position_id", "valid_from", "valid_to")
    sign_in = ("position_id", "user_id", "login", "person", "verifier", "id")
    if positions is None:
        assigned = await all_rows(connection, "assignment", names)
        wider = {row[1] for row in assigned}
        rows = await rows_where(connection, "sign_in", sign_in, "position_id", wider)
    else:
        wanted_positions = list(positions)
        assigned = await rows_where(
            connection, "assignment", names, "position_id", wanted_positions
        )
        rows = await rows_where(connection, "sign_in", sign_in, "position_id", wanted_positions)
    filling = {
        (one.position_id, one.outlet_id)
        for one in (_assignment(*row) for row in assigned)
        if one.holds_on(day)
    }
    users = await rows_where(
        connection,
        "app_user",
        ("id", "login", "person", "verifier", "status"),
        "id",
        {user for _, user in filling},
    )
    person_of = {row[0]: row for row in users if row[4] == "active" and row[3]}
    held = {(row[0], row[1]): row for row in rows}
    lines = []
    wanted = set()
    for position, user in sorted(filling):
        person = person_of.get(user)
        if person is None:
            continue
        wanted.add((position, user))
        old = held.get((position, user))
        if old is None or old[2:5] != person[1:4]:
            row_id = old[5] if old is not None else maker.identifiers.new()
            lines.append((row_id, position, user, person[1], person[2], person[3]))
    columns = ("id", "position_id", "user_id", "login", "person", "verifier")
    changed = await upsert_rows(writer, "sign_in", columns, lines)
    gone = [row[5] for place, row in held.items() if place not in wanted]
    return changed + await delete_rows(
        writer, "sign_in", [one for one in gone if isinstance(one, bytes)]
    )


def _assignment(user: object, position: object, since: object, until: object) -> Assignment:
    """A person's assignment has the same dates as an outlet's.

    The user stands in the outlet's place.
    """
    return Assignment(
        user if isinstance(user, bytes) else b"",
        position if isinstance(position, bytes) else b"",
        since if isinstance(since, str) else None,
        until if isinstance(until, str) else None,
    )
