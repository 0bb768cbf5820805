"""Reports as web services: what can be asked, the answer of a standard, own or new report, and the same as a file."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from aiohttp import web

from fieldmesh.basics.errors import Rejected
from fieldmesh.service.translation import N_, translate
from hub.analysis.answers import Analyst, Answer
from hub.analysis.model.kinds import Unit
from hub.analysis.model.registry import DIMENSIONS, MEASURES, fits
from hub.analysis.question import Compare, Question, Span
from hub.analysis.standard import STANDARD
from hub.desk.asking import id_text
from hub.desk.reports import kept
from hub.desk.reports.files import figure_text
from hub.desk.reports.running import measures_for, run, standard_for
from hub.desk.reports.tables import Table, table_of
from hub.fleet.office import Office
from hub.web.pages.report_forms import MOST_TOP, built, narrowed
from hub.web.visitor import language_of, visitor_of, zone_of

ROOT = "/api/v1/reports"
MOST_ROWS, MOST_CELLS = 10_000, 500_000
"""Of one answer; `lines` says how many rows there are."""
Object = dict[str, Any]


class ReportServices:
    """The web services of reports."""

    def __init__(self, office: Office, analyst: Analyst) -> None:
        """Figures come from ``analyst``."""
        self._office = office
        self._analyst = analyst

    def routes(self) -> list[web.AbstractRouteDef]:
        """Where they are."""
        return [
            web.get(ROOT, self.catalogue),
            web.get(f"{ROOT}/ask", self.ask),
            web.get(f"{ROOT}/{{code}}", self.answer),
        ]

    async def catalogue(self, request: web.Request) -> web.Response:
        """Reports, measures and dimensions that the person may ask."""
        access, language = visitor_of(request).access, language_of(request)
        own = await kept.own_reports(self._office, access)
        reports = [
            {"code": one.code, "title": translate(one.title, language)}
            for one in standard_for(access)
        ]
        reports += [{"code": one.report.report_id.hex(), "title": one.report.title} for one in own]
        measures = [
            {
                "code": code, "title": translate(MEASURES[code].title, language), "unit": MEASURES[code].unit.value,
                "meaning": translate(MEASURES[code].meaning, language),
                "dimensions": [name for name, one in DIMENSIONS.items() if fits(MEASURES[code], one)],
            }
            for code in measures_for(access)
        ]  # fmt: skip
        dimensions = [
            {"code": code, "title": translate(one.title, language), "filter": one.is_filter}
            for code, one in DIMENSIONS.items()
        ]
        return web.json_response(
            {"reports": reports, "measures": measures, "dimensions": dimensions}
        )

    async def answer(self, request: web.Request) -> web.Response:
        """The figures of a standard or kept report."""
        code = request.match_info["code"]
        _title, question = await kept.named_question(self._office, visitor_of(request).access, code)
        return await self._answered(request, narrowed(question, _texts(request)))

    async def ask(self, request: web.Request) -> web.Response:
        """The figures of a question that the address says.

        Raises:
            Rejected: `question_wrong`; `function_missing`.
        """
        visitor_of(request).access.need("report.build")
        question = built(_texts(request))
        if question is None:
            raise Rejected("question_wrong", place="m", text=N_("no figure is named"))
        return await self._answered(request, question)

    async def _answered(self, request: web.Request, question: Question) -> web.Response:
        access = visitor_of(request).access
        answer = await run(self._office, self._analyst, access, question, zone_of(request))
        table = await asyncio.to_thread(table_of, answer, language_of(request))
        text = await asyncio.to_thread(lambda: json.dumps(content(answer, table)))
        return web.json_response(text=text)


def content(answer: Answer, table: Table) -> Object:
    """The answer as JSON; figures as texts, so that none loses a cent."""
    units = [one.unit for one in table.headings if one.unit is not None]
    most = max(1, min(MOST_ROWS, MOST_CELLS // len(table.headings)))
    return {
        "since": answer.period.since.isoformat(), "until": answer.period.until.isoformat(),
        "as_of_lsn": answer.mark.lsn, "lines": table.lines,
        "columns": [
            {"code": one.code, "title": one.title, "unit": one.unit and one.unit.value, "role": one.role,
             "group": one.group}
            for one in table.headings
        ],
        "rows": [
            {"names": list(row.names), "values": list(map(_plain, row.line)), "figures": _figures(row.figures, units)}
            for row in table.rows[:most]
        ],
        "total": _figures(table.total, units),
    }  # fmt: skip


def _figures(figures: Sequence[Fraction | None], units: Sequence[Unit]) -> list[str | None]:
    return [
        None if value is None else figure_text(value, unit)
        for value, unit in zip(figures, units, strict=False)
    ]


def _plain(value: object) -> str | int | None:
    if isinstance(value, bytes):
        return id_text(value)
    return value if value is None or isinstance(value, int) else str(value)


def _texts(request: web.Request) -> dict[str, list[str]]:
    return {name: request.query.getall(name) for name in request.query}


def described(operation: Mapping[str, Any]) -> Object:
    """Paths of the services for the OpenAPI document; ``operation``: the answers that every service may give."""

    def get(summary: str, name: str, parameters: Sequence[Object], answer: Object) -> Object:
        done = {"description": "Done.", "content": {"application/json": {"schema": answer}}}
        responses = {"200": done, **operation}
        return {
            "get": {
                "operationId": name,
                "summary": summary,
                "description": "Only where: f.<dimension>=<value>, repeated for several.",
                "parameters": list(parameters),
                "responses": responses,
            }
        }

    day = {"type": "string", "format": "date"}
    days = [
        _parameter("span", {"type": "string", "enum": [one.value for one in Span]}),
        _parameter("since", day), _parameter("until", day),
        _parameter("compare", {"type": "string", "enum": [one.value for one in Compare]}),
        _parameter("sort", {"type": "string", "enum": sorted((*MEASURES, *DIMENSIONS))}),
        _parameter("down", {"type": "string", "enum": ["0", "1"]}),
    ]  # fmt: skip
    looks = [
        _parameter("a", {"type": "string", "enum": sorted(DIMENSIONS)}),
        _parameter("top", {"type": "integer", "minimum": 0, "maximum": MOST_TOP}),
    ]
    measure = {
        "type": "array",
        "items": {"type": "string", "enum": sorted(MEASURES)},
        "minItems": 1,
    }
    row = {"type": "array", "items": {"type": "string", "enum": sorted(DIMENSIONS)}}
    figures = {"type": "object", "required": ["columns", "rows", "total", "since", "until"]}
    code = {
        "name": "code",
        "in": "path",
        "required": True,
        "schema": {
            "anyOf": [{"enum": sorted(STANDARD)}, {"type": "string", "pattern": "^[0-9a-f]{32}$"}]
        },
        "description": "A standard report's code, or the id of one that somebody keeps.",
    }
    return {
        ROOT: get("Reports, figures and what they can be asked by", "list_reports", [], {"type": "object"}),
        f"{ROOT}/ask": get(
            "Figures by dimensions", "ask_report",
            [{**_parameter("m", measure), "required": True}, _parameter("r", row), *looks, *days], figures,
        ),
        f"{ROOT}/{{code}}": get("A report", "get_report", [code, *days], figures),
    }  # fmt: skip


def _parameter(name: str, schema: Object) -> Object:
    return {"name": name, "in": "query", "schema": schema}
