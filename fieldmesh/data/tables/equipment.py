"""Trade equipment and its service."""

from fieldmesh.data.columns import (
    code,
    date,
    decimal,
    flag,
    link,
    money,
    number,
    percent,
    place,
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
    First,
    Follows,
    Global,
    HubOnly,
    KeepLast,
    Keyed,
    PartitionKind,
    PartitionRule,
    Policy,
    SightRule,
    WriterRole,
)

_TECHNICIANS = frozenset({WriterRole.TECHNICIAN, WriterRole.HUB})


def _by_hub(partition: PartitionRule, seen_by: SightRule | None = None) -> Policy:
    return Policy(partition, Audience.DEVICE, HUB_WRITES, Conflict.HUB_WINS, seen_by=seen_by)


EQUIPMENT_MODEL = replicated(
    "equipment_model",
    110,
    _by_hub(Global()),
    code(),
    text("type", 20, null=False, default="cooler"),
    text("maker", 80),
    whole("doors"),
    whole("volume_litres"),
)
EQUIPMENT = replicated(
    "equipment",
    111,
    _by_hub(
        First(
            Follows("outlet", "outlet_id"),
            Keyed(PartitionKind.WAREHOUSE, "warehouse_id"),
            HubOnly(),
        )
    ),
    link("outlet_id", "outlet", null=True, indexed=True),
    link("warehouse_id", "warehouse", null=True),
    link("model_id", "equipment_model", null=True),
    text("inventory_number", 60, null=False, default="", indexed=True),
    text("serial_number", 60),
    text("barcode", 60, indexed=True),
    text("owner", 80),
    state("state", "in_stock"),
    money("value"),
    date("in_service_date"),
    text("contract_reference", 120),
)
EQUIPMENT_PLACEMENT = replicated(
    "equipment_placement",
    112,
    _by_hub(
        First(
            Follows("outlet", "outlet_id"),
            Keyed(PartitionKind.WAREHOUSE, "warehouse_id"),
            HubOnly(),
        )
    ),
    link("equipment_id", "equipment", indexed=True),
    link("outlet_id", "outlet", null=True),
    link("warehouse_id", "warehouse", null=True),
    date("placed_from"),
    date("placed_to"),
    text("contract_number", 60),
    date("contract_date"),
    date("contract_until"),
    text("act_document", 80),
)
EQUIPMENT_MOVE = replicated(
    "equipment_move",
    113,
    _by_hub(
        HubOnly(),
        First(
            Follows("outlet", "outlet_id"),
            Keyed(PartitionKind.WAREHOUSE, "to_warehouse_id"),
            Keyed(PartitionKind.WAREHOUSE, "from_warehouse_id"),
        ),
    ),
    number(),
    text("kind", 20, null=False, default="to_retail"),
    link("from_warehouse_id", "warehouse", null=True),
    link("to_warehouse_id", "warehouse", null=True),
    link("outlet_id", "outlet", null=True),
    date("date"),
)
EQUIPMENT_MOVE_LINE = replicated(
    "equipment_move_line",
    114,
    _by_hub(HubOnly(), Follows("equipment_move", "move_id")),
    link("move_id", "equipment_move", indexed=True),
    link("equipment_id", "equipment"),
)
EQUIPMENT_INSPECTION = replicated(
    "equipment_inspection",
    115,
    Policy(
        Follows("equipment", "equipment_id"),
        Audience.DEVICE,
        FIELD,
        Conflict.INSERT_ONLY,
        KeepLast(1, "equipment_id"),
    ),
    link("equipment_id", "equipment", indexed=True),
    link("visit_id", "visit", null=True),
    flag("sighted", default=1),
    text("condition", 20),
    decimal("temperature", 5, 1),
    percent("fill_percent"),
    percent("purity_percent"),
    link("photo_id", "photo", null=True),
    *place(),
)
SERVICE_REQUEST = replicated(
    "service_request",
    116,
    Policy(
        Follows("outlet", "outlet_id"),
        Audience.DEVICE,
        FIELD | {WriterRole.HUB},
        Conflict.MERGE_COLUMNS,
        author=frozenset({"author_position_id"}),
    ),
    number(),
    link("equipment_id", "equipment", null=True),
    link("outlet_id", "outlet", indexed=True),
    text("fault_code", 40),
    text("description", 1000),
    whole("priority", null=False, default=0),
    time("due_at"),
    link("author_position_id", "position", null=True),
    state(),
    link("centre_id", "org_unit", null=True),
)
SERVICE_WORK = replicated(
    "service_work",
    117,
    Policy(
        Follows("service_request", "request_id"),
        Audience.DEVICE,
        _TECHNICIANS,
        Conflict.INSERT_ONLY,
        author=frozenset({"position_id"}),
    ),
    link("request_id", "service_request", indexed=True),
    link("position_id", "position", null=True),
    time("started_at"),
    time("finished_at"),
    text("works", 2000),
    text("result", 40),
    link("signature_photo_id", "photo", null=True),
)
SERVICE_PART = replicated(
    "service_part",
    118,
    Policy(Follows("service_work", "work_id"), Audience.DEVICE, _TECHNICIANS, Conflict.INSERT_ONLY),
    link("work_id", "service_work", indexed=True),
    text("part_code", 60, null=False, default=""),
    quantity("quantity", null=False, default=0),
)

TABLES = (
    EQUIPMENT_MODEL,
    EQUIPMENT,
    EQUIPMENT_PLACEMENT,
    EQUIPMENT_MOVE,
    EQUIPMENT_MOVE_LINE,
    EQUIPMENT_INSPECTION,
    SERVICE_REQUEST,
    SERVICE_WORK,
    SERVICE_PART,
)
