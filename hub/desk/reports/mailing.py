"""Reports by mail: each morning whatever is due is made in the scope that its reader has then, and sent as a file."""

import asyncio
import datetime
import logging
import zoneinfo
from dataclasses import replace

from fieldmesh.basics.errors import FieldmeshError
from fieldmesh.service.mail import Attachment, Mailer, Message
from fieldmesh.service.translation import translate
from hub.analysis.answers import Analyst
from hub.analysis.standard import STANDARD
from hub.desk.people import access_of
from hub.desk.reports.files import KINDS, Format, as_csv, written
from hub.desk.reports.kept import named_question
from hub.desk.reports.running import export
from hub.desk.reports.tables import Table, table_of
from hub.fleet.office import Office
from hub.fleet.subscriptions import today
from hub.rules.access import Access
from hub.storage import reports
from hub.storage.reports import ReportMail
from hub.storage.rows import one_row

LOG = logging.getLogger(__name__)

_LOOK_S = 300.0
FIRST_HOUR = 6
"""Mail of a day is made after this hour of the reader's time zone: the evening's sessions have come in by then."""


class ReportMailing:
    """The loop that sends reports."""

    def __init__(self, office: Office, analyst: Analyst) -> None:
        """Mail goes through the server of the settings; without one none is made."""
        self._office = office
        self._analyst = analyst
        self._mailer = Mailer(office.settings.mail, office.clock)

    async def run(self) -> None:
        """Looks every few minutes, for ever."""
        while True:
            if self._mailer.is_set_up:
                await self.send_due()
            await asyncio.sleep(_LOOK_S)

    async def send_due(self) -> int:
        """Everything that is due was sent, or says why not. Returns how many were sent."""
        async with self._office.database.read() as connection:
            waiting = await reports.mails(connection)
        return sum([await self._send(one) for one in waiting])

    async def _send(self, mail: ReportMail) -> bool:
        office = self._office
        async with office.database.read() as connection:
            access = await access_of(connection, mail.user_id, today(office.clock))
            user = await one_row(connection, "app_user", ("mail",), "id", mail.user_id)
        if access is None or not access.may("report.schedule") or not user or not user[0]:
            return False
        zone = zoneinfo.ZoneInfo(access.time_zone)
        moment = datetime.datetime.fromtimestamp(office.clock.now() / 1_000_000, zone)
        due = due_for(mail.every, moment)
        if due == mail.sent_for:
            return False
        problem = ""
        try:
            await self._mailer.send(await self._made(mail, access, str(user[0]), zone))
        except FieldmeshError as error:
            problem = str(error)[:200]
            LOG.warning("report_not_sent", extra={"report": mail.report, "problem": error.code})
        sent_for = mail.sent_for if problem else due
        async with office.database.write() as connection:
            await reports.keep_mail(connection, replace(mail, sent_for=sent_for, problem=problem))
        return not problem

    async def _made(
        self, mail: ReportMail, access: Access, address: str, zone: datetime.tzinfo
    ) -> Message:
        office, language = self._office, mail.language
        title, question = await named_question(office, access, mail.report)
        shown = translate(title, language)
        answer = await export(office, self._analyst, access, question, zone)
        table = table_of(answer, language)
        days = f"{answer.period.since.isoformat()} – {answer.period.until.isoformat()}"
        content = await asyncio.to_thread(
            content_of,
            table,
            Format(mail.format),
            f"{office.settings.company}: {shown}",
            days,
            language,
        )
        text = translate(
            "{title}, {days}, {lines} lines. The figures are those of your own area. You have asked for this mail"
            " under Analysis, where you can end it.",
            language,
        ).format(title=shown, days=days, lines=table.lines)
        name = f"{mail.report if mail.report in STANDARD else 'report'}.{mail.format}"
        file = Attachment(name, KINDS[Format(mail.format)], content)
        return Message((address,), f"{shown}, {days}", text, (file,))


def due_for(every: str, now: datetime.datetime) -> str:
    """The newest day for which such a mail is due: today, this Monday or this first, once the morning has come."""
    day = now.date() if now.hour >= FIRST_HOUR else now.date() - datetime.timedelta(days=1)
    if every == "week":
        day -= datetime.timedelta(days=day.weekday())
    if every == "month":
        day = day.replace(day=1)
    return day.isoformat()


def content_of(table: Table, kind: Format, title: str, about: str, language: str) -> bytes:
    """The file's bytes: a mail takes it whole."""
    if kind is Format.CSV:
        return b"".join(as_csv(table))
    path = written(table, kind, title, about, language)
    try:
        return path.read_bytes()
    finally:
        path.unlink()
