"""The pages of every view: its list, its record, and the choices that fields offer."""

from collections.abc import Sequence
from dataclasses import dataclass

from aiohttp import web

from fieldmesh.basics.errors import Rejected
from fieldmesh.data.model import ReplicatedColumn
from fieldmesh.data.states import MACHINES
from fieldmesh.data.types import Value, WireType
from fieldmesh.service.translation import translate, translate_plural
from hub.desk import history, lists
from hub.desk.asking import Ask, id_text, is_searchable, read_ask, write_cursor
from hub.desk.lists import Listed, Record
from hub.desk.operations.registry import operations_of
from hub.desk.orders import ANSWERABLE
from hub.desk.view import Filter, View
from hub.desk.views.registry import VIEWS, view_named, view_of_table
from hub.desk.words import column_title, table_title, word
from hub.fleet.office import Office
from hub.web.pages.cells import address, address_of, columns, lines
from hub.web.pages.events import ShownEvent, ids_in, shown_event
from hub.web.pages.labels import label_text, record_title, row_id_of
from hub.web.pages.picks import chosen, is_id, shown_of, sources_of
from hub.web.shell import Shell
from hub.web.showing import Showing, state_tone
from hub.web.visitor import Visitor, language_of, showing_for, visitor_of, zone_of

HIDDEN = frozenset(
    {
        "partition",
        "lsn",
        "row_hash",
        "patch_id",
        "verifier",
        "wipe_order",
        "bus_key",
    }
)


@dataclass(frozen=True, slots=True)
class ShownFilter:
    """A filter as a field of the form."""

    name: str
    title: str
    kind: str
    value: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    since: str = ""
    until: str = ""
    source: str = ""
    shown: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Action:
    """A button of a page."""

    title: str
    href: str


@dataclass(frozen=True, slots=True)
class Fact:
    """A column of a record."""

    title: str
    text: str
    href: str = ""


class ListPages:
    """Lists and records."""

    def __init__(self, office: Office, shell: Shell) -> None:
        """Rows come from the office's database; pages stand in ``shell``."""
        self._office = office
        self._database = office.database
        self._shell = shell

    def routes(self) -> list[web.AbstractRouteDef]:
        """One list and one record for each view."""
        found: list[web.AbstractRouteDef] = [web.get("/choices/{view}", self.choices)]
        for name in VIEWS:
            found.append(web.get(f"/{name}", self.show_list))
            found.append(web.get(f"/{name}/{{id:[0-9a-f-]{{32,36}}}}", self.show_record))
        return found

    async def show_list(self, request: web.Request) -> web.Response:
        """A page of a list, narrowed by what the address asks."""
        view, ask = view_named(request.path.strip("/")), None
        visitor_of(request).access.need(view.function)
        sources = sources_of(view, (one.path for one in view.filters))
        texts = await chosen(request, self._database, sources, request.query)
        try:
            ask = read_ask(view, texts, zone_of(request))
        except Rejected as error:
            if error.place not in sources:
                raise
        return await self._list(request, view, texts, ask)

    async def _list(
        self,
        request: web.Request,
        view: View,
        texts: dict[str, list[str]],
        ask: Ask | None,
    ) -> web.Response:
        """The page; without rows when a filter names no record."""
        visitor, language, showing = visitor_of(request), language_of(request), showing_for(request)
        found = await lists.listed(self._office, visitor.access, view, ask) if ask else None
        kept = [(name, one) for name, values in texts.items() for one in values if name != "after"]
        following = write_cursor(found.after) if found and found.after else ""
        return self._shell.page(
            request, "list.html", status=200 if found else 400,
            title=translate(view.title, language), area=view.area,
            total_text=_total(found, language) if found else "",
            columns=columns(view, language), rows=lines(found, visitor.access, showing) if found else [],
            filters=[
                shown
                for one in view.filters
                for shown in await self._filters(request, view, one, texts)
            ],
            searchable=is_searchable(view), words=next(iter(texts.get("q", ())), ""),
            narrowed=ask is None or bool(ask.words or ask.conditions),
            actions=_buttons(view, visitor, language),
            first=address(request.path, kept) if "after" in request.query else "",
            next=address(request.path, [*kept, ("after", following)]) if following else "",
            hint=translate(view.hint, language),
            exports=[
                address(f"{request.path}/export", [*kept, ("format", kind)]) for kind in ("csv", "xlsx")
            ] if visitor.access.may("data.export") else [],
        )  # fmt: skip

    async def show_record(self, request: web.Request) -> web.Response:
        """One record, and the beginnings of the lists that belong to it."""
        name, _, text = request.path.strip("/").partition("/")
        view, visitor = view_named(name), visitor_of(request)
        found = await lists.opened(self._office, visitor.access, view, row_id_of(text))
        language, showing = language_of(request), showing_for(request)
        state = found.values.get("state", found.values.get("status"))
        return self._shell.page(
            request, "record.html",
            title=record_title(found, showing), sub=translate(_singular(view), language), area=view.area,
            list_address=f"/{view.name}", list_title=translate(view.title, language),
            state=_State(word(state, language), state_tone(view.table, state)) if isinstance(state, str) else None,
            facts=facts(found, visitor, showing),
            children=await self._children(visitor, found, showing),
            actions=_record_buttons(view, request.path, visitor, language, state),
            history=await self._history(visitor, found, showing),
        )  # fmt: skip

    async def choices(self, request: web.Request) -> web.Response:
        """Records that a field may name, for its picker."""
        view, visitor = view_named(request.match_info["view"]), visitor_of(request)
        words, showing = request.query.get("q", "")[:100], showing_for(request)
        found = await lists.choices(self._database, visitor.access, view, words)
        return web.json_response(
            [
                {"id": id_text(row_id), "label": label_text(view, label, showing)}
                for row_id, label in found
            ]
        )

    async def _children(
        self, visitor: Visitor, found: Record, showing: Showing
    ) -> list["ShownChild"]:
        parts = await lists.children(self._office, visitor.access, found)
        return [_child(part, child.column, found, visitor, showing) for child, part in parts]

    async def _history(self, visitor: Visitor, found: Record, showing: Showing) -> list[ShownEvent]:
        events = await history.history(self._database, visitor.access, found)
        names: dict[object, str] = {}
        for name, ids in ids_in(events, found.view).items():
            wanted = [row_id_of(text) for text in ids if is_id(text)]
            view = VIEWS[name]
            for row_id, label in await lists.labels(self._database, visitor.access, view, wanted):
                names[id_text(row_id)] = label_text(view, label, showing)
        return [shown_event(event, found.view, showing, names) for event in events]

    async def _filters(
        self,
        request: web.Request,
        view: View,
        one: Filter,
        texts: dict[str, list[str]],
    ) -> list[ShownFilter]:
        """The fields of a filter: one for days, one for each value of others, or an empty one."""
        language, column = language_of(request), view.column(one.path)
        title = translate(column_title(one.path), language)
        if column.kind.wire in {WireType.DATE, WireType.TIME}:
            since, until = (
                next(iter(texts.get(f"{one.path}.{end}", ())), "") for end in ("from", "until")
            )
            return [ShownFilter(one.path, title, "days", since=since, until=until)]
        values = list(dict.fromkeys(text for text in texts.get(one.path, ()) if text)) or [""]
        other = view_of_table(column.references or "")
        if other is not None:
            return [await self._link(request, one, title, other, value) for value in values]
        choices = filter_choices(view, column, one, language)
        kind = "select" if choices else "text"
        unknown = [value for value in values if choices and value not in dict(choices)]
        choices = (*choices, *((value, word(value, language)) for value in unknown))
        return [ShownFilter(one.path, title, kind, value, choices) for value in values]

    async def _link(
        self, request: web.Request, one: Filter, title: str, other: View, value: str
    ) -> ShownFilter:
        shown = await shown_of(request, self._database, other, value)
        problem = ""
        if value and not is_id(value):
            problem = translate("choose one from the list", language_of(request))
        return ShownFilter(
            one.path, title, "link", value, source=other.name, shown=shown, problem=problem
        )


@dataclass(frozen=True, slots=True)
class _State:
    text: str
    tone: str


@dataclass(frozen=True, slots=True)
class ShownChild:
    """A list that belongs to a record."""

    title: str
    address: str
    count: str
    columns: Sequence[object]
    rows: Sequence[object]
    more: bool
    hint: str


def _child(
    part: Listed, column: str, found: Record, visitor: Visitor, showing: Showing
) -> ShownChild:
    view, language = part.view, showing.language
    own = {one.path for one in view.filters}
    leads = [(column, id_text(found.row_id))] if column in own else []
    return ShownChild(
        translate(view.title, language),
        address(f"/{view.name}", leads),
        f"{part.total}+" if part.after is not None else str(part.total),
        columns(view, language),
        lines(part, visitor.access, showing),
        part.after is not None and bool(leads),
        translate(view.hint, language),
    )


def facts(found: Record, visitor: Visitor, showing: Showing) -> list[Fact]:
    """Every column of the record that is meant for people and is not empty."""
    view, shown = found.view, []
    for column in view.schema.wire_columns:
        value = found.values.get(column.name)
        if column.name in HIDDEN or column.name == "id" or value is None or value == "":
            continue
        title = translate(column_title(column.name), showing.language)
        if column.references:
            shown.append(_linked_fact(found, column, title, visitor, showing))
        elif column.kind.wire not in {WireType.BINARY, WireType.IDENTIFIER}:
            shown.append(Fact(title, showing.value(column, value)))
    return shown


def _linked_fact(
    found: Record, column: ReplicatedColumn, title: str, visitor: Visitor, showing: Showing
) -> Fact:
    other = view_of_table(column.references or "")
    text = ""
    if other is not None:
        label = [found.values.get(f"{column.name}.{path}") for path in other.label]
        text = label_text(other, label, showing)
    href = address_of(found.view, column.name, found.values[column.name], visitor.access)
    return Fact(
        title, text or translate("not in your area", showing.language), href if text else ""
    )


def filter_choices(
    view: View, column: ReplicatedColumn, one: Filter, language: str
) -> tuple[tuple[str, str], ...]:
    """What a filter offers: the values that it names, the states of the table, yes and no."""
    everything = ("", translate("all", language))
    if column.kind.wire is WireType.BOOLEAN:
        return (
            everything,
            ("1", translate("yes", language)),
            ("0", translate("no", language)),
        )
    values = one.values
    if not values and column.name == "state" and view.table in MACHINES:
        values = tuple(sorted(MACHINES[view.table].states))
    return (everything, *((value, word(value, language)) for value in values)) if values else ()


def _buttons(view: View, visitor: Visitor, language: str) -> list[Action]:
    """The buttons of a list: a new record, and its acts."""
    base = f"/{view.name}"
    found = [
        Action(translate(one.title, language), f"{base}/{one.name}")
        for one in operations_of(view.name, of_record=False)
        if visitor.access.may(one.function)
    ]
    if view.creatable and visitor.access.may(view.change):
        found.append(Action(translate("New", language), f"{base}/new"))
    return found


def _record_buttons(
    view: View, base: str, visitor: Visitor, language: str, state: Value
) -> list[Action]:
    """The buttons of a record: the acts that make sense in its state, and a change of it."""
    found = [
        Action(translate(one.title, language), f"{base}/{one.name}")
        for one in operations_of(view.name, of_record=True)
        if visitor.access.may(one.function) and (not one.states or state in one.states)
    ]
    if view.name == "orders" and state in ANSWERABLE and visitor.access.may("order.handle"):
        found.insert(0, Action(translate("Answer the order", language), f"{base}/answer"))
    if view.editable and visitor.access.may(view.change):
        found.append(Action(translate("Change", language), f"{base}/change"))
    return found


def _singular(view: View) -> str:
    return table_title(view.table)


def _total(found: Listed, language: str) -> str:
    if found.total > found.counted:
        text = translate("more than {count} rows", language)
        return text.format(count=f"{found.counted:,}".replace(",", " "))
    rows = translate_plural("{count} row", "{count} rows", found.total, language)
    return rows.format(count=found.total)
