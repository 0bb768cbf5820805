"""Quarantine, gaps and conflicts, with what a person can decide about each."""

from typing import Any

from aiohttp import web

from fieldmesh.basics.errors import Rejected
from fieldmesh.service.translation import translate
from hub.desk import oversight
from hub.desk.asking import plain_number
from hub.desk.hands import Hands
from hub.desk.view import Area
from hub.desk.views.registry import view_of_table
from hub.desk.words import column_title, table_title
from hub.web.pages.labels import row_id_of
from hub.web.shell import Shell, see_other
from hub.web.visitor import language_of, showing_for, visitor_of


class OversightPages:
    """What waits for a decision about the network's data."""

    def __init__(self, hands: Hands, shell: Shell) -> None:
        """Decisions are carried out by ``hands``."""
        self._hands = hands
        self._shell = shell

    def routes(self) -> list[web.AbstractRouteDef]:
        """Three lists, and their decisions."""
        base = "/oversight"
        return [
            web.get(f"{base}/quarantine", self.quarantine),
            web.post(
                f"{base}/quarantine/{{number:[0-9]{{1,18}}}}/{{act:retry|release}}", self.decide
            ),
            web.get(f"{base}/gaps", self.gaps),
            web.post(f"{base}/gaps/{{id:[0-9a-f-]{{32,36}}}}/release", self.release_gap),
            web.get(f"{base}/conflicts", self.conflicts),
            web.post(
                f"{base}/conflicts/{{number:[0-9]{{1,18}}}}/{{act:overturn|keep}}", self.settle
            ),
        ]

    async def quarantine(self, request: web.Request) -> web.Response:
        """Batches that could not be applied."""
        everything = request.query.get("all") == "1"
        held, following = await oversight.quarantined(
            self._hands, visitor_of(request).access, everything=everything, after=_after(request)
        )
        return self._page(
            request,
            "quarantine",
            "Quarantine",
            held=held,
            everything=everything,
            following=following,
        )

    async def decide(self, request: web.Request) -> web.Response:
        """An entry is applied, or closed."""
        access, number = visitor_of(request).access, int(request.match_info["number"])
        language = language_of(request)
        if request.match_info["act"] == "release":
            await oversight.release(self._hands, access, number)
            text = translate("Entry {number} is closed.", language).format(number=number)
        else:
            done = await oversight.retry(self._hands, access, number)
            text = translate(
                "Entry {number} was applied: {rows} rows, {refused} refused.", language
            )
            text = text.format(number=number, rows=done.rows, refused=done.refused)
        return see_other("/oversight/quarantine", text)

    async def gaps(self, request: web.Request) -> web.Response:
        """Devices whose batches wait for an earlier one."""
        found = await oversight.gaps(self._hands, visitor_of(request).access)
        return self._page(request, "gaps", "Gaps", gaps=found)

    async def release_gap(self, request: web.Request) -> web.Response:
        """The device's batches go on without what is missing."""
        form = await request.post()
        if form.get("confirmed") != "1":
            text = translate("what is missing can only come later, by hand", language_of(request))
            raise Rejected("confirmation_missing", place="gap", text=text)
        device = row_id_of(request.match_info["id"])
        done = await oversight.release_gap(self._hands, visitor_of(request).access, device)
        text = translate("{count} batches that waited were applied.", language_of(request))
        return see_other("/oversight/gaps", text.format(count=done.batches))

    async def conflicts(self, request: web.Request) -> web.Response:
        """Column writes that lost against another."""
        language, access = language_of(request), visitor_of(request).access
        held, following = await oversight.open_conflicts(self._hands, access, after=_after(request))
        found = [
            {
                "number": one.number,
                "at": showing_for(request).time(one.at),
                "table": translate(table_title(one.table_name), language),
                "column": translate(column_title(one.column_name), language),
                "stands": one.standing_value,
                "lost": one.losing_value,
                "href": _record_address(one.table_name, one.row_id),
            }
            for one in held
        ]
        return self._page(request, "conflicts", "Conflicts", conflicts=found, following=following)

    async def settle(self, request: web.Request) -> web.Response:
        """The value that lost stands, or the other one stays."""
        access, number = visitor_of(request).access, int(request.match_info["number"])
        if request.match_info["act"] == "overturn":
            await oversight.overturn(self._hands, access, number)
        else:
            await oversight.keep(self._hands, access, number)
        return see_other("/oversight/conflicts", translate("Decided.", language_of(request)))

    def _page(self, request: web.Request, name: str, title: str, **values: Any) -> web.Response:
        shown = translate(title, language_of(request))
        return self._shell.page(
            request, f"{name}.html", title=shown, area=Area.NETWORK, part=name, begun=_after(request), **values
        )  # fmt: skip


def _after(request: web.Request) -> int:
    """The number above which the page begins."""
    return plain_number(request.query.get("after", "")) or 0


def _record_address(table: str, row_id: bytes) -> str:
    view = view_of_table(table)
    return f"/{view.name}/{row_id.hex()}" if view is not None else ""
