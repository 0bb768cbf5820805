"""What is sold, at which price, and where it stands: products, price lists, promotions, warehouses, stock."""

from fieldmesh.service.translation import N_
from hub.desk.view import Area, Child, Filter, View

_IMPORT = N_(
    "Load the rows from a CSV file (Administration, Import), or from the accounting system."
)

VIEWS = (
    View(
        "products", "product", Area.PRODUCTS, N_("Products"), "product.view",
        ("code", "name", "brand", "product_group_id.name", "vat_percent", "excise", "status"),
        change="product.change", editable=("name", "brand", "product_group_id", "status"),
        filters=(Filter("status", ("active", "inactive")), Filter("product_group_id"), Filter("brand"),
                 Filter("is_competitor")),
        order=("code",),
        children=(Child("units", "product_id"), Child("stock", "product_id"), Child("assortments", "product_id"),
                  Child("local-codes", "product_id")),
        hint=_IMPORT,
    ),
    View(
        "product-groups", "product_group", Area.PRODUCTS, N_("Product groups"), "product.view",
        ("code", "name", "parent_id.name"), change="product.change", editable=("name", "parent_id"),
        order=("code",), children=(Child("products", "product_group_id"),), hint=_IMPORT,
    ),
    View(
        "units", "product_unit", Area.PRODUCTS, N_("Packs and units"), "product.view",
        ("unit_code", "product_id.name", "factor", "is_order_unit", "order_multiple", "minimum_quantity",
         "maximum_quantity"),
        change="product.change", editable=("order_multiple", "minimum_quantity", "maximum_quantity"),
        order=("product_id",), label=("product_id.name", "unit_code"), in_menu=False,
        children=(Child("prices", "product_unit_id"), Child("barcodes", "product_unit_id")), hint=_IMPORT,
    ),
    View(
        "barcodes", "product_barcode", Area.PRODUCTS, N_("Barcodes"), "product.view",
        ("gtin", "product_unit_id.product_id.name", "product_unit_id.unit_code"), order=("gtin",),
        label=("gtin",), hint=_IMPORT,
    ),
    View(
        "local-codes", "product_xref", Area.PRODUCTS, N_("Codes at distributors"), "product.view",
        ("local_code", "distributor_id.name", "product_id.name", "unit_factor"),
        change="product.change", editable=("product_id", "unit_factor"),
        filters=(Filter("distributor_id"),), order=("local_code",), label=("local_code",), hint=_IMPORT,
    ),
    View(
        "price-lists", "price_list", Area.PRODUCTS, N_("Price lists"), "price.view",
        ("code", "name", "distributor_id.name", "currency", "vat_mode", "valid_from", "valid_to", "is_default"),
        change="price.change", editable=("name", "valid_from", "valid_to", "priority", "is_default"),
        filters=(Filter("distributor_id"),), order=("code",),
        children=(Child("prices", "price_list_id"), Child("contracts", "price_list_id")), hint=_IMPORT,
    ),
    View(
        "prices", "price", Area.PRODUCTS, N_("Prices"), "price.view",
        ("product_unit_id.product_id.name", "product_unit_id.unit_code", "price_list_id.name", "amount",
         "minimum_amount", "valid_from"),
        change="price.change", editable=("amount", "minimum_amount"),
        filters=(Filter("price_list_id"),), order=("-valid_from",), label=("product_unit_id.product_id.name",),
        hint=_IMPORT,
    ),
    View(
        "assortments", "assortment", Area.PRODUCTS, N_("Must-stock lists"), "product.view",
        ("code", "product_id.name", "channel", "class", "distributor_id.name", "rank", "required"),
        change="product.change", editable=("channel", "class", "rank", "required"),
        filters=(Filter("channel"), Filter("class")), order=("code",), hint=_IMPORT,
        label=("code", "product_id.name"),
    ),
    View(
        "promotions", "promotion", Area.PRODUCTS, N_("Promotions"), "price.view",
        ("code", "name", "kind", "valid_from", "valid_to", "stackable", "budget"),
        change="price.change", editable=("name", "valid_from", "valid_to", "stackable", "budget"),
        filters=(Filter("kind"), Filter("valid_to")), order=("-valid_from",),
        children=(Child("promotion-conditions", "promotion_id"), Child("promotion-rewards", "promotion_id")),
        hint=_IMPORT,
    ),
    View(
        "promotion-conditions", "promo_condition", Area.PRODUCTS, N_("Conditions of promotions"), "price.view",
        ("promotion_id.name", "product_set", "threshold"), label=("promotion_id.name",), in_menu=False, hint=_IMPORT,
    ),
    View(
        "promotion-rewards", "promo_reward", Area.PRODUCTS, N_("Rewards of promotions"), "price.view",
        ("promotion_id.name", "product_set", "kind", "reward"), label=("promotion_id.name",), in_menu=False,
        hint=_IMPORT,
    ),
    View(
        "warehouses", "warehouse", Area.PRODUCTS, N_("Warehouses and vans"), "stock.view",
        ("code", "name", "kind", "org_unit_id.name", "distributor_id.name", "position_id.name", "cut_off_time"),
        change="stock.change", editable=("name", "cut_off_time", "warning_minutes", "vehicle", "time_zone"),
        filters=(Filter("kind", ("main", "defect", "van")), Filter("distributor_id")),
        order=("code",), children=(Child("stock", "warehouse_id"),), hint=_IMPORT,
    ),
    View(
        "stock", "stock", Area.PRODUCTS, N_("Stock"), "stock.view",
        ("product_id.name", "product_id.code", "warehouse_id.name", "lot", "quantity", "reserved", "as_of"),
        filters=(Filter("warehouse_id"),), order=("product_id",), label=("product_id.name", "warehouse_id.name"),
        hint=_IMPORT,
    ),
)  # fmt: skip
