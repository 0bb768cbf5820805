"""Measures of orders fulfilled, of promotions, and of what distributors report. Source: domain.md, section 4."""

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
    Sum,
    Unit,
)
from hub.analysis.model.sales import (
    LINE_SALE,
    LINE_STANDS,
    MONEY,
    OUT,
    PERCENT,
    PIECES,
    QUANTITY,
    SALE,
    count,
    distinct,
    pieces,
    shipped,
    total,
)
from hub.storage.columnar.terms import (
    Added,
    Column,
    DayOf,
    Filled,
    Fixed,
    How,
    Is,
    Linked,
    Minus,
    Not,
    NotAbove,
    On,
    OnWorkday,
    Pair,
    Relation,
    Times,
    Today,
    Window,
)

_PRODUCT = On("product_unit_id.product_id", "product_unit_id.product_id")
_ORDERED = Added(pieces("quantity"), Linked("order_line", (On("order_id", "order_id"), _PRODUCT)))
_ARRIVED = Added(
    pieces("quantity"),
    Linked(
        "shipment_line",
        (
            On("shipment_id.order_id", "order_id"),
            _PRODUCT,
            On("shipment_id.date", "order_id.delivery_date", relation=Relation.UP_TO),
        ),
        (Is(Column("shipment_id.kind"), ("sale",)),),
    ),
)
_LINE_OF = (On("order_id", "id"),)
_SHORT = Linked("order_line", _LINE_OF, (Not(NotAbove(_ORDERED, _ARRIVED)),))
_AGREED = (
    SALE,
    Not(Is(Column("state"), ("cancelled", "declined"))),
    NotAbove(Column("delivery_date"), Today()),
    Linked("order_line", _LINE_OF),
)
_REFUSED = (
    LINE_SALE,
    Filled(Column("reject_reason")),
    Not(Is(Column("reject_reason"), ("",))),
)
_PROMOTED = (LINE_SALE, LINE_STANDS, Filled(Column("promotion_id")))
_PROMO_SALES = total("order_lines", Column("amount"), MONEY, *_PROMOTED)
_AT_PRICE = Times(Column("quantity"), Column("price"))
_PRICED = 1_000_000
"""Quantity times price has so many times the scale of money."""
_PROMO_COST = total(
    "order_lines",
    Minus(_AT_PRICE, Times(Column("amount"), Fixed(_PRICED))),
    MONEY * _PRICED,
    *_PROMOTED,
)


def _promoted(window: Window) -> Linked:
    """The outlet bought the product on a promotion in the window."""
    same = (On("order_id.outlet_id", "order_id.outlet_id"), _PRODUCT)
    return Linked("order_line", same, _PROMOTED, "order_id.date", window)


_LIFTED = total(
    "order_lines", Column("amount"), MONEY, LINE_SALE, LINE_STANDS, _promoted(Window.CURRENT)
)
_USUAL = Base(
    "order_lines",
    Figure(How.SUM, Column("amount"), (LINE_SALE, LINE_STANDS, _promoted(Window.NEXT))),
    MONEY,
    over=Over.BEFORE,
)
_WELL = (Is(Column("direction"), ("in",)), Not(Is(Column("state"), ("rejected", "dead"))))
_STOCK_FILE, _SALES_FILE = "InventoryReport", "ProductActivity"
_BOTH_FILES = Linked(
    "exchange_message",
    (
        On("gateway_id", "gateway_id"),
        On("created_at", "created_at", relation=Relation.SAME_DAY),
    ),
    (Is(Column("document_type"), (_SALES_FILE,)), *_WELL),
)
_COMPLETE_DAYS = Base(
    "exchange",
    Figure(
        How.DISTINCT,
        Pair(Column("gateway_id.distributor_id"), DayOf(Column("created_at"))),
        (
            Is(Column("document_type"), (_STOCK_FILE,)),
            *_WELL,
            _BOTH_FILES,
            OnWorkday("created_at"),
            Filled(Column("gateway_id.distributor_id")),
        ),
    ),
)
_PARTNERS = distinct("partners", "distributor_id", Filled(Column("distributor_id")))
STOCK = total("stock", Column("quantity"), QUANTITY)
SELL_OUT = shipped(pieces("quantity"), PIECES)

MEASURES = (
    Measure("otif", N_("In full and on time"), Unit.PERCENT,
            Ratio(count("orders", *_AGREED, Not(_SHORT)), count("orders", *_AGREED), PERCENT),
            N_("Orders whose every product was shipped whole by the agreed day / orders whose day has come,"
               " refused ones included.")),
    Measure("refused_lines", N_("Refused lines"), Unit.COUNT, count("order_lines", *_REFUSED),
            N_("Lines of orders with a reason why they were refused or cut."), high_is_good=False),
    Measure("returned", N_("Returned"), Unit.MONEY, total("return_lines", Column("amount"), MONEY),
            N_("Value of return documents."), high_is_good=False),
    Measure("promo_sales", N_("Sales on promotion"), Unit.MONEY, _PROMO_SALES,
            N_("Value of order lines with a promotion.")),
    Measure("promo_share", N_("Share on promotion"), Unit.PERCENT, Ratio(_PROMO_SALES, OUT, PERCENT),
            N_("Sales on promotion / value of order lines."), high_is_good=None),
    Measure("promo_outlets", N_("Outlets reached"), Unit.COUNT,
            distinct("order_lines", "order_id.outlet_id", *_PROMOTED),
            N_("Different outlets that ordered on a promotion.")),
    Measure("promo_cost", N_("Cost of promotions"), Unit.MONEY, _PROMO_COST,
            N_("Quantity × price less value, of lines with a promotion."), high_is_good=False),
    Measure("promo_cost_share", N_("Cost of promotions / sales"), Unit.PERCENT,
            Ratio(_PROMO_COST, _PROMO_SALES, PERCENT), N_("Cost of promotions / sales on promotion."),
            high_is_good=False),
    Measure("uplift", N_("Uplift"), Unit.PERCENT, Ratio(Sum((_LIFTED,), (_USUAL,)), _USUAL, PERCENT),
            N_("How much more outlets ordered of what they had on promotion than in as many days before.")),
    Measure("stock", N_("Stock"), Unit.QUANTITY, STOCK, N_("Quantity in warehouses now.")),
    Measure("sell_out", N_("Sell-out"), Unit.QUANTITY, SELL_OUT,
            N_("Pieces shipped to outlets, returns taken off.")),
    Measure("days_of_stock", N_("Days of stock"), Unit.DAYS, Ratio(Product(STOCK, Days(Calendar.DAYS)), SELL_OUT),
            N_("Stock now / sell-out of a day."), high_is_good=None),
    Measure("complete_days", N_("Complete days"), Unit.COUNT, _COMPLETE_DAYS,
            N_("Workdays for which a distributor sent both stock and sales.")),
    Measure("completeness", N_("Data completeness"), Unit.PERCENT,
            Ratio(_COMPLETE_DAYS, Product(Days(Calendar.ELAPSED), _PARTNERS), PERCENT),
            N_("Complete days / workdays of distributors with a gateway.")),
    Measure("unmapped_codes", N_("Unmapped codes"), Unit.COUNT,
            count("exchange_errors", Is(Column("state"), ("open",)), Is(Column("code"), ("REF", "ITM"))),
            N_("Open errors of files that name an outlet (REF) or a product (ITM) nobody knows."),
            high_is_good=False),
    Measure("exchange_errors", N_("Errors in files"), Unit.COUNT, count("exchange_errors"),
            N_("Errors found in exchanged files."), high_is_good=False),
)  # fmt: skip
