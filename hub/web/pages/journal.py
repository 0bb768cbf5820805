"""The journal, the proof of its chain, and adherence to the working schedule."""

import datetime
import json
from collections.abc import Iterator

from aiohttp import web

from fieldmesh.basics.errors import FieldmeshError
from fieldmesh.service.translation import translate
from hub.desk import journalled, schedule
from hub.desk.asking import id_text, plain_number
from hub.desk.csv_lines import MARK, line, safe
from hub.desk.exports import note_export
from hub.desk.hands import Hands
from hub.desk.today import day_of
from hub.desk.view import Area
from hub.storage.journal import Wanted
from hub.web.downloads import in_threads, sent
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
            access = visitor_of(request).access
            access.need("data.export")
            asked = f"{since.date} to {until.date}"
            await note_export(self._office, access, "schedule", len(rows), asked)
            return await sent(request, in_threads(_lines(rows)), "schedule.csv", "text/csv")
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


def _lines(rows: list[dict[str, str]]) -> Iterator[bytes]:
    names = [name for name in (rows[0] if rows else {"date": ""}) if name not in {"href", "tone"}]
    yield MARK + line(names)
    yield from (line([safe(row[name]) for name in names]) for row in rows)


def _wanted(request: web.Request) -> Wanted:
    """What an address asks of the journal; days are those of the visitor's time zone."""
    query, zone = request.query, zone_of(request)
    before, since, until = (query.get(name, "") for name in ("before", "since", "until"))
    return Wanted(
        plain_number(before) or 0, query.get("kind", "")[:60], query.get("actor", "")[:80],
        query.get("q", "")[:80], day_of(since, 0, zone).since if since else 0,
        day_of(until, 0, zone).until if until else 0,
    )  # fmt: skip


def _timetable(begins: str, ends: str) -> schedule.Timetable:
    plain = schedule.Timetable()
    try:
        return schedule.Timetable(
            datetime.time.fromisoformat(begins) if begins else plain.begins,
            datetime.time.fromisoformat(ends) if ends else plain.ends,
        )
    except ValueError:
        return plain
