"""Measures of selling: visits, orders, sales, clients, distribution, targets. Source: domain.md, section 4."""

from functools import cache

from fieldmesh.service.translation import N_
from hub.analysis.model.kinds import Base, Figure, Measure, Ratio, Sum, Unit
from hub.storage.columnar.terms import (
    Both,
    Column,
    Either,
    Filled,
    Fixed,
    How,
    Is,
    Linked,
    Minus,
    Not,
    NotAbove,
    OfPeriod,
    On,
    Size,
    Term,
    Test,
    Times,
    Window,
)

_MINUTE_US, _QUANTITY, _MONEY, _PERCENT = 60_000_000, 1000, 100, 100
GEO_LIMIT_M = 100
"""A visit is where the outlet is when it began no farther from it."""


@cache
def count(fact: str, *only: Test) -> Base:
    """Rows of a fact that pass the tests."""
    return Base(fact, Figure(How.COUNT, Fixed(1), only))


@cache
def total(fact: str, term: Term, scale: int, *only: Test) -> Base:
    """The sum of a value."""
    return Base(fact, Figure(How.SUM, term, only), scale)


@cache
def distinct(fact: str, path: str, *only: Test) -> Base:
    """Different values of a path."""
    return Base(fact, Figure(How.DISTINCT, Column(path), only))


def _signed(flag: str, path: str) -> Term:
    """The value, taken off where the document is a return: devices write returns without a sign, imports with one."""
    return Either(Is(Column(flag), (1,)), Minus(Fixed(0), Size(Column(path))), Column(path))


_FINISHED = Filled(Column("finished_at"))
_SALE, _LINE_SALE = Is(Column("is_return"), (0,)), Is(Column("order_id.is_return"), (0,))
_STANDS, _LINE_STANDS = (
    Not(Is(Column(path), ("cancelled", "rejected", "declined")))
    for path in ("state", "order_id.state")
)
_OF_VISIT = (On("visit_id", "id"),)
_TOOK_ORDER = Linked("sales_order", _OF_VISIT, (Is(Column("is_return"), (0,)),))
_SOLD = Linked("sale_invoice", _OF_VISIT)
_PRODUCTIVE = Not(Both((Not(_TOOK_ORDER), Not(_SOLD))))

VISITS = count("visits", _FINISHED)
PRODUCTIVE = count("visits", _FINISHED, _PRODUCTIVE)
PLANNED = count("visit_plans")
MADE_AS_PLANNED = count("visit_plans", Linked("visit", (On("visit_plan_id", "id"),), (_FINISHED,)))
ORDERS = count("orders", _SALE, _STANDS)
SALES = total("order_lines", _signed("order_id.is_return", "amount"), _MONEY, _LINE_STANDS)
VAN_SALES = total(
    "van_sale_lines", Column("amount"), _MONEY, Not(Is(Column("invoice_id.state"), ("cancelled",)))
)
LINES = count("order_lines", _LINE_SALE, _LINE_STANDS)
SERVED = distinct("served_outlets", "outlet_id")
SHIPPED = total("shipment_lines", Column("amount"), _MONEY)
_BACK = total(
    "order_lines",
    Size(Column("amount")),
    _MONEY,
    Is(Column("order_id.is_return"), (1,)),
    _LINE_STANDS,
)
_OUT = total("order_lines", Column("amount"), _MONEY, _LINE_SALE, _LINE_STANDS)
_TIME = total("visits", Minus(Column("finished_at"), Column("started_at")), _MINUTE_US, _FINISHED)
_NEAR = count("visits", _FINISHED, NotAbove(Column("distance_m"), Fixed(GEO_LIMIT_M)))
_PLACED = count("visits", _FINISHED, Filled(Column("distance_m")))


def _bought(window: Window) -> Test:
    """The outlet got a shipment in the window."""
    return Linked("shipment", (On("outlet_id", "outlet_id"),), (), "date", window)


_ACTIVE = distinct("served_outlets", "outlet_id", _bought(Window.CURRENT))
_LAPSED = distinct(
    "served_outlets", "outlet_id", _bought(Window.PREVIOUS), Not(_bought(Window.CURRENT))
)
_NEW = distinct("served_outlets", "outlet_id", _bought(Window.CURRENT), Not(_bought(Window.BEFORE)))
_APPROVED = Is(Column("state"), ("approved", "active"))


def _target(kpi: str) -> Base:
    return total(
        "plans",
        Column("value"),
        _QUANTITY,
        OfPeriod("period"),
        _APPROVED,
        Is(Column("kpi"), (kpi,)),
    )


MEASURES = (
    Measure("planned_visits", N_("Planned visits"), Unit.COUNT, PLANNED, N_("Visits planned for the days.")),
    Measure("visits", N_("Visits"), Unit.COUNT, VISITS, N_("Visits that were finished.")),
    Measure("planned_made", N_("Planned visits made"), Unit.COUNT, MADE_AS_PLANNED,
            N_("Planned visits for which there is a finished visit.")),
    Measure("adherence", N_("Route adherence"), Unit.PERCENT, Ratio(MADE_AS_PLANNED, PLANNED, _PERCENT),
            N_("Planned visits made / planned visits.")),
    Measure("coverage", N_("Coverage"), Unit.PERCENT,
            Ratio(distinct("visits", "outlet_id", _FINISHED), SERVED, _PERCENT, across=True),
            N_("Different outlets visited / outlets served.")),
    Measure("outlets_served", N_("Outlets served"), Unit.COUNT, SERVED, N_("Outlets that positions serve now.")),
    Measure("geo_valid", N_("Visits at the place"), Unit.PERCENT, Ratio(_NEAR, _PLACED, _PERCENT),
            N_("Visits begun within 100 m of the outlet / visits with a position.")),
    Measure("productive_calls", N_("Productive calls"), Unit.COUNT, PRODUCTIVE,
            N_("Finished visits with at least one order or sale.")),
    Measure("strike_rate", N_("Strike rate"), Unit.PERCENT, Ratio(PRODUCTIVE, VISITS, _PERCENT),
            N_("Productive calls / visits.")),
    Measure("strike_assigned", N_("Strike rate of outlets served"), Unit.PERCENT,
            Ratio(distinct("orders", "outlet_id", _SALE, _STANDS), SERVED, _PERCENT, across=True),
            N_("Outlets that ordered / outlets served.")),
    Measure("outlet_minutes", N_("Time in outlet"), Unit.MINUTES, Ratio(_TIME, VISITS),
            N_("Minutes from beginning to end of a visit, on average.")),
    Measure("orders", N_("Orders"), Unit.COUNT, ORDERS, N_("Orders without returns and without cancelled ones.")),
    Measure("ordering_outlets", N_("Outlets that ordered"), Unit.COUNT,
            distinct("orders", "outlet_id", _SALE, _STANDS), N_("Different outlets with an order.")),
    Measure("sales", N_("Sales value"), Unit.MONEY, SALES,
            N_("Value of order lines, returns taken off, without cancelled orders.")),
    Measure("sales_quantity", N_("Quantity"), Unit.QUANTITY,
            total("order_lines",
                  Times(_signed("order_id.is_return", "quantity"), Column("product_unit_id.factor")),
                  _QUANTITY * _QUANTITY, _LINE_STANDS),
            N_("Pieces of order lines, returns taken off.")),
    Measure("order_lines", N_("Lines"), Unit.COUNT, LINES, N_("Lines of orders without returns.")),
    Measure("lines_per_order", N_("Lines per order"), Unit.DECIMAL, Ratio(LINES, ORDERS), N_("Lines / orders.")),
    Measure("lines_per_call", N_("Lines per productive call"), Unit.DECIMAL, Ratio(LINES, PRODUCTIVE),
            N_("Lines / productive calls.")),
    Measure("order_value", N_("Value of an order"), Unit.MONEY, Ratio(_OUT, ORDERS),
            N_("Value of order lines without returns / orders.")),
    Measure("drop_size", N_("Drop size"), Unit.MONEY, Ratio(Sum((_OUT, VAN_SALES)), PRODUCTIVE),
            N_("Value of orders and van sales / productive calls.")),
    Measure("return_rate", N_("Return rate"), Unit.PERCENT, Ratio(_BACK, _OUT, _PERCENT),
            N_("Value returned / value sold."), high_is_good=False),
    Measure("products_sold", N_("Products sold"), Unit.COUNT,
            distinct("order_lines", "product_unit_id.product_id", _LINE_SALE, _LINE_STANDS),
            N_("Different products in orders.")),
    Measure("fill_rate", N_("Order fill rate"), Unit.PERCENT,
            Ratio(total("order_lines", Column("accepted_quantity"), _QUANTITY, _LINE_SALE),
                  total("order_lines", Column("quantity"), _QUANTITY, _LINE_SALE,
                        Filled(Column("accepted_quantity"))), _PERCENT),
            N_("Quantity accepted / quantity ordered, of lines that were answered.")),
    Measure("van_sales", N_("Van sales"), Unit.MONEY, VAN_SALES,
            N_("Value of sales from vans, without cancelled ones.")),
    Measure("shipped", N_("Shipped"), Unit.MONEY, SHIPPED, N_("Value of shipments.")),
    Measure("active_clients", N_("Active outlets"), Unit.COUNT, _ACTIVE, N_("Outlets with a shipment in the days.")),
    Measure("lapsed_clients", N_("Lapsed outlets"), Unit.COUNT, _LAPSED,
            N_("Outlets with a shipment in the days before, as many, but none in these."), high_is_good=False),
    Measure("new_clients", N_("New outlets"), Unit.COUNT, _NEW, N_("Outlets whose first shipment lies in the days.")),
    Measure("numeric_distribution", N_("Numeric distribution"), Unit.PERCENT,
            Ratio(distinct("order_lines", "order_id.outlet_id", _LINE_SALE, _LINE_STANDS), SERVED, _PERCENT,
                  across=True),
            N_("Outlets that ordered the product / outlets served.")),
    Measure("target_sales", N_("Target: sales value"), Unit.MONEY, _target("sales_value"),
            N_("Approved targets of the months, quarters and years in the days.")),
    Measure("target_visits", N_("Target: visits"), Unit.COUNT, _target("visits"),
            N_("Approved targets of the months, quarters and years in the days.")),
    Measure("attainment", N_("Plan attainment"), Unit.PERCENT, Ratio(SALES, _target("sales_value"), _PERCENT),
            N_("Sales value / target.")),
    Measure("visit_attainment", N_("Attainment of visits"), Unit.PERCENT, Ratio(VISITS, _target("visits"), _PERCENT),
            N_("Visits / target.")),
)  # fmt: skip
