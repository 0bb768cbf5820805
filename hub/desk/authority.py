"""Nobody hands on rights that they do not have.

By giving a post, changing what it is, taking over its people, or moving the offices that its scope follows; by hand or
by a file.
"""

from collections.abc import Collection, Iterable, Mapping
from types import MappingProxyType

from fieldmesh.basics.errors import Rejected
from fieldmesh.data.types import Value
from hub.desk.people import posts_of_positions
from hub.fleet.facts import OfficeFacts, office_facts, position_tree
from hub.rules.access import Access, holds
from hub.rules.territory import PositionTree
from hub.storage.reach import Below, Scope
from hub.storage.rows import Connection, rows_where

BY_FILE = MappingProxyType(
    {
        "role": "rights.change",
        "permission": "rights.change",
        "workplace": "rights.change",
        "workplace_function": "rights.change",
        "org_unit": "organisation.change",
        "territory": "organisation.change",
        "position": "organisation.change",
        "app_user": "people.change",
        "assignment": "people.assign",
        "price": "price.change",
        "promotion": "price.change",
        "outlet_discount": "price.change",
        "debt_limit": "outlet.change",
        "plan": "target.approve",
    }
)
"""Tables that shape rights, prices, limits or targets → the function of those who change them by hand.

Who loads them from a file needs it too, in the whole company: a line may name any row. Limits are those of contracts;
a file may bring targets that hold, and change those that do.
"""
_LINKS_OF_OFFICES = MappingProxyType(
    {"org_unit": ("parent_id",), "territory": ("parent_id", "org_unit_id")}
)


async def need_to_give(
    connection: Connection, access: Access, position: bytes, function: str
) -> None:
    """The person may give the position to somebody, and make it what it is now.

    Raises:
        Rejected: `more_than_own`.
    """
    _raise_first(await refused_posts(connection, access, [position], function))


async def need_to_manage(
    connection: Connection, access: Access, user: bytes, function: str
) -> None:
    """The person may act on how somebody signs in: in none of their posts, past or to come, are they above.

    Raises:
        Rejected: `more_than_own`.
    """
    _raise_first(await refused_rows(connection, access, "app_user", [user], function))


async def refused_posts(
    connection: Connection, access: Access, positions: Iterable[bytes], function: str
) -> dict[bytes, Rejected]:
    """Why the person may not give some of the positions; also those that are not active yet."""
    posts = await posts_of_positions(connection, positions, once_active=True)
    tree = await position_tree(connection) if posts else PositionTree({})
    found: dict[bytes, Rejected] = {}
    for post in posts:
        try:
            access.need_to_give(post, function, tree)
        except Rejected as problem:
            found[post.position_id] = problem
    return found


async def refused_rows(
    connection: Connection, access: Access, table: str, ids: Collection[bytes], function: str
) -> dict[bytes, Rejected]:
    """Why the person may not change rows of a table as they stand: those that are above them in some post."""
    if table == "position":
        return await refused_posts(connection, access, ids, function)
    column = {"assignment": "id", "app_user": "user_id"}.get(table)
    if column is None:
        return {}
    names = (column, "position_id")
    rows = await rows_where(connection, "assignment", names, column, sorted(ids))
    positions = {position for _id, position in rows if isinstance(position, bytes)}
    posts = await refused_posts(connection, access, positions, function)
    return {
        row_id: posts[position]
        for row_id, position in rows
        if isinstance(row_id, bytes) and isinstance(position, bytes) and position in posts
    }


async def need_to_link(
    connection: Connection,
    access: Access,
    table: str,
    values: Mapping[str, Value],
    function: str,
    *,
    row_id: bytes | None,
) -> None:
    """An office or a territory is hung only on what the person reaches, and only when nobody else stands there.

    Everybody sees all offices, so those of others are not changed at all; and what an office has is seen by all posts
    below it: by hanging the own one below another, its warehouses would come within reach.

    Args:
        connection: to read by.
        access: who changes it.
        table: whose row; others than offices and territories are let through.
        values: columns that change.
        function: by which it is changed.
        row_id: the row; None = it is a new one.

    Raises:
        Rejected: `more_than_own`.
    """
    scope = access.scope_for(function)
    if table not in _LINKS_OF_OFFICES or scope.is_everything:
        return
    facts, tree = await office_facts(connection), await position_tree(connection)
    foreign = _foreign(facts, scope, tree)
    if table == "org_unit" and row_id is not None and foreign & facts.paths_of({row_id}):
        access.need_everywhere(function)
    links = [name for name in _LINKS_OF_OFFICES[table] if name in values]
    if not links:
        return
    ends = {values[name] for name in links if table == "org_unit" or name == "org_unit_id"}
    standing: set[bytes] = set()
    if row_id is not None and table == "org_unit":
        ends.add(row_id)
        standing = {one for one, units in facts.units_above.items() if row_id in units}
    elif row_id is not None:
        rows = await rows_where(connection, "position", ("id",), "territory_id", [row_id])
        standing = {row[0] for row in rows if isinstance(row[0], bytes)}
    others = not holds(scope, Scope(frozenset({Below(frozenset(standing))})), tree)
    if others or foreign & facts.paths_of(ends):
        access.need_everywhere(function)


def _foreign(facts: OfficeFacts, scope: Scope, tree: PositionTree) -> set[bytes]:
    """Offices with people or warehouses that show nothing of theirs to the positions of the scope."""
    reached = set().union(*(tree.subtree(one) for one in scope.positions))
    seen = {unit for one in reached for unit in facts.units_above.get(one, ())}
    peopled = {unit for units in facts.units_above.values() for unit in units}
    return (peopled | facts.stocked) - seen


def _raise_first(problems: Mapping[bytes, Rejected]) -> None:
    for problem in problems.values():
        raise problem
