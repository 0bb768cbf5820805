"""Measures of selling: visits, orders, sales, clients, distribution, targets. Source: domain.md, section 4."""

from dataclasses import replace
from functools import cache

from fieldmesh.service.translation import N_
from hub.analysis.model.kinds import (
    Base,
    Calendar,
    Days,
    Figure,
    Measure,
    Over,
    Product,
    Ratio,
    Spread,
    Stands,
    Sum,
    Unit,
)
from hub.storage.columnar.terms import (
    Both,
    Column,
    Filled,
    Fixed,
    How,
    Is,
    LessReturns,
    Linked,
    Minus,
    Not,
    NotAbove,
    OfPeriod,
    On,
    Pair,
    Relation,
    Size,
    Term,
    Test,
    Times,
    Today,
    Window,
)
from hub.storage.returns import FELL_AWAY

MINUTE_US, QUANTITY, MONEY, PERCENT = 60_000_000, 1000, 100, 100
PIECES = QUANTITY * QUANTITY
"""A quantity times the factor of its unit."""
LEVELS = 7
"""Positions stand on so many levels at most."""
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


def pieces(path: str) -> Term:
    """A quantity at the path, in the pieces of its product."""
    return Times(Column(path), Column("product_unit_id.factor"))


def _signed(term: Term) -> Term:
    return LessReturns(Is(Column("order_id.is_return"), (1,)), term)


FINISHED = Filled(Column("finished_at"))
SALE, LINE_SALE = Is(Column("is_return"), (0,)), Is(Column("order_id.is_return"), (0,))
STANDS, LINE_STANDS = (Not(Is(Column(path), FELL_AWAY)) for path in ("state", "order_id.state"))
_INVOICE_STANDS, VAN_STANDS = (
    Both((Not(Is(Column(f"{way}state"), ("cancelled",))), Not(Filled(Column(f"{way}cancels_id")))))
    for way in ("", "invoice_id.")
)
"""Neither an invoice that was cancelled counts nor the one that cancels it."""
_OF_VISIT = (On("visit_id", "id"),)
_TOOK_ORDER = Linked("sales_order", _OF_VISIT, (SALE, STANDS))
_SOLD = Linked("sale_invoice", _OF_VISIT, (_INVOICE_STANDS,))
_PRODUCTIVE = Not(Both((Not(_TOOK_ORDER), Not(_SOLD))))

VISITS = count("visits", FINISHED)
PRODUCTIVE = count("visits", FINISHED, _PRODUCTIVE)
PLANNED = count("visit_plans")
_BY_PLAN = Linked("visit", (On("visit_plan_id", "id"),), (FINISHED,))
_ON_THE_DAY = Linked(
    "visit",
    (
        On("outlet_id", "outlet_id"),
        On("position_id", "position_id"),
        On("started_at", "date", relation=Relation.SAME_DAY),
    ),
    (FINISHED,),
)
MADE_AS_PLANNED = count("visit_plans", Not(Both((Not(_BY_PLAN), Not(_ON_THE_DAY)))))
ORDERS = count("orders", SALE, STANDS)
SALES = total("order_lines", _signed(Column("amount")), MONEY, LINE_STANDS)
_SALES_SO_FAR = replace(SALES, over=Over.MONTHS)
"""As targets are of whole months, so is what is compared with them."""
VAN_SALES = total("van_sale_lines", Column("amount"), MONEY, VAN_STANDS)
LINES = count("order_lines", LINE_SALE, LINE_STANDS)
_CURRENT = (
    Not(Both((Filled(Column("valid_from")), Not(NotAbove(Column("valid_from"), Today()))))),
    Not(Both((Filled(Column("valid_to")), Not(NotAbove(Today(), Column("valid_to")))))),
)
SERVED = distinct("served_outlets", "outlet_id", *_CURRENT)
_OF_SHIPMENT = Is(Column("shipment_id.kind"), ("sale", "return", "correction"))
"""Transfers and write-offs bring nothing to the outlet."""


def shipped(term: Term, scale: int) -> Base:
    """What was shipped to outlets, returns taken off."""
    signed = LessReturns(Is(Column("shipment_id.kind"), ("return",)), term)
    return total("shipment_lines", signed, scale, _OF_SHIPMENT)


SHIPPED = shipped(Column("amount"), MONEY)
BACK = total(
    "order_lines",
    Size(Column("amount")),
    MONEY,
    Is(Column("order_id.is_return"), (1,)),
    LINE_STANDS,
)
OUT = total("order_lines", Column("amount"), MONEY, LINE_SALE, LINE_STANDS)
_TIME = total("visits", Minus(Column("finished_at"), Column("started_at")), MINUTE_US, FINISHED)
_NEAR = count("visits", FINISHED, NotAbove(Column("distance_m"), Fixed(GEO_LIMIT_M)))
_PLACED = count("visits", FINISHED, Filled(Column("distance_m")))


def _bought(window: Window) -> Test:
    """The outlet got a shipment in the window."""
    return Linked("shipment", (On("outlet_id", "outlet_id"),), (_SENT,), "date", window)


def _served(*only: Test) -> Base:
    return distinct("served_outlets", "outlet_id", *_CURRENT, *only)


_SENT = Is(Column("kind"), ("sale",))
_ACTIVE = _served(_bought(Window.CURRENT))
_LAPSED = _served(_bought(Window.PREVIOUS), Not(_bought(Window.CURRENT)))
_NEW = _served(_bought(Window.CURRENT), Not(_bought(Window.BEFORE)))
_OF_CALLS = Pair(Column("order_id.visit_id"), Column("product_unit_id.product_id"))
_OF_VAN_CALLS = Pair(Column("invoice_id.visit_id"), Column("product_unit_id.product_id"))
_CALL_LINES = Sum((
    Base("order_lines", Figure(How.DISTINCT, _OF_CALLS,
         (LINE_SALE, LINE_STANDS, Filled(Column("order_id.visit_id"))))),
    Base("van_sale_lines", Figure(How.DISTINCT, _OF_VAN_CALLS,
         (VAN_STANDS, Filled(Column("invoice_id.visit_id"))))),
))  # fmt: skip
"""Different products of each call."""
_STOOD = Not(
    Both((Not(Is(Column("present"), (1,))), Not(NotAbove(Fixed(1), Column("stock_quantity")))))
)
HANDLERS: tuple[tuple[str, tuple[Test, ...]], ...] = (
    ("order_lines", (LINE_SALE, LINE_STANDS)),
    ("van_sale_lines", (VAN_STANDS,)),
    ("shipment_lines", (Is(Column("shipment_id.kind"), ("sale",)),)),
    ("shelf", (Is(Column("is_competitor"), (0,)), _STOOD)),
)
"""What makes an outlet a handler of a product: it ordered or bought it, or it stands there. Fact, tests."""
WORTH = (SALES, VAN_SALES)
"""What outlets are weighed by, for the weighted distribution."""
_ORDERED = distinct("order_lines", "order_id.outlet_id", LINE_SALE, LINE_STANDS)
_APPROVED = Is(Column("state"), ("approved", "active"))


_OF_PRODUCTS = Filled(Column("product_dimension"))
_OF_EVERYTHING = Not(_OF_PRODUCTS)
_SAME_TARGET = (
    On("kpi", "kpi"),
    On("outlet_id", "outlet_id", relation=Relation.ALIKE),
    On("product_dimension", "product_dimension", relation=Relation.ALIKE),
)
_SPLIT = tuple(
    Linked(
        "plan",
        (
            *_SAME_TARGET,
            On("period", "period", relation=Relation.WITHIN),
            On("position_id" + ".parent_position_id" * levels, "position_id"),
        ),
        (_APPROVED,),
    )
    for levels in range(1, LEVELS)
)
"""Positions below, however many levels, have targets of their own: the target is in theirs."""
_IN_PARTS = Linked(
    "plan",
    (
        *_SAME_TARGET,
        On("position_id", "position_id", relation=Relation.ALIKE),
        On("period", "period", relation=Relation.PART_OF),
    ),
    (_APPROVED,),
)
"""There are targets of the months of the quarter, or of parts of the year."""
_REPLACED = Linked(
    "plan",
    (
        *_SAME_TARGET,
        On("position_id", "position_id", relation=Relation.ALIKE),
        On("period", "period"),
        On("version", "version", relation=Relation.AFTER),
    ),
    (_APPROVED,),
)
"""A later version of the target holds too: a file may have brought it."""


def target(kpi: str, of: Test = _OF_EVERYTHING) -> Base:
    """The approved targets of a figure, of the months, quarters and years in the days, each counted once."""
    return total(
        "plans",
        Column("value"),
        QUANTITY,
        OfPeriod("period"),
        _APPROVED,
        Is(Column("kpi"), (kpi,)),
        of,
        *(Not(one) for one in _SPLIT),
        Not(_IN_PARTS),
        Not(_REPLACED),
    )


_TARGETS = N_(
    "Approved targets of the months, quarters and years in the days; one that was split, among the posts below or"
    " into shorter periods, counts by its parts. Those of brands do not count."
)

MEASURES = (
    Measure("planned_visits", N_("Planned visits"), Unit.COUNT, PLANNED, N_("Visits planned for the days.")),
    Measure("visits", N_("Visits"), Unit.COUNT, VISITS, N_("Visits that were finished.")),
    Measure("planned_made", N_("Planned visits made"), Unit.COUNT, MADE_AS_PLANNED,
            N_("Planned visits for which there is a finished visit, or one to the outlet on that day.")),
    Measure("adherence", N_("Route adherence"), Unit.PERCENT, Ratio(MADE_AS_PLANNED, PLANNED, PERCENT),
            N_("Planned visits made / planned visits.")),
    Measure("coverage", N_("Coverage"), Unit.PERCENT,
            Ratio(distinct("visits", "outlet_id", FINISHED), SERVED, PERCENT, across=True),
            N_("Different outlets visited / outlets served.")),
    Measure("outlets_served", N_("Outlets served"), Unit.COUNT, SERVED, N_("Outlets that positions serve now.")),
    Measure("geo_valid", N_("Visits at the place"), Unit.PERCENT, Ratio(_NEAR, _PLACED, PERCENT),
            N_("Visits begun within 100 m of the outlet / visits with a position.")),
    Measure("productive_calls", N_("Productive calls"), Unit.COUNT, PRODUCTIVE,
            N_("Finished visits with at least one order or sale that was not cancelled.")),
    Measure("strike_rate", N_("Strike rate"), Unit.PERCENT, Ratio(PRODUCTIVE, VISITS, PERCENT),
            N_("Productive calls / visits.")),
    Measure("strike_assigned", N_("Strike rate of outlets served"), Unit.PERCENT,
            Ratio(distinct("orders", "outlet_id", SALE, STANDS), SERVED, PERCENT, across=True),
            N_("Outlets that ordered / outlets served.")),
    Measure("outlet_minutes", N_("Time in outlet"), Unit.MINUTES, Ratio(_TIME, VISITS),
            N_("Minutes from beginning to end of a visit, on average.")),
    Measure("orders", N_("Orders"), Unit.COUNT, ORDERS, N_("Orders without returns and without cancelled ones.")),
    Measure("ordering_outlets", N_("Outlets that ordered"), Unit.COUNT,
            distinct("orders", "outlet_id", SALE, STANDS), N_("Different outlets with an order.")),
    Measure("sales", N_("Sales value"), Unit.MONEY, SALES,
            N_("Value of order lines, returns taken off, without cancelled orders.")),
    Measure("sales_quantity", N_("Quantity"), Unit.QUANTITY,
            total("order_lines",
                  _signed(pieces("quantity")), PIECES, LINE_STANDS),
            N_("Pieces of order lines, returns taken off.")),
    Measure("order_lines", N_("Lines"), Unit.COUNT, LINES, N_("Lines of orders without returns.")),
    Measure("lines_per_order", N_("Lines per order"), Unit.DECIMAL, Ratio(LINES, ORDERS), N_("Lines / orders.")),
    Measure("lines_per_call", N_("Lines per productive call"), Unit.DECIMAL, Ratio(_CALL_LINES, PRODUCTIVE),
            N_("Different products in the orders and van sales of each visit / productive calls.")),
    Measure("order_value", N_("Value of an order"), Unit.MONEY, Ratio(OUT, ORDERS),
            N_("Value of order lines without returns / orders.")),
    Measure("drop_size", N_("Drop size"), Unit.MONEY, Ratio(Sum((OUT, VAN_SALES)), PRODUCTIVE),
            N_("Value of orders and van sales / productive calls.")),
    Measure("return_rate", N_("Return rate"), Unit.PERCENT, Ratio(BACK, OUT, PERCENT),
            N_("Value returned / value sold."), high_is_good=False),
    Measure("products_sold", N_("Products sold"), Unit.COUNT,
            distinct("order_lines", "product_unit_id.product_id", LINE_SALE, LINE_STANDS),
            N_("Different products in orders.")),
    Measure("fill_rate", N_("Order fill rate"), Unit.PERCENT,
            Ratio(total("order_lines", pieces("accepted_quantity"), PIECES, LINE_SALE),
                  total("order_lines", pieces("quantity"), PIECES, LINE_SALE,
                        Filled(Column("accepted_quantity"))), PERCENT),
            N_("Pieces accepted / pieces ordered, of lines that were answered.")),
    Measure("van_sales", N_("Van sales"), Unit.MONEY, VAN_SALES,
            N_("Value of sales from vans, without cancelled ones.")),
    Measure("shipped", N_("Shipped"), Unit.MONEY, SHIPPED, N_("Value of shipments, returns taken off.")),
    Measure("active_clients", N_("Active outlets"), Unit.COUNT, _ACTIVE, N_("Outlets with a shipment in the days.")),
    Measure("lapsed_clients", N_("Lapsed outlets"), Unit.COUNT, _LAPSED,
            N_("Outlets with a shipment in the days before, as many, but none in these."), high_is_good=False),
    Measure("new_clients", N_("New outlets"), Unit.COUNT, _NEW, N_("Outlets whose first shipment lies in the days.")),
    Measure("numeric_distribution", N_("Numeric distribution"), Unit.PERCENT,
            Ratio(Spread(Stands.OUTLETS, _ORDERED), SERVED, PERCENT, across=True),
            N_("Outlets that ordered or bought the product, or where it stands / outlets served.")),
    Measure("weighted_distribution", N_("Weighted distribution"), Unit.PERCENT,
            Ratio(Spread(Stands.HANDLED, _ORDERED), Spread(Stands.UNIVERSE, _ORDERED), PERCENT),
            N_("Sales of the product's category in outlets that handle it / in all outlets.")),
    Measure("target_sales", N_("Target: sales value"), Unit.MONEY, target("sales_value"), _TARGETS),
    Measure("target_visits", N_("Target: visits"), Unit.COUNT, target("visits"), _TARGETS),
    Measure("target_products", N_("Target: sales value of products"), Unit.MONEY,
            target("sales_value", _OF_PRODUCTS),
            N_("Approved targets of brands and other parts of the range, counted as those of everything.")),
    Measure("attainment", N_("Plan attainment"), Unit.PERCENT, Ratio(_SALES_SO_FAR, target("sales_value"), PERCENT),
            N_("Sales value from the first day of the first month on / target.")),
    Measure("forecast", N_("Forecast of attainment"), Unit.PERCENT,
            Ratio(Product(_SALES_SO_FAR, Days(Calendar.MONTHS)), Product(Days(Calendar.GONE), target("sales_value")),
                  PERCENT),
            N_("Sales value / workdays gone, both from the first day of the first month on × workdays of the months"
               " / target.")),
    Measure("required_rate", N_("Required daily sales"), Unit.MONEY,
            Ratio(Sum((target("sales_value"),), (_SALES_SO_FAR,)),
                  Sum((Days(Calendar.MONTHS),), (Days(Calendar.GONE),))),
            N_("Target less sales value from the first day of the first month on / workdays that are left of the"
               " months."), high_is_good=False),
    Measure("visit_attainment", N_("Attainment of visits"), Unit.PERCENT,
            Ratio(replace(VISITS, over=Over.MONTHS), target("visits"), PERCENT),
            N_("Visits from the first day of the first month on / target.")),
)  # fmt: skip
