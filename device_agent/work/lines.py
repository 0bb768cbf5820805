"""What a line of an order comes to: quantity, price and amount, by the rules that head office has too.

Head office asks a person about a quantity outside its limits, and refuses a price that is too low.
"""

from dataclasses import dataclass, field
from decimal import Decimal

from device_agent.storage.database import Connection
from device_agent.work.prices import Terms, price_of
from fieldmesh.basics.errors import Rejected
from fieldmesh.basics.money import MONEY_SCALE, PRICE_SCALE, QUANTITY_SCALE, scaled, unscaled

MOST_DIGITS = 14
"""Of a quantity or an amount, with those after the point: what the narrowest of their columns holds."""
_AMOUNT_DIVISOR = 10 ** (QUANTITY_SCALE + PRICE_SCALE - MONEY_SCALE)


@dataclass(frozen=True, slots=True)
class OrderLine:
    """One product in an order. The price is the list's when None."""

    product_unit_id: bytes
    quantity: Decimal
    price: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """A line, its number from 1, and its order's date (YYYY-MM-DD) and kind."""

    line: OrderLine
    number: int
    date: str
    is_return: bool

    @property
    def place(self) -> str:
        """Where it stands, for messages."""
        return f"line {self.number}"


@dataclass(frozen=True, slots=True)
class Priced:
    """In storage form: quantity × 10^3, price × 10^5, amount × 10^2."""

    quantity: int
    price: int
    amount: int
    notes: list[str] = field(default_factory=list)
    """What the rep should know: quantities_rounded, above_maximum_quantity."""


def priced(connection: Connection, terms: Terms, asked: Asked) -> Priced:
    """The line as it is saved. A quantity that is no multiple of the pack is rounded up.

    Raises:
        Rejected: `quantity_invalid`, `product_unknown`, `no_price`, `below_minimum_price`, with the line.
    """
    line = asked.line
    unit = connection.execute(
        "SELECT u.order_multiple, u.minimum_quantity, u.maximum_quantity, p.name"
        " FROM product_unit AS u LEFT JOIN product AS p ON p.id = u.product_id WHERE u.id = ?",
        (line.product_unit_id,),
    ).fetchone()
    if unit is None:
        raise Rejected("product_unknown", place=f"{asked.place}, {line.product_unit_id.hex()}")
    multiple, least, most, product = unit
    wanted = above_zero(line.quantity, QUANTITY_SCALE, place=asked.place)
    quantity = max(wanted, least or 0)
    if multiple:
        quantity = -(-quantity // multiple) * multiple
    notes = [] if quantity == wanted else ["quantities_rounded"]
    if most is not None and quantity > most:
        notes.append("above_maximum_quantity")
    price = _price(connection, terms, asked, product or "")
    amount = (quantity * price * 2 + _AMOUNT_DIVISOR) // (2 * _AMOUNT_DIVISOR)
    if amount >= 10**MOST_DIGITS:
        raise Rejected("quantity_invalid", place=asked.place, digits=MOST_DIGITS - MONEY_SCALE)
    return Priced(quantity, price, amount, notes)


def above_zero(value: Decimal, scale: int, *, place: str) -> int:
    """The quantity or amount in storage form.

    Raises:
        Rejected: `quantity_invalid`: no number, not above zero, or larger than can be kept.
    """
    if not value.is_finite() or not 0 < value < 10 ** (MOST_DIGITS - scale):
        raise Rejected("quantity_invalid", place=place, digits=MOST_DIGITS - scale)
    found = scaled(value, scale)
    if found == 0:
        raise Rejected("quantity_invalid", place=place, digits=MOST_DIGITS - scale)
    return found


def _price(connection: Connection, terms: Terms, asked: Asked, product: str) -> int:
    """By hand, or that of the list; by hand no lower than the list allows, but for returns of goods."""
    line = asked.line
    if line.price is None:
        return price_of(connection, terms.price_list_id, line.product_unit_id, asked.date).amount
    if not line.price.is_finite() or not 0 <= line.price < 10 ** (MOST_DIGITS - PRICE_SCALE):
        digits = MOST_DIGITS - PRICE_SCALE
        raise Rejected("quantity_invalid", place=f"{asked.place}, price", digits=digits)
    price = scaled(line.price, PRICE_SCALE)
    lowest = _lowest(connection, terms, asked)
    if price < lowest:
        raise Rejected(
            "below_minimum_price",
            place=asked.place,
            product=product,
            price=f"{unscaled(price, PRICE_SCALE).normalize():f}",
            lowest=f"{unscaled(lowest, PRICE_SCALE).normalize():f}",
        )
    return price


def _lowest(connection: Connection, terms: Terms, asked: Asked) -> int:
    if asked.is_return:
        return 0
    try:
        found = price_of(connection, terms.price_list_id, asked.line.product_unit_id, asked.date)
    except Rejected:
        return 0
    return found.lowest or 0
