"""The journal, and the proof of its chain."""

import asyncio
import json

from aiohttp import web

from fieldmesh.basics.errors import FieldmeshError
from fieldmesh.service.translation import translate
from hub.desk import journalled
from hub.desk.asking import plain_number
from hub.desk.hands import Hands
from hub.desk.today import day_of
from hub.desk.view import Area
from hub.storage.journal import Wanted
from hub.web.downloads import sent
from hub.web.pages.cells import address
from hub.web.pages.edits import said
from hub.web.pages.events import kind_text
from hub.web.shell import Shell, see_other
from hub.web.visitor import language_of, showing_for, visitor_of, zone_of


class JournalPages:
    """What was done."""

    def __init__(self, hands: Hands, shell: Shell) -> None:
        """The journal stands in the office's database."""
        self._office = hands.office
        self._shell = shell
        self._one_check = asyncio.Lock()

    def routes(self) -> list[web.AbstractRouteDef]:
        """The journal, and its proof."""
        return [
            web.get("/journal", self.entries),
            web.post("/journal/check", self.check),
        ]

    async def entries(self, request: web.Request) -> web.StreamResponse:
        """Every action and session, newest first; also as CSV."""
        query, language, showing = request.query, language_of(request), showing_for(request)
        access = visitor_of(request).access
        ask = _wanted(request)
        if query.get("format") == "csv":
            pieces = journalled.as_csv(self._office, access, ask)
            return await sent(request, pieces, "journal.csv", "text/csv")
        found = await journalled.entries(self._office.database, access, ask)
        rows = [
            {
                "number": one.number,
                "at": showing.time(one.at),
                "actor": one.actor,
                "kind": kind_text(one.kind, language),
                "content": json.dumps(journalled.content(one), ensure_ascii=False),
            }
            for one in found.entries
        ]
        kept = [(name, value) for name, value in query.items() if name != "before"]
        return self._shell.page(
            request, "journal.html", title=translate("Journal", language), area=Area.JOURNAL, rows=rows, ask=ask,
            kinds=[(one, kind_text(one, language)) for one in found.kinds],
            next=address("/journal", [*kept, ("before", str(found.before))]) if found.before else "",
            may_check=access.may("journal.check"), since=query.get("since", ""), until=query.get("until", ""),
            first=address("/journal", kept) if "before" in query else "",
            export=address("/journal", [*kept, ("format", "csv")]) if access.may("data.export") else "",
        )  # fmt: skip

    async def check(self, request: web.Request) -> web.Response:
        """The chain of hashes is proven."""
        language = language_of(request)
        try:
            async with self._one_check:
                count = await journalled.check(self._office.database, visitor_of(request).access)
        except FieldmeshError as error:
            if error.code != "journal_broken":
                raise
            return see_other("/journal", said(error, language), tone="bad")
        text = translate("The journal is whole: {count} entries.", language).format(count=count)
        return see_other("/journal", text)


def _wanted(request: web.Request) -> Wanted:
    """What an address asks of the journal; days are those of the visitor's time zone."""
    query, zone = request.query, zone_of(request)
    before, since, until = (query.get(name, "") for name in ("before", "since", "until"))
    return Wanted(
        plain_number(before) or 0, query.get("kind", "")[:60], query.get("actor", "")[:80],
        query.get("q", "")[:80], day_of(since, 0, zone).since if since else 0,
        day_of(until, 0, zone).until if until else 0,
    )  # fmt: skip
