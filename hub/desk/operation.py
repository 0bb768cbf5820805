"""An act of a person, said once: its form, its button, its web service and its right come from here."""

import re
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from enum import StrEnum

from fieldmesh.basics.errors import Rejected
from fieldmesh.basics.identifiers import from_text
from fieldmesh.basics.money import QUANTITY_PRECISION, QUANTITY_SCALE
from fieldmesh.service.translation import N_, _
from hub.desk import lists
from hub.desk.changes import First, acting
from hub.desk.hands import Hands
from hub.desk.views.registry import VIEWS
from hub.exchange.csv_values import BadValueError, date_value, decimal_value
from hub.rules.access import Access
from hub.storage.changes import ChangeWriter
from hub.storage.rows import Connection, one_row


class Kind(StrEnum):
    """What a field of a form holds."""

    TEXT = "text"
    LONG = "textarea"
    NUMBER = "number"
    DATE = "date"
    FLAG = "checkbox"
    CHOICE = "select"
    LINK = "link"


@dataclass(frozen=True, slots=True)
class Input:
    """A field of an act's form.

    Attributes:
        name: of the parameter.
        title: English msgid.
        kind: what it holds.
        required: whether it must be filled in.
        source: LINK: the view whose records may be chosen.
        choices: CHOICE: (value, English msgid).
        hint: English msgid below the field.
        most: TEXT: most characters.
        pattern: TEXT: what the whole of it must look like, which the hint says; empty = anything.
    """

    name: str
    title: str
    kind: Kind = Kind.TEXT
    required: bool = True
    source: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    hint: str = ""
    most: int = 400
    pattern: str = ""


@dataclass(frozen=True, slots=True)
class Done:
    """What came of an act.

    Attributes:
        text: for the person, in their language already.
        address: where they go on; empty = where they were.
        facts: name → value, for the page and the web service.
        secret: a one-time code, shown once, also as a QR picture.
    """

    text: str
    address: str = ""
    facts: Mapping[str, object] = field(default_factory=dict)
    secret: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """An act as it reaches its function.

    Attributes:
        hands: the hub.
        access: who acts.
        target: the record; None for acts of a list.
        texts: name → text, trimmed, days as YYYY-MM-DD; empty texts are left out.
        first: looked at before the act is done, in its transaction.
    """

    hands: Hands
    access: Access
    target: lists.Record | None
    texts: Mapping[str, str]
    first: First | None = None

    def acting(
        self, kind: str, about: Mapping[str, object], subjects: Collection[bytes] = ()
    ) -> AbstractAsyncContextManager[ChangeWriter]:
        """One transaction in the person's name. ``about`` and ``subjects`` may be filled meanwhile."""
        return acting(self.hands.office, self.access, kind, about, subjects, first=self.first)

    def text(self, name: str) -> str:
        """A text; empty when it was not given."""
        return self.texts.get(name, "")

    def flag(self, name: str) -> bool:
        """Whether a flag was set."""
        return self.texts.get(name, "") in {"1", "on", "true"}

    def link(self, name: str) -> bytes | None:
        """The id that a link names; None when it was not given."""
        return from_text(self.texts[name]) if name in self.texts else None

    @property
    def record(self) -> lists.Record:
        """The record that is acted on.

        Raises:
            Rejected: `not_found`, the act has none.
        """
        if self.target is None:
            raise Rejected("not_found", place="address", text=N_("there is no such record for you"))
        return self.target

    async def need_same_state(self, connection: Connection, wanted: str) -> None:
        """The record still is in the state in which it was offered: to be asked in the act's transaction.

        Raises:
            Rejected: `state_refused`, somebody was faster; `not_found`, it is gone.
        """
        record = self.record
        row = await one_row(connection, record.view.table, ("state",), "id", record.row_id)
        if row is None:
            raise Rejected("not_found", place="address", text=N_("there is no such record for you"))
        if row[0] != record.values["state"]:
            raise Rejected("state_refused", table=record.view.table, held=row[0], wanted=wanted)


Run = Callable[[Asked], Awaitable[Done]]


@dataclass(frozen=True, slots=True)
class Operation:
    """An act.

    Attributes:
        name: in addresses.
        view: name of the view to which it belongs.
        title: of its button and form, English msgid.
        function: who may do it.
        run: does it.
        inputs: fields of its form.
        of_record: whether it acts on one record; else it stands at the list.
        warning: what is lost by it, English msgid: asks for a second confirmation.
        states: of the record in which it makes sense; empty = all.
    """

    name: str
    view: str
    title: str
    function: str
    run: Run
    inputs: tuple[Input, ...] = ()
    of_record: bool = True
    warning: str = ""
    states: tuple[str, ...] = ()


async def perform(
    operation: Operation,
    hands: Hands,
    access: Access,
    row_id: bytes | None,
    texts: Mapping[str, str],
    *,
    first: First | None = None,
) -> Done:
    """The act is done, if the person may and the fields can be taken.

    Args:
        operation: the act.
        hands: the hub.
        access: who acts.
        row_id: of the record; None for acts of a list.
        texts: name → text.
        first: looked at before the act is done, in its transaction; of several, in each.

    Raises:
        Rejected: `function_missing`, `not_found`, `form_wrong`, `state_refused`, or what the act itself refuses.
    """
    access.need(operation.function)
    target = None
    if operation.of_record:
        target = await _target(operation, hands, access, row_id)
    given = {
        one.name: texts[one.name].strip()
        for one in operation.inputs
        if texts.get(one.name, "").strip()
    }
    problems = {
        one.name: problem
        for one in operation.inputs
        if (problem := await _problem(operation, one, given.get(one.name, ""), hands, access))
    }
    if problems:
        titles = {one.name: _(one.title) for one in operation.inputs}
        text = "; ".join(f"{titles[name]}: {why}" for name, why in problems.items())
        place = next(iter(problems))
        raise Rejected("form_wrong", place=place, count=len(problems), text=text, problems=problems)
    given |= {
        one.name: date_value(given[one.name])
        for one in operation.inputs
        if one.kind is Kind.DATE and one.name in given
    }
    return await operation.run(Asked(hands, access, target, given, first))


async def _target(
    operation: Operation, hands: Hands, access: Access, row_id: bytes | None
) -> lists.Record:
    view = VIEWS[operation.view]
    found = await lists.record(
        hands.office.database, access, view, row_id or b"", to=operation.function
    )
    state = found.values.get("state", found.values.get("status"))
    if operation.states and state not in operation.states:
        raise Rejected("state_refused", table=view.table, held=state, wanted=operation.name)
    return found


async def _problem(
    operation: Operation, one: Input, text: str, hands: Hands, access: Access
) -> str:
    """Why the field can't be taken; empty = it can."""
    if not text:
        return _("is needed") if one.required and one.kind is not Kind.FLAG else ""
    match one.kind:
        case Kind.LINK:
            return await _link_problem(operation, one, text, hands, access)
        case Kind.CHOICE:
            known = {value for value, _title in one.choices}
            return "" if text in known else _("choose one from the list")
        case Kind.TEXT | Kind.LONG:
            return _text_problem(one, text)
        case _:
            return _value_problem(one.kind, text)


def _text_problem(one: Input, text: str) -> str:
    if len(text) > one.most:
        return _("longer than {most} characters").format(most=one.most)
    return _(one.hint) if one.pattern and not re.fullmatch(one.pattern, text) else ""


def _value_problem(kind: Kind, text: str) -> str:
    try:
        if kind is Kind.DATE:
            date_value(text)
        if kind is Kind.NUMBER:
            decimal_value(text, QUANTITY_PRECISION, QUANTITY_SCALE)
    except BadValueError as wrong:
        return str(wrong)
    return ""


async def _link_problem(
    operation: Operation, one: Input, text: str, hands: Hands, access: Access
) -> str:
    """A link leads to a record that the person sees; to a position that they reach by the act's function."""
    to = operation.function if one.source == "positions" else ""
    database, view = hands.office.database, VIEWS[one.source]
    try:
        await lists.record(database, access, view, from_text(text), to=to)
    except (ValueError, Rejected):
        return _("choose one from the list")
    return ""
