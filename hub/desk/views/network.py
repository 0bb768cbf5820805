"""The network itself: gateways, devices, sync sessions, rejects, exchange with partners."""

from fieldmesh.service.translation import N_
from hub.desk.view import Area, Child, Filter, View

VIEWS = (
    View(
        "gateways", "gateway", Area.NETWORK, N_("Gateways"), "network.view",
        ("code", "name", "org_unit_id.name", "distributor_id.name", "addresses", "status"),
        change="gateway.manage", editable=("name", "schedule"),
        filters=(Filter("status"), Filter("distributor_id")), order=("code",),
        children=(Child("devices", "gateway_id"), Child("sessions", "gateway_id")),
        hint=N_("Register a gateway here; it shows a one-time code for the machine in the branch."),
    ),
    View(
        "devices", "device", Area.NETWORK, N_("Devices"), "network.view",
        ("code", "position_id.name", "gateway_id.name", "kind", "state", "app_version"),
        change="device.manage",
        filters=(Filter("state"), Filter("kind", ("main", "spare")), Filter("gateway_id")),
        order=("code",), label=("code",),
        children=(Child("sessions", "device_id"), Child("rejects", "device_id")),
        hint=N_("Register a device here; it shows a one-time code and a QR picture for the person."),
    ),
    View(
        "sessions", "sync_session", Area.JOURNAL, N_("Sync sessions"), "session.view",
        ("started_at", "device_id.code", "gateway_id.name", "tier", "mode", "outcome", "rows_up", "rows_down",
         "bytes_up", "bytes_down", "clock_skew_us", "problem"),
        filters=(Filter("started_at"), Filter("mode", ("fast", "full", "initialize", "duplicate", "upload")),
                 Filter("outcome"), Filter("device_id"), Filter("gateway_id")),
        order=("-id",), label=("device_id.code", "started_at"),
        hint=N_("Every sync session leaves a record; the first one comes with the first device."),
    ),
    View(
        "rejects", "reject", Area.NETWORK, N_("Rejects"), "reject.view",
        ("created_at", "device_id.code", "table_name", "code", "text"),
        filters=(Filter("device_id"), Filter("code")), label=("code", "created_at"),
        hint=N_("Nothing that devices sent was refused."),
    ),
    View(
        "exchange-messages", "exchange_message", Area.NETWORK, N_("Exchange with partners"), "exchange.view",
        ("created_at", "gateway_id.name", "direction", "document_type", "file_name", "state", "attempts"),
        filters=(Filter("state"), Filter("direction", ("in", "out")), Filter("gateway_id")), label=("file_name",),
        children=(Child("exchange-errors", "message_id"),),
        hint=N_("Files that go to and come from partners are listed here."),
    ),
    View(
        "exchange-errors", "exchange_error", Area.NETWORK, N_("Errors in exchanged files"), "exchange.view",
        ("place", "code", "severity", "text", "state"), filters=(Filter("state"),), label=("code", "place"),
        in_menu=False, hint=N_("The file had no errors."),
    ),
)  # fmt: skip
