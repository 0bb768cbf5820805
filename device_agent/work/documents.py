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
from device_agent.work.lines import Asked, OrderLine, above_zero, priced
from device_agent.work.numbers import next_number
from device_agent.work.prices import Terms, terms_of
from fieldmesh.basics.errors import Rejected
from fieldmesh.basics.money import MONEY_SCALE, scaled, unscaled
from fieldmesh.data.types import Value, as_bytes

MOST_LINES = 350


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
    """What the rep should know: quantities_rounded, above_maximum_quantity, below_minimum_order, outlet_blocked."""


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

    def _today(self, connection: Connection) -> str:
        """The rep's day: of the device's time zone, by its clock as the gateway last found it to be off."""
        at = self._now + read_state(connection).clock_offset
        return datetime.fromtimestamp(at / 1_000_000, UTC).astimezone().date().isoformat()

    def place_order(self, connection: Connection, order: NewOrder) -> PlacedOrder:
        """The order is saved with its number, prices and amounts.

        Quantities that are no multiple of the pack are rounded up, with a note.

        Raises:
            Rejected: `order_empty`, `order_too_long`, `outlet_unknown`, and what `lines.priced` says.
        """
        if not order.lines:
            raise Rejected("order_empty", place=order.outlet_id.hex())
        if len(order.lines) > MOST_LINES:
            raise Rejected("order_too_long", place=order.outlet_id.hex(), most=MOST_LINES)
        today = self._today(connection)
        terms = terms_of(connection, order.outlet_id, today)
        notes: list[str] = []
        order_id, number = self._new(), next_number(connection, "ORD")
        lines: list[tuple[Value, ...]] = []
        amount = 0
        for place, line in enumerate(order.lines, 1):
            asked = Asked(line, place, today, order.is_return)
            found = priced(connection, terms, asked)
            notes += found.notes
            amount += found.amount
            key = (self._new(), self._now, self._now, order_id, place, line.product_unit_id)
            lines.append((*key, found.quantity, found.price, found.amount))
        if terms.minimum_order and amount < terms.minimum_order:
            notes.append("below_minimum_order")
        if terms.blocked:
            notes.append("outlet_blocked")
        self._insert_order(connection, order, terms, (order_id, number, today, amount))
        connection.executemany(
            "INSERT INTO order_line (id, created_at, changed_at, order_id, line_number,"
            " product_unit_id, quantity, price, amount) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            lines,
        )
        line_ids = [as_bytes(row[0]) for row in lines]
        return PlacedOrder(order_id, number, unscaled(amount, 2), line_ids, notes)

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
        today = self._today(connection)
        terms = terms_of(connection, row[0], today)
        units = connection.execute(
            "SELECT DISTINCT p.product_unit_id FROM price AS p JOIN product_unit AS u"
            " ON u.id = p.product_unit_id WHERE p.price_list_id = ? AND u.is_order_unit = 1"
            " AND (p.valid_from IS NULL OR p.valid_from <= ?) ORDER BY p.product_unit_id LIMIT ?",
            (terms.price_list_id, today, lines),
        ).fetchall()
        if lines and not units:
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
        amount = above_zero(payment.amount, MONEY_SCALE, place="payment amount")
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
        made: tuple[bytes, str, str, int],
    ) -> None:
        order_id, number, date, amount = made
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
                date,
                order.delivery_date,
                terms.payment_form,
                terms.vat_mode,
                amount,
                int(order.is_return),
                order.comment or None,
            ),
        )

    def _position(self, connection: Connection) -> bytes | None:
        return read_state(connection).position_id or None


def _degrees(value: Decimal | None) -> int | None:
    return None if value is None else scaled(value, 6)
