"""Who somebody is today: the positions that they fill, what their workplaces let them do, in which language."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from fieldmesh.data.types import Value
from hub.rules.access import Access, Post
from hub.rules.functions import FUNCTIONS, defaults
from hub.rules.patches import Assignment
from hub.storage.rows import Connection, Row, all_rows, one_row, rows_where

_ACTIVE = "active"
_NOTHING = Post(b"", "")
"""A post whose role is not there."""


async def access_of(connection: Connection, user_id: bytes, day: str) -> Access | None:
    """What the person may do and see on that day; None when they are gone or blocked.

    Args:
        connection: to read by.
        user_id: the person.
        day: YYYY-MM-DD, by the hub's clock.
    """
    names = ("login", "person", "status", "org_unit_id")
    user = await one_row(connection, "app_user", names, "id", user_id)
    if user is None or user[2] != _ACTIVE:
        return None
    posts = await _posts(connection, user_id, day)
    zone = await _time_zone(connection, user[3], posts)
    return Access(user_id, str(user[0]), str(user[1] or user[0]), tuple(posts), time_zone=zone)


async def _posts(connection: Connection, user_id: bytes, day: str) -> list[Post]:
    names = ("position_id", "valid_from", "valid_to", "kind")
    assigned = await rows_where(connection, "assignment", names, "user_id", [user_id])
    today = {
        row[0]: row[3] == "substitute"
        for row in assigned
        if isinstance(row[0], bytes)
        and Assignment(user_id, row[0], _text(row[1]), _text(row[2])).holds_on(day)
    }
    posts = await posts_of_positions(connection, today)
    return [replace(one, substitute=today[one.position_id]) for one in posts]


async def posts_of_positions(
    connection: Connection, positions: Iterable[bytes], *, once_active: bool = False
) -> list[Post]:
    """What each of the positions lets its people do; positions that are not active let them do nothing.

    Args:
        connection: to read by.
        positions: whose posts.
        once_active: what they let them do as soon as they are active.
    """
    columns = ("id", "role_id", "distributor_id", "status")
    rows = await rows_where(connection, "position", columns, "id", sorted(positions))
    active = [row for row in rows if once_active or row[3] == _ACTIVE]
    roles = await posts_of_roles(
        connection, {row[1] for row in active if isinstance(row[1], bytes)}
    )
    return [
        replace(
            roles.get(row[1], _NOTHING),
            position_id=row[0],
            distributor_id=row[2] if isinstance(row[2], bytes) else None,
        )
        for row in active
        if isinstance(row[0], bytes)
    ]


async def posts_of_roles(connection: Connection, roles: set[bytes]) -> dict[Value, Post]:
    """Role → a post with it, of no position yet."""
    kinds = await rows_where(connection, "role", ("id", "kind"), "id", roles)
    functions = await _functions(connection, roles)
    wider = await _wider(connection, roles)
    return {
        role: Post(
            b"", str(kind), None, _switched(str(kind), functions.get(role, {})), wider.get(role, {})
        )
        for role, kind in kinds
    }


def _switched(
    kind: str, said: Mapping[str, tuple[bool, Mapping[str, str]]]
) -> dict[str, Mapping[str, str]]:
    """The functions of a kind of role as its workplaces have switched them."""
    on: dict[str, Mapping[str, str]] = {code: {} for code in defaults(kind)}
    for code, (enabled, parameters) in said.items():
        if enabled:
            on[code] = parameters
        else:
            on.pop(code, None)
    return on


async def _functions(
    connection: Connection, roles: set[bytes]
) -> dict[Value, dict[str, tuple[bool, Mapping[str, str]]]]:
    """Role → function → (on, parameters), where its workplaces say something: on in one is on."""
    workplaces = await rows_where(connection, "workplace", ("id", "role_id"), "role_id", roles)
    role_of = {row[0]: row[1] for row in workplaces}
    names = ("workplace_id", "function_code", "enabled", "parameters")
    rows = await rows_where(connection, "workplace_function", names, "workplace_id", role_of)
    found: dict[Value, dict[str, tuple[bool, Mapping[str, str]]]] = defaultdict(dict)
    for workplace, code, enabled, text in rows:
        if code not in FUNCTIONS:
            continue
        said = found[role_of[workplace]]
        if enabled or not said.get(str(code), (False, {}))[0]:
            said[str(code)] = (bool(enabled), parameters(text))
    return found


async def _wider(connection: Connection, roles: set[bytes]) -> dict[Value, dict[str, str]]:
    names = ("role_id", "function_code", "scope_rule")
    found: dict[Value, dict[str, str]] = defaultdict(dict)
    for role, code, rule in await rows_where(connection, "permission", names, "role_id", roles):
        if code in FUNCTIONS and rule:
            found[role][str(code)] = str(rule)
    return found


async def _time_zone(connection: Connection, unit: Value, posts: Sequence[Post]) -> str:
    """Of the person's office, else of the office of a position's territory, else UTC."""
    units: list[Value] = [unit] if unit is not None else []
    if not units and posts:
        ids = [post.position_id for post in posts]
        territories = await rows_where(connection, "position", ("territory_id",), "id", ids)
        named = [row[0] for row in territories if row[0] is not None]
        rows: list[Row] = await rows_where(connection, "territory", ("org_unit_id",), "id", named)
        units = [row[0] for row in rows if row[0] is not None]
    parents = {
        row[0]: row
        for row in await all_rows(connection, "org_unit", ("id", "parent_id", "time_zone"))
    }
    seen: set[Value] = set()
    current = units[0] if units else None
    while current in parents and current not in seen:
        seen.add(current)
        _, parent, zone = parents[current]
        if zone and zone != "UTC":
            return str(zone)
        current = parent
    return "UTC"


def parameters(text: Value) -> Mapping[str, str]:
    """Parameters of a workplace's function: a JSON object; what can't be read sets no limits."""
    try:
        content = json.loads(str(text)) if text else {}
    except ValueError:
        return {}
    return {str(k): str(v) for k, v in content.items()} if isinstance(content, dict) else {}


def _text(value: Value) -> str | None:
    return value if isinstance(value, str) else None
