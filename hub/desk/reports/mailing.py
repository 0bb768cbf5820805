"""Reports by mail: each morning whatever is due is made in the scope that its reader has then, and sent as a file."""

import asyncio
import datetime
import logging
from contextlib import suppress

from fieldmesh.basics.errors import Defect, FieldmeshError, Rejected
from fieldmesh.service.mail import Attachment, Mailer, Message
from fieldmesh.service.translation import translate
from hub.analysis.answers import Analyst, Answer
from hub.analysis.standard import STANDARD
from hub.desk.people import access_of
from hub.desk.reports.files import KINDS, Format, as_csv, written
from hub.desk.reports.kept import named_question
from hub.desk.reports.running import for_file, note_exported
from hub.desk.reports.tables import Table, table_of
from hub.fleet.office import Office
from hub.fleet.subscriptions import today
from hub.rules.access import Access
from hub.rules.zones import zone_or_utc
from hub.storage import reports
from hub.storage.reports import ReportMail
from hub.storage.rows import one_row

LOG = logging.getLogger(__name__)

_LOOK_S = 300.0
REST_S = 3_600.0
"""A mail that could not be sent is made again after so long: making it may cost the hub a minute."""
FIRST_HOUR = 6
"""Mail of a day is made after this hour of the reader's time zone: the evening's sessions have come in by then."""


class ReportMailing:
    """The loop that sends reports."""

    def __init__(self, office: Office, analyst: Analyst) -> None:
        """Mail goes through the server of the settings; without one none is made."""
        self._office = office
        self._analyst = analyst
        self._mailer = Mailer(office.settings.mail, office.clock)
        self._rests_until: dict[bytes, float] = {}

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
        now = self._office.clock.monotonic()
        self._rests_until = {one: until for one, until in self._rests_until.items() if until > now}
        awake = [one for one in waiting if one.mail_id not in self._rests_until]
        return sum([await self._send(one) for one in awake])

    async def _send(self, mail: ReportMail) -> bool:
        """Whatever is wrong with one mail stands at that mail and in the log; the others go."""
        try:
            return await self._send_if_due(mail)
        except Exception as error:
            LOG.exception("report_mail_failed", extra={"report": mail.report})
            known = error if isinstance(error, FieldmeshError) else Defect("defect", place="report")
        with suppress(FieldmeshError):  # the database may be what is wrong
            await self._failed(mail, known)
        return False

    async def _failed(self, mail: ReportMail, error: FieldmeshError) -> None:
        if error.code != "analysis_prepares":  # which costs nothing, and is over soon
            self._rests_until[mail.mail_id] = self._office.clock.monotonic() + REST_S
        await self._keep(mail, mail.sent_for, _words(error))

    async def _keep(self, mail: ReportMail, sent_for: str, problem: str) -> None:
        async with self._office.database.write() as connection:
            await reports.note_mail(connection, mail.mail_id, sent_for=sent_for, problem=problem)

    async def _send_if_due(self, mail: ReportMail) -> bool:
        office = self._office
        async with office.database.read() as connection:
            access = await access_of(connection, mail.user_id, today(office.clock))
            user = await one_row(connection, "app_user", ("mail",), "id", mail.user_id)
        if access is None or not access.may("report.schedule") or not user:
            return False
        if not user[0]:
            await self._failed(mail, Rejected("no_mail_address", place="mail"))
            return False
        zone = zone_or_utc(access.time_zone)
        moment = datetime.datetime.fromtimestamp(office.clock.now() / 1_000_000, zone)
        due = due_for(mail.every, moment)
        if due.isoformat() == mail.sent_for:
            return False
        try:
            message, answer = await self._made(mail, access, str(user[0]), (zone, due))
            async with office.database.read() as connection:
                if not await reports.is_wanted(connection, mail.mail_id):
                    return False
            await self._mailer.send(message)
        except FieldmeshError as error:
            LOG.warning("report_not_sent", extra={"report": mail.report, "problem": error.code})
            await self._failed(mail, error)
            return False
        await note_exported(office, access, answer)
        await self._keep(mail, due.isoformat(), "")
        return True

    async def _made(
        self,
        mail: ReportMail,
        access: Access,
        address: str,
        when: tuple[datetime.tzinfo, datetime.date],
    ) -> tuple[Message, Answer]:
        office, language = self._office, mail.language
        zone, due = when
        title, question = await named_question(office, access, mail.report)
        shown = translate(title, language)
        question = question.until_morning_of(due)
        answer = await for_file(self._analyst, access, question, zone)
        table = await asyncio.to_thread(table_of, answer, language)
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
        return Message((address,), f"{shown}, {days}", text, (file,)), answer


def _words(error: FieldmeshError) -> str:
    return str(error)[:200]


def due_for(every: str, now: datetime.datetime) -> datetime.date:
    """The newest day for which such a mail is due: today, this Monday or this first, once the morning has come."""
    day = now.date() if now.hour >= FIRST_HOUR else now.date() - datetime.timedelta(days=1)
    if every == "week":
        day -= datetime.timedelta(days=day.weekday())
    if every == "month":
        day = day.replace(day=1)
    return day


def content_of(table: Table, kind: Format, title: str, about: str, language: str) -> bytes:
    """The file's bytes: a mail takes it whole."""
    if kind is Format.CSV:
        return b"".join(as_csv(table))
    path = written(table, kind, title, about, language)
    try:
        return path.read_bytes()
    finally:
        path.unlink()
