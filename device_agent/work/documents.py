"""Orders, visits, payments and track points, as a rep makes them, offline.

A document, its number and its lines are written in the caller's one transaction: saved whole or
not at all. Head office checks every rule again; what it refuses comes back with a reason.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal

from device_agent.storage.database import Connection
from device_agent.storage.state import read_state
from device_agent.work.numbers import next_number
from device_agent.work.prices import Terms, price_of, terms_of
from fieldmesh.basics.errors import Rejected
from fieldmesh.basics.money import PRICE_SCALE, QUANTITY_SCALE, scaled, unscaled

MOST_LINES = 350
_AMOUNT_DIVISOR = 10 ** (QUANTITY_SCALE + PRICE_SCALE - 2)


@dataclass(frozen=True, slots=True)
class OrderLine:
    """One product in an order. The price is the list's when None."""

    product_unit_id: bytes
    quantity: Decimal
    price: Decimal | None = None


@dataclass(frozen=True, slots=True)
class NewOrder:
    """What a rep writes down."""

    outlet_id: bytes
    lines: list[OrderLine]
    visit_id: bytes | None = None
    delivery_date: str | None = None
    """YYYY-MM-DD."""
    is_return: bool = False
    comment: str = ""


@dataclass(frozen=True, slots=True)
class PlacedOrder:
    """A saved order."""

    order_id: bytes
    number: str
    amount: Decimal
    line_ids: list[bytes]
    notes: list[str] = field(default_factory=list)
    """What the rep should know: quantities_rounded, below_minimum_order, outlet_blocked."""


@dataclass(frozen=True, slots=True)
class NewVisit:
    """A visit; unfinished when `finished_at` is None. Times are microseconds UTC."""

    outlet_id: bytes
    started_at: int
    finished_at: int | None = None
    latitude: Decimal | None = None
    longitude: Decimal | None = None
    result_code: str = ""


@dataclass(frozen=True, slots=True)
class NewPayment:
    """Money taken from an outlet."""

    outlet_id: bytes
    amount: Decimal
    kind: str = "cash"
    visit_id: bytes | None = None


@dataclass(frozen=True, slots=True)
class TrackPoint:
    """Where the device was. Goes up only."""

    at: int
    """Microseconds UTC."""
    latitude: Decimal
    longitude: Decimal
    accuracy_m: int | None = None


class DocumentMaker:
    """Makes documents of this device's position, at one moment of the device's clock."""

    def __init__(self, new_identifier: Callable[[], bytes], now: int) -> None:
        """Documents get identifiers from the maker and `now` (microseconds UTC) as their time."""
        self._new = new_identifier
        self._now = now

    @property
    def _date(self) -> str:
        return datetime.fromtimestamp(self._now / 1_000_000, UTC).date().isoformat()

    def place_order(self, connection: Connection, order: NewOrder) -> PlacedOrder:
        """The order is saved with its number, prices and amounts.

        Quantities that are no multiple of the pack are rounded up, with a note.

        Raises:
            Rejected: `order_empty`, `order_too_long`, `quantity_invalid`, `outlet_unknown`,
                `product_unknown`, `no_price`.
        """
        if not order.lines:
            raise Rejected("order_empty", place=order.outlet_id.hex())
        if len(order.lines) > MOST_LINES:
            raise Rejected("order_too_long", place=order.outlet_id.hex(), most=MOST_LINES)
        terms = terms_of(connection, order.outlet_id, self._date)
        notes: list[str] = []
        order_id, number = self._new(), next_number(connection, "ORD")
        lines = [
            self._line(connection, terms, line, (order_id, position + 1), notes)
            for position, line in enumerate(order.lines)
        ]
        amount = sum(line[-1] for line in lines)
        if terms.minimum_order and amount < terms.minimum_order:
            notes.append("below_minimum_order")
        if terms.blocked:
            notes.append("outlet_blocked")
        self._insert_order(connection, order, terms, (order_id, number, amount))
        connection.executemany(
            "INSERT INTO order_line (id, created_at, changed_at, order_id, line_number,"
            " product_unit_id, quantity, price, amount) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            lines,
        )
        return PlacedOrder(order_id, number, unscaled(amount, 2), [row[0] for row in lines], notes)

    def order_from_list(self, connection: Connection, *, outlet: str, lines: int) -> PlacedOrder:
        """An order of the first products that the outlet's price list has; to try things out.

        Raises:
            Rejected: `outlet_unknown`, `no_price`.
        """
        row = connection.execute(
            "SELECT id FROM outlet WHERE ?1 IN ('', code, lower(hex(id)))"
            " OR lower(hex(id)) = replace(lower(?1), '-', '') ORDER BY code LIMIT 1",
            (outlet,),
        ).fetchone()
        if row is None:
            raise Rejected("outlet_unknown", place=outlet)
        terms = terms_of(connection, row[0], self._date)
        units = connection.execute(
            "SELECT DISTINCT p.product_unit_id FROM price AS p JOIN product_unit AS u"
            " ON u.id = p.product_unit_id WHERE p.price_list_id = ? AND u.is_order_unit = 1"
            " AND (p.valid_from IS NULL OR p.valid_from <= ?) ORDER BY p.product_unit_id LIMIT ?",
            (terms.price_list_id, self._date, lines),
        ).fetchall()
        if not units:
            raise Rejected("no_price", place=row[0].hex())
        wanted = [OrderLine(unit, Decimal(6)) for (unit,) in units]
        return self.place_order(connection, NewOrder(row[0], wanted))

    def record_visit(self, connection: Connection, visit: NewVisit) -> bytes:
        """The visit is saved; its id. A visit is finished later by an UPDATE of its row."""
        visit_id = self._new()
        connection.execute(
            "INSERT INTO visit (id, created_at, changed_at, outlet_id, position_id, started_at,"
            " finished_at, latitude, longitude, result_code) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                visit_id,
                self._now,
                self._now,
                visit.outlet_id,
                self._position(connection),
                visit.started_at,
                visit.finished_at,
                _degrees(visit.latitude),
                _degrees(visit.longitude),
                visit.result_code or None,
            ),
        )
        return visit_id

    def record_payment(self, connection: Connection, payment: NewPayment) -> bytes:
        """The payment is saved with its number; its id.

        Raises:
            Rejected: `quantity_invalid`: an amount that is not above zero.
        """
        amount = scaled(payment.amount, 2)
        if amount <= 0:
            raise Rejected("quantity_invalid", place="payment amount")
        payment_id = self._new()
        connection.execute(
            "INSERT INTO payment (id, created_at, changed_at, number, outlet_id, position_id,"
            " visit_id, kind, amount) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                payment_id,
                self._now,
                self._now,
                next_number(connection, "PAY"),
                payment.outlet_id,
                self._position(connection),
                payment.visit_id,
                payment.kind,
                amount,
            ),
        )
        return payment_id

    def record_track_point(self, connection: Connection, point: TrackPoint) -> bytes:
        """The track point is saved; its id."""
        point_id = self._new()
        connection.execute(
            "INSERT INTO gps_point (id, created_at, changed_at, position_id, at, latitude,"
            " longitude, accuracy_m) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                point_id,
                self._now,
                self._now,
                self._position(connection),
                point.at,
                _degrees(point.latitude),
                _degrees(point.longitude),
                point.accuracy_m,
            ),
        )
        return point_id

    def _insert_order(
        self,
        connection: Connection,
        order: NewOrder,
        terms: Terms,
        made: tuple[bytes, str, int],
    ) -> None:
        order_id, number, amount = made
        connection.execute(
            "INSERT INTO sales_order (id, created_at, changed_at, number, outlet_id, position_id,"
            " contract_id, distributor_id, warehouse_id, price_list_id, visit_id, date,"
            " delivery_date, payment_form, vat_mode, amount, is_return, comment)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                order_id,
                self._now,
                self._now,
                number,
                order.outlet_id,
                self._position(connection),
                terms.contract_id,
                terms.distributor_id,
                terms.warehouse_id,
                terms.price_list_id,
                order.visit_id,
                self._date,
                order.delivery_date,
                terms.payment_form,
                terms.vat_mode,
                amount,
                int(order.is_return),
                order.comment or None,
            ),
        )

    def _line(
        self,
        connection: Connection,
        terms: Terms,
        line: OrderLine,
        place: tuple[bytes, int],
        notes: list[str],
    ) -> tuple[bytes, int, int, bytes, int, bytes, int, int, int]:
        unit = connection.execute(
            "SELECT order_multiple, minimum_quantity FROM product_unit WHERE id = ?",
            (line.product_unit_id,),
        ).fetchone()
        if unit is None:
            raise Rejected("product_unknown", place=line.product_unit_id.hex())
        asked = scaled(line.quantity, QUANTITY_SCALE)
        if asked <= 0:
            raise Rejected("quantity_invalid", place=f"line {place[1]}")
        quantity = max(asked, unit[1] or 0)
        if unit[0]:
            quantity = -(-quantity // unit[0]) * unit[0]
        if quantity != asked:
            notes.append("quantities_rounded")
        price = (
            scaled(line.price, PRICE_SCALE)
            if line.price is not None
            else price_of(connection, terms.price_list_id, line.product_unit_id, self._date)
        )
        amount = (quantity * price * 2 + _AMOUNT_DIVISOR) // (2 * _AMOUNT_DIVISOR)
        return (
            self._new(),
            self._now,
            self._now,
            place[0],
            place[1],
            line.product_unit_id,
            quantity,
            price,
            amount,
        )

    def _position(self, connection: Connection) -> bytes | None:
        return read_state(connection).position_id or None


def _degrees(value: Decimal | None) -> int | None:
    return None if value is None else scaled(value, 6)
