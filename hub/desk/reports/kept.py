"""Own reports: kept, shared with whoever stands within the owner's scope, sent by mail to oneself.

A report holds a question, never figures: whoever opens it gets the figures of their own scope.
"""

from dataclasses import dataclass

from fieldmesh.basics.errors import Rejected
from fieldmesh.service.mail import Mailer
from fieldmesh.service.translation import N_
from hub.analysis.question import Question, checked, from_json
from hub.analysis.standard import STANDARD
from hub.desk.people import access_of
from hub.fleet.office import Office
from hub.fleet.subscriptions import today
from hub.rules.access import Access
from hub.storage import journal, reports
from hub.storage.lists import Condition, Test, Wanted, page
from hub.storage.reports import KeptReport, ReportMail
from hub.storage.rows import Connection, one_row

MOST_TITLE = 120
EVERY = ("day", "week", "month")


@dataclass(frozen=True, slots=True)
class Own:
    """A kept report with its question, and whether it is the person's own."""

    report: KeptReport
    question: Question
    is_own: bool


async def own_reports(office: Office, access: Access) -> list[Own]:
    """The person's reports, and those that are shared with them.

    Raises:
        Rejected: `function_missing`.
    """
    access.need("report.view")
    async with office.database.read() as connection:
        held = await reports.reports_for(connection, access.user_id)
        return [
            Own(one, from_json(one.question), one.owner_id == access.user_id)
            for one in held
            if await _may_open(connection, office, access, one)
        ]


async def own_report(office: Office, access: Access, report_id: bytes) -> Own:
    """One of them.

    Raises:
        Rejected: `function_missing`, `not_found`.
    """
    access.need("report.view")
    async with office.database.read() as connection:
        held = await reports.report_of(connection, report_id)
        if held is None or not await _may_open(connection, office, access, held):
            raise Rejected("not_found", place="report", text=N_("there is no such report for you"))
    return Own(held, from_json(held.question), held.owner_id == access.user_id)


async def keep(
    office: Office, access: Access, title: str, question: Question, report_id: bytes | None = None
) -> bytes:
    """The report is kept under the title; returns its id.

    Args:
        office: where.
        access: whose it becomes.
        title: what they call it.
        question: what it asks.
        report_id: of an own report that becomes this; None = a new one.

    Raises:
        Rejected: `function_missing`, `form_wrong` (no title), `question_wrong`, `not_found`.
    """
    access.need("report.build")
    words = " ".join(title.split())[:MOST_TITLE]
    if not words:
        raise Rejected("form_wrong", place="title", count=1, text=N_("a title is needed"))
    shared = False
    if report_id is not None:
        shared = (await _owned(office, access, report_id)).report.shared
    kept = KeptReport(
        report_id or office.maker.identifiers.new(), access.user_id, words, checked(question).as_json(), shared,
        office.clock.now(),
    )  # fmt: skip
    await _write(office, access, "report_kept", kept)
    return kept.report_id


async def share(office: Office, access: Access, report_id: bytes, *, shared: bool) -> None:
    """People within the owner's scope see the report, or no longer.

    Raises:
        Rejected: `function_missing`, `not_found`.
    """
    access.need("report.share")
    held = (await _owned(office, access, report_id)).report
    changed = KeptReport(
        held.report_id, held.owner_id, held.title, held.question, shared, office.clock.now()
    )
    await _write(office, access, "report_shared" if shared else "report_unshared", changed)


async def forget(office: Office, access: Access, report_id: bytes) -> None:
    """The report is gone.

    Raises:
        Rejected: `function_missing`, `not_found`.
    """
    access.need("report.build")
    held = await _owned(office, access, report_id)
    async with office.database.write() as connection:
        await reports.forget_report(connection, report_id)
        about = {"title": held.report.title}
        await journal.append(
            connection,
            at=office.clock.now(),
            kind="report_deleted",
            actor=access.login,
            payload=about,
        )


def sends_mail(office: Office) -> bool:
    """Whether the hub has a mail server."""
    return Mailer(office.settings.mail, office.clock).is_set_up


async def send_to_me(office: Office, access: Access, mail: ReportMail) -> None:
    """The person gets the report by mail from now on.

    Raises:
        Rejected: `function_missing`, `not_found` (no such report), `form_wrong` (how often is unknown),
            `no_mail_server`, `no_mail_address`.
    """
    access.need("report.schedule")
    access.need("data.export")
    if not sends_mail(office):
        raise Rejected("no_mail_server", place="mail")
    async with office.database.read() as connection:
        user = await one_row(connection, "app_user", ("mail",), "id", access.user_id)
    if user is None or not user[0]:
        raise Rejected("no_mail_address", place="mail")
    if mail.every not in EVERY:
        raise Rejected("form_wrong", place="every", count=1, text=mail.every[:20])
    await named_question(office, access, mail.report)
    async with office.database.write() as connection:
        await reports.keep_mail(connection, mail)
        about = {"report": mail.report, "every": mail.every}
        await journal.append(
            connection, at=office.clock.now(), kind="report_mail", actor=access.login, payload=about
        )


async def my_mails(office: Office, access: Access) -> list[ReportMail]:
    """What the person gets by mail."""
    async with office.database.read() as connection:
        return await reports.mails(connection, access.user_id)


async def stop_mail(office: Office, access: Access, mail_id: bytes) -> None:
    """The person gets it no more.

    Raises:
        Rejected: `not_found`.
    """
    if mail_id not in {one.mail_id for one in await my_mails(office, access)}:
        raise Rejected("not_found", place="mail", text=N_("there is no such mail of yours"))
    async with office.database.write() as connection:
        await reports.forget_mail(connection, mail_id)


async def named_question(office: Office, access: Access, report: str) -> tuple[str, Question]:
    """(title as an English msgid or as its owner wrote it, question) of a standard or kept report.

    Raises:
        Rejected: `not_found`.
    """
    if report in STANDARD:
        return STANDARD[report].title, STANDARD[report].question
    try:
        found = await own_report(office, access, bytes.fromhex(report))
    except ValueError:
        raise Rejected("not_found", place="report", text=N_("there is no such report")) from None
    return found.report.title, found.question


async def _owned(office: Office, access: Access, report_id: bytes) -> Own:
    found = await own_report(office, access, report_id)
    if not found.is_own:
        raise Rejected("not_found", place="report", text=N_("it is somebody else's"))
    return found


async def _write(office: Office, access: Access, kind: str, report: KeptReport) -> None:
    async with office.database.write() as connection:
        await reports.keep_report(connection, report)
        await journal.append(
            connection,
            at=office.clock.now(),
            kind=kind,
            actor=access.login,
            payload={"title": report.title},
        )


async def _may_open(
    connection: Connection, office: Office, access: Access, report: KeptReport
) -> bool:
    """Own ones; shared ones when the person stands within the scope that their owner has now."""
    if report.owner_id == access.user_id:
        return True
    if not report.shared:
        return False
    owner = await access_of(connection, report.owner_id, today(office.clock))
    if owner is None or not owner.may("report.share"):
        return False
    scope = owner.scope_for("report.share")
    if scope.is_everything:
        return True
    posts = tuple(post.position_id for post in access.posts)
    wanted = Wanted("position", (), (Condition("id", Test.ONE_OF, posts),), most=1)
    return bool((await page(connection, scope, wanted)).rows)
