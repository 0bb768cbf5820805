"""The board of today and the map."""

import asyncio
from dataclasses import dataclass

from aiohttp import web

from fieldmesh.basics.money import MONEY_SCALE, unscaled
from fieldmesh.service.translation import translate
from hub.desk import today
from hub.desk.asking import id_text
from hub.desk.hands import Hands
from hub.desk.view import Area
from hub.storage.field_day import Figures
from hub.web.maps import draw
from hub.web.pages.portions import portion
from hub.web.shell import Shell
from hub.web.showing import NOTHING, Showing
from hub.web.visitor import language_of, showing_for, visitor_of, zone_of

_WHOLE = 100


@dataclass(frozen=True, slots=True)
class Row:
    """One position's day, for the table."""

    href: str
    name: str
    person: str
    tone: str
    state: str
    opened: str
    synced: str
    visits: str
    share: int
    orders: str
    amount: str


class TodayPages:
    """What the field does now."""

    def __init__(self, hands: Hands, shell: Shell) -> None:
        """The day is read from the office's database."""
        self._office = hands.office
        self._shell = shell

    def routes(self) -> list[web.AbstractRouteDef]:
        """The board, and the map."""
        return [web.get("/today", self.board), web.get("/today/map", self.map)]

    async def board(self, request: web.Request) -> web.Response:
        """Who started, who synced, visits and orders against plan: of everybody in figures, a page of them by name."""
        visitor, showing = visitor_of(request), showing_for(request)
        now = self._office.clock.now()
        day = today.day_of(request.query.get("day", ""), now, zone_of(request))
        found = await today.board(self._office.database, visitor.access, day, now)
        only = request.query.get("only", "")
        chosen = {"late": found.late, "silent": found.silent}.get(only)
        shown, pages = portion(
            request,
            [one for one in found.positions if chosen is None or one.position_id in chosen],
        )
        planned = sum(one.planned for one in found.positions)
        visits = sum(one.visits for one in found.positions)
        return self._shell.page(
            request, "today.html", title=translate("Today", showing.language), area=Area.TODAY,
            day=day.date, shown_day=showing.day(day.date), only=only,
            rows=[_row(one, found, showing, now) for one in shown], pages=pages, is_cut=found.is_cut,
            started=sum(1 for one in found.positions if one.opened_at or one.visits),
            synced=len(found.positions) - len(found.silent), people=len(found.positions),
            late=len(found.late), silent=len(found.silent), planned=planned, visits=visits,
            share=_share(visits, planned), orders=sum(one.orders for one in found.positions),
            amount=_money(sum(one.amount for one in found.positions), showing),
            may_see_map=visitor.access.may("map.view"),
            alarms=[
                (translate(one.text, showing.language).format(count=one.count), one.address)
                for one in found.alarms
            ],
        )  # fmt: skip

    async def map(self, request: web.Request) -> web.Response:
        """Routes and positions of the day, drawn without outside tiles."""
        visitor, language = visitor_of(request), language_of(request)
        now = self._office.clock.now()
        day = today.day_of(request.query.get("day", ""), now, zone_of(request))
        found = await today.whereabouts(self._office.database, visitor.access, day)
        names = {
            one.position_id: one.person or one.name
            for one in (await today.board(self._office.database, visitor.access, day, now)).positions
        } if visitor.access.may("today.view") else {}  # fmt: skip
        return self._shell.page(
            request, "map.html", title=translate("Map", language), area=Area.TODAY, day=day.date,
            shown_day=showing_for(request).day(day.date),
            drawing=await asyncio.to_thread(
                draw, found.points, found.stops, names, showing_for(request)
            ),
            stops=found.planned, visited=found.visited, is_cut=found.is_cut,
        )  # fmt: skip


def _row(one: Figures, found: today.Board, showing: Showing, now: int) -> Row:
    late, silent = one.position_id in found.late, one.position_id in found.silent
    if late:
        tone, state = "bad", translate("late", showing.language)
    elif one.closed_at:
        tone, state = "good", translate("day closed", showing.language)
    elif one.opened_at or one.visits:
        tone, state = "good", translate("at work", showing.language)
    else:
        tone, state = "", translate("not started", showing.language)
    synced = NOTHING if silent else showing.ago(one.synced_at, now)
    return Row(
        f"/positions/{id_text(one.position_id)}", one.name or one.code, one.person or NOTHING, tone, state,
        str(showing.time(one.opened_at)) if one.opened_at else NOTHING, synced,
        f"{one.visits} / {one.planned}", _share(one.visits, one.planned), str(one.orders),
        _money(one.amount, showing),
    )  # fmt: skip


def _share(part: int, whole: int) -> int:
    return min(_WHOLE, round(part * _WHOLE / whole)) if whole else 0


def _money(amount: int, showing: Showing) -> str:
    return showing.decimal(unscaled(amount, MONEY_SCALE), MONEY_SCALE)
