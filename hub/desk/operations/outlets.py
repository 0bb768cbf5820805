"""Changes proposed from the field: moderated before they become master data."""

import json
from collections.abc import Mapping, Sequence

from fieldmesh.basics.errors import Rejected
from fieldmesh.codec.columns import from_rows
from fieldmesh.data.types import Value
from fieldmesh.service.translation import N_, _
from hub.desk.changes import plain
from hub.desk.forms import read_form
from hub.desk.operation import Asked, Done, Input, Kind, Operation
from hub.desk.views.registry import VIEWS
from hub.fleet.outlets import move_outlets
from hub.fleet.subscriptions import Affected, refresh
from hub.storage import lists
from hub.storage.changes import ChangeWriter
from hub.storage.lists import Condition, Test, Wanted
from hub.storage.rows import one_row

_OPEN = ("new", "duplicate_check")
_NOTE = Input("text", N_("Note to the author"), Kind.LONG, required=False)


def proposed(asked: Asked) -> Mapping[str, str]:
    """What the author proposes: column → text.

    Raises:
        Rejected: `bad_message`, the proposal can't be read.
    """
    try:
        content = json.loads(str(asked.record.values["payload"]))
    except ValueError:
        raise Rejected("bad_message", place="payload") from None
    if not isinstance(content, dict):
        raise Rejected("bad_message", place="payload")
    return {str(name): "" if value is None else str(value) for name, value in content.items()}


async def _approve(asked: Asked) -> Done:
    """The proposal becomes master data: a change of its outlet, or a new one that its author serves."""
    office, record, texts = asked.hands.office, asked.record, proposed(asked)
    outlet, view = record.values["outlet_id"], VIEWS["outlets"]
    subjects = [record.row_id]
    about: dict[str, object] = {"proposal": record.row_id.hex(), "after": dict(texts)}
    async with asked.acting("decided", about, subjects) as writer:
        await asked.need_same_state(writer.connection, "approved")
        names = [name for name in view.editable if name in texts]
        held: Mapping[str, Value] = {}
        if isinstance(outlet, bytes):
            held = await _reached(writer, asked, outlet, names)
        read = await read_form(
            writer.connection, asked.access, view, names, texts, to="outlet.moderate", held=held
        )
        read.check()
        if isinstance(outlet, bytes):
            differ = {name: new for name, new in read.values.items() if new != held[name]}
            about["before"] = {name: plain(view, name, held[name]) for name in differ}
            about["after"] = {name: plain(view, name, new) for name, new in differ.items()}
            line: tuple[Value, ...] = (outlet, *differ.values())
            if differ:
                await writer.update("outlet", from_rows("outlet", ("id", *differ), [line]))
            affected = Affected(outlets=frozenset({outlet}))
            await refresh(
                writer, affected, clock=office.clock, identifiers=office.maker.identifiers
            )
            subjects.append(outlet)
        else:
            subjects.append(await _new_outlet(writer, asked, read.values))
        await _decide(writer, asked, "approved")
    return Done(_("The proposal is approved; its author hears of it."))


async def _reached(
    writer: ChangeWriter, asked: Asked, outlet: bytes, names: Sequence[str]
) -> Mapping[str, Value]:
    """What the named columns of the outlet hold; the device that proposed named it as it liked.

    Raises:
        Rejected: `not_found`, the moderator does not reach it.
    """
    wanted = Wanted("outlet", tuple(names), (Condition("id", Test.IS, (outlet,)),), most=1)
    scope = asked.access.scope_for("outlet.moderate")
    rows = (await lists.page(writer.connection, scope, wanted)).rows
    if not rows:
        raise Rejected("not_found", place="outlets", text=N_("there is no such record for you"))
    return dict(zip(names, rows[0][1:], strict=True))


async def _new_outlet(writer: ChangeWriter, asked: Asked, values: Mapping[str, Value]) -> bytes:
    """The new outlet stands, served by the position that proposed it."""
    maker, code = asked.hands.office.maker, asked.text("code")
    if not code:
        problem = {"code": _("is needed")}
        raise Rejected("form_wrong", place="code", count=1, text=problem["code"], problems=problem)
    if await one_row(writer.connection, "outlet", ("id",), "code", code) is not None:
        raise Rejected("code_taken", place="outlet", code=code)
    row_id = maker.identifiers.new()
    names = ("id", "code", *values)
    await writer.insert("outlet", from_rows("outlet", names, [(row_id, code, *values.values())]))
    author = await one_row(
        writer.connection, "position", ("code",), "id", asked.record.values["position_id"]
    )
    if author is not None:
        await move_outlets(writer, maker, outlets=[code], position=str(author[0]))
    return row_id


async def _merge(asked: Asked) -> Done:
    """The proposed outlet is one that exists already."""
    target = asked.link("outlet")
    about = {"proposal": asked.record.row_id.hex(), "outlet": asked.text("outlet")}
    async with asked.acting("decided", about, [asked.record.row_id, target or b""]) as writer:
        await asked.need_same_state(writer.connection, "merged")
        await _decide(writer, asked, "merged", target)
    return Done(_("The proposal is merged with the outlet."))


async def _reject(asked: Asked) -> Done:
    about = {"proposal": asked.record.row_id.hex(), "text": asked.text("text")}
    async with asked.acting("decided", about, [asked.record.row_id]) as writer:
        await asked.need_same_state(writer.connection, "rejected")
        await _decide(writer, asked, "rejected")
    return Done(_("The proposal is rejected; its author sees why."))


async def _decide(
    writer: ChangeWriter, asked: Asked, state: str, outlet: bytes | None = None
) -> None:
    table, record = "outlet_change_request", asked.record
    names: tuple[str, ...] = ("id", "state", "decided_at", "decision_text")
    line: tuple[Value, ...] = (record.row_id, state, writer.now, asked.text("text") or None)
    if outlet is not None:
        names, line = (*names, "outlet_id"), (*line, outlet)
    await writer.update(table, from_rows(table, names, [line]))


OPERATIONS = (
    Operation(
        "approve", "outlet-proposals", N_("Approve"), "outlet.moderate", _approve,
        (
            Input("code", N_("Code of the new outlet"), required=False, most=40, hint=N_("Only for a new outlet.")),
            _NOTE,
        ),
        states=_OPEN,
    ),
    Operation(
        "merge", "outlet-proposals", N_("It exists already"), "outlet.moderate", _merge,
        (Input("outlet", N_("Outlet"), Kind.LINK, source="outlets"), _NOTE), states=_OPEN,
    ),
    Operation(
        "reject", "outlet-proposals", N_("Reject"), "outlet.moderate", _reject,
        (Input("text", N_("Reason"), Kind.LONG),), states=_OPEN,
    ),
)  # fmt: skip
