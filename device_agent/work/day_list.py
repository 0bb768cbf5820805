"""A list of orders by codes, as a person or another program writes it down: one JSON object a line.

{"outlet": "S2502", "is_return": false, "lines": [{"product": "64676", "unit": "bottle", "quantity": 12}]}
"""

import json
from collections.abc import Iterable, Iterator
from decimal import Decimal, InvalidOperation

from device_agent.storage.database import Connection
from device_agent.work.documents import NewOrder
from device_agent.work.lines import OrderLine
from fieldmesh.basics.errors import Rejected


def read_orders(connection: Connection, lines: Iterable[str], *, name: str) -> Iterator[NewOrder]:
    """The orders of the list, with the outlets and products of this device.

    Args:
        connection: of this device's database.
        lines: JSON, one order each; empty ones are passed over.
        name: of the list, for messages.

    Raises:
        Rejected: `bad_order_list` for a line that is no order, `outlet_unknown`, `product_unknown`, with the place.
    """
    for number, line in enumerate(lines, 1):
        if line.strip():
            place = f"{name}:{number}"
            try:
                yield _order(connection, json.loads(line), place)
            except (
                ValueError,
                KeyError,
                TypeError,
                AttributeError,
                RecursionError,
                InvalidOperation,
            ) as error:
                raise Rejected("bad_order_list", place=place, text=str(error)) from None


def _order(connection: Connection, written: dict[str, object], place: str) -> NewOrder:
    outlet = _one(connection, "SELECT id FROM outlet WHERE code = ?", (written["outlet"],))
    if outlet is None:
        raise Rejected("outlet_unknown", place=f"{place}, outlet {written['outlet']}")
    lines = written["lines"]
    if not isinstance(lines, list):
        raise TypeError("lines")
    return NewOrder(
        outlet,
        [_line(connection, line, place) for line in lines],
        is_return=bool(written.get("is_return")),
    )


def _line(connection: Connection, written: dict[str, object], place: str) -> OrderLine:
    unit = _one(
        connection,
        "SELECT u.id FROM product_unit AS u JOIN product AS p ON p.id = u.product_id"
        " WHERE p.code = ? AND u.unit_code = ?",
        (written["product"], written["unit"]),
    )
    if unit is None:
        raise Rejected("product_unknown", place=f"{place}, product {written['product']}")
    return OrderLine(unit, Decimal(str(written["quantity"])))


def _one(connection: Connection, query: str, values: tuple[object, ...]) -> bytes | None:
    row = connection.execute(query, values).fetchone()
    return None if row is None else bytes(row[0])
