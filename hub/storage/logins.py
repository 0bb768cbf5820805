"""People by their logins. New ones are kept in small letters; some of before have capitals."""

from collections.abc import Mapping, Sequence

from fieldmesh.basics.logins import folded
from hub.storage.rows import Connection, Row, all_rows, rows_where


async def row_of_login(connection: Connection, names: Sequence[str], login: str) -> Row | None:
    """The named columns of the person with that login: spelled so, or else in small letters."""
    typed = login.strip()
    rows = await rows_where(
        connection, "app_user", (*names, "login"), "login", {typed, folded(typed)}
    )
    return min(rows, key=lambda row: row[-1] != typed, default=None)


async def kept_logins(connection: Connection) -> Mapping[str, str]:
    """Every login as it is kept, by itself and in small letters."""
    kept = [str(row[0]) for row in await all_rows(connection, "app_user", ("login",))]
    return {folded(one): one for one in kept} | {one: one for one in kept}


def spelled(kept: Mapping[str, str], login: str) -> str:
    """The login of somebody who is there, as it is kept; of somebody new, as it will be."""
    small = folded(login)
    return kept.get(login.strip()) or kept.get(small) or small
