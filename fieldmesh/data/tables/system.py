"""What the network says about itself: ticks, rejects, sessions, audit, exchange with partners."""

from fieldmesh.data.columns import binary, code, digest, link, place, state, text, time, whole
from fieldmesh.data.model import replicated
from fieldmesh.data.policy import (
    HUB_WRITES,
    Audience,
    Conflict,
    Follows,
    HubOnly,
    KeepDays,
    Keyed,
    PartitionKind,
    Policy,
    SightRule,
)

_DEVICE = Keyed(PartitionKind.DEVICE, "device_id")
_OF_DEVICE = Follows("device", "device_id")


def _hub_only(seen_by: SightRule | None = None) -> Policy:
    return Policy(HubOnly(), Audience.HUB, HUB_WRITES, Conflict.INSERT_ONLY, seen_by=seen_by)


DEVICE_TICK = replicated(
    "device_tick",
    120,
    Policy(_DEVICE, Audience.GATEWAY, HUB_WRITES, Conflict.HUB_WINS, seen_by=_OF_DEVICE),
    link("device_id", "device", indexed=True),
    whole("device_epoch", null=False, default=0),
    whole("sequence", null=False, default=0),
    binary("proof", 1024),
    priority=0,
)
REJECT = replicated(
    "reject",
    121,
    Policy(
        _DEVICE,
        Audience.DEVICE,
        HUB_WRITES,
        Conflict.HUB_WINS,
        KeepDays(30, "created_at"),
        seen_by=_OF_DEVICE,
    ),
    link("device_id", "device", indexed=True),
    whole("device_epoch", null=False, default=0),
    whole("sequence", null=False, default=0),
    text("table_name", 63, null=False, default=""),
    link("row_id"),
    code("code"),
    text("text", 1000, null=False, default=""),
    text("fields", 4000, null=False, default="{}"),
    text("row", 60000, null=False, default="{}"),
    priority=0,
)
SYNC_SESSION = replicated(
    "sync_session",
    122,
    _hub_only(_OF_DEVICE),
    link("session_id", indexed=True),
    text("tier", 10, null=False, default="gateway"),
    link("device_id", "device", null=True, indexed=True),
    link("gateway_id", "gateway", null=True),
    link("user_id", "app_user", null=True),
    text("mode", 20, null=False, default=""),
    time("started_at"),
    time("ended_at"),
    whole("clock_skew_us"),
    whole("rows_up"),
    whole("rows_down"),
    whole("bytes_up"),
    whole("bytes_down"),
    text("outcome", 20, null=False, default=""),
    text("problem", 60),
    text("app_version", 64),
    text("network", 20),
    whole("resumed", null=False, default=0),
    *place(),
)
AUDIT_LOG = replicated(
    "audit_log",
    123,
    _hub_only(),
    time("at", null=False),
    text("actor", 120, null=False, default=""),
    text("action", 80, null=False, default=""),
    text("entity", 63),
    link("entity_id", null=True),
    text("before", 60000),
    text("after", 60000),
    text("origin", 120),
)
EXCHANGE_MESSAGE = replicated(
    "exchange_message",
    124,
    _hub_only(Follows("gateway", "gateway_id")),
    link("gateway_id", "gateway", null=True),
    text("direction", 10, null=False, default="in"),
    text("document_type", 60),
    link("document_id", null=True),
    text("file_name", 400),
    digest("sha256"),
    state("state", "built"),
    whole("attempts", null=False, default=0),
    text("acknowledgement", 200),
)
EXCHANGE_ERROR = replicated(
    "exchange_error",
    125,
    _hub_only(Follows("exchange_message", "message_id")),
    link("message_id", "exchange_message", indexed=True),
    text("place", 400),
    code("code"),
    text("severity", 10, null=False, default="error"),
    text("text", 1000),
    state("state", "open"),
)

TABLES = (DEVICE_TICK, REJECT, SYNC_SESSION, AUDIT_LOG, EXCHANGE_MESSAGE, EXCHANGE_ERROR)
