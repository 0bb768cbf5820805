"""Orders that only a person can let go on: what old data of the device may have broken."""

from collections.abc import Callable, Mapping, Sequence

from fieldmesh.codec.columns import from_rows
from fieldmesh.data.types import Value
from hub.storage.changes import ChangeWriter
from hub.storage.rows import rows_where

ON_APPROVAL = "on_approval"
SOURCE = "hub"
_MOST_TEXT = 400
_OPEN = frozenset({"draft", "saved", "received", "checked"})
"""States in which nobody has gone on with the order yet."""


async def send_to_approval(
    writer: ChangeWriter,
    doubts: Mapping[bytes, Sequence[str]],
    new_identifier: Callable[[], bytes],
) -> int:
    """Orders wait for a person, with the reasons in their history; those that somebody went on with do not.

    Args:
        writer: of the transaction that applies the orders, after their rows were written.
        doubts: order → reasons, in words.
        new_identifier: makes ids of history rows.

    Returns:
        How many orders wait.
    """
    held = await rows_where(writer.connection, "sales_order", ("id", "state"), "id", list(doubts))
    orders = [row[0] for row in held if row[1] in _OPEN and isinstance(row[0], bytes)]
    if not orders:
        return 0
    states: list[tuple[Value, ...]] = [(order, ON_APPROVAL) for order in orders]
    await writer.update("sales_order", from_rows("sales_order", ("id", "state"), states))
    names = ("id", "order_id", "at", "state", "source", "text")
    lines: list[tuple[Value, ...]] = [
        (
            new_identifier(),
            order,
            writer.now,
            ON_APPROVAL,
            SOURCE,
            "; ".join(dict.fromkeys(doubts[order]))[:_MOST_TEXT],
        )
        for order in orders
    ]
    await writer.insert("order_status", from_rows("order_status", names, lines))
    return len(orders)
