"""Who fills which position: assignments and substitutes, from a day until a day."""

from fieldmesh.basics.errors import Rejected
from fieldmesh.service.translation import N_, _
from hub.desk.authority import need_to_give
from hub.desk.operation import Asked, Done, Input, Kind, Operation
from hub.fleet.posts import MAIN, SUBSTITUTE, Filling, end_filling, fill
from hub.fleet.subscriptions import today

_FUNCTIONS = {MAIN: "people.assign", SUBSTITUTE: "people.substitute"}


async def _assign(asked: Asked) -> Done:
    return await _fill(asked, MAIN)


async def _substitute(asked: Asked) -> Done:
    if not asked.text("until"):
        raise Rejected(
            "form_wrong",
            place="until",
            count=1,
            text=_("is needed"),
            problems={"until": _("is needed")},
        )
    return await _fill(asked, SUBSTITUTE)


async def _fill(asked: Asked, kind: str) -> Done:
    office, position = asked.hands.office, asked.record.row_id
    since, until = asked.text("since") or today(office.clock), asked.text("until") or None
    if until is not None and until < since:
        problem = {"until": _("ends before it begins")}
        raise Rejected(
            "form_wrong", place="until", count=1, text=problem["until"], problems=problem
        )
    about = {"position": asked.record.values["code"], "kind": kind, **asked.texts}
    user = asked.link("person") or b""
    function = _FUNCTIONS[kind]
    async with asked.acting("position_filled", about, [position, user]) as writer:
        await need_to_give(writer.connection, asked.access, position, function)
        await fill(writer, office.maker, Filling(position, user, since, until, kind))
    return Done(_("The position is filled from {since}.").format(since=since))


async def _end(asked: Asked) -> Done:
    office, record = asked.hands.office, asked.record
    until = asked.text("until") or today(office.clock)
    position = record.values["position_id"]
    about = {"until": until}
    subjects = [
        one for one in (record.row_id, position, record.values["user_id"]) if isinstance(one, bytes)
    ]
    async with asked.acting("assignment_ended", about, subjects) as writer:
        if isinstance(position, bytes):
            await need_to_give(writer.connection, asked.access, position, "people.assign")
        await end_filling(writer, office.maker, record.row_id, until)
    return Done(_("The assignment ends on {until}.").format(until=until))


_PERSON = Input("person", N_("Person"), Kind.LINK, source="people")
_SINCE = Input("since", N_("From"), Kind.DATE, required=False, hint=N_("Empty: from today."))
_UNTIL = Input("until", N_("Until"), Kind.DATE, required=False, hint=N_("That day included."))
OPERATIONS = (
    Operation("assign", "positions", N_("Give it to a person"), "people.assign", _assign, (_PERSON, _SINCE, _UNTIL)),
    Operation(
        "substitute", "positions", N_("Let somebody stand in"), "people.substitute", _substitute,
        (_PERSON, _SINCE, _UNTIL),
    ),
    Operation("end", "assignments", N_("End it"), "people.assign", _end, (_UNTIL,)),
)  # fmt: skip
