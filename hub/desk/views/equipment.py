"""Trade equipment and its service."""

from fieldmesh.service.translation import N_
from hub.desk.view import Area, Child, Filter, View

_IMPORT = N_(
    "Load the rows from a CSV file (Administration, Import), or from the accounting system."
)

VIEWS = (
    View(
        "equipment", "equipment", Area.OUTLETS, N_("Equipment"), "equipment.view",
        ("inventory_number", "model_id.code", "serial_number", "outlet_id.name", "warehouse_id.name", "state", "value"),
        change="equipment.change", editable=("serial_number", "barcode", "owner", "value", "contract_reference"),
        filters=(Filter("state"), Filter("model_id"), Filter("outlet_id"), Filter("warehouse_id")),
                 order=("inventory_number",),
        label=("inventory_number",),
        children=(Child("inspections", "equipment_id"), Child("placements", "equipment_id"),
                  Child("service-requests", "equipment_id")),
        hint=_IMPORT,
    ),
    View(
        "placements", "equipment_placement", Area.OUTLETS, N_("Where equipment stood"), "equipment.view",
        ("placed_from", "placed_to", "outlet_id.name", "warehouse_id.name", "contract_number", "contract_until"),
        filters=(Filter("contract_until"),), order=("-placed_from",), label=("equipment_id.inventory_number",),
        in_menu=False, hint=_IMPORT,
    ),
    View(
        "inspections", "equipment_inspection", Area.OUTLETS, N_("Inspections of equipment"), "equipment.view",
        ("created_at", "equipment_id.inventory_number", "sighted", "condition", "temperature", "fill_percent",
         "purity_percent"),
        filters=(Filter("sighted"), Filter("condition")), label=("equipment_id.inventory_number", "created_at"),
        hint=N_("Inspections come from devices."),
    ),
    View(
        "equipment-models", "equipment_model", Area.OUTLETS, N_("Models of equipment"), "equipment.view",
        ("code", "type", "maker", "doors", "volume_litres"), change="equipment.change",
        editable=("type", "maker", "doors", "volume_litres"), order=("code",),
        label=("code",), children=(Child("equipment", "model_id"),), hint=_IMPORT,
    ),
    View(
        "service-requests", "service_request", Area.DOCUMENTS, N_("Service requests"), "service.view",
        ("number", "created_at", "equipment_id.inventory_number", "outlet_id.name", "fault_code", "priority", "due_at",
         "state"),
        filters=(Filter("state"), Filter("fault_code"), Filter("outlet_id"), Filter("created_at")), label=("number",),
        children=(Child("service-works", "request_id"),),
        hint=N_("Reps and technicians write requests on their devices."),
    ),
    View(
        "service-works", "service_work", Area.DOCUMENTS, N_("Service works"), "service.view",
        ("started_at", "finished_at", "position_id.name", "works", "result"), order=("-started_at",),
        label=("request_id.number", "started_at"), in_menu=False, children=(Child("service-parts", "work_id"),),
        hint=N_("Technicians write works on their devices."),
    ),
    View(
        "service-parts", "service_part", Area.DOCUMENTS, N_("Parts used"), "service.view",
        ("part_code", "quantity"), order=("part_code",), label=("part_code",), in_menu=False,
        hint=N_("No parts were used."),
    ),
)  # fmt: skip
