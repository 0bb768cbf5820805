"""Adherence to the working schedule, day by day; also as a file."""

import datetime
from collections.abc import Iterator, Sequence

from aiohttp import web

from fieldmesh.service.translation import translate
from hub.desk import schedule
from hub.desk.asking import id_text
from hub.desk.csv_lines import MARK, line, safe
from hub.desk.exports import note_export
from hub.desk.hands import Hands
from hub.desk.today import day_of
from hub.desk.view import Area
from hub.web.downloads import in_threads, sent
from hub.web.pages.cells import address
from hub.web.pages.portions import portion
from hub.web.shell import Shell
from hub.web.showing import NOTHING, Showing
from hub.web.visitor import language_of, showing_for, visitor_of, zone_of

_TONES = {
    schedule.Verdict.KEPT: "good",
    schedule.Verdict.LATE: "busy",
    schedule.Verdict.EARLY: "busy",
    schedule.Verdict.ABSENT: "bad",
    schedule.Verdict.OPEN: "",
}
_WEEK = datetime.timedelta(days=6)
_MOST = datetime.timedelta(days=schedule.MOST_DAYS - 1)
_HEADINGS = (
    "date", "position", "opened", "first_session", "last_session", "first_visit", "last_visit", "sessions", "verdict",
)  # fmt: skip


class TimetablePages:
    """When people worked."""

    def __init__(self, hands: Hands, shell: Shell) -> None:
        """Sessions, visits and working days stand in the office's database."""
        self._office = hands.office
        self._shell = shell

    def routes(self) -> list[web.AbstractRouteDef]:
        """The timetable."""
        return [web.get("/schedule", self.schedule)]

    async def schedule(self, request: web.Request) -> web.StreamResponse:
        """First and last session and visit against the timetable, a page of them; as CSV all."""
        access, showing, zone = visitor_of(request).access, showing_for(request), zone_of(request)
        now, query = self._office.clock.now(), request.query
        since, until, is_shortened = _period(
            query.get("since", ""), query.get("until", ""), now, zone
        )
        days = [day_of(one.isoformat(), now, zone) for one in _backwards(since, until)]
        timetable = _timetable(query.get("begins", ""), query.get("ends", ""))
        found = await schedule.adherence(
            self._office.database, access, days, zone=zone, timetable=timetable, now=now
        )
        only = query.get("only", "")
        chosen = [one for one in found.days if not only or one.is_exception]
        if query.get("format") == "csv":
            access.need("data.export")
            await note_export(self._office, access, "schedule", len(chosen), f"{since} to {until}")
            pieces = in_threads(_lines(chosen, showing))
            return await sent(request, pieces, "schedule.csv", "text/csv")
        shown, pages = portion(request, chosen)
        asked = [(name, value) for name, value in query.items() if name != "after"]
        may_export = access.may("data.export")
        return self._shell.page(
            request, "schedule.html", title=translate("Adherence to the timetable", language_of(request)),
            area=Area.JOURNAL, rows=[_row(one, showing) for one in shown], pages=pages, only=only,
            since=since.isoformat(), until=until.isoformat(), most_days=schedule.MOST_DAYS,
            is_shortened=is_shortened, kept=found.kept, days=found.judged, is_cut=found.is_cut,
            begins=timetable.begins.strftime("%H:%M"), ends=timetable.ends.strftime("%H:%M"),
            export=address("/schedule", [*asked, ("format", "csv")]) if may_export else "",
        )  # fmt: skip


def _period(
    since: str, until: str, now: int, zone: datetime.tzinfo
) -> tuple[datetime.date, datetime.date, bool]:
    """The first and the last day that an address names, else the week until today; and whether more were asked for."""
    last = datetime.date.fromisoformat(day_of(until, now, zone).date)
    named = day_of(since or (last - _WEEK).isoformat(), now, zone).date
    first = datetime.date.fromisoformat(named)
    return min(last, max(first, last - _MOST)), last, first < last - _MOST


def _backwards(since: datetime.date, until: datetime.date) -> Iterator[datetime.date]:
    for back in range((until - since).days + 1):
        yield until - datetime.timedelta(days=back)


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


def _lines(chosen: Sequence[schedule.Kept], showing: Showing) -> Iterator[bytes]:
    yield MARK + line(_HEADINGS)
    for one in chosen:
        row = _row(one, showing)
        yield line([safe(row[name]) for name in _HEADINGS])


def _timetable(begins: str, ends: str) -> schedule.Timetable:
    plain = schedule.Timetable()
    try:
        return schedule.Timetable(
            datetime.time.fromisoformat(begins) if begins else plain.begins,
            datetime.time.fromisoformat(ends) if ends else plain.ends,
        )
    except ValueError:
        return plain
