"""The sales organisation: who there is, where they stand, what their workplaces can do."""

from fieldmesh.data.columns import binary, code, date, flag, link, state, text, time, whole
from fieldmesh.data.model import replicated
from fieldmesh.data.policy import (
    HUB_WRITES,
    Audience,
    Conflict,
    Follows,
    Global,
    HubOnly,
    Keyed,
    NamedBy,
    Own,
    PartitionKind,
    PartitionRule,
    Policy,
    SightRule,
)


def _by_hub(
    partition: PartitionRule,
    audience: Audience = Audience.DEVICE,
    seen_by: SightRule | None = None,
) -> Policy:
    return Policy(partition, audience, HUB_WRITES, Conflict.HUB_WINS, seen_by=seen_by)


_POSITION = Keyed(PartitionKind.POSITION, "position_id")

ORG_UNIT = replicated(
    "org_unit",
    1,
    _by_hub(Global()),
    link("parent_id", "org_unit", null=True),
    text("kind", 20, null=False, default="office"),
    code(),
    text("name"),
    text("time_zone", 60, null=False, default="UTC"),
    text("calendar", 40),
)
ROLE = replicated(
    "role", 2, _by_hub(Global()), code(), text("name"), text("kind", 20, null=False, default="rep")
)
PERMISSION = replicated(
    "permission",
    3,
    _by_hub(Global()),
    link("role_id", "role", indexed=True),
    code("function_code"),
    text("scope_rule", 40),
)
TERRITORY = replicated(
    "territory",
    4,
    _by_hub(HubOnly(), Audience.HUB, NamedBy("position", "territory_id")),
    link("parent_id", "territory", null=True, indexed=True),
    link("org_unit_id", "org_unit"),
    whole("level", null=False, default=0),
    code(),
    text("name"),
    date("valid_from"),
    date("valid_to"),
    text("path", 900),
)
POSITION = replicated(
    "position",
    5,
    _by_hub(Own(PartitionKind.POSITION)),
    link("territory_id", "territory", null=True, indexed=True),
    link("role_id", "role"),
    link("parent_position_id", "position", null=True, indexed=True),
    link("distributor_id", "distributor", null=True),
    code(),
    text("name"),
    text("team", 60),
    text("status", 20, null=False, default="active"),
)
APP_USER = replicated(
    "app_user",
    6,
    _by_hub(HubOnly(), Audience.HUB, NamedBy("assignment", "user_id")),
    text("login", 80, null=False, indexed=True),
    text("person"),
    link("org_unit_id", "org_unit", null=True),
    text("auth_kind", 20, null=False, default="local"),
    text("status", 20, null=False, default="active"),
    text("verifier", 400),
    text("mail", 200),
)
ASSIGNMENT = replicated(
    "assignment",
    7,
    _by_hub(_POSITION),
    link("position_id", "position", indexed=True),
    link("user_id", "app_user", indexed=True),
    date("valid_from"),
    date("valid_to"),
    text("kind", 20, null=False, default="main"),
)
SIGN_IN = replicated(
    "sign_in",
    8,
    _by_hub(_POSITION),
    link("position_id", "position", indexed=True),
    link("user_id", "app_user"),
    text("login", 80, null=False),
    text("person"),
    text("verifier", 400, null=False),
    priority=1,
)
WORKPLACE = replicated(
    "workplace",
    9,
    _by_hub(Global()),
    code(),
    text("name"),
    text("kind", 20, null=False, default="mobile"),
    link("role_id", "role", null=True),
)
WORKPLACE_FUNCTION = replicated(
    "workplace_function",
    10,
    _by_hub(Follows("workplace", "workplace_id")),
    link("workplace_id", "workplace", indexed=True),
    code("function_code"),
    flag("enabled", default=1),
    text("parameters", 4000),
)
GATEWAY = replicated(
    "gateway",
    11,
    _by_hub(Global(), Audience.GATEWAY, NamedBy("device", "gateway_id")),
    link("org_unit_id", "org_unit", null=True),
    link("distributor_id", "distributor", null=True),
    code(),
    text("name"),
    text("addresses", 1000),
    text("enrolment_address", 200),
    text("protocol", 20, null=False, default="fieldmesh"),
    text("direction", 20),
    text("schedule", 400),
    text("credentials_reference", 200),
    state("status", "registered"),
    text("certificate_fingerprint", 64),
    text("bus_key", 80),
    priority=1,
)
DEVICE = replicated(
    "device",
    12,
    _by_hub(Global(), Audience.GATEWAY, _POSITION),
    code(),
    link("position_id", "position", null=True, indexed=True),
    link("gateway_id", "gateway", null=True, indexed=True),
    link("user_id", "app_user", null=True),
    text("hardware_id", 128),
    text("kind", 20, null=False, default="main"),
    link("stands_in_for", "device", null=True),
    state("state", "active"),
    whole("epoch_floor", null=False, default=0),
    text("certificate_fingerprint", 64),
    text("certificate_serial", 64),
    text("document_prefix", 10, null=False, default=""),
    text("app_version", 64),
    flag("must_full_sync"),
    binary("wipe_order", 4096),
    priority=1,
)
NUMBER_RANGE = replicated(
    "number_range",
    13,
    _by_hub(Keyed(PartitionKind.DEVICE, "device_id"), seen_by=Follows("device", "device_id")),
    link("device_id", "device", indexed=True),
    text("document_type", 40, null=False),
    text("prefix", 20, null=False),
    whole("last_number", null=False, default=0),
    priority=2,
)
GATEWAY_POSITION = replicated(
    "gateway_position",
    14,
    _by_hub(Keyed(PartitionKind.GATEWAY, "gateway_id"), Audience.GATEWAY),
    link("gateway_id", "gateway", indexed=True),
    link("position_id", "position", indexed=True),
    text("kind", 20, null=False, default="home"),
    time("expires_at"),
    priority=1,
)
SUBSCRIPTION = replicated(
    "subscription",
    15,
    _by_hub(_POSITION),
    link("position_id", "position", indexed=True),
    whole("target_partition", null=False, default=0),
    text("target_kind", 20, null=False),
    link("target_key", null=True),
    priority=0,
)

TABLES = (
    ORG_UNIT,
    ROLE,
    PERMISSION,
    TERRITORY,
    POSITION,
    APP_USER,
    ASSIGNMENT,
    SIGN_IN,
    WORKPLACE,
    WORKPLACE_FUNCTION,
    GATEWAY,
    DEVICE,
    NUMBER_RANGE,
    GATEWAY_POSITION,
    SUBSCRIPTION,
)
