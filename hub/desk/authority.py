"""Nobody hands on rights that they do not have: by giving a post, changing what it is, or taking over its people."""

from hub.desk.people import posts_of_positions, posts_of_roles
from hub.rules.access import Access
from hub.storage.rows import Connection, rows_where


async def need_to_give(
    connection: Connection, access: Access, position: bytes, function: str
) -> None:
    """The person may give the position to somebody.

    Raises:
        Rejected: `more_than_own`.
    """
    for post in await posts_of_positions(connection, [position]):
        access.need_to_give(post, function)


async def need_to_shape(connection: Connection, access: Access, role: bytes, function: str) -> None:
    """The person may make a position with that role.

    Raises:
        Rejected: `more_than_own`.
    """
    for post in (await posts_of_roles(connection, {role})).values():
        access.need_to_give(post, function)


async def need_to_manage(
    connection: Connection, access: Access, user: bytes, function: str
) -> None:
    """The person may act on how somebody signs in: in none of their posts, past or to come, are they above.

    Raises:
        Rejected: `more_than_own`.
    """
    rows = await rows_where(connection, "assignment", ("position_id",), "user_id", [user])
    positions = {row[0] for row in rows if isinstance(row[0], bytes)}
    for post in await posts_of_positions(connection, positions):
        access.need_to_give(post, function)
