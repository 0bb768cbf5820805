"""A distributor's answer to a transfer order, line by line."""

from collections.abc import Mapping

from aiohttp import web

from fieldmesh.basics.errors import Rejected
from fieldmesh.service.translation import translate
from hub.desk import lists, orders
from hub.desk.hands import Hands
from hub.desk.view import Area
from hub.desk.views.registry import VIEWS
from hub.desk.words import word
from hub.web.pages.edits import said
from hub.web.pages.labels import record_title, row_id_of
from hub.web.shell import Shell, see_other
from hub.web.visitor import language_of, showing_for, visitor_of


class OrderPages:
    """One form."""

    def __init__(self, hands: Hands, shell: Shell) -> None:
        """Answers are written by ``hands``."""
        self._hands = hands
        self._shell = shell

    def routes(self) -> list[web.AbstractRouteDef]:
        """The form, and the answer."""
        path = "/orders/{id:[0-9a-f-]{32,36}}/answer"
        return [web.get(path, self.show), web.post(path, self.answer)]

    async def show(self, request: web.Request) -> web.Response:
        """The lines, everything accepted."""
        return await self._form(request, {})

    async def answer(self, request: web.Request) -> web.Response:
        """The answer stands on the lines."""
        access, order_id = visitor_of(request).access, row_id_of(request.match_info["id"])
        form = await request.post()
        texts = {name: value for name, value in form.items() if isinstance(value, str)}
        answers: dict[bytes, orders.Answer] = {}
        for line in await orders.lines(self._hands, access, order_id):
            quantity = orders.read_quantity(texts.get(f"accepted.{line.line_id.hex()}", ""))
            reason = texts.get(f"reason.{line.line_id.hex()}", "").strip()[:200]
            if quantity is not None:
                answers[line.line_id] = orders.Answer(quantity, reason)
        try:
            outcome = await orders.answer(self._hands, access, order_id, answers)
        except Rejected as error:
            if error.code not in {"form_wrong", "state_refused"}:
                raise
            return await self._form(request, texts, error)
        language = language_of(request)
        text = translate("The order is {state}.", language).format(state=word(outcome, language))
        return see_other(request.path.removesuffix("/answer"), text)

    async def _form(
        self, request: web.Request, texts: dict[str, str], error: Rejected | None = None
    ) -> web.Response:
        access, order_id = visitor_of(request).access, row_id_of(request.match_info["id"])
        access.need("order.handle")
        database = self._hands.office.database
        found = await lists.record(database, access, VIEWS["orders"], order_id, to="order.handle")
        language = language_of(request)
        reasons = error.fields.get("problems", {}) if error is not None else {}
        problems = reasons if isinstance(reasons, dict) else {}
        known = await orders.lines(self._hands, access, order_id)
        rows = [_row(line, texts, problems) for line in known]
        return self._shell.page(
            request, "order_answer.html", title=translate("Answer the order", language), area=Area.DOCUMENTS,
            about=record_title(found, showing_for(request)), rows=rows, status=200 if error is None else 400,
            problem=said(error, language) if error is not None else "", back=request.path.removesuffix("/answer"),
        )  # fmt: skip


def _row(
    line: orders.Line, texts: Mapping[str, str], problems: Mapping[str, str]
) -> dict[str, str]:
    name = line.line_id.hex()
    accepted, reason = f"accepted.{name}", f"reason.{name}"
    plain = line.quantity if line.accepted is None else line.accepted
    return {
        "name": name,
        "product": f"{line.product} ({line.unit})",
        "quantity": orders.shown_quantity(line.quantity),
        "accepted": texts.get(accepted, orders.shown_quantity(plain)),
        "reason": texts.get(reason, line.reason),
        "wrong": problems.get(accepted) or problems.get(reason, ""),
    }
