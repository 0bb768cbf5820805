"""Outlets to another position: find them, see what the move does, move them."""

from collections.abc import Sequence

from aiohttp import web

from fieldmesh.basics.errors import FieldmeshError
from fieldmesh.service.translation import translate
from hub.desk import moves
from hub.desk.hands import Hands
from hub.desk.view import Area
from hub.desk.views.registry import VIEWS
from hub.web.pages.edits import said
from hub.web.pages.labels import label_of, row_id_of
from hub.web.shell import Shell, see_other
from hub.web.visitor import language_of, showing_for, visitor_of

_MOST_CODES_TEXT = 40_000


class MovePages:
    """One page in three steps."""

    def __init__(self, hands: Hands, shell: Shell) -> None:
        """Moves are made by ``hands``."""
        self._hands = hands
        self._shell = shell

    def routes(self) -> list[web.AbstractRouteDef]:
        """Finding, and moving."""
        return [web.get("/move-outlets", self.find), web.post("/move-outlets", self.move)]

    async def find(self, request: web.Request) -> web.Response:
        """The outlets that the address asks for, to be ticked."""
        access = visitor_of(request).access
        access.need(moves.FUNCTION)
        query = request.query
        source, city = query.get("from", ""), query.get("city", "").strip()
        codes = query.get("codes", "")[:_MOST_CODES_TEXT].split()
        found: list[moves.Outlet] = []
        asked = bool(source or city or codes)
        if asked:
            position = row_id_of(source) if source else None
            found = await moves.find(self._hands, access, position=position, city=city, codes=codes)
        target = query.get("to", "")
        return await self._page(request, found, asked=asked, target=target)

    async def move(self, request: web.Request) -> web.Response:
        """What the move does; and, confirmed, the move."""
        access, form = visitor_of(request).access, await request.post()
        outlets = [row_id_of(str(one)) for one in form.getall("outlet", [])]
        target = str(form.get("to", ""))
        try:
            position = row_id_of(target)
            if form.get("confirmed") == "1":
                done = await moves.move(self._hands, access, outlets, position)
                text = translate(
                    "{count} outlets are served by {position} now.", language_of(request)
                )
                return see_other("/move-outlets", text.format(count=done.outlets, position=done.to))
            found = await moves.preview(self._hands, access, outlets, position)
        except FieldmeshError as error:
            if error.code in {"function_missing", "sign_in_needed"}:
                raise
            return await self._page(request, [], asked=False, target=target, error=error)
        return self._shell.page(
            request, "move_preview.html", title=translate("Move outlets", language_of(request)),
            area=Area.ORGANISATION, preview=found, outlets=[one.hex() for one in outlets], target=target,
        )  # fmt: skip

    async def _page(
        self,
        request: web.Request,
        found: Sequence[moves.Outlet],
        *,
        asked: bool,
        target: str,
        error: FieldmeshError | None = None,
    ) -> web.Response:
        language, query = language_of(request), request.query
        return self._shell.page(
            request, "move.html", title=translate("Move outlets", language), area=Area.ORGANISATION,
            found=found, asked=asked, most=moves.MOST, source=query.get("from", ""),
            shown_source=await self._label(request, query.get("from", "")), city=query.get("city", ""),
            codes=query.get("codes", ""), target=target, shown_target=await self._label(request, target),
            problem=said(error, language) if error is not None else "",
            status=200 if error is None else 400,
        )  # fmt: skip

    async def _label(self, request: web.Request, text: str) -> str:
        database, access = self._hands.office.database, visitor_of(request).access
        return await label_of(database, access, VIEWS["positions"], text, showing_for(request))
