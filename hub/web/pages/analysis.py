"""Analysis: the catalogue of reports, standard ones and own ones, each with days, filters, chart, table and files."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from aiohttp import web

from fieldmesh.basics.errors import Rejected
from fieldmesh.service.translation import N_, translate
from hub.analysis.answers import Analyst
from hub.analysis.model.registry import DIMENSIONS, MEASURES, facts_of
from hub.analysis.question import Question
from hub.analysis.standard import SCREENS, STANDARD, Standard
from hub.desk.reports import kept
from hub.desk.reports.files import KINDS, Format, as_csv, written
from hub.desk.reports.running import export, run, standard_for
from hub.desk.reports.tables import table_of
from hub.desk.view import Area
from hub.desk.views.registry import VIEWS
from hub.fleet.office import Office
from hub.web.downloads import in_threads, of_file, sent
from hub.web.pages.cells import address
from hub.web.pages.labels import row_id_of
from hub.web.pages.picks import chosen, shown_of
from hub.web.pages.report_forms import (
    Field,
    asked_of,
    day_fields,
    measure_choices,
    narrowed,
    parameters,
)
from hub.web.pages.report_showing import shown
from hub.web.shell import Shell
from hub.web.visitor import Visitor, language_of, showing_for, visitor_of, zone_of


@dataclass(frozen=True, slots=True)
class Opened:
    """A report on its page: what it is called, asks and asked when it was kept, and what belongs to its page."""

    title: str
    about: str
    base: str
    question: Question
    held: Question
    filters: Sequence[str]
    also: Sequence[tuple[str, str]] = ()
    name: str = ""
    own: kept.Own | None = None


class AnalysisPages:
    """Reports on pages."""

    def __init__(self, office: Office, analyst: Analyst, shell: Shell) -> None:
        """Figures come from ``analyst``."""
        self._office = office
        self._analyst = analyst
        self._shell = shell

    def routes(self) -> list[web.AbstractRouteDef]:
        """The catalogue; each report and its file."""
        own = "/analysis/own/{id:[0-9a-f-]{32,36}}"
        return [
            web.get("/analysis", self.catalogue),
            web.get("/analysis/reports/{code}", self.standard),
            web.get("/analysis/reports/{code}/export", self.standard_file),
            web.get(own, self.own),
            web.get(f"{own}/export", self.own_file),
        ]

    async def catalogue(self, request: web.Request) -> web.Response:
        """What there is for the person."""
        access, language = visitor_of(request).access, language_of(request)
        access.need("report.view")
        own = await kept.own_reports(self._office, access)
        titles = {code: translate(one.title, language) for code, one in STANDARD.items()}
        titles |= {one.report.report_id.hex(): one.report.title for one in own}
        return self._shell.page(
            request, "analysis.html", title=translate("Reports", language), area=Area.ANALYSIS,
            standard=[
                (f"/analysis/reports/{one.code}", translate(one.title, language), translate(one.about, language))
                for one in standard_for(access)
            ] + [
                (one.address, translate(one.title, language), translate(one.about, language))
                for one in SCREENS if access.may(one.function)
            ],
            own=[(f"/analysis/own/{one.report.report_id.hex()}", one.report.title, one.is_own) for one in own],
            mails=[
                (one.mail_id.hex(), titles.get(one.report, one.report), translate(one.every, language), one.sent_for,
                 one.problem)
                for one in await kept.my_mails(self._office, access)
            ],
            may_build=access.may("report.build"),
        )  # fmt: skip

    async def standard(self, request: web.Request) -> web.Response:
        """A standard report."""
        return await self._page(request, await self._standard(request))

    async def standard_file(self, request: web.Request) -> web.StreamResponse:
        """A standard report as a file."""
        return await self._file(request, await self._standard(request))

    async def own(self, request: web.Request) -> web.Response:
        """A report that somebody has made."""
        return await self._page(request, await self._own(request))

    async def own_file(self, request: web.Request) -> web.StreamResponse:
        """A report that somebody has made, as a file."""
        return await self._file(request, await self._own(request))

    # --- within

    async def _standard(self, request: web.Request) -> Opened:
        language = language_of(request)
        found = STANDARD.get(request.match_info["code"])
        if found is None:
            raise Rejected("not_found", place="report", text=N_("there is no such report"))
        question = narrowed(found.question, await self._texts(request))
        return Opened(
            translate(found.title, language), translate(found.about, language), f"/analysis/reports/{found.code}",
            question, found.question, found.filters, _also(found, visitor_of(request), language), found.code,
        )  # fmt: skip

    async def _own(self, request: web.Request) -> Opened:
        access, language = visitor_of(request).access, language_of(request)
        found = await kept.own_report(self._office, access, row_id_of(request.match_info["id"]))
        name = found.report.report_id.hex()
        about = translate(
            N_("Your own report.") if found.is_own else N_("Shared with you."), language
        )
        question = narrowed(found.question, await self._texts(request))
        return Opened(
            found.report.title, about, f"/analysis/own/{name}", question, found.question,
            tuple(found.question.filters), (), name, found,
        )  # fmt: skip

    async def _texts(self, request: web.Request) -> dict[str, list[str]]:
        sources = {
            f"f.{code}": VIEWS[one.view] for code, one in DIMENSIONS.items() if one.view in VIEWS
        }
        return await chosen(request, self._office.database, sources, request.query)

    async def _page(self, request: web.Request, opened: Opened) -> web.Response:
        visitor, language, showing = visitor_of(request), language_of(request), showing_for(request)
        access, question = visitor.access, opened.question
        answer = await run(self._office, self._analyst, access, question, zone_of(request))
        table = await asyncio.to_thread(table_of, answer, language)
        asked = asked_of(question, opened.held)
        period = f"{showing.day(answer.period.since.isoformat())} – {showing.day(answer.period.until.isoformat())}"
        if not any(fact.day for code in question.measures for fact in facts_of(MEASURES[code])):
            period = translate("As it stands today", language)
        return self._shell.page(
            request, "report.html", title=opened.title, about=opened.about, area=Area.ANALYSIS,
            base=opened.base, period=period, as_of=showing.time(answer.mark.took_at),
            days=day_fields(question, language), filters=await self._filters(request, opened),
            **await asyncio.to_thread(shown, answer, table, opened.title, access, showing),
            meanings=[(text, meaning) for _, text, meaning in measure_choices(question.measures, language)],
            exports=[
                (kind.upper(), f"{opened.base}/export?{urlencode([*asked, ('format', kind.value)])}") for kind in Format
            ] if access.may("data.export") else [],
            change=address("/analysis/build", [*parameters(question), ("from", opened.name if opened.own else "")])
            if access.may("report.build") else "",
            also=opened.also, name=opened.name, is_own=opened.own is not None and opened.own.is_own,
            shared=opened.own is not None and opened.own.report.shared,
            may_share=access.may("report.share"),
            may_mail=access.may("report.schedule") and access.may("data.export") and kept.sends_mail(self._office),
            every=[(one, translate(one, language)) for one in kept.EVERY], formats=[one.value for one in Format],
        )  # fmt: skip

    async def _file(self, request: web.Request, opened: Opened) -> web.StreamResponse:
        access, language = visitor_of(request).access, language_of(request)
        try:
            kind = Format(request.query.get("format", "csv"))
        except ValueError:
            raise Rejected(
                "bad_filter", place="format", text=request.query["format"][:20]
            ) from None
        answer = await export(
            self._office, self._analyst, access, opened.question, zone_of(request)
        )
        table = await asyncio.to_thread(table_of, answer, language)
        about = f"{answer.period.since.isoformat()} – {answer.period.until.isoformat()}"
        title = f"{self._office.settings.company}: {opened.title}"
        name = f"{opened.name if opened.own is None else 'report'}.{kind}"
        if kind is Format.CSV:
            pieces = in_threads(as_csv(table))
        else:
            pieces = of_file(await asyncio.to_thread(written, table, kind, title, about, language))
        return await sent(request, pieces, name, KINDS[kind])

    async def _filters(self, request: web.Request, opened: Opened) -> list[Field]:
        """A field for each value that a filter has, an empty one where it has none."""
        found: list[Field] = []
        for code in dict.fromkeys((*opened.filters, *opened.question.filters)):
            values = opened.question.filters.get(code, ("",))
            found += [await self._field(request, code, value) for value in values]
        return found

    async def _field(self, request: web.Request, code: str, value: str) -> Field:
        dimension, access = DIMENSIONS[code], visitor_of(request).access
        title, name = translate(dimension.title, language_of(request)), f"f.{code}"
        view = VIEWS.get(dimension.view)
        if view is not None and access.may(view.function):
            shown = await shown_of(request, self._office.database, view, value)
            return Field(name, title, "link", value, (), view.name, shown)
        return Field(name, title, "hidden" if dimension.labels else "text", value)


def _also(found: Standard, visitor: Visitor, language: str) -> list[tuple[str, str]]:
    return [
        (translate(title, language), href)
        for title, href, function in found.also
        if visitor.access.may(function)
    ]
