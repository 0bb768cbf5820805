"""Acts of people as web services: POST /api/v1/<list>/<id>/<act>, or /api/v1/<list>/<act> for acts of a list."""

import json

from aiohttp import web

from fieldmesh.basics.errors import Rejected
from hub.desk.hands import Hands
from hub.desk.operation import perform
from hub.desk.operations.registry import OPERATIONS, operation_named
from hub.web.api.values import as_texts
from hub.web.pages.labels import row_id_of
from hub.web.visitor import visitor_of

ROOT = "/api/v1"


class ActServices:
    """A service for each act."""

    def __init__(self, hands: Hands) -> None:
        """Acts are done by ``hands``."""
        self._hands = hands

    def routes(self) -> list[web.AbstractRouteDef]:
        """One for each act."""
        return [
            web.post(path(one.view, one.name, of_record=one.of_record), self.do)
            for one in OPERATIONS
        ]

    async def do(self, request: web.Request) -> web.Response:
        """The act is done; what came of it is told."""
        parts = request.path.removeprefix(f"{ROOT}/").split("/")
        of_record = "id" in request.match_info
        operation = operation_named(parts[0], parts[-1], of_record=of_record)
        row_id = row_id_of(request.match_info["id"]) if of_record else None
        try:
            body = json.loads(await request.text() or "{}")
        except (ValueError, UnicodeDecodeError, RecursionError):
            raise Rejected("bad_message", place="body") from None
        done = await perform(
            operation, self._hands, visitor_of(request).access, row_id, as_texts(body)
        )
        return web.json_response(
            {"text": done.text, "facts": dict(done.facts), "code": done.secret or None}
        )


def path(view: str, name: str, *, of_record: bool) -> str:
    """The address of an act's service."""
    middle = "/{id:[0-9a-fA-F-]{32,36}}" if of_record else ""
    return f"{ROOT}/{view}{middle}/{name}"
