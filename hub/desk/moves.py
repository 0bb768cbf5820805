"""Outlets given to another position: found, looked at in advance, done.

The preview does the move and takes it back, so that what it says is what will be.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fieldmesh.basics.errors import Rejected
from fieldmesh.data.types import Value
from fieldmesh.service.translation import N_, _
from hub.desk.changes import acting
from hub.desk.hands import Hands
from hub.desk.lists import record
from hub.desk.views.registry import VIEWS
from hub.fleet.outlets import move_outlets
from hub.fleet.subscriptions import Refreshed, today
from hub.rules.access import Access
from hub.rules.patches import Assignment
from hub.storage import lists
from hub.storage.changes import ChangeWriter
from hub.storage.lists import Condition, Test, Wanted
from hub.storage.org_changes import trial_write
from hub.storage.rows import Connection, rows_where

FUNCTION = "outlet.move"
MOST = 1_000


@dataclass(frozen=True, slots=True)
class Outlet:
    """An outlet that may be moved."""

    outlet_id: bytes
    code: str
    name: str
    address: str


@dataclass(frozen=True, slots=True)
class Preview:
    """What a move does.

    Attributes:
        outlets: how many.
        to: name of the position that gets them.
        loses: name of each position that loses some → how many.
        stays: name of each position that keeps serving them (other kinds of roles) → how many.
        rows: outlets and parties whose rows move.
        gateways: gateways that gain or lose areas.
    """

    outlets: int
    to: str
    loses: Mapping[str, int]
    stays: Mapping[str, int]
    rows: int
    gateways: int


@dataclass(frozen=True, slots=True)
class Found:
    """Outlets that may be moved, in the order of their codes.

    Attributes:
        outlets: at most as many as may be moved at once.
        unknown: codes that were asked for, of which there is no outlet in the person's reach.
        more: whether others fit too.
    """

    outlets: list[Outlet]
    unknown: list[str]
    more: bool


async def find(
    hands: Hands, access: Access, *, position: bytes | None, city: str, codes: Sequence[str]
) -> Found:
    """Outlets in the person's reach: of a position, of a city, or by their codes; at most the function's limit.

    Raises:
        Rejected: `function_missing`.
    """
    access.need(FUNCTION)
    most = min(MOST, access.limit(FUNCTION, "most") or MOST)
    named = list(dict.fromkeys(codes))
    conditions: list[Condition] = []
    if named:
        conditions.append(Condition("code", Test.ONE_OF, tuple(named[:MOST])))
    if city:
        conditions.append(Condition("city", Test.BEGINS, (city,)))
    paths, order = ("code", "name", "address"), (("code", False),)
    rows: list[tuple[Value, ...]] = []
    more = len(named) > MOST
    async with hands.office.database.read() as connection:
        scope = access.scope_for(FUNCTION)
        for ids in await _served(connection, hands, position):
            wanted = Wanted("outlet", paths, tuple(conditions), order, ids=ids, most=most)
            page = await lists.page(connection, scope, wanted)
            rows += page.rows
            more = more or page.after is not None
    found = [
        Outlet(row[0], str(row[1]), str(row[2]), str(row[3] or ""))
        for row in sorted(rows, key=lambda row: str(row[1]))
        if isinstance(row[0], bytes)
    ]
    known = {one.code for one in found}
    unknown = [code for code in named[:MOST] if code not in known]
    return Found(found[:most], unknown, more or len(found) > most)


async def _served(
    connection: Connection, hands: Hands, position: bytes | None
) -> list[list[bytes] | None]:
    """The outlets that the position serves today, as many at once as a statement takes; None = whoever serves them."""
    if position is None:
        return [None]
    names = ("outlet_id", "valid_from", "valid_to")
    held = await rows_where(connection, "outlet_assignment", names, "position_id", [position])
    day = today(hands.office.clock)
    ids = [
        row[0]
        for row in held
        if isinstance(row[0], bytes) and _holds(row[0], position, row[1], row[2], day)
    ]
    return [ids[first : first + MOST] for first in range(0, len(ids), MOST)]


async def preview(
    hands: Hands, access: Access, outlets: Sequence[bytes], position: bytes
) -> Preview:
    """What the move would do; nothing is changed.

    Raises:
        Rejected: `function_missing`, `not_found`.
    """
    async with trial_write(hands.office.database, hands.office.clock) as writer:
        return await _moved(writer, hands, access, outlets, position)


async def move(hands: Hands, access: Access, outlets: Sequence[bytes], position: bytes) -> Preview:
    """The outlets are served by the position; devices and gateways hear of it in the same transaction.

    Raises:
        Rejected: `function_missing`, `not_found`.
    """
    about: dict[str, object] = {
        "outlets": [one.hex() for one in outlets],
        "position": position.hex(),
    }
    subjects = [position, *outlets]
    async with acting(hands.office, access, "outlets_moved", about, subjects) as writer:
        return await _moved(writer, hands, access, outlets, position)


async def _moved(
    writer: ChangeWriter, hands: Hands, access: Access, outlets: Sequence[bytes], position: bytes
) -> Preview:
    before = await _served_by(writer, hands, outlets)
    done = await _move(writer, hands, access, outlets, position)
    after = await _served_by(writer, hands, outlets)
    return await _told(writer, outlets, position, (before, after), done)


async def _move(
    writer: ChangeWriter, hands: Hands, access: Access, outlets: Sequence[bytes], position: bytes
) -> Refreshed:
    access.need(FUNCTION)
    most = min(MOST, access.limit(FUNCTION, "most") or MOST)
    if not outlets or len(outlets) > most:
        raise Rejected(
            "form_wrong",
            place="outlet",
            count=1,
            text=_("1 to {most} outlets at once").format(most=most),
        )
    database = hands.office.database
    target = await record(database, access, VIEWS["positions"], position, to=FUNCTION)
    wanted = Wanted("outlet", ("code",), ids=list(outlets), most=len(outlets))
    page = await lists.page(writer.connection, access.scope_for(FUNCTION), wanted)
    if len(page.rows) != len(set(outlets)):
        raise Rejected("not_found", place="outlet", text=N_("there is no such record for you"))
    codes = [str(row[1]) for row in page.rows]
    return await move_outlets(
        writer, hands.office.maker, outlets=codes, position=str(target.values["code"])
    )


async def _served_by(
    writer: ChangeWriter, hands: Hands, outlets: Sequence[bytes]
) -> dict[bytes, set[bytes]]:
    """Outlet → positions that serve it today."""
    names = ("outlet_id", "position_id", "valid_from", "valid_to")
    rows = await rows_where(writer.connection, "outlet_assignment", names, "outlet_id", outlets)
    day = today(hands.office.clock)
    found: dict[bytes, set[bytes]] = {one: set() for one in outlets}
    for outlet, position, since, until in rows:
        if (
            isinstance(outlet, bytes)
            and isinstance(position, bytes)
            and _holds(outlet, position, since, until, day)
        ):
            found[outlet].add(position)
    return found


async def _told(
    writer: ChangeWriter,
    outlets: Sequence[bytes],
    position: bytes,
    served: tuple[dict[bytes, set[bytes]], dict[bytes, set[bytes]]],
    done: Refreshed,
) -> Preview:
    before, after = served
    loses = Counter(one for outlet in outlets for one in before[outlet] - after[outlet])
    stays = Counter(one for outlet in outlets for one in before[outlet] & after[outlet])
    rows = await rows_where(
        writer.connection, "position", ("id", "code", "name"), "id", {position, *loses, *stays}
    )
    names = {row[0]: f"{row[1]!s} {row[2] or ''!s}".strip() for row in rows}
    return Preview(
        len(outlets), names.get(position, ""), {names[one]: count for one, count in loses.items()},
        {names[one]: count for one, count in stays.items()}, done.moved, len(done.gateways),
    )  # fmt: skip


def _holds(outlet: bytes, position: bytes, since: object, until: object, day: str) -> bool:
    begins = since if isinstance(since, str) else None
    ends = until if isinstance(until, str) else None
    return Assignment(outlet, position, begins, ends).holds_on(day)
