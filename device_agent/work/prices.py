"""Which price list and which price an outlet gets, from what the device holds.

Order of lists: the outlet's contract, then its distributor's default list, then the company's
default list. The price that began last counts, by the date of the order.
"""

from dataclasses import dataclass
from typing import NamedTuple

from device_agent.storage.database import Connection
from fieldmesh.basics.errors import Rejected


@dataclass(frozen=True, slots=True)
class Terms:
    """On which terms an outlet buys. Identifiers are 16 bytes or None."""

    outlet_id: bytes
    contract_id: bytes | None
    distributor_id: bytes | None
    warehouse_id: bytes | None
    price_list_id: bytes | None
    payment_form: str
    vat_mode: str
    minimum_order: int | None
    blocked: bool


def terms_of(connection: Connection, outlet_id: bytes, date: str) -> Terms:
    """The terms of an outlet on a date (YYYY-MM-DD).

    Raises:
        Rejected: `outlet_unknown`: no such outlet on this device.
    """
    outlet = connection.execute(
        "SELECT legal_party_id, distributor_id, minimum_order FROM outlet WHERE id = ?",
        (outlet_id,),
    ).fetchone()
    if outlet is None:
        raise Rejected("outlet_unknown", place=outlet_id.hex())
    legal_party, distributor, minimum = outlet
    contract = connection.execute(
        "SELECT id, distributor_id, price_list_id, payment_form FROM contract"
        " WHERE legal_party_id = ? AND (valid_from IS NULL OR valid_from <= ?)"
        " AND (valid_to IS NULL OR valid_to >= ?) ORDER BY valid_from DESC LIMIT 1",
        (legal_party, date, date),
    ).fetchone() or (None, None, None, "cash")
    seller = contract[1] or distributor
    price_list, vat_mode = _price_list(connection, contract[2], seller, date)
    blocked = connection.execute(
        "SELECT 1 FROM debt_limit WHERE contract_id = ? AND blocked = 1", (contract[0],)
    ).fetchone()
    return Terms(
        outlet_id=outlet_id,
        contract_id=contract[0],
        distributor_id=seller,
        warehouse_id=_warehouse(connection, seller),
        price_list_id=price_list,
        payment_form=contract[3],
        vat_mode=vat_mode,
        minimum_order=minimum,
        blocked=blocked is not None,
    )


class ListPrice(NamedTuple):
    """Of one unit, and the lowest that a rep may write by hand; 5 decimals, scaled."""

    amount: int
    lowest: int | None


def price_of(
    connection: Connection,
    price_list_id: bytes | None,
    product_unit_id: bytes,
    date: str,
) -> ListPrice:
    """The price of one unit on a date.

    Raises:
        Rejected: `no_price`: the list has none.
    """
    row = connection.execute(
        "SELECT amount, minimum_amount FROM price WHERE product_unit_id = ? AND price_list_id = ?"
        " AND (valid_from IS NULL OR valid_from <= ?) ORDER BY valid_from DESC LIMIT 1",
        (product_unit_id, price_list_id, date),
    ).fetchone()
    if row is None:
        raise Rejected("no_price", place=product_unit_id.hex())
    return ListPrice(*row)


def _price_list(
    connection: Connection, contract_list: bytes | None, seller: bytes | None, date: str
) -> tuple[bytes | None, str]:
    row = connection.execute(
        "SELECT id, vat_mode FROM price_list WHERE (id = ?1 OR (is_default = 1"
        " AND (distributor_id = ?2 OR distributor_id IS NULL)))"
        " AND (valid_from IS NULL OR valid_from <= ?3) AND (valid_to IS NULL OR valid_to >= ?3)"
        " ORDER BY id = ?1 DESC, distributor_id IS NULL, priority DESC LIMIT 1",
        (contract_list, seller, date),
    ).fetchone()
    return (row[0], row[1]) if row else (None, "net")


def _warehouse(connection: Connection, seller: bytes | None) -> bytes | None:
    row = connection.execute(
        "SELECT id FROM warehouse WHERE kind = 'main' AND (distributor_id = ?1"
        " OR (?1 IS NULL AND distributor_id IS NULL)) ORDER BY code LIMIT 1",
        (seller,),
    ).fetchone()
    found: bytes | None = row[0] if row else None
    return found
