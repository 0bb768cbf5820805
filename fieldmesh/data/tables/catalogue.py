"""What is sold, for how much, from where: products, prices, assortments, promotions, stock."""

from fieldmesh.data.columns import (
    code,
    date,
    decimal,
    flag,
    link,
    money,
    price,
    quantity,
    text,
    time,
    whole,
)
from fieldmesh.data.model import replicated
from fieldmesh.data.policy import (
    HUB_WRITES,
    Audience,
    Conflict,
    First,
    Follows,
    Global,
    Keyed,
    Own,
    PartitionKind,
    PartitionRule,
    Policy,
)


def _by_hub(partition: PartitionRule) -> Policy:
    return Policy(partition, Audience.DEVICE, HUB_WRITES, Conflict.HUB_WINS)


PRODUCT_GROUP = replicated(
    "product_group",
    40,
    _by_hub(Global()),
    link("parent_id", "product_group", null=True),
    code(),
    text("name"),
)
PRODUCT = replicated(
    "product",
    41,
    _by_hub(Global()),
    link("product_group_id", "product_group", null=True, indexed=True),
    code(),
    text("brand", 120),
    text("name", null=False, default=""),
    decimal("vat_percent", 7, 3),
    flag("excise"),
    whole("shelf_life_days"),
    quantity("weight_kg"),
    whole("volume_ml"),
    text("status", 20, null=False, default="active"),
    flag("is_competitor"),
    priority=6,
)
PRODUCT_UNIT = replicated(
    "product_unit",
    42,
    _by_hub(Global()),
    link("product_id", "product", indexed=True),
    text("unit_code", 20, null=False, default="piece"),
    quantity("factor", null=False, default=1000),
    flag("is_order_unit", default=1),
    quantity("order_multiple"),
    quantity("minimum_quantity"),
    quantity("maximum_quantity"),
    priority=6,
)
PRODUCT_BARCODE = replicated(
    "product_barcode",
    43,
    _by_hub(Global()),
    link("product_unit_id", "product_unit"),
    text("gtin", 40, null=False, default="", indexed=True),
)
PRODUCT_XREF = replicated(
    "product_xref",
    44,
    _by_hub(Keyed(PartitionKind.DISTRIBUTOR, "distributor_id")),
    link("distributor_id", "distributor"),
    text("local_code", 60, null=False, default=""),
    link("product_id", "product", indexed=True),
    quantity("unit_factor"),
)
PRICE_LIST = replicated(
    "price_list",
    45,
    _by_hub(Own(PartitionKind.PRICELIST)),
    code(),
    text("name"),
    link("distributor_id", "distributor", null=True),
    text("currency", 3, null=False, default="EUR"),
    text("vat_mode", 10, null=False, default="net"),
    date("valid_from"),
    date("valid_to"),
    whole("priority", null=False, default=0),
    flag("is_default"),
    priority=4,
)
PRICE = replicated(
    "price",
    46,
    _by_hub(Keyed(PartitionKind.PRICELIST, "price_list_id")),
    link("price_list_id", "price_list"),
    link("product_unit_id", "product_unit", indexed=True),
    date("valid_from"),
    price("amount", null=False),
    price("minimum_amount"),
    priority=4,
)
ASSORTMENT = replicated(
    "assortment",
    47,
    _by_hub(First(Keyed(PartitionKind.DISTRIBUTOR, "distributor_id"), Global())),
    link("distributor_id", "distributor", null=True),
    code(),
    text("channel", 40),
    text("class", 10),
    text("outlet_rule", 400),
    link("product_id", "product", indexed=True),
    whole("rank"),
    flag("required"),
)
PROMOTION = replicated(
    "promotion",
    48,
    _by_hub(Global()),
    code(),
    text("name"),
    text("kind", 20, null=False, default="percent"),
    date("valid_from"),
    date("valid_to"),
    flag("stackable"),
    money("budget"),
    text("scope_rule", 2000),
)
PROMO_CONDITION = replicated(
    "promo_condition",
    49,
    _by_hub(Follows("promotion", "promotion_id")),
    link("promotion_id", "promotion", indexed=True),
    text("product_set", 4000),
    quantity("threshold"),
)
PROMO_REWARD = replicated(
    "promo_reward",
    50,
    _by_hub(Follows("promotion", "promotion_id")),
    link("promotion_id", "promotion", indexed=True),
    text("product_set", 4000),
    text("kind", 20),
    price("reward"),
)
WAREHOUSE = replicated(
    "warehouse",
    51,
    _by_hub(Own(PartitionKind.WAREHOUSE)),
    link("org_unit_id", "org_unit", null=True),
    link("distributor_id", "distributor", null=True),
    link("position_id", "position", null=True),
    code(),
    text("name"),
    text("kind", 20, null=False, default="main"),
    text("vehicle", 40),
    text("cut_off_time", 5),
    whole("warning_minutes"),
    text("time_zone", 60, null=False, default="UTC"),
    priority=5,
)
STOCK = replicated(
    "stock",
    52,
    _by_hub(Keyed(PartitionKind.WAREHOUSE, "warehouse_id")),
    link("warehouse_id", "warehouse"),
    link("product_id", "product", indexed=True),
    text("lot", 40),
    quantity("quantity", null=False, default=0),
    quantity("reserved", null=False, default=0),
    time("as_of"),
    priority=5,
)

TABLES = (
    PRODUCT_GROUP,
    PRODUCT,
    PRODUCT_UNIT,
    PRODUCT_BARCODE,
    PRODUCT_XREF,
    PRICE_LIST,
    PRICE,
    ASSORTMENT,
    PROMOTION,
    PROMO_CONDITION,
    PROMO_REWARD,
    WAREHOUSE,
    STOCK,
)
