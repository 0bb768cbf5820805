"""Groups of a directory or a sign-on provider give posts: what a group gave, its end takes away; other posts stay."""

import datetime
from collections.abc import Iterable, Mapping

from fieldmesh.basics.identifiers import stable_id
from hub.fleet.posts import Filling, end_filling, fill
from hub.fleet.registry import Maker
from hub.fleet.standard import office_code, office_post
from hub.fleet.subscriptions import today
from hub.storage.changes import ChangeWriter
from hub.storage.rows import Connection, ids_by_code, rows_where

_ROLE, _POSITION = "role:", "position:"
_DAY = datetime.timedelta(days=1)


def is_post(text: str) -> bool:
    """Whether it names what a group can give."""
    kind, _, code = text.strip().partition(":")
    return f"{kind}:" in {_ROLE, _POSITION} and bool(code)


def wanted_posts(groups: Iterable[str], posts: Mapping[str, str]) -> frozenset[str]:
    """What the groups give: ``role:<code>`` and ``position:<code>``; names of groups are compared without case."""
    folded = {name.casefold(): post for name, post in posts.items()}
    return frozenset(
        folded[group.casefold()].strip() for group in groups if group.casefold() in folded
    )


async def is_settled(connection: Connection, user: bytes, wanted: Iterable[str]) -> bool:
    """Whether `settle_posts` would change nothing."""
    roles = [one.removeprefix(_ROLE) for one in wanted if one.startswith(_ROLE)]
    known = await ids_by_code(connection, "role", roles)
    offices = {office_code(role) for role in known}
    positions = await ids_by_code(connection, "position", [*_codes(wanted), *offices])
    if not offices <= positions.keys():
        return False
    return await _open(connection, user) == {_row_id(user, one) for one in positions.values()}


async def settle_posts(
    writer: ChangeWriter, maker: Maker, user: bytes, wanted: Iterable[str]
) -> tuple[int, int]:
    """Of the posts that groups give, the person has exactly these from today. Returns how many came and went.

    A post whose code is not there yet is left out; it holds as soon as the groups are looked at again.
    """
    roles = sorted(one.removeprefix(_ROLE) for one in wanted if one.startswith(_ROLE))
    offices = [await office_post(writer, maker, role) for role in roles]
    found = await ids_by_code(writer.connection, "position", _codes(wanted))
    positions = {*found.values(), *(one for one in offices if one is not None)}
    given = {_row_id(user, position): position for position in positions}
    held, day = await _open(writer.connection, user), today(maker.clock)
    for row_id in sorted(given.keys() - held):
        await fill(writer, maker, Filling(given[row_id], user, day, row_id=row_id))
    yesterday = (datetime.date.fromisoformat(day) - _DAY).isoformat()
    for row_id in sorted(held - given.keys()):
        await end_filling(writer, maker, row_id, yesterday)
    return len(given.keys() - held), len(held - given.keys())


def _codes(wanted: Iterable[str]) -> list[str]:
    return [one.removeprefix(_POSITION) for one in wanted if one.startswith(_POSITION)]


def _row_id(user: bytes, position: bytes) -> bytes:
    """Id of the assignment that groups give: by it, it is told from those that people have given."""
    return stable_id("group_post", user.hex(), position.hex())


async def _open(connection: Connection, user: bytes) -> set[bytes]:
    """Ids of the assignments that groups have given and not taken away."""
    names = ("id", "position_id", "valid_to")
    held = await rows_where(connection, "assignment", names, "user_id", [user])
    return {
        row[0]
        for row in held
        if isinstance(row[0], bytes)
        and isinstance(row[1], bytes)
        and row[2] is None
        and row[0] == _row_id(user, row[1])
    }
