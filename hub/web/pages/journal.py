"""The journal, the proof of its chain, and adherence to the working schedule."""

import csv
import datetime
import io
import json

from aiohttp import web

from fieldmesh.basics.errors import FieldmeshError
from fieldmesh.service.translation import translate
from hub.desk import journalled, schedule
from hub.desk.asking import id_text
from hub.desk.hands import Hands
from hub.desk.today import day_of
from hub.desk.view import Area
from hub.web.pages.cells import address
from hub.web.pages.edits import said
from hub.web.pages.events import kind_text
from hub.web.shell import Shell, see_other
from hub.web.showing import NOTHING, Showing
from hub.web.visitor import language_of, showing_for, visitor_of, zone_of

_TONES = {
    schedule.Verdict.KEPT: "good",
    schedule.Verdict.LATE: "busy",
    schedule.Verdict.EARLY: "busy",
    schedule.Verdict.ABSENT: "bad",
}


class JournalPages:
    """What was done, and when people worked."""

    def __init__(self, hands: Hands, shell: Shell) -> None:
        """The journal stands in the office's database."""
        self._office = hands.office
        self._shell = shell

    def routes(self) -> list[web.AbstractRouteDef]:
        """The journal, its proof, the schedule."""
        return [
            web.get("/journal", self.entries),
            web.post("/journal/check", self.check),
            web.get("/schedule", self.schedule),
        ]

    async def entries(self, request: web.Request) -> web.Response:
        """Every action and session, newest first."""
        query, language, showing = request.query, language_of(request), showing_for(request)
        before = query.get("before", "")
        ask = journalled.Ask(
            int(before[:18]) if before.isdigit() else 0, query.get("kind", "")[:60],
            query.get("actor", "")[:80], query.get("q", "")[:80],
        )  # fmt: skip
        found = await journalled.entries(self._office.database, visitor_of(request).access, ask)
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
            may_check=visitor_of(request).access.may("journal.check"),
        )  # fmt: skip

    async def check(self, request: web.Request) -> web.Response:
        """The chain of hashes is proven."""
        language = language_of(request)
        try:
            count = await journalled.check(self._office.database, visitor_of(request).access)
        except FieldmeshError as error:
            if error.code != "journal_broken":
                raise
            return see_other("/journal", said(error, language), tone="bad")
        text = translate("The journal is whole: {count} entries.", language).format(count=count)
        return see_other("/journal", text)

    async def schedule(self, request: web.Request) -> web.StreamResponse:
        """First and last session and visit against the timetable; also as CSV."""
        language, showing, zone = language_of(request), showing_for(request), zone_of(request)
        now, query = self._office.clock.now(), request.query
        until = day_of(query.get("until", ""), now, zone)
        last = datetime.date.fromisoformat(until.date)
        since = day_of(
            query.get("since", (last - datetime.timedelta(days=6)).isoformat()), now, zone
        )
        count = min(schedule.MOST_DAYS, (last - datetime.date.fromisoformat(since.date)).days + 1)
        days = [
            day_of((last - datetime.timedelta(days=back)).isoformat(), now, zone)
            for back in range(max(0, count))
        ]
        timetable = _timetable(query.get("begins", ""), query.get("ends", ""))
        found = await schedule.adherence(
            self._office.database, visitor_of(request).access, days, zone, timetable
        )
        only = query.get("only", "")
        chosen = [one for one in found if not only or one.verdict is not schedule.Verdict.KEPT]
        rows = [_row(one, showing) for one in chosen]
        if query.get("format") == "csv":
            visitor_of(request).access.need("data.export")
            return _as_csv(rows)
        kept = sum(1 for one in found if one.verdict is schedule.Verdict.KEPT)
        return self._shell.page(
            request, "schedule.html", title=translate("Adherence to the timetable", language), area=Area.JOURNAL,
            rows=rows, since=since.date, until=until.date, only=only, kept=kept, days=len(found),
            begins=timetable.begins.strftime("%H:%M"), ends=timetable.ends.strftime("%H:%M"),
            export=address("/schedule", [*query.items(), ("format", "csv")]),
        )  # fmt: skip


def _row(one: schedule.Kept, showing: Showing) -> dict[str, str]:
    day = one.day

    def clock(at: int) -> str:
        return showing.moment(at).strftime("%H:%M") if at else NOTHING

    return {
        "date": showing.day(day.date), "href": f"/positions/{id_text(day.position_id)}",
        "position": day.name or day.code, "opened": clock(day.opened), "first_session": clock(day.first_session),
        "last_session": clock(day.last_session), "first_visit": clock(day.first_visit),
        "last_visit": clock(day.last_visit), "sessions": str(day.sessions),
        "verdict": translate(one.verdict.value, showing.language), "tone": _TONES[one.verdict],
    }  # fmt: skip


def _as_csv(rows: list[dict[str, str]]) -> web.Response:
    text = io.StringIO()
    names = [name for name in (rows[0] if rows else {"date": ""}) if name not in {"href", "tone"}]
    writer = csv.writer(text)
    writer.writerow(names)
    writer.writerows([row[name] for name in names] for row in rows)
    headers = {"Content-Disposition": 'attachment; filename="schedule.csv"'}
    return web.Response(
        text=text.getvalue(), content_type="text/csv", charset="utf-8", headers=headers
    )


def _timetable(begins: str, ends: str) -> schedule.Timetable:
    plain = schedule.Timetable()
    try:
        return schedule.Timetable(
            datetime.time.fromisoformat(begins) if begins else plain.begins,
            datetime.time.fromisoformat(ends) if ends else plain.ends,
        )
    except ValueError:
        return plain
