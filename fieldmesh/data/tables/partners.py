"""Distributors, legal parties, outlets, and what belongs to an outlet."""

from fieldmesh.data.columns import (
    code,
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
    FIELD,
    HUB_WRITES,
    Audience,
    Conflict,
    Follows,
    Keyed,
    Own,
    PartitionKind,
    PartitionRule,
    Patched,
    Policy,
    WriterRole,
)


def _by_hub(partition: PartitionRule) -> Policy:
    return Policy(partition, Audience.DEVICE, HUB_WRITES, Conflict.HUB_WINS)


_OUTLET = Follows("outlet", "outlet_id")

LEGAL_PARTY = replicated(
    "legal_party",
    20,
    _by_hub(Patched()),
    link("patch_id", null=True, indexed=True),
    code(ordered=True),
    text("name", null=False, default=""),
    text("tax_number", 40),
    text("vat_number", 40),
    text("bank", 400),
    text("address", 400),
    text("status", 20, null=False, default="active"),
)
DISTRIBUTOR = replicated(
    "distributor",
    21,
    _by_hub(Own(PartitionKind.DISTRIBUTOR)),
    link("legal_party_id", "legal_party", null=True),
    code(),
    text("name"),
    text("service_territories", 1000),
    text("cut_off_time", 5),
    text("status", 20, null=False, default="active"),
)
OUTLET = replicated(
    "outlet",
    22,
    _by_hub(Patched()),
    link("patch_id", null=True, indexed=True),
    link("legal_party_id", "legal_party", null=True, indexed=True),
    link("distributor_id", "distributor", null=True),
    link("territory_id", "territory", null=True),
    code(ordered=True),
    text("name", null=False, default=""),
    text("channel", 40),
    text("sub_channel", 40),
    text("class", 10),
    text("potential", 20),
    text("address", 400),
    text("city", 100),
    text("postal_code", 20),
    *place(),
    text("geo_source", 20),
    text("opening_hours", 200),
    money("minimum_order"),
    text("status", 20, null=False, default="active"),
    priority=10,
)
OUTLET_ASSIGNMENT = replicated(
    "outlet_assignment",
    23,
    _by_hub(_OUTLET),
    link("outlet_id", "outlet", indexed=True),
    link("position_id", "position", indexed=True),
    date("valid_from"),
    date("valid_to"),
)
OUTLET_CHANGE_REQUEST = replicated(
    "outlet_change_request",
    24,
    Policy(
        Keyed(PartitionKind.POSITION, "position_id"),
        Audience.DEVICE,
        FIELD,
        Conflict.INSERT_ONLY,
        hub_columns=frozenset({"decided_at", "decision_text"}),
        author=frozenset({"position_id"}),
    ),
    link("position_id", "position", indexed=True),
    link("outlet_id", "outlet", null=True),
    text("payload", 16000, null=False, default="{}"),
    state(),
    time("decided_at"),
    text("decision_text", 400),
)
OUTLET_LICENCE = replicated(
    "outlet_licence",
    25,
    _by_hub(_OUTLET),
    link("outlet_id", "outlet", indexed=True),
    text("type", 40, null=False, default=""),
    text("number", 60),
    date("valid_from"),
    date("valid_to"),
)
CONTACT = replicated(
    "contact",
    26,
    Policy(_OUTLET, Audience.DEVICE, FIELD | {WriterRole.HUB}, Conflict.MERGE_COLUMNS),
    link("outlet_id", "outlet", indexed=True),
    text("name", null=False, default=""),
    text("role", 80),
    text("phone", 40),
    text("email", 120),
    flag("consent"),
)
CONTRACT = replicated(
    "contract",
    27,
    _by_hub(Follows("legal_party", "legal_party_id")),
    link("legal_party_id", "legal_party", indexed=True),
    link("distributor_id", "distributor", null=True),
    link("price_list_id", "price_list", null=True),
    code(),
    text("payment_form", 20, null=False, default="credit"),
    money("credit_limit"),
    whole("credit_days"),
    date("valid_from"),
    date("valid_to"),
    priority=11,
)
DEBT_LIMIT = replicated(
    "debt_limit",
    28,
    _by_hub(Follows("contract", "contract_id")),
    link("contract_id", "contract", indexed=True),
    money("credit_limit"),
    whole("limit_days"),
    money("balance"),
    money("overdue"),
    flag("blocked"),
    time("as_of"),
    priority=12,
)
DEBT_DOC = replicated(
    "debt_doc",
    29,
    _by_hub(_OUTLET),
    link("outlet_id", "outlet", indexed=True),
    link("contract_id", "contract", null=True),
    link("distributor_id", "distributor", null=True),
    number(),
    date("date"),
    date("due_date"),
    money("amount"),
    money("rest"),
    priority=13,
)
OUTLET_DISCOUNT = replicated(
    "outlet_discount",
    30,
    _by_hub(_OUTLET),
    link("outlet_id", "outlet", indexed=True),
    link("contract_id", "contract", null=True),
    link("product_group_id", "product_group", null=True),
    percent("percent"),
    date("valid_from"),
    date("valid_to"),
)
CONTAINER_BALANCE = replicated(
    "container_balance",
    31,
    _by_hub(_OUTLET),
    link("outlet_id", "outlet", indexed=True),
    link("product_id", "product"),
    quantity("quantity", null=False, default=0),
    price("deposit"),
    time("as_of"),
)

TABLES = (
    LEGAL_PARTY,
    DISTRIBUTOR,
    OUTLET,
    OUTLET_ASSIGNMENT,
    OUTLET_CHANGE_REQUEST,
    OUTLET_LICENCE,
    CONTACT,
    CONTRACT,
    DEBT_LIMIT,
    DEBT_DOC,
    OUTLET_DISCOUNT,
    CONTAINER_BALANCE,
)
