"""The day in the field: routes, plans, visits, tasks, targets, messages, positions on the map."""

from fieldmesh.data.columns import (
    binary,
    code,
    date,
    decimal,
    flag,
    link,
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
    HubOnly,
    KeepDays,
    KeepLast,
    Keyed,
    PartitionKind,
    Policy,
    WriterRole,
)

_POSITION = Keyed(PartitionKind.POSITION, "position_id")
_OUTLET = Follows("outlet", "outlet_id")
_FIELD_AND_HUB = FIELD | {WriterRole.HUB}
_BY_HUB = Policy(_POSITION, Audience.DEVICE, HUB_WRITES, Conflict.HUB_WINS)

ROUTE = replicated(
    "route",
    80,
    _BY_HUB,
    link("position_id", "position", indexed=True),
    code(),
    text("name"),
    whole("cycle_weeks", null=False, default=1),
    whole("week_mask", null=False, default=1),
    whole("weekday"),
    priority=2,
)
ROUTE_OUTLET = replicated(
    "route_outlet",
    81,
    Policy(Follows("route", "route_id"), Audience.DEVICE, HUB_WRITES, Conflict.HUB_WINS),
    link("route_id", "route", indexed=True),
    link("outlet_id", "outlet"),
    whole("sequence_number", null=False, default=0),
    whole("planned_minutes"),
    text("time_window", 20),
    priority=2,
)
VISIT_PLAN = replicated(
    "visit_plan",
    82,
    Policy(_POSITION, Audience.DEVICE, HUB_WRITES, Conflict.HUB_WINS, KeepDays(14, "date")),
    link("position_id", "position"),
    date("date", null=False, indexed=True),
    link("outlet_id", "outlet"),
    whole("sequence_number", null=False, default=0),
    text("source", 20, null=False, default="route"),
    text("works", 400),
    priority=2,
)
WORK_DAY = replicated(
    "work_day",
    83,
    Policy(
        _POSITION, Audience.DEVICE, FIELD, Conflict.MERGE_COLUMNS, KeepDays(14, "date")
    ),
    link("position_id", "position", indexed=True),
    link("user_id", "app_user", null=True),
    date("date", null=False),
    time("opened_at"),
    time("closed_at"),
    decimal("opened_latitude", 9, 6),
    decimal("opened_longitude", 9, 6),
    decimal("closed_latitude", 9, 6),
    decimal("closed_longitude", 9, 6),
    whole("odometer_start"),
    whole("odometer_end"),
    text("close_reason", 200),
)
VISIT = replicated(
    "visit",
    84,
    Policy(_OUTLET, Audience.DEVICE, FIELD, Conflict.MERGE_COLUMNS, KeepLast(3, "outlet_id")),
    link("visit_plan_id", "visit_plan", null=True),
    link("outlet_id", "outlet", indexed=True),
    link("position_id", "position", null=True),
    link("user_id", "app_user", null=True),
    time("started_at"),
    time("finished_at"),
    *place(),
    whole("accuracy_m"),
    whole("distance_m"),
    text("geo_band", 20),
    text("result_code", 40),
    text("reason_code", 40),
    priority=25,
)
TASK = replicated(
    "task",
    85,
    Policy(
        First(_OUTLET, _POSITION), Audience.DEVICE, _FIELD_AND_HUB, Conflict.MERGE_COLUMNS
    ),
    link("outlet_id", "outlet", null=True, indexed=True),
    link("position_id", "position", null=True, indexed=True),
    link("author_position_id", "position", null=True),
    text("text", 2000, null=False, default=""),
    date("due_date"),
    whole("priority", null=False, default=0),
    text("kind", 20, null=False, default="task"),
    state(),
    flag("needs_photo"),
    priority=3,
)
PHOTO = replicated(
    "photo",
    86,
    Policy(_POSITION, Audience.DEVICE, FIELD, Conflict.INSERT_ONLY, KeepDays(7, "created_at")),
    link("position_id", "position", indexed=True),
    link("visit_id", "visit", null=True),
    link("response_id", "survey_response", null=True),
    link("equipment_id", "equipment", null=True),
    time("taken_at"),
    *place(),
    binary("sha256", null=False),
    whole("size_bytes", null=False, default=0),
)
MESSAGE = replicated(
    "message",
    87,
    Policy(_POSITION, Audience.DEVICE, HUB_WRITES, Conflict.HUB_WINS, KeepDays(30, "created_at")),
    link("position_id", "position", indexed=True),
    text("audience_rule", 400),
    text("text", 4000, null=False, default=""),
    binary("file_sha256"),
    date("valid_from"),
    date("valid_to"),
    flag("urgent"),
    priority=1,
)
MESSAGE_RECEIPT = replicated(
    "message_receipt",
    88,
    Policy(
        Follows("message", "message_id"), Audience.DEVICE, FIELD, Conflict.INSERT_ONLY
    ),
    link("message_id", "message", indexed=True),
    link("user_id", "app_user", null=True),
    time("read_at"),
)
GPS_POINT = replicated(
    "gps_point",
    89,
    Policy(HubOnly(), Audience.HUB, FIELD, Conflict.INSERT_ONLY),
    link("position_id", "position", null=True, indexed=True),
    link("user_id", "app_user", null=True),
    time("at", null=False),
    *place(),
    whole("accuracy_m"),
    whole("speed_kmh"),
    text("provider", 20),
    flag("is_mock"),
    whole("battery_percent"),
)
PLAN = replicated(
    "plan",
    90,
    Policy(First(_OUTLET, _POSITION), Audience.DEVICE, HUB_WRITES, Conflict.HUB_WINS),
    link("position_id", "position", null=True, indexed=True),
    link("outlet_id", "outlet", null=True, indexed=True),
    text("period", 20, null=False, default=""),
    text("kpi", 40, null=False, default=""),
    text("product_dimension", 80),
    quantity("value", null=False, default=0),
    whole("version", null=False, default=1),
    state("state", "draft"),
    priority=30,
)
KPI_FACT = replicated(
    "kpi_fact",
    91,
    Policy(First(_OUTLET, _POSITION), Audience.DEVICE, HUB_WRITES, Conflict.HUB_WINS),
    link("position_id", "position", null=True, indexed=True),
    link("outlet_id", "outlet", null=True, indexed=True),
    text("kpi", 40, null=False, default=""),
    date("date"),
    quantity("value", null=False, default=0),
    priority=30,
)
VAN_LOAD = replicated(
    "van_load",
    92,
    Policy(
        _POSITION,
        Audience.DEVICE,
        frozenset({WriterRole.REP, WriterRole.HUB}),
        Conflict.MERGE_COLUMNS,
        KeepDays(14, "created_at"),
    ),
    link("position_id", "position", indexed=True),
    text("number", 60, null=False, default=""),
    text("kind", 20, null=False, default="request"),
    link("from_warehouse_id", "warehouse", null=True),
    link("to_warehouse_id", "warehouse", null=True),
    state("state", "planned"),
)
VAN_LOAD_LINE = replicated(
    "van_load_line",
    93,
    Policy(
        Follows("van_load", "load_id"),
        Audience.DEVICE,
        frozenset({WriterRole.REP, WriterRole.HUB}),
        Conflict.MERGE_COLUMNS,
    ),
    link("load_id", "van_load", indexed=True),
    whole("line_number", null=False, default=0),
    link("product_unit_id", "product_unit"),
    text("lot", 40),
    quantity("planned_quantity"),
    quantity("counted_quantity"),
    text("difference_reason", 200),
)
VAN_STOCK_MOVE = replicated(
    "van_stock_move",
    94,
    Policy(
        _POSITION,
        Audience.DEVICE,
        frozenset({WriterRole.REP, WriterRole.HUB}),
        Conflict.MOVEMENTS,
    ),
    link("position_id", "position", indexed=True),
    link("warehouse_id", "warehouse"),
    link("product_id", "product", indexed=True),
    text("lot", 40),
    quantity("quantity", null=False, default=0),
    text("document_table", 40),
    link("document_id", null=True),
    whole("sequence_number", null=False, default=0),
)

TABLES = (
    ROUTE,
    ROUTE_OUTLET,
    VISIT_PLAN,
    WORK_DAY,
    VISIT,
    TASK,
    PHOTO,
    MESSAGE,
    MESSAGE_RECEIPT,
    GPS_POINT,
    PLAN,
    KPI_FACT,
    VAN_LOAD,
    VAN_LOAD_LINE,
    VAN_STOCK_MOVE,
)
