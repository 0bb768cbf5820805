"""The report builder, and what is done with own reports: kept, shared, sent by mail, deleted."""

import asyncio
from urllib.parse import parse_qsl

from aiohttp import web

from fieldmesh.basics.errors import Rejected
from fieldmesh.basics.problems import problem_of
from fieldmesh.service.translation import N_, translate
from hub.analysis.answers import Analyst
from hub.analysis.model.registry import DIMENSIONS
from hub.analysis.question import Question
from hub.desk.asking import id_text
from hub.desk.reports import kept
from hub.desk.reports.files import Format
from hub.desk.reports.running import measures_for, run
from hub.desk.reports.tables import table_of
from hub.desk.view import Area, View
from hub.desk.views.registry import VIEWS
from hub.fleet.office import Office
from hub.storage.reports import ReportMail
from hub.web.pages.cells import address
from hub.web.pages.labels import row_id_of
from hub.web.pages.picks import named, shown_of
from hub.web.pages.report_forms import (
    CHART_TITLES,
    built,
    day_fields,
    dimension_choices,
    measure_choices,
    parameters,
    readable,
)
from hub.web.pages.report_showing import shown
from hub.web.problems import told
from hub.web.shell import Shell, see_other
from hub.web.visitor import Visitor, language_of, showing_for, visitor_of, zone_of

_OWN = "/analysis/own/{id:[0-9a-f-]{32,36}}"
_ROWS = 4


class ReportBuilding:
    """Own reports are made here."""

    def __init__(self, office: Office, analyst: Analyst, shell: Shell) -> None:
        """Figures come from ``analyst``."""
        self._office = office
        self._analyst = analyst
        self._shell = shell

    def routes(self) -> list[web.AbstractRouteDef]:
        """The builder's page, and the forms."""
        return [
            web.get("/analysis/build", self.build),
            web.post("/analysis/keep", self.keep),
            web.post(f"{_OWN}/share", self.share),
            web.post(f"{_OWN}/delete", self.delete),
            web.post("/analysis/mail", self.mail),
            web.post("/analysis/mail/stop", self.stop_mail),
        ]

    async def build(self, request: web.Request) -> web.Response:
        """The form, and under it what it gives."""
        visitor, language = visitor_of(request), language_of(request)
        visitor.access.need("report.build")
        problem, question, result = "", None, {}
        texts = {name: request.query.getall(name) for name in request.query}
        texts["fv"] = await self._values(request, texts)
        try:
            question = built(texts)
            if question is not None:
                result = await self._shown(request, visitor, question)
        except Rejected as error:
            if error.code not in {"question_wrong", "bad_filter", "question_too_large"}:
                raise
            problem = told(problem_of(error).title, error, language)
        report = request.query.get("from", "")
        held = (
            await kept.own_report(self._office, visitor.access, row_id_of(report))
            if report
            else None
        )
        asked = question or readable(texts)
        filters = [
            (code, await self._named(request, code, value))
            for code, values in asked.filters.items()
            for value in values
        ]
        return self._shell.page(
            request, "report_build.html", title=translate("Build a report", language), area=Area.ANALYSIS,
            measures=measure_choices(measures_for(visitor.access), language), chosen=set(asked.measures),
            dimensions=dimension_choices(language),
            rows=[*asked.rows, *[""] * _ROWS][:_ROWS], across=asked.across,
            filterable=[
                (code, title)
                for code, title in dimension_choices(language)
                if not code or code in asked.filters or _may_filter(code, visitor)
            ],
            filters=[*filters, ("", ""), ("", "")], days=day_fields(asked, language),
            charts=[(one.value, translate(title, language)) for one, title in CHART_TITLES.items()],
            asked=asked, problem=problem, shown_result=result,
            query=address("", parameters(question)).removeprefix("?") if question else "",
            report=report, name=held.report.title if held else "", is_own=bool(held and held.is_own),
        )  # fmt: skip

    async def _values(self, request: web.Request, texts: dict[str, list[str]]) -> list[str]:
        """What the form's filters are to be; a code or whole name that one record has becomes its id."""
        found = []
        for code, typed in zip(texts.get("fd", ()), texts.get("fv", ()), strict=False):
            view = _view_of(code)
            found.append(
                await named(request, self._office.database, view, typed) if view else typed
            )
        return found

    async def _named(self, request: web.Request, code: str, value: str) -> str:
        view = _view_of(code)
        return await shown_of(request, self._office.database, view, value) if view else value

    async def keep(self, request: web.Request) -> web.Response:
        """The report is kept; on to its page."""
        form, access = await request.post(), visitor_of(request).access
        texts: dict[str, list[str]] = {}
        for name, value in parse_qsl(str(form.get("query", ""))):
            texts.setdefault(name, []).append(value)
        question = built(texts)
        if question is None:
            raise Rejected("form_wrong", place="measures", count=1, text=N_("no figure is chosen"))
        report = str(form.get("report", ""))
        over = row_id_of(report) if report and form.get("over") else None
        report_id = await kept.keep(
            self._office, access, str(form.get("title", "")), question, over
        )
        text = translate("The report is kept.", language_of(request))
        return see_other(f"/analysis/own/{id_text(report_id)}", text)

    async def share(self, request: web.Request) -> web.Response:
        """People within the owner's scope see it from now on, or no longer."""
        form, report_id = await request.post(), row_id_of(request.match_info["id"])
        shared = form.get("shared") == "1"
        await kept.share(self._office, visitor_of(request).access, report_id, shared=shared)
        said = N_("The report is shared.") if shared else N_("The report is shared no more.")
        return see_other(
            f"/analysis/own/{id_text(report_id)}", translate(said, language_of(request))
        )

    async def delete(self, request: web.Request) -> web.Response:
        """The report is gone."""
        await kept.forget(
            self._office, visitor_of(request).access, row_id_of(request.match_info["id"])
        )
        return see_other("/analysis", translate("The report is deleted.", language_of(request)))

    async def mail(self, request: web.Request) -> web.Response:
        """The person gets the report by mail."""
        form, visitor = await request.post(), visitor_of(request)
        try:
            kind = Format(str(form.get("format", "xlsx")))
        except ValueError:
            raise Rejected(
                "form_wrong", place="format", count=1, text=N_("choose one from the list")
            ) from None
        mail = ReportMail(
            self._office.maker.identifiers.new(), visitor.access.user_id, str(form.get("report", ""))[:40],
            str(form.get("every", "")), kind.value, language_of(request),
        )  # fmt: skip
        await kept.send_to_me(self._office, visitor.access, mail)
        text = translate("The report comes by mail, in the morning.", language_of(request))
        return see_other("/analysis", text)

    async def stop_mail(self, request: web.Request) -> web.Response:
        """The person gets it no more."""
        form = await request.post()
        mail_id = row_id_of(str(form.get("mail", "")))
        await kept.stop_mail(self._office, visitor_of(request).access, mail_id)
        return see_other("/analysis", translate("The mail has ended.", language_of(request)))

    async def _shown(
        self, request: web.Request, visitor: Visitor, question: Question
    ) -> dict[str, object]:
        language, showing = language_of(request), showing_for(request)
        answer = await run(self._office, self._analyst, visitor.access, question, zone_of(request))
        table = await asyncio.to_thread(table_of, answer, language)
        title = translate("Report", language)
        found = await asyncio.to_thread(shown, answer, table, title, visitor.access, showing)
        return {**found, "as_of": showing.time(answer.mark.took_at)}


def _view_of(code: str) -> View | None:
    """The list whose records the dimension's values are; None when they are no records of a list."""
    return VIEWS.get(DIMENSIONS[code].view) if code in DIMENSIONS else None


def _may_filter(code: str, visitor: Visitor) -> bool:
    """Whether the builder offers the dimension as a filter: its values are typed, or found by what they are called."""
    dimension, view = DIMENSIONS[code], _view_of(code)
    is_known = visitor.access.may(view.function) if view else not dimension.labels
    return dimension.is_filter and is_known
