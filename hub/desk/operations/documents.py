"""Documents decided on: orders approved, declined, cancelled; service requests assigned and closed."""

from fieldmesh.codec.columns import from_rows
from fieldmesh.data.states import SERVICE_REQUEST
from fieldmesh.service.translation import N_, _
from hub.desk.operation import Asked, Done, Input, Kind, Operation
from hub.desk.orders import decide

_REASON = Input("text", N_("Reason"), Kind.LONG)
_NOTE = Input("text", N_("Note"), Kind.LONG, required=False)
_CANCELLABLE = (
    "received", "checked", "on_approval", "approved", "routed", "sent", "acknowledged", "confirmed", "partly_confirmed",
)  # fmt: skip


async def _decide(asked: Asked, wanted: str) -> None:
    await decide(
        asked.hands, asked.access, asked.record, wanted, text=asked.text("text"), first=asked.first
    )


async def _approve(asked: Asked) -> Done:
    await _decide(asked, "approved")
    return Done(_("The order is approved."))


async def _decline(asked: Asked) -> Done:
    await _decide(asked, "declined")
    return Done(_("The order is declined; the rep sees why."))


async def _cancel(asked: Asked) -> Done:
    await _decide(asked, "cancelled")
    return Done(_("The order is cancelled."))


async def _assign(asked: Asked) -> Done:
    return await _service(asked, "assigned", {"centre_id": asked.link("centre")})


async def _reject(asked: Asked) -> Done:
    return await _service(asked, "rejected", {})


async def _verify(asked: Asked) -> Done:
    return await _service(asked, "verified", {})


async def _close(asked: Asked) -> Done:
    return await _service(asked, "closed", {})


async def _service(asked: Asked, wanted: str, columns: dict[str, bytes | None]) -> Done:
    """The request goes to the state.

    Raises:
        Rejected: `state_refused`.
    """
    record = asked.record
    SERVICE_REQUEST.check(str(record.values["state"]), wanted)
    about = {"number": record.values["number"], "state": wanted, "text": asked.text("text")}
    async with asked.acting("decided", about, [record.row_id]) as writer:
        await asked.need_same_state(writer.connection, wanted)
        names = ("id", "state", *columns)
        line = (record.row_id, wanted, *columns.values())
        await writer.update("service_request", from_rows("service_request", names, [line]))
    return Done(_("Saved."))


OPERATIONS = (
    Operation("approve", "orders", N_("Approve"), "order.approve", _approve, (_NOTE,), states=("on_approval",)),
    Operation("decline", "orders", N_("Decline"), "order.approve", _decline, (_REASON,), states=("on_approval",)),
    Operation(
        "cancel", "orders", N_("Cancel the order"), "order.approve", _cancel, (_REASON,),
        warning=N_("A cancelled order can't be taken up again."), states=_CANCELLABLE,
    ),
    Operation(
        "assign", "service-requests", N_("Assign"), "service.change", _assign,
        (Input("centre", N_("Service centre"), Kind.LINK, source="offices"),), states=("new",),
    ),
    Operation(
        "reject", "service-requests", N_("Reject"), "service.change", _reject, (_REASON,),
        states=("new", "assigned", "accepted"),
    ),
    Operation("verify", "service-requests", N_("Verify"), "service.change", _verify, (_NOTE,), states=("done",)),
    Operation("close", "service-requests", N_("Close"), "service.change", _close, (_NOTE,), states=("verified",)),
)  # fmt: skip
