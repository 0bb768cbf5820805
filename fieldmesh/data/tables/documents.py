"""Documents of trade: orders, invoices, shipments, returns, payments.

Made once, never edited after hand-over.
"""

from fieldmesh.data.columns import (
    date,
    flag,
    link,
    money,
    number,
    percent,
    place,
    price,
    quantity,
    state,
    text,
    time,
    whole,
)
from fieldmesh.data.model import replicated
from fieldmesh.data.policy import (
    HUB_WRITES,
    Audience,
    Conflict,
    Follows,
    KeepDays,
    KeepLast,
    Keyed,
    PartitionKind,
    PartitionRule,
    Policy,
    Retention,
    WriterRole,
)

_SELLERS = frozenset({WriterRole.REP, WriterRole.SUPERVISOR, WriterRole.HUB})
_OUTLET = Follows("outlet", "outlet_id")


_AUTHOR = frozenset({"position_id"})


def _document(
    partition: PartitionRule, retention: Retention, *, author: frozenset[str] = _AUTHOR
) -> Policy:
    return Policy(
        partition,
        Audience.DEVICE,
        _SELLERS,
        Conflict.INSERT_ONLY,
        retention,
        author=author,
        handed_over_whole=True,
    )


def _lines(partition: PartitionRule, *hub_columns: str) -> Policy:
    return Policy(
        partition,
        Audience.DEVICE,
        _SELLERS,
        Conflict.INSERT_ONLY,
        hub_columns=frozenset(hub_columns),
    )


SALES_ORDER = replicated(
    "sales_order",
    60,
    _document(_OUTLET, KeepLast(3, "outlet_id")),
    text("number", 60, null=False, default="", indexed=True),
    link("outlet_id", "outlet", indexed=True),
    link("position_id", "position", null=True),
    link("contract_id", "contract", null=True),
    link("distributor_id", "distributor", null=True),
    link("warehouse_id", "warehouse", null=True),
    link("price_list_id", "price_list", null=True),
    link("visit_id", "visit", null=True),
    date("date"),
    date("delivery_date"),
    text("payment_form", 20, null=False, default="credit"),
    text("vat_mode", 10, null=False, default="net"),
    money("amount", null=False, default=0),
    flag("is_return"),
    flag("by_phone"),
    state("state", "saved"),
    text("comment", 400),
    priority=20,
)
ORDER_LINE = replicated(
    "order_line",
    61,
    _lines(Follows("sales_order", "order_id"), "accepted_quantity", "reject_reason"),
    link("order_id", "sales_order", indexed=True),
    whole("line_number", null=False, default=0),
    link("product_unit_id", "product_unit"),
    quantity("quantity", null=False, default=0),
    price("price"),
    percent("discount_percent"),
    link("promotion_id", "promotion", null=True),
    money("amount", null=False, default=0),
    quantity("accepted_quantity"),
    text("reject_reason", 200),
    priority=21,
)
ORDER_STATUS = replicated(
    "order_status",
    62,
    Policy(Follows("sales_order", "order_id"), Audience.DEVICE, HUB_WRITES, Conflict.INSERT_ONLY),
    link("order_id", "sales_order", indexed=True),
    time("at"),
    state(),
    text("source", 40),
    text("text", 400),
    priority=22,
)
SALE_INVOICE = replicated(
    "sale_invoice",
    63,
    _document(_OUTLET, KeepLast(3, "outlet_id")),
    number(),
    link("outlet_id", "outlet", indexed=True),
    link("position_id", "position", null=True),
    link("warehouse_id", "warehouse", null=True),
    link("visit_id", "visit", null=True),
    text("fiscal_data", 400),
    money("amount", null=False, default=0),
    time("printed_at"),
    state("state", "issued"),
    link("cancels_id", "sale_invoice", null=True),
)
SALE_INVOICE_LINE = replicated(
    "sale_invoice_line",
    64,
    _lines(Follows("sale_invoice", "invoice_id")),
    link("invoice_id", "sale_invoice", indexed=True),
    whole("line_number", null=False, default=0),
    link("product_unit_id", "product_unit"),
    text("lot", 40),
    quantity("quantity", null=False, default=0),
    price("price"),
    percent("discount_percent"),
    money("amount", null=False, default=0),
)
SHIPMENT = replicated(
    "shipment",
    65,
    Policy(_OUTLET, Audience.DEVICE, HUB_WRITES, Conflict.INSERT_ONLY, KeepLast(3, "outlet_id")),
    number(),
    link("order_id", "sales_order", null=True),
    link("outlet_id", "outlet", indexed=True),
    link("distributor_id", "distributor", null=True),
    date("date"),
    text("kind", 20, null=False, default="sale"),
    money("amount", null=False, default=0),
)
SHIPMENT_LINE = replicated(
    "shipment_line",
    66,
    Policy(Follows("shipment", "shipment_id"), Audience.DEVICE, HUB_WRITES, Conflict.INSERT_ONLY),
    link("shipment_id", "shipment", indexed=True),
    whole("line_number", null=False, default=0),
    link("product_unit_id", "product_unit"),
    quantity("quantity", null=False, default=0),
    price("price"),
    money("amount", null=False, default=0),
)
GOODS_RETURN = replicated(
    "goods_return",
    67,
    _document(_OUTLET, KeepLast(3, "outlet_id")),
    number(),
    link("outlet_id", "outlet", indexed=True),
    link("position_id", "position", null=True),
    link("visit_id", "visit", null=True),
    text("reason", 80),
    text("condition", 40),
    text("basis_document", 80),
    state("state", "saved"),
)
GOODS_RETURN_LINE = replicated(
    "goods_return_line",
    68,
    _lines(Follows("goods_return", "return_id")),
    link("return_id", "goods_return", indexed=True),
    whole("line_number", null=False, default=0),
    link("product_unit_id", "product_unit"),
    text("lot", 40),
    quantity("quantity", null=False, default=0),
    price("price"),
    money("amount", null=False, default=0),
)
PAYMENT = replicated(
    "payment",
    69,
    _document(_OUTLET, KeepLast(5, "outlet_id")),
    number(),
    link("outlet_id", "outlet", indexed=True),
    link("position_id", "position", null=True),
    link("visit_id", "visit", null=True),
    text("kind", 20, null=False, default="cash"),
    money("amount", null=False, default=0),
    text("allocations", 4000),
    text("cash_bag", 40),
    state("state", "taken"),
)
CASH_HANDOVER = replicated(
    "cash_handover",
    70,
    _document(
        Keyed(PartitionKind.POSITION, "position_id"),
        KeepDays(7, "created_at"),
        author=frozenset({"position_id", "user_id"}),
    ),
    link("position_id", "position", indexed=True),
    link("user_id", "app_user", null=True),
    money("amount", null=False, default=0),
    text("place", 200),
    link("photo_id", "photo", null=True),
    link("accepted_by", "app_user", null=True),
    *place(),
)

TABLES = (
    SALES_ORDER,
    ORDER_LINE,
    ORDER_STATUS,
    SALE_INVOICE,
    SALE_INVOICE_LINE,
    SHIPMENT,
    SHIPMENT_LINE,
    GOODS_RETURN,
    GOODS_RETURN_LINE,
    PAYMENT,
    CASH_HANDOVER,
)
