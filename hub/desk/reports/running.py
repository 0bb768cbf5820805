"""Reports run and exported, in the scope of whoever asks; what is sensitive leaves an entry in the journal."""

import datetime
from dataclasses import replace

from hub.analysis.answers import Analyst, Answer
from hub.analysis.model.registry import MEASURES, facts_of, functions_for
from hub.analysis.question import Question
from hub.analysis.standard import STANDARD, Standard
from hub.desk.exports import check_size, most_rows
from hub.desk.views.registry import VIEWS
from hub.fleet.office import Office
from hub.rules.access import Access
from hub.storage import journal
from hub.storage.columnar.columns import Columns, Limits


def analyst_of(office: Office) -> Analyst:
    """Answers over the copy in the office's folder."""
    wanted = office.settings.analysis
    limits = Limits(wanted.memory_bytes, wanted.threads, wanted.question_s)
    columns = Columns(office.database, office.home.analysis, office.clock, limits)
    return Analyst(columns, office.clock)


def standard_for(access: Access) -> list[Standard]:
    """The standard reports that the person may open."""
    if not access.may("report.view"):
        return []
    return [one for one in STANDARD.values() if all(access.may(code) for code in one.needed)]


def measures_for(access: Access) -> list[str]:
    """Measures of which the person may see everything that they are made of."""
    return [
        code
        for code, one in MEASURES.items()
        if all(access.may(function) for function in functions_for(one))
    ]


async def run(
    office: Office, analyst: Analyst, access: Access, question: Question, zone: datetime.tzinfo
) -> Answer:
    """The figures.

    Raises:
        Rejected: `function_missing`, `question_wrong`, `question_too_large`.
        Retry: `analysis_prepares`, `analysis_behind`, `question_too_heavy`.
    """
    answer = await analyst.answer(access, question, zone)
    if _is_sensitive(question):
        await _note(office, access, "report_seen", question, len(answer.lines))
    return answer


async def export(
    office: Office, analyst: Analyst, access: Access, question: Question, zone: datetime.tzinfo
) -> Answer:
    """The figures, for a file that is handed out at once: always noted.

    Raises:
        Rejected: as `for_file`.
    """
    answer = await for_file(analyst, access, question, zone)
    await note_exported(office, access, answer)
    return answer


async def for_file(
    analyst: Analyst, access: Access, question: Question, zone: datetime.tzinfo
) -> Answer:
    """The figures, for a file: all lines, however few the page shows. Who lets it go calls `note_exported`.

    Raises:
        Rejected: as `run`; `function_missing` for exports, `export_too_large` for more than the person may take along.
    """
    most = most_rows(access)
    answer = await analyst.answer(access, replace(question, top=0), zone)
    check_size(len(answer.lines), most, "report")
    return answer


async def note_exported(office: Office, access: Access, answer: Answer) -> None:
    """That the figures have left the hub stands in the journal."""
    await _note(office, access, "report_exported", answer.question, len(answer.lines))


def _is_sensitive(question: Question) -> bool:
    names = {fact.view for code in question.measures for fact in facts_of(MEASURES[code])}
    return any(name in VIEWS and VIEWS[name].audited for name in names)


async def _note(office: Office, access: Access, kind: str, question: Question, lines: int) -> None:
    about = {"measures": list(question.measures), "rows": list(question.dimensions), "lines": lines}
    async with office.database.write() as connection:
        await journal.append(
            connection, at=office.clock.now(), kind=kind, actor=access.login, payload=about
        )
