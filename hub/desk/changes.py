"""Records made and changed by people: one transaction with its journal entry, and everyone's scope true again.

What was before and what is after stands in the journal, and in the history of the record.
"""

from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Collection,
    Container,
    Iterable,
    Mapping,
)
from contextlib import asynccontextmanager
from dataclasses import dataclass

from fieldmesh.basics.errors import Rejected
from fieldmesh.basics.money import unscaled
from fieldmesh.codec.columns import from_rows
from fieldmesh.data.types import Value, WireType
from fieldmesh.service.translation import N_, _
from hub.desk.asking import id_text
from hub.desk.authority import need_to_give, need_to_link, need_to_manage
from hub.desk.forms import read_form
from hub.desk.lists import Record, record
from hub.desk.view import View
from hub.fleet.facts import shown_by
from hub.fleet.office import Office
from hub.fleet.people import refresh_sign_ins_of
from hub.fleet.subscriptions import Affected, refresh
from hub.rules.access import Access
from hub.storage.changes import ChangeWriter
from hub.storage.logins import kept_logins
from hub.storage.org_changes import head_office_write
from hub.storage.rows import Connection, one_row

_KEYS: Mapping[str, str] = {
    "position": "code", "territory": "code", "org_unit": "code", "app_user": "login", "outlet": "code",
    "legal_party": "code", "workplace": "code", "role": "code",
}  # fmt: skip
"""Columns by which people know a record: no two may have the same."""
_SHOWS: Mapping[str, str] = {
    "org_unit": "parent_id", "territory": "org_unit_id", "price_list": "is_default",
}  # fmt: skip
"""Table → the column by which a row of it brings warehouses or prices to positions."""


First = Callable[[Connection], Awaitable[None]]
"""Something that is looked at before a change, in its transaction; what it raises ends both."""


@asynccontextmanager
async def acting(
    office: Office,
    access: Access,
    kind: str,
    about: Mapping[str, object],
    subjects: Collection[bytes] = (),
    *,
    first: First | None = None,
) -> AsyncIterator[ChangeWriter]:
    """One transaction in the person's name, ``first`` first. ``about`` and ``subjects`` may be filled meanwhile."""
    async with head_office_write(
        office.database, office.clock, actor=access.login, kind=kind, about=about, subjects=subjects
    ) as writer:
        if first is not None:
            await first(writer.connection)
        yield writer


@dataclass(frozen=True, slots=True)
class Changed:
    """What a change has done: the record's id, and the LSN of its newest version."""

    row_id: bytes
    lsn: int


async def change_record(
    office: Office,
    access: Access,
    view: View,
    row_id: bytes,
    texts: Mapping[str, str],
    *,
    only: Iterable[str] | None = None,
    if_lsn: int | None = None,
) -> Changed:
    """The record has the values of the form, if nobody has changed it since it was opened.

    Args:
        office: the hub.
        access: who changes it.
        view: what it is.
        row_id: which one.
        texts: column → text.
        only: columns that were sent; None = all that the form offers.
        if_lsn: version that the person saw; None = whatever it is now.

    Raises:
        Rejected: `function_missing`, `not_found`, `form_wrong`, `record_changed_since`.
    """
    _need_change(access, view)
    before = await record(office.database, access, view, row_id, to=view.change)
    names = [name for name in view.editable if only is None or name in set(only)]
    about: dict[str, object] = {"view": view.name, "id": id_text(row_id)}
    async with acting(office, access, "record_changed", about, [row_id]) as writer:
        row = await one_row(writer.connection, view.table, ("lsn", *names), "id", row_id)
        held = dict(zip(names, row[1:], strict=True)) if row is not None else {}
        read = await read_form(
            writer.connection, access, view, names, texts, to=view.change, held=held
        )
        read.check()
        if row is None or (if_lsn is not None and row[0] != if_lsn):
            raise Rejected("record_changed_since", place=view.name)
        differ = {name: new for name, new in read.values.items() if new != held[name]}
        if differ:
            await _need_authority(writer.connection, access, view, differ, row_id)
        about["before"] = {name: plain(view, name, before.values[name]) for name in differ}
        about["after"] = {name: plain(view, name, read.values[name]) for name in differ}
        line = (row_id, *differ.values())
        if differ:
            await writer.update(view.table, from_rows(view.table, ("id", *differ), [line]))
            await _need_shape(writer.connection, access, view, row_id)
            await _settle(office, writer, view, row_id, before=before, differ=differ)
        return Changed(row_id, writer.lsn if differ else before.lsn)


Then = Callable[[Connection, "Changed"], Awaitable[None]]
"""Something that must be true together with a change: done in its transaction."""


async def create_record(
    office: Office,
    access: Access,
    view: View,
    texts: Mapping[str, str],
    *,
    first: First | None = None,
    then: Then | None = None,
) -> Changed:
    """A new record stands, and ``first`` and ``then`` were done before and after it in the same transaction.

    Raises:
        Rejected: `function_missing`, `form_wrong`, `code_taken`.
    """
    _need_change(access, view)
    if not view.creatable:
        raise Rejected("not_found", place=view.name, text=N_("such records are not made by hand"))
    row_id = office.maker.identifiers.new()
    about: dict[str, object] = {"view": view.name, "id": id_text(row_id)}
    async with acting(office, access, "record_made", about, [row_id], first=first) as writer:
        read = await read_form(
            writer.connection, access, view, view.creatable, texts, to=view.change
        )
        read.check()
        await _refuse_taken(writer, view, read.values)
        await _need_authority(writer.connection, access, view, read.values)
        about["after"] = {name: plain(view, name, value) for name, value in read.values.items()}
        names = tuple(read.values)
        line = (row_id, *read.values.values())
        await writer.insert(view.table, from_rows(view.table, ("id", *names), [line]))
        await _need_shape(writer.connection, access, view, row_id)
        await _settle(office, writer, view, row_id, before=None, differ=read.values)
        done = Changed(row_id, writer.lsn)
        if then is not None:
            await then(writer.connection, done)
        return done


def plain(view: View, name: str, value: Value) -> object:
    """A value as it stands in the journal: decimals with their point, ids as text."""
    column = view.schema.column(name)
    if isinstance(value, bytes):
        return id_text(value)
    if column.kind.wire is WireType.DECIMAL and isinstance(value, int):
        return str(unscaled(value, column.kind.scale))
    return value


def _need_change(access: Access, view: View) -> None:
    access.need(view.function)
    if not view.change:
        raise Rejected(
            "not_found", place=view.name, text=N_("such records are not changed by hand")
        )
    access.need(view.change)


async def _need_authority(
    connection: Connection,
    access: Access,
    view: View,
    values: Mapping[str, Value],
    row_id: bytes | None = None,
) -> None:
    """What shapes rights is changed only by those who have them; a position stands below one of the person's.

    Raises:
        Rejected: `more_than_own`, `form_wrong`.
    """
    if view.table == "app_user" and row_id is not None:
        await need_to_manage(connection, access, row_id, view.change)
    await need_to_link(connection, access, view.table, values, view.change, row_id=row_id)
    if view.table != "position":
        return
    if row_id is not None:
        await need_to_give(connection, access, row_id, view.change)
    at_the_top = "parent_position_id" in values and values["parent_position_id"] is None
    own = row_id in {post.position_id for post in access.posts}
    if at_the_top and not own and not access.scope_for(view.change).is_everything:
        problems = {"parent_position_id": _("is needed")}
        raise Rejected(
            "form_wrong", place=view.name, count=1, text=_("is needed"), problems=problems
        )


async def _need_shape(connection: Connection, access: Access, view: View, row_id: bytes) -> None:
    """A position that was made or changed is none that the person could not give.

    Raises:
        Rejected: `more_than_own`.
    """
    if view.table == "position":
        await need_to_give(connection, access, row_id, view.change)


async def _refuse_taken(writer: ChangeWriter, view: View, values: Mapping[str, Value]) -> None:
    key = _KEYS.get(view.table)
    if key is None or key not in values:
        return
    if view.table == "app_user":
        is_taken = values[key] in await kept_logins(writer.connection)
    else:
        row = await one_row(writer.connection, view.table, ("id",), key, values[key])
        is_taken = row is not None
    if is_taken:
        raise Rejected("code_taken", place=view.table, code=values[key])


async def _settle(
    office: Office,
    writer: ChangeWriter,
    view: View,
    row_id: bytes,
    *,
    before: Record | None,
    differ: Container[str],
) -> None:
    """What follows from a change of the columns: scopes and sign-in are true again."""
    if view.table == "app_user":
        await refresh_sign_ins_of(writer, office.maker, row_id)
        return
    affected = await _affected(writer.connection, view, row_id, before, differ)
    if affected is not None:
        await refresh(writer, affected, clock=office.clock, identifiers=office.maker.identifiers)


async def _affected(
    connection: Connection,
    view: View,
    row_id: bytes,
    before: Record | None,
    differ: Container[str],
) -> Affected | None:
    """Whose scope follows from the columns."""
    mine = frozenset({row_id})
    match view.table:
        case "outlet":
            return Affected(outlets=mine)
        case "legal_party":
            return Affected(parties=mine)
        case "contract":
            row = await one_row(connection, "contract", ("legal_party_id",), "id", row_id)
            return Affected(parties=frozenset(one for one in (row or ()) if isinstance(one, bytes)))
        case "position":
            above = before.values["parent_position_id"] if before is not None else None
            return Affected(positions=mine | ({above} if isinstance(above, bytes) else set()))
        case table if _SHOWS.get(table, "") in differ and before is not None:
            return Affected(positions=await shown_by(connection, table, row_id))
        case _:
            return None
