"""Business rules on what devices upload. Promise 7 (Authority): a refusal says why, in words.

The hub checks again what the device has checked, against today's facts. A rule broken by the
writer refuses the row;
a rule that old data may have broken (a pack size that changed since) only sends the order to a
person.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from fieldmesh.basics.money import PRICE_SCALE, QUANTITY_SCALE, unscaled
from fieldmesh.codec.batch import Change
from fieldmesh.codec.columns import TableRows
from fieldmesh.data.types import Value

INSERT, UPDATE = 1, 2
LINES: Mapping[str, tuple[str, str]] = {
    "order_line": ("sales_order", "order_id"),
    "sale_invoice_line": ("sale_invoice", "invoice_id"),
    "goods_return_line": ("goods_return", "return_id"),
}
"""Tables of lines: their document's table and the column that names it."""
_JUDGED = frozenset({"order_id", "product_unit_id", "quantity"})
_NO_LIMITS = (1, -math.inf, math.inf)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A row that may not stand.

    Attributes:
        table: its table.
        row_id: its id.
        code: problem code; the words in both languages come from `basics.problems`.
        fields: values for the words.
    """

    table: str
    row_id: bytes
    code: str
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class UnitFacts:
    """What is known of a product's unit; quantities scaled by 10^3."""

    product_name: str
    order_multiple: int | None = None
    minimum_quantity: int | None = None
    maximum_quantity: int | None = None

    @property
    def limits(self) -> tuple[int, float, float]:
        """What a quantity must be a multiple of, and the bounds that it must lie in."""
        least, most = self.minimum_quantity, self.maximum_quantity
        return (
            self.order_multiple or 1,
            -math.inf if least is None else least,
            math.inf if most is None else most,
        )


@dataclass(frozen=True)
class DocumentFacts:
    """What the rules look at. `wanted` tells what must be in it.

    Attributes:
        units: product unit → what is known of it; absent = does not exist.
        minimum_prices: (price list, product unit) → lowest allowed price, scaled by 10^5.
    """

    units: Mapping[bytes, UnitFacts] = field(default_factory=dict)
    minimum_prices: Mapping[tuple[bytes, bytes], int] = field(default_factory=dict)

    @cached_property
    def limits(self) -> Mapping[Value, tuple[int, float, float]]:
        """Product unit → its `UnitFacts.limits`."""
        return {one: unit.limits for one, unit in self.units.items()}

    @cached_property
    def priced(self) -> frozenset[bytes]:
        """Units that have a lowest price in some list."""
        return frozenset(unit for _, unit in self.minimum_prices)

    def with_more(self, more: "DocumentFacts") -> "DocumentFacts":
        """Both together."""
        return DocumentFacts(
            {**self.units, **more.units}, {**self.minimum_prices, **more.minimum_prices}
        )


@dataclass(slots=True)
class Wanted:
    """What must be looked up before `check`, collected over many batches."""

    units: set[bytes] = field(default_factory=set)
    price_lists: set[bytes] = field(default_factory=set)


def wanted(changes: Iterable[Change], into: Wanted | None = None) -> Wanted:
    """What `check` needs to know about these changes, added to ``into``."""
    found = into if into is not None else Wanted()
    for change in changes:
        names = change.rows.names
        if change.rows.table in LINES and "product_unit_id" in names:
            found.units.update(_identifiers(change.rows.column("product_unit_id")))
        if change.rows.table == "sales_order" and "price_list_id" in names:
            found.price_lists.update(_identifiers(change.rows.column("price_list_id")))
    return found


def check(changes: Sequence[Change], facts: DocumentFacts) -> list[Refusal]:
    """The rows of one batch that break a rule, at most one refusal a row."""
    lists = _price_lists(changes)
    return [
        refusal
        for change in changes
        if change.rows.table in LINES and change.operation in {INSERT, UPDATE}
        for refusal in _check_lines(change.rows, facts, lists)
    ]


def for_approval(changes: Sequence[Change], facts: DocumentFacts) -> dict[bytes, list[str]]:
    """Order → reasons for which a person must look at it before it goes on."""
    found: dict[bytes, list[str]] = {}
    for change in changes:
        rows = change.rows
        if rows.table != "order_line" or _JUDGED.difference(rows.names):
            continue
        for order, unit, quantity in _out_of_limits(rows, facts):
            reason = _doubt(abs(quantity), facts.units[unit])
            if reason is not None:
                found.setdefault(order, []).append(reason)
    return found


def _out_of_limits(rows: TableRows, facts: DocumentFacts) -> Iterator[tuple[bytes, bytes, int]]:
    """(order, unit, quantity) of the lines of which `_doubt` will have something to say."""
    limits = facts.limits
    for order, unit, quantity in _columns(rows, "order_id", "product_unit_id", "quantity"):
        multiple, least, most = limits.get(unit, _NO_LIMITS)
        if isinstance(quantity, int) and (
            quantity % multiple or not least <= abs(quantity) <= most
        ):
            yield _key(order), _key(unit), quantity


def _doubt(quantity: int, unit: UnitFacts) -> str | None:
    if unit.order_multiple and quantity % unit.order_multiple:
        return _words(unit, quantity, "is not a multiple of", unit.order_multiple)
    if unit.minimum_quantity is not None and quantity < unit.minimum_quantity:
        return _words(unit, quantity, "is below", unit.minimum_quantity)
    if unit.maximum_quantity is not None and quantity > unit.maximum_quantity:
        return _words(unit, quantity, "is above", unit.maximum_quantity)
    return None


def _words(unit: UnitFacts, quantity: int, breach: str, rule: int) -> str:
    amount, allowed = (unscaled(one, QUANTITY_SCALE).normalize() for one in (quantity, rule))
    return f"{unit.product_name}: {amount:f} {breach} {allowed:f}"


def _check_lines(
    rows: TableRows, facts: DocumentFacts, lists: Mapping[bytes, bytes]
) -> Iterator[Refusal]:
    _, owner = LINES[rows.table]
    if _all_fine(rows, facts):
        return
    for row_id, document, unit, quantity, price in _columns(
        rows, "id", owner, "product_unit_id", "quantity", "price"
    ):
        if not isinstance(row_id, bytes):
            continue
        if quantity == 0 and "quantity" in rows.names:
            yield Refusal(rows.table, row_id, "quantity_zero")
            continue
        if not isinstance(unit, bytes):
            continue
        if unit not in facts.units:
            fields = {"column": "product_unit_id"}
            yield Refusal(rows.table, row_id, "reference_missing", fields)
            continue
        lowest = facts.minimum_prices.get((lists.get(_key(document), b""), unit))
        if lowest is not None and isinstance(price, int) and price < lowest:
            fields = {
                "product": facts.units[unit].product_name,
                "price": f"{unscaled(price, PRICE_SCALE).normalize():f}",
                "lowest": f"{unscaled(lowest, PRICE_SCALE).normalize():f}",
            }
            yield Refusal(rows.table, row_id, "below_minimum_price", fields)


def _all_fine(rows: TableRows, facts: DocumentFacts) -> bool:
    """Whether no line needs to be looked at: whole columns say so, which is nearly always."""
    if "quantity" in rows.names and 0 in rows.column("quantity"):
        return False
    units = set(rows.column("product_unit_id")) if "product_unit_id" in rows.names else set()
    return (facts.units.keys() | {None}) >= units and facts.priced.isdisjoint(units)


def _price_lists(changes: Iterable[Change]) -> dict[bytes, bytes]:
    """Sales order → its price list. Returns of goods have no lowest price."""
    return {
        order: price_list
        for change in changes
        if change.rows.table == "sales_order"
        for order, price_list, is_return in _columns(
            change.rows, "id", "price_list_id", "is_return"
        )
        if isinstance(order, bytes) and isinstance(price_list, bytes) and not is_return
    }


def _columns(rows: TableRows, *names: str) -> Iterator[tuple[Value, ...]]:
    nothing: list[Value] = [None] * rows.row_count
    return zip(
        *(rows.column(name) if name in rows.names else nothing for name in names), strict=True
    )


def _identifiers(values: Iterable[Value]) -> set[bytes]:
    return {value for value in values if isinstance(value, bytes)}


def _key(value: Value) -> bytes:
    return value if isinstance(value, bytes) else b""
