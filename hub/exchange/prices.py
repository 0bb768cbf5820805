"""One price."""

from decimal import Decimal, InvalidOperation

from fieldmesh.basics.errors import Rejected
from fieldmesh.basics.identifiers import IdentifierMaker
from fieldmesh.basics.money import PRICE_SCALE, scaled
from hub.storage.changes import ChangeWriter
from hub.storage.org_changes import upsert_rows
from hub.storage.rows import one_row, rows_where

_MOST = Decimal(10) ** 10


def parse_price(text: str) -> int:
    """A price in storage form.

    Raises:
        Rejected: `usage`.
    """
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise Rejected("usage", text=f"{text} is not a price") from None
    if not value.is_finite() or value < 0 or value >= _MOST:
        raise Rejected("usage", text=f"{text} is not a price")
    return scaled(value, PRICE_SCALE)


async def set_price(
    writer: ChangeWriter,
    identifiers: IdentifierMaker,
    *,
    price_list: str,
    product: str,
    unit: str | None,
    amount: int,
    day: str,
) -> int:
    """The product costs that much from ``day``, in the unit named or in each priced unit.

    Returns:
        How many prices changed.

    Raises:
        Rejected: `not_found`.
    """
    connection = writer.connection
    listed = await one_row(connection, "price_list", ("id",), "code", price_list)
    if listed is None:
        raise Rejected("not_found", text=f"there is no price list {price_list}")
    named = await one_row(connection, "product", ("id",), "code", product)
    if named is None:
        raise Rejected("not_found", text=f"there is no product {product}")
    units = await rows_where(
        connection, "product_unit", ("id", "unit_code"), "product_id", [named[0]]
    )
    wanted = [row[0] for row in units if unit is None or row[1] == unit]
    if not wanted:
        raise Rejected("not_found", text=f"product {product} has no unit {unit or ''}".rstrip())
    names = ("id", "price_list_id", "product_unit_id", "valid_from")
    rows = await rows_where(connection, "price", names, "product_unit_id", wanted)
    held = {(row[2], row[3]): row[0] for row in rows if row[1] == listed[0]}
    priced = [one for one in wanted if unit is not None or any(pair[0] == one for pair in held)]
    lines = [
        (held.get((one, day)) or identifiers.new(), listed[0], one, day, amount)
        for one in priced or wanted[:1]
    ]
    return await upsert_rows(writer, "price", (*names, "amount"), lines)
