"""The search at the top of every page: through all lists that the person may see."""

from dataclasses import dataclass

from aiohttp import web

from fieldmesh.data.types import Value
from fieldmesh.service.translation import translate
from hub.desk import finding
from hub.desk.asking import id_text
from hub.desk.finding import Found
from hub.fleet.office import Office
from hub.web.pages.cells import address
from hub.web.pages.labels import label_text
from hub.web.shell import Shell, see_other
from hub.web.showing import NOTHING, Showing
from hub.web.visitor import language_of, showing_for, visitor_of

_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Hit:
    """A record: what it is called, what else is told of it, where it is."""

    text: str
    about: str
    href: str


@dataclass(frozen=True, slots=True)
class Group:
    """What a list has; ``href`` leads to all of it, narrowed by the words."""

    title: str
    href: str
    hits: list[Hit]
    more: bool


class SearchPages:
    """One page."""

    def __init__(self, office: Office, shell: Shell) -> None:
        """Records come from the office's database."""
        self._office = office
        self._shell = shell

    def routes(self) -> list[web.AbstractRouteDef]:
        """Where it is."""
        return [web.get("/search", self.search)]

    async def search(self, request: web.Request) -> web.Response:
        """What was found; straight on to the record when just one has that code, number or name."""
        words = " ".join(request.query.get("q", "")[:_LONGEST].split())
        found = await finding.found(self._office, visitor_of(request).access, words)
        if _is_meant(found, words):
            return see_other(_record(found[0], found[0].rows[0]))
        language, showing = language_of(request), showing_for(request)
        return self._shell.page(
            request, "search.html", title=translate("Search", language), words=words,
            groups=[_group(one, words, showing) for one in found],
        )  # fmt: skip


def _is_meant(found: list[Found], words: str) -> bool:
    """Whether the first record is what was looked for: alone it is, or it alone has such a code or number."""
    exact = sum(one.exact for one in found)
    alone = len(found) == 1 and len(found[0].rows) == 1
    return exact == 1 and (alone or any(sign.isdigit() for sign in words))


def _group(found: Found, words: str, showing: Showing) -> Group:
    view = found.view
    return Group(
        translate(view.title, showing.language),
        address(f"/{view.name}", [("q", words)]),
        [_hit(found, row, showing) for row in found.rows],
        found.more,
    )


def _hit(found: Found, row: tuple[Value, ...], showing: Showing) -> Hit:
    view, ends = found.view, 1 + len(found.view.label)
    told = [
        showing.plain(view.column(path), value)
        for path, value in zip(found.paths, row[ends:], strict=True)
    ]
    about = " · ".join(text for text in told if text != NOTHING)
    return Hit(label_text(view, row[1:ends], showing) or NOTHING, about, _record(found, row))


def _record(found: Found, row: tuple[Value, ...]) -> str:
    return f"/{found.view.name}/{id_text(row[0])}"
