"""Reports that people have kept, and those that they have sent to themselves by mail."""

from dataclasses import dataclass

import sqlalchemy as sa

from hub.storage.rows import Connection
from hub.storage.system_tables import REPORT, REPORT_MAIL


@dataclass(frozen=True, slots=True)
class KeptReport:
    """A report that somebody has made.

    Attributes:
        report_id: its id.
        owner_id: who made it.
        title: what they call it.
        question: as JSON.
        shared: whether people within the owner's scope see it.
        changed_at: UTC microseconds.
    """

    report_id: bytes
    owner_id: bytes
    title: str
    question: str
    shared: bool
    changed_at: int


@dataclass(frozen=True, slots=True)
class ReportMail:
    """A report that somebody gets by mail.

    Attributes:
        mail_id: its id.
        user_id: who gets it.
        report: code of a standard report, or hex of a kept one's id.
        every: day, week or month.
        format: of the file.
        language: of the mail.
        sent_for: the last day for which it was sent, YYYY-MM-DD; empty = none.
        problem: why the last one was not sent; empty = it was.
    """

    mail_id: bytes
    user_id: bytes
    report: str
    every: str
    format: str
    language: str
    sent_for: str = ""
    problem: str = ""


async def keep_report(connection: Connection, report: KeptReport) -> None:
    """The report stands as given."""
    await connection.execute(sa.delete(REPORT).where(REPORT.c.report_id == report.report_id))
    values = {name: getattr(report, name) for name in KeptReport.__dataclass_fields__}
    await connection.execute(sa.insert(REPORT).values(**{**values, "shared": int(report.shared)}))


async def forget_report(connection: Connection, report_id: bytes) -> None:
    """The report is gone, and nobody gets it by mail."""
    await connection.execute(sa.delete(REPORT).where(REPORT.c.report_id == report_id))
    await connection.execute(sa.delete(REPORT_MAIL).where(REPORT_MAIL.c.report == report_id.hex()))


async def report_of(connection: Connection, report_id: bytes) -> KeptReport | None:
    """The report; None when there is none."""
    row = (await connection.execute(_reports().where(REPORT.c.report_id == report_id))).first()
    return None if row is None else _kept(tuple(row))


async def reports_for(connection: Connection, user_id: bytes) -> list[KeptReport]:
    """The person's own reports and all shared ones, by title."""
    query = _reports().where(sa.or_(REPORT.c.owner_id == user_id, REPORT.c.shared == 1))
    rows = (await connection.execute(query.order_by(REPORT.c.title))).all()
    return [_kept(tuple(row)) for row in rows]


async def keep_mail(connection: Connection, mail: ReportMail) -> None:
    """The mail stands as given."""
    await forget_mail(connection, mail.mail_id)
    values = {name: getattr(mail, name) for name in ReportMail.__dataclass_fields__}
    await connection.execute(sa.insert(REPORT_MAIL).values(**values))


async def note_mail(connection: Connection, mail_id: bytes, *, sent_for: str, problem: str) -> None:
    """That is how the mail stands; one that was stopped meanwhile stays stopped."""
    values = {"sent_for": sent_for, "problem": problem}
    await connection.execute(
        sa.update(REPORT_MAIL).where(REPORT_MAIL.c.mail_id == mail_id).values(**values)
    )


async def is_wanted(connection: Connection, mail_id: bytes) -> bool:
    """Whether nobody has stopped the mail."""
    query = sa.select(REPORT_MAIL.c.mail_id).where(REPORT_MAIL.c.mail_id == mail_id)
    return (await connection.execute(query)).first() is not None


async def forget_mail(connection: Connection, mail_id: bytes) -> None:
    """The mail is sent no more."""
    await connection.execute(sa.delete(REPORT_MAIL).where(REPORT_MAIL.c.mail_id == mail_id))


async def mails(connection: Connection, user_id: bytes | None = None) -> list[ReportMail]:
    """The person's mails, or everybody's."""
    query = sa.select(*(REPORT_MAIL.c[name] for name in ReportMail.__dataclass_fields__))
    if user_id is not None:
        query = query.where(REPORT_MAIL.c.user_id == user_id)
    rows = (await connection.execute(query.order_by(REPORT_MAIL.c.mail_id))).all()
    return [ReportMail(*row) for row in rows]


def _reports() -> "sa.Select[tuple[object, ...]]":
    return sa.select(*(REPORT.c[name] for name in KeptReport.__dataclass_fields__))


def _kept(row: tuple[object, ...]) -> KeptReport:
    values = dict(zip(KeptReport.__dataclass_fields__, row, strict=True))
    return KeptReport(**{**values, "shared": bool(values["shared"])})  # type: ignore[arg-type]
