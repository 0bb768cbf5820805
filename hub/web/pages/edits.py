"""Forms for new records and changes. A form that was refused comes back filled in, the reason beside its field."""

from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import web

from fieldmesh.basics.errors import FieldmeshError, Rejected
from fieldmesh.basics.money import unscaled
from fieldmesh.basics.problems import problem_of
from fieldmesh.data.model import ReplicatedColumn
from fieldmesh.data.types import Value, WireType
from fieldmesh.service.translation import translate
from hub.desk import changes, lists
from hub.desk.asking import id_text, plain_number
from hub.desk.view import View
from hub.desk.views.registry import VIEWS, view_named, view_of_table
from hub.desk.words import column_title, table_title, word
from hub.fleet.office import Office
from hub.web.pages.labels import record_title, row_id_of
from hub.web.pages.picks import chosen, shown_of, sources_of
from hub.web.problems import told
from hub.web.shell import Shell, see_other
from hub.web.showing import NOTHING
from hub.web.visitor import Visitor, language_of, showing_for, visitor_of

_LONG_TEXT = 400
_KINDS = {WireType.DATE: "date", WireType.BOOLEAN: "checkbox", WireType.IDENTIFIER: "link"}


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a form, for the macro `field`."""

    name: str
    title: str
    kind: str
    value: str
    required: bool
    problem: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    source: str = ""
    shown: str = ""
    hint: str = ""


class EditPages:
    """New and changed records of every view."""

    def __init__(self, office: Office, shell: Shell) -> None:
        """Changes are made at ``office``."""
        self._office = office
        self._shell = shell

    def routes(self) -> list[web.AbstractRouteDef]:
        """Two forms for each view that has them."""
        found: list[web.AbstractRouteDef] = []
        for view in VIEWS.values():
            if view.creatable:
                found += [
                    web.get(f"/{view.name}/new", self.show_new),
                    web.post(f"/{view.name}/new", self.create),
                ]
            if view.editable:
                path = f"/{view.name}/{{id:[0-9a-f-]{{32,36}}}}/change"
                found += [web.get(path, self.show_change), web.post(path, self.change)]
        return found

    async def show_new(self, request: web.Request) -> web.Response:
        """An empty form; fields may be filled in by the address."""
        view, visitor = view_named(request.path.split("/")[1]), visitor_of(request)
        visitor.access.need(view.change)
        return await self._form(request, view, view.creatable, dict(request.query))

    async def create(self, request: web.Request) -> web.Response:
        """The record stands."""
        view, visitor = view_named(request.path.split("/")[1]), visitor_of(request)
        texts = await self._texts(request, view, view.creatable)
        try:
            done = await changes.create_record(self._office, visitor.access, view, texts)
        except Rejected as error:
            return await self._form(request, view, view.creatable, texts, error)
        return see_other(
            f"/{view.name}/{id_text(done.row_id)}", translate("Saved.", language_of(request))
        )

    async def show_change(self, request: web.Request) -> web.Response:
        """The form with what stands now."""
        view, visitor = view_named(request.path.split("/")[1]), visitor_of(request)
        visitor.access.need(view.change)
        found = await self._record(request, view, visitor)
        values = {
            name: as_text(view.schema.column(name), found.values[name]) for name in view.editable
        }
        texts = {**values, "lsn": str(found.lsn)}
        return await self._form(request, view, view.editable, texts, found=found)

    async def change(self, request: web.Request) -> web.Response:
        """The record is changed."""
        view, visitor = view_named(request.path.split("/")[1]), visitor_of(request)
        texts = await self._texts(request, view, view.editable)
        row_id = row_id_of(request.match_info["id"])
        try:
            await changes.change_record(
                self._office, visitor.access, view, row_id, texts,
                if_lsn=plain_number(texts.get("lsn", "")),
            )  # fmt: skip
        except Rejected as error:
            found = await self._record(request, view, visitor)
            return await self._form(request, view, view.editable, texts, error, found=found)
        return see_other(
            request.path.removesuffix("/change"), translate("Saved.", language_of(request))
        )

    async def _texts(
        self, request: web.Request, view: View, names: tuple[str, ...]
    ) -> dict[str, str]:
        sources, form = sources_of(view, names), await request.post()
        texts = await chosen(request, self._office.database, sources, form)
        return {name: values[-1] for name, values in texts.items()}

    async def _record(self, request: web.Request, view: View, visitor: Visitor) -> lists.Record:
        row_id = row_id_of(request.match_info["id"])
        return await lists.opened(self._office, visitor.access, view, row_id)

    async def _form(
        self,
        request: web.Request,
        view: View,
        names: tuple[str, ...],
        texts: Mapping[str, str],
        error: FieldmeshError | None = None,
        *,
        found: lists.Record | None = None,
    ) -> web.Response:
        language = language_of(request)
        problems = error.fields.get("problems", {}) if error is not None else {}
        reasons: Mapping[str, str] = problems if isinstance(problems, dict) else {}
        fields = [await self._field(request, view, name, texts, reasons) for name in names]
        if found is not None:
            title = record_title(found, showing_for(request))
        else:
            title = translate("New: {what}", language).format(
                what=translate(table_title(view.table), language)
            )
        return self._shell.page(
            request, "edit.html", title=title, area=view.area, fields=fields,
            status=200 if error is None else problem_of(error).http_status,
            problem=said(error, language) if error is not None else "",
            lsn=texts.get("lsn", ""), back=f"/{view.name}" if found is None else request.path.removesuffix("/change"),
            list_address=f"/{view.name}", list_title=translate(view.title, language),
        )  # fmt: skip

    async def _field(
        self,
        request: web.Request,
        view: View,
        name: str,
        texts: Mapping[str, str],
        problems: Mapping[str, str],
    ) -> Field:
        column, language = view.schema.column(name), language_of(request)
        title = translate(column_title(name), language)
        required = not column.nullable and column.default is None
        text, problem = texts.get(name, ""), problems.get(name, "")
        if column.kind.wire is WireType.IDENTIFIER:
            other = view_of_table(column.references or "")
            database = self._office.database
            shown = await shown_of(request, database, other, text) if other is not None else ""
            source = other.name if other is not None else ""
            return Field(name, title, "link", text, required, problem, source=source, shown=shown)
        choices = _choices(view, name, texts, language)
        long = column.kind.wire is WireType.TEXT and column.kind.precision > _LONG_TEXT
        kind = "select" if choices else "textarea" if long else _KINDS.get(column.kind.wire, "text")
        value = ("1" if text in {"1", "on"} else "") if kind == "checkbox" else text
        return Field(name, title, kind, value, required and kind != "checkbox", problem, choices)


def as_text(column: ReplicatedColumn, value: Value) -> str:
    """A value as its field of a form holds it."""
    if value is None:
        return ""
    if isinstance(value, bytes):
        return id_text(value)
    if column.kind.wire is WireType.DECIMAL and isinstance(value, int):
        return f"{unscaled(value, column.kind.scale).normalize():f}"
    return str(value)


def said(error: FieldmeshError, language: str) -> str:
    """A problem in one sentence or two."""
    problem = problem_of(error)
    return " ".join(told(text, error, language) for text in (problem.title, problem.remedy))


def _choices(
    view: View, name: str, texts: Mapping[str, str], language: str
) -> tuple[tuple[str, str], ...]:
    """What may be chosen of a coded column; what stands there now is among it, so that saving does not change it."""
    allowed = view.values_of(name)
    held = () if not allowed or texts.get(name) in {None, *allowed} else (texts[name],)
    return tuple((value, word(value, language) or NOTHING) for value in (*held, *allowed))
