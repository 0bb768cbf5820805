"""Acts of people as forms: what they need, what they lose, and what came of it."""

from collections.abc import Mapping

import segno
from aiohttp import web

from fieldmesh.basics.errors import FieldmeshError
from fieldmesh.basics.problems import problem_of
from fieldmesh.service.translation import translate
from hub.desk import lists
from hub.desk.hands import Hands
from hub.desk.operation import Done, Input, Kind, Operation, perform
from hub.desk.operations.registry import OPERATIONS, operation_named
from hub.desk.views.registry import VIEWS, view_named
from hub.web.pages.edits import Field, said
from hub.web.pages.labels import record_title, row_id_of
from hub.web.pages.picks import chosen, shown_of
from hub.web.shell import Shell, see_other
from hub.web.visitor import language_of, showing_for, visitor_of

_CONFIRMED = "confirmed"


class ActPages:
    """A form for each act, and the page of what came of it."""

    def __init__(self, hands: Hands, shell: Shell) -> None:
        """Acts are done by ``hands``."""
        self._hands = hands
        self._shell = shell

    def routes(self) -> list[web.AbstractRouteDef]:
        """Two for each act."""
        found: list[web.AbstractRouteDef] = []
        for one in OPERATIONS:
            middle = "{id:[0-9a-f-]{32,36}}/" if one.of_record else ""
            path = f"/{one.view}/{middle}{one.name}"
            found += [web.get(path, self.show), web.post(path, self.do)]
        return found

    async def show(self, request: web.Request) -> web.Response:
        """The form; fields may be filled in by the address."""
        operation = _operation(request)
        visitor_of(request).access.need(operation.function)
        return await self._form(request, operation, dict(request.query))

    async def do(self, request: web.Request) -> web.Response:
        """The act is done; one that loses something is asked about first."""
        operation, visitor = _operation(request), visitor_of(request)
        database = self._hands.office.database
        sources = {one.name: VIEWS[one.source] for one in operation.inputs if one.kind is Kind.LINK}
        found = await chosen(request, database, sources, await request.post())
        texts = {name: values[-1] for name, values in found.items()}
        if operation.warning and texts.get(_CONFIRMED) != "1":
            return await self._form(request, operation, texts, unconfirmed=True)
        row_id = row_id_of(request.match_info["id"]) if operation.of_record else None
        try:
            done = await perform(operation, self._hands, visitor.access, row_id, texts)
        except FieldmeshError as error:
            if error.code in {"function_missing", "not_found", "sign_in_needed"}:
                raise
            return await self._form(request, operation, texts, error)
        back = done.address or _back(request, operation)
        if not done.secret and not done.facts:
            return see_other(back, done.text)
        return self._result(request, operation, done, back)

    def _result(
        self, request: web.Request, operation: Operation, done: Done, back: str
    ) -> web.Response:
        view = VIEWS[operation.view]
        picture = segno.make(done.secret).svg_data_uri(scale=6, border=2) if done.secret else ""
        facts = [
            (name, str(value)) for name, value in done.facts.items() if str(value) != done.secret
        ]
        return self._shell.page(
            request, "act_done.html", title=translate(operation.title, language_of(request)), area=view.area,
            text=done.text, facts=facts, secret=done.secret, picture=picture, back=back,
        )  # fmt: skip

    async def _form(
        self,
        request: web.Request,
        operation: Operation,
        texts: Mapping[str, str],
        error: FieldmeshError | None = None,
        *,
        unconfirmed: bool = False,
    ) -> web.Response:
        view, language = VIEWS[operation.view], language_of(request)
        reasons = error.fields.get("problems", {}) if error is not None else {}
        problems = reasons if isinstance(reasons, dict) else {}
        about = ""
        if operation.of_record:
            row_id = row_id_of(request.match_info["id"])
            database = self._hands.office.database
            found = await lists.record(database, visitor_of(request).access, view, row_id)
            about = record_title(found, showing_for(request))
        fields = [await self._field(request, one, texts, problems) for one in operation.inputs]
        status = problem_of(error).http_status if error is not None else 400 if unconfirmed else 200
        return self._shell.page(
            request, "act.html", title=translate(operation.title, language), area=view.area, status=status,
            about=about, fields=fields, warning=translate(operation.warning, language),
            problem=said(error, language) if error is not None else "", unconfirmed=unconfirmed,
            back=_back(request, operation), list_address=f"/{view.name}",
            list_title=translate(view.title, language),
        )  # fmt: skip

    async def _field(
        self,
        request: web.Request,
        one: Input,
        texts: Mapping[str, str],
        problems: Mapping[str, str],
    ) -> Field:
        language, text = language_of(request), texts.get(one.name, "")
        title, problem = translate(one.title, language), problems.get(one.name, "")
        choices = tuple((value, translate(shown, language)) for value, shown in one.choices)
        shown = ""
        if one.kind is Kind.LINK:
            database = self._hands.office.database
            shown = await shown_of(request, database, VIEWS[one.source], text)
        required = one.required and one.kind is not Kind.FLAG
        return Field(
            one.name, title, one.kind.value, text, required, problem, choices, one.source, shown,
            translate(one.hint, language),
        )  # fmt: skip


def _operation(request: web.Request) -> Operation:
    parts = request.path.strip("/").split("/")
    view_named(parts[0])
    return operation_named(parts[0], parts[-1], of_record="id" in request.match_info)


def _back(request: web.Request, operation: Operation) -> str:
    return request.path.rsplit("/", 1)[0] if operation.of_record else f"/{operation.view}"
