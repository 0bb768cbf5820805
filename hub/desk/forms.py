"""Texts of a form, or fields of a web service, become values of a row; what can't is named with its reason."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fieldmesh.basics.errors import Rejected
from fieldmesh.basics.identifiers import from_text
from fieldmesh.basics.logins import folded
from fieldmesh.data.model import ReplicatedColumn
from fieldmesh.data.types import Value, WireType
from fieldmesh.service.translation import _
from hub.desk.view import View
from hub.desk.views.registry import view_of_table
from hub.desk.words import column_title
from hub.exchange.csv_values import BadValueError, parse_value
from hub.rules.access import Access
from hub.storage import lists
from hub.storage.lists import Condition, Test, Wanted
from hub.storage.rows import Connection


@dataclass(frozen=True, slots=True)
class Read:
    """A form that was read.

    Attributes:
        values: column → value in storage form.
        problems: column → why its text can't be taken.
    """

    values: Mapping[str, Value]
    problems: Mapping[str, str]

    def check(self) -> None:
        """Every field can be taken.

        Raises:
            Rejected: `form_wrong`; its field ``problems`` holds the reasons.
        """
        if self.problems:
            text = "; ".join(
                f"{_(column_title(name))}: {why}" for name, why in self.problems.items()
            )
            raise Rejected(
                "form_wrong", place=next(iter(self.problems)), count=len(self.problems), text=text,
                problems=dict(self.problems),
            )  # fmt: skip


async def read_form(
    connection: Connection,
    access: Access,
    view: View,
    names: Iterable[str],
    texts: Mapping[str, str],
    *,
    to: str,
    held: Mapping[str, Value] | None = None,
) -> Read:
    """The values of the named columns.

    New links must lead to records that the person may see, and use the function on.

    Args:
        connection: to look links up.
        access: who sends the form.
        view: what it is about.
        names: columns that are taken; others are left alone.
        texts: column → text; a missing flag means no.
        to: function by which the record is changed.
        held: column → what stands there now; a link that stays as it is may lead anywhere, a coded value be any.
    """
    values: dict[str, Value] = {}
    problems: dict[str, str] = {}
    for name in names:
        column, text = view.schema.column(name), texts.get(name, "").strip()
        try:
            values[name] = _value(column, text)
            if values[name] != (held or {}).get(name):
                _allowed(view, name, values[name])
            link = column.kind.wire is WireType.IDENTIFIER and values[name] is not None
            if link and values[name] != (held or {}).get(name):
                await _known(connection, access, column, values[name], to=to)
        except BadValueError as error:
            problems[name] = str(error)
    return Read(values, problems)


def _value(column: ReplicatedColumn, text: str) -> Value:
    if column.kind.wire is WireType.BOOLEAN:
        return int(text.lower() in {"1", "on", "true", "yes"})
    if not text:
        if column.nullable:
            return None
        if column.default is None or column.kind.wire is WireType.IDENTIFIER:
            raise BadValueError(_("is needed"))
        return column.default
    if column.kind.wire is WireType.IDENTIFIER:
        try:
            return from_text(text)
        except ValueError:
            raise BadValueError(_("choose one from the list")) from None
    found = parse_value(column, text)
    return folded(found) if column.name == "login" and isinstance(found, str) else found


def _allowed(view: View, name: str, value: Value) -> None:
    """A coded column holds one of its words."""
    allowed = view.values_of(name)
    if allowed and value is not None and value not in allowed:
        raise BadValueError(_("choose one from the list"))


async def _known(
    connection: Connection, access: Access, column: ReplicatedColumn, value: Value, *, to: str
) -> None:
    """The link leads to a record that the person sees, and reaches by the function."""
    target = view_of_table(column.references or "")
    if target is None or not access.may(target.function):
        raise BadValueError(_("choose one from the list"))
    wanted = Wanted(target.table, (), (Condition("id", Test.IS, (value,)),), most=1)
    for function in (target.function, to):
        if not (await lists.page(connection, access.scope_for(function), wanted)).rows:
            raise BadValueError(_("choose one from the list"))
