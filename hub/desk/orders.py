"""Orders decided on by people: approved, declined, cancelled; answered line by line by the distributor.

The states stand in `fieldmesh.data.states.ORDER`; every step is checked there and noted in the order's history.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fieldmesh.basics.errors import Rejected
from fieldmesh.basics.money import QUANTITY_PRECISION, QUANTITY_SCALE, unscaled
from fieldmesh.codec.columns import from_rows
from fieldmesh.data.states import ORDER
from fieldmesh.data.types import Value
from fieldmesh.service.translation import N_, _
from hub.desk.changes import First, acting
from hub.desk.hands import Hands
from hub.desk.lists import Record, record
from hub.desk.views.registry import VIEWS
from hub.exchange.csv_values import BadValueError, decimal_value
from hub.rules.access import Access
from hub.storage.changes import ChangeWriter
from hub.storage.rows import rows_where

_WAY_TO_ANSWER = {"routed": ("sent", "acknowledged"), "sent": ("acknowledged",), "acknowledged": ()}
"""States from which a distributor may answer, and the steps that are made up for until then."""
ANSWERABLE = tuple(_WAY_TO_ANSWER)


@dataclass(frozen=True, slots=True)
class Line:
    """A line as the distributor sees it. Quantities scaled by 10^3."""

    line_id: bytes
    number: int
    product: str
    unit: str
    quantity: int
    accepted: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What is accepted of a line, scaled by 10^3, and why not all of it."""

    accepted: int
    reason: str = ""


async def decide(
    hands: Hands,
    access: Access,
    order: Record,
    wanted: str,
    *,
    text: str,
    first: First | None = None,
) -> None:
    """The order is approved, declined or cancelled, with the reason in its history.

    Raises:
        Rejected: `function_missing`, `state_refused`, or `limit_exceeded` when the amount is above the person's limit.
    """
    access.need("order.approve")
    most = access.limit("order.approve", "most_amount")
    amount = order.values["amount"]
    if most is not None and isinstance(amount, int) and amount > most * 100:
        raise Rejected("limit_exceeded", place="amount", most=most)
    about = {"order": order.values["number"], "state": wanted, "text": text}
    subjects = [order.row_id]
    async with acting(hands.office, access, "decided", about, subjects, first=first) as writer:
        await step(writer, hands, order.row_id, [wanted], text)


async def step(
    writer: ChangeWriter, hands: Hands, order_id: bytes, wanted: Sequence[str], text: str
) -> None:
    """The order goes through the states, the last of which stands; each step is in its history.

    Raises:
        Rejected: `state_refused`, `not_found`.
    """
    rows = await rows_where(writer.connection, "sales_order", ("state",), "id", [order_id])
    if not rows:
        raise Rejected("not_found", place="order", text=N_("there is no such record for you"))
    held = str(rows[0][0])
    lines: list[tuple[Value, ...]] = []
    for state in wanted:
        ORDER.check(held, state)
        held = state
        lines.append(
            (hands.office.maker.identifiers.new(), order_id, writer.now, state, "hub", text)
        )
    await writer.update(
        "sales_order", from_rows("sales_order", ("id", "state"), [(order_id, held)])
    )
    names = ("id", "order_id", "at", "state", "source", "text")
    await writer.insert("order_status", from_rows("order_status", names, lines))


async def lines(hands: Hands, access: Access, order_id: bytes) -> list[Line]:
    """The lines of an order that the person sees.

    Raises:
        Rejected: `function_missing`, `not_found`.
    """
    await record(hands.office.database, access, VIEWS["orders"], order_id)
    names = (
        "id",
        "line_number",
        "product_unit_id",
        "quantity",
        "accepted_quantity",
        "reject_reason",
    )
    async with hands.office.database.read() as connection:
        rows = await rows_where(connection, "order_line", names, "order_id", [order_id])
        units = {row[0]: row for row in await rows_where(
            connection, "product_unit", ("id", "product_id", "unit_code"), "id", {row[2] for row in rows}
        )}  # fmt: skip
        products = {row[0]: row[1] for row in await rows_where(
            connection, "product", ("id", "name"), "id", {row[1] for row in units.values()}
        )}  # fmt: skip
    found = []
    for row_id, number, unit, quantity, accepted, reason in rows:
        held = units.get(unit)
        product = str(products.get(held[1], "")) if held is not None else ""
        found.append(Line(
            row_id if isinstance(row_id, bytes) else b"", number if isinstance(number, int) else 0, product,
            str(held[2]) if held is not None else "", quantity if isinstance(quantity, int) else 0,
            accepted if isinstance(accepted, int) else None, str(reason or ""),
        ))  # fmt: skip
    return sorted(found, key=lambda one: one.number)


async def answer(
    hands: Hands, access: Access, order_id: bytes, answers: Mapping[bytes, Answer]
) -> str:
    """The distributor's answer stands on each line; returns whether that confirms the order, a part of it, or nothing.

    Raises:
        Rejected: `function_missing`, `not_found`, `state_refused`; `form_wrong`, a line is not answered, or more is
            accepted than was ordered.
    """
    access.need("order.handle")
    database = hands.office.database
    order = await record(database, access, VIEWS["orders"], order_id, to="order.handle")
    held = str(order.values["state"])
    if held not in _WAY_TO_ANSWER:
        raise Rejected("state_refused", table="sales_order", held=held, wanted="confirmed")
    known = await lines(hands, access, order_id)
    _check(known, answers)
    whole = all(answers[one.line_id].accepted == one.quantity for one in known)
    nothing = not any(answers[one.line_id].accepted for one in known)
    outcome = "confirmed" if whole else "rejected" if nothing else "partly_confirmed"
    about = {"order": order.values["number"], "state": outcome}
    async with acting(hands.office, access, "decided", about, [order_id]) as writer:
        names = ("id", "accepted_quantity", "reject_reason")
        rows: list[tuple[Value, ...]] = [
            (one.line_id, answers[one.line_id].accepted, answers[one.line_id].reason or None)
            for one in known
        ]
        await writer.update("order_line", from_rows("order_line", names, rows))
        await step(writer, hands, order_id, [*_WAY_TO_ANSWER[held], outcome], access.person)
    return outcome


def read_quantity(text: str) -> int | None:
    """A quantity as typed, scaled by 10^3; None = it is none."""
    try:
        return decimal_value(text.strip(), QUANTITY_PRECISION, QUANTITY_SCALE)
    except BadValueError:
        return None


def shown_quantity(value: int) -> str:
    """A quantity as a field holds it."""
    return f"{unscaled(value, QUANTITY_SCALE).normalize():f}"


def _check(known: Sequence[Line], answers: Mapping[bytes, Answer]) -> None:
    problems = {}
    for one in known:
        given = answers.get(one.line_id)
        if given is None or not 0 <= given.accepted <= one.quantity:
            problems[f"accepted.{one.line_id.hex()}"] = _("0 to {most}").format(
                most=shown_quantity(one.quantity)
            )
        elif given.accepted < one.quantity and not given.reason:
            problems[f"reason.{one.line_id.hex()}"] = _("a reason is needed")
    if problems:
        place = next(iter(problems))
        text = "; ".join(dict.fromkeys(problems.values()))
        raise Rejected("form_wrong", place=place, count=len(problems), text=text, problems=problems)
