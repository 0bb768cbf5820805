"""Acts of people as web services: POST /api/v1/<list>/<id>/<act>, or /api/v1/<list>/<act> for acts of a list."""

from collections.abc import Mapping
from dataclasses import replace

from aiohttp import web

from fieldmesh.basics.errors import FieldmeshError
from fieldmesh.service.translation import _
from hub.desk.hands import Hands
from hub.desk.operation import Done, Operation, perform
from hub.desk.operations.registry import OPERATIONS, operation_named
from hub.rules.access import Access
from hub.storage.rows import Connection
from hub.web.api.repeats import AnsweredError, Body, Repeat, repeat_of
from hub.web.api.values import as_texts, read_json, refuse_unknown
from hub.web.pages.labels import row_id_of
from hub.web.visitor import visitor_of

ROOT = "/api/v1"
_CONFIRMED, _DONE = "confirmed", 200


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
        texts, access = as_texts(await read_json(request)), visitor_of(request).access
        refuse_unknown(operation.name, texts, [*(one.name for one in operation.inputs), _CONFIRMED])
        repeat = repeat_of(self._hands.office, request, access.user_id, texts)
        if repeat is None:
            return web.json_response(
                _answer(await perform(operation, self._hands, access, row_id, texts))
            )
        return web.json_response(await self._once(repeat, operation, access, row_id, texts))

    async def _once(
        self,
        repeat: Repeat,
        operation: Operation,
        access: Access,
        row_id: bytes | None,
        texts: Mapping[str, str],
    ) -> Body:
        """The act is done, unless it was under this key; what is shown once is not kept for a repeated request."""
        is_noted = False

        async def note(connection: Connection) -> None:
            nonlocal is_noted
            if not is_noted:
                await repeat.refuse_answered(connection)
                await repeat.keep(connection, _DONE, _answer(Done(_("This was done already."))))
                is_noted = True

        try:
            await repeat.refuse_answered_before()
            done = await perform(operation, self._hands, access, row_id, texts, first=note)
        except AnsweredError as answered:
            return answered.body
        except FieldmeshError:
            if is_noted:
                await repeat.forget()
            raise
        facts = {name: value for name, value in done.facts.items() if value != done.secret}
        await repeat.answer(_answer(replace(done, facts=facts, secret="")))
        return _answer(done)


def _answer(done: Done) -> Body:
    return {"text": done.text, "facts": dict(done.facts), "code": done.secret or None}


def path(view: str, name: str, *, of_record: bool) -> str:
    """The address of an act's service."""
    middle = "/{id:[0-9a-fA-F-]{32,36}}" if of_record else ""
    return f"{ROOT}/{view}{middle}/{name}"
