"""Outlets to another position: find them, see what the move does, move them."""

from collections.abc import Sequence
from dataclasses import dataclass

from aiohttp import web
from multidict import MultiMapping

from fieldmesh.basics.errors import FieldmeshError
from fieldmesh.service.translation import N_, translate
from hub.desk import moves
from hub.desk.hands import Hands
from hub.desk.view import Area
from hub.desk.views.registry import VIEWS
from hub.web.pages.edits import said
from hub.web.pages.labels import row_id_of
from hub.web.pages.picks import chosen, is_id, shown_of
from hub.web.shell import Shell, see_other
from hub.web.visitor import language_of, visitor_of

_MOST_CODES_TEXT = 60_000


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the page's forms hold: by what outlets are found, who gets them, and which are ticked (None = all)."""

    source: str
    city: str
    codes: str
    target: str
    ticked: frozenset[str] | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing is asked for yet."""
        return not (self.source or self.city or self.codes.strip())


class MovePages:
    """One page in three steps."""

    def __init__(self, hands: Hands, shell: Shell) -> None:
        """Moves are made by ``hands``."""
        self._hands = hands
        self._shell = shell

    def routes(self) -> list[web.AbstractRouteDef]:
        """Finding (by a form, because a thousand codes are no address), and moving."""
        return [
            web.get("/move-outlets", self.find),
            web.post("/move-outlets/find", self.find),
            web.post("/move-outlets", self.move),
        ]

    async def find(self, request: web.Request) -> web.Response:
        """The outlets that are asked for, to be ticked."""
        visitor_of(request).access.need(moves.FUNCTION)
        given = request.query if request.method == "GET" else await request.post()
        return await self._page(request, await self._asked(request, given))

    async def move(self, request: web.Request) -> web.Response:
        """What the move does; and, confirmed, the move. What is refused leaves everything as it was ticked."""
        access, form = visitor_of(request).access, await request.post()
        access.need(moves.FUNCTION)
        asked = await self._asked(request, form)
        outlets = [row_id_of(str(one)) for one in form.getall("outlet", [])]
        if not is_id(asked.target):
            return await self._page(request, asked, wrong=True)
        try:
            position = row_id_of(asked.target)
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
            return await self._page(request, asked, error)
        return self._shell.page(
            request, "move_preview.html", title=translate("Move outlets", language_of(request)),
            area=Area.ORGANISATION, preview=found, outlets=[one.hex() for one in outlets], asked=asked,
        )  # fmt: skip

    async def _asked(self, request: web.Request, given: MultiMapping[object]) -> _Asked:
        sources = {"from": VIEWS["positions"], "to": VIEWS["positions"]}
        texts = await chosen(request, self._hands.office.database, sources, given)
        named = {name: values[-1] for name, values in texts.items()}
        ticked = texts.get("outlet")
        return _Asked(
            named.get("from", ""), named.get("city", "").strip(), named.get("codes", "")[:_MOST_CODES_TEXT],
            named.get("to", ""), None if ticked is None else frozenset(ticked),
        )  # fmt: skip

    async def _page(
        self,
        request: web.Request,
        asked: _Asked,
        error: FieldmeshError | None = None,
        *,
        wrong: bool = False,
    ) -> web.Response:
        """The page; ``wrong`` = the position that is to get the outlets is missing or unknown."""
        language, database = language_of(request), self._hands.office.database
        is_known = not asked.source or is_id(asked.source)
        found = moves.Found([], [], more=False)
        if is_known and not asked.is_empty:
            found = await self._found(request, asked)
        unknown = translate("choose one from the list", language)
        problem = said(error, language) if error is not None else ""
        return self._shell.page(
            request, "move.html", title=translate("Move outlets", language), area=Area.ORGANISATION,
            found=found, asked=asked, most=moves.MOST, problem=problem,
            shown_source=await shown_of(request, database, VIEWS["positions"], asked.source),
            shown_target=await shown_of(request, database, VIEWS["positions"], asked.target),
            source_problem="" if is_known else unknown,
            target_problem=unknown if wrong else "",
            missing=_missing(found.unknown, language),
            status=400 if problem or wrong or not is_known else 200,
        )  # fmt: skip

    async def _found(self, request: web.Request, asked: _Asked) -> moves.Found:
        return await moves.find(
            self._hands, visitor_of(request).access, city=asked.city, codes=asked.codes.split(),
            position=row_id_of(asked.source) if asked.source else None,
        )  # fmt: skip


def _missing(codes: Sequence[str], language: str) -> str:
    """Which codes have brought no outlet."""
    if not codes:
        return ""
    text = translate(
        N_("Of these codes there is no outlet among what is asked for: {codes}"), language
    )
    return text.format(codes=", ".join(codes))
