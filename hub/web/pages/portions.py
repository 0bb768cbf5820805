"""Long tables of a screen, a page of rows at a time: drawing takes as long however many rows there are."""

from collections.abc import Sequence
from typing import TypeVar

from aiohttp import web

from hub.desk.asking import plain_number
from hub.web.pages.cells import address

ROWS = 50
"""Of one page; a row of the board takes 0.3 ms to draw, and whoever sends or asks meanwhile waits."""
_ONE = TypeVar("_ONE")


def portion(request: web.Request, rows: Sequence[_ONE]) -> tuple[Sequence[_ONE], dict[str, str]]:
    """The rows that the address asks for by `after`, and where the ``first`` and the ``next`` ones are, if they are."""
    after = min(plain_number(request.query.get("after", "")) or 0, len(rows))
    following = after + ROWS
    asked = [(name, value) for name, value in request.query.items() if name != "after"]
    return rows[after:following], {
        "first": address(request.path, asked) if after else "",
        "next": address(request.path, [*asked, ("after", str(following))])
        if following < len(rows)
        else "",
    }
