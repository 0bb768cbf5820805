"""What the business rules look at, read in bulk for many batches at once."""

from collections.abc import Iterable

import sqlalchemy as sa

from fieldmesh.data.types import Value, as_bytes
from hub.storage.org_tables import replicated_table
from hub.storage.rows import Connection, pieces, rows_where

UnitRow = tuple[bytes, str, int | None, int | None, int | None]


async def unit_rows(connection: Connection, units: Iterable[bytes]) -> list[UnitRow]:
    """(unit, product name, order multiple, least, most) of the units that exist."""
    names = ("id", "product_id", "order_multiple", "minimum_quantity", "maximum_quantity")
    rows = await rows_where(connection, "product_unit", names, "id", sorted(units))
    products = {row[1] for row in rows}
    titles = {
        row[0]: str(row[1])
        for row in await rows_where(connection, "product", ("id", "name"), "id", products)
    }
    return [
        (as_bytes(row[0]), titles.get(row[1], ""), _whole(row[2]), _whole(row[3]), _whole(row[4]))
        for row in rows
    ]


async def minimum_price_rows(
    connection: Connection, price_lists: Iterable[bytes], units: Iterable[bytes], day: str
) -> list[tuple[bytes, bytes, int]]:
    """(price list, unit, lowest price) that hold on ``day``.

    The newest price of each pair decides.
    """
    price = replicated_table("price")
    lists = sorted(price_lists)
    newest: dict[tuple[bytes, bytes], tuple[str, int]] = {}
    for piece in pieces(sorted(units)):
        for list_piece in pieces(lists):
            query = sa.select(
                price.c.price_list_id,
                price.c.product_unit_id,
                price.c.valid_from,
                price.c.minimum_amount,
            ).where(
                price.c.product_unit_id.in_(piece),
                price.c.price_list_id.in_(list_piece),
                price.c.minimum_amount.is_not(None),
                price.c.deleted == 0,
            )
            for price_list, unit, since, lowest in (await connection.execute(query)).all():
                begins = since or ""
                if begins <= day and begins >= newest.get((price_list, unit), ("", 0))[0]:
                    newest[price_list, unit] = (begins, lowest)
    return [(pair[0], pair[1], value[1]) for pair, value in newest.items()]


def _whole(value: Value) -> int | None:
    return value if isinstance(value, int) else None
