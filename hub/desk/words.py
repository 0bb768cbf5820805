"""What columns, tables and coded values are called on screens, in exports and in reports: one name each.

A column's title follows from its name (`accepted_quantity` → "Accepted quantity"); where that reads badly it stands in
`TITLES`. `tools/translations.py` gathers all of them.
"""

from collections.abc import Iterable

from fieldmesh.data.schema import TABLES
from fieldmesh.data.states import MACHINES
from fieldmesh.service.translation import translate

TITLES: dict[str, str] = {
    "accuracy_m": "Accuracy, m",
    "app_version": "Program version",
    "as_of": "As of",
    "at": "Time",
    "auth_kind": "Signs in by",
    "author_position_id": "Author",
    "battery_percent": "Battery, %",
    "by_phone": "By phone",
    "bytes_down": "Bytes down",
    "bytes_up": "Bytes up",
    "cancels_id": "Cancels",
    "centre_id": "Service centre",
    "changed_at": "Changed",
    "clock_skew_us": "Clock difference",
    "created_at": "Made",
    "cut_off_time": "Orders until",
    "device_epoch": "Device epoch",
    "discount_percent": "Discount, %",
    "distance_m": "Distance, m",
    "due_at": "Due",
    "due_date": "Due on",
    "fill_percent": "Filled, %",
    "geo_band": "Distance band",
    "gtin": "Barcode (GTIN)",
    "is_competitor": "Competitor's",
    "is_default": "Default",
    "is_mock": "Faked position",
    "is_order_unit": "Ordered in it",
    "is_return": "Return",
    "kpi": "Figure",
    "location": "Place",
    "lot": "Lot",
    "must_full_sync": "Full sync needed",
    "number": "Number",
    "org_unit_id": "Office",
    "origin_device_id": "Device",
    "outlet_id": "Outlet",
    "parent_id": "Belongs to",
    "parent_position_id": "Reports to",
    "percent": "Percent",
    "purity_percent": "Own goods, %",
    "received_at": "Received",
    "rest": "Still open",
    "rows_down": "Rows down",
    "rows_up": "Rows up",
    "sequence_number": "Place in the order",
    "shelf_life_days": "Shelf life, days",
    "size_bytes": "Size",
    "speed_kmh": "Speed, km/h",
    "stands_in_for": "Stands in for",
    "unit_code": "Unit",
    "user_id": "Person",
    "valid_from": "From",
    "valid_to": "Until",
    "vat_mode": "Prices with VAT",
    "vat_percent": "VAT, %",
    "volume_litres": "Volume, l",
    "volume_ml": "Volume, ml",
    "warning_minutes": "Warning, minutes before",
    "weight_kg": "Weight, kg",
}
CODED: tuple[str, ...] = (
    "active", "inactive", "suspended", "revoked", "registered", "enrolled", "spare", "standing in", "locked", "retired",
    "main", "substitute", "home", "lease", "company", "region", "office", "distributor", "van", "defect",
    "rep", "merchandiser", "technician", "supervisor", "head", "analyst", "administrator", "operations", "branch it",
    "mobile", "stationary", "web", "local", "directory", "single sign-on",
    "credit", "cash", "card", "net", "gross", "route", "ad hoc", "task",
    "fast", "full", "initialize", "duplicate", "upload", "wire", "hand",
    "done", "failed", "cut", "refused", "fenced", "deferred", "applied", "waiting", "open", "overturned", "kept",
    "sale", "return", "write off", "correction", "transfer", "request", "load", "reload", "unload",
    "cooler", "rack", "tap", "working", "damaged", "destroyed", "percent", "fixed", "gateway", "device", "hub",
    "in", "out", "error", "warning", "info", "week", "month", "quarter", "year",
    "late", "left early", "no session", "not over", "past", "subtree",
)  # fmt: skip
"""Values of kinds, modes and outcomes, as people read them; states come from `fieldmesh.data.states`."""


def column_title(name: str) -> str:
    """The English title of a column; a path through links is called after its last link."""
    parts = name.split(".")
    shown = parts[-2] if len(parts) > 1 and parts[-1] in {"name", "code", "person"} else parts[-1]
    return TITLES.get(shown) or _humanized(shown.removesuffix("_id"))


def table_title(table: str) -> str:
    """The English title of one row of a table."""
    return _humanized(table)


def word(value: str, language: str) -> str:
    """A coded value as a person reads it; what is not known is shown as it is."""
    shown = value.replace("_", " ")
    return translate(shown, language)


def gathered() -> Iterable[str]:
    """Every text of this module, for the catalogues."""
    yield from sorted(
        {column_title(name) for table in TABLES.values() for name in table.wire_names}
    )
    yield from sorted({table_title(table) for table in TABLES})
    states = {state for machine in MACHINES.values() for state in machine.states}
    yield from sorted({state.replace("_", " ") for state in states} | set(CODED))


def _humanized(name: str) -> str:
    words = name.replace("_", " ")
    return words[:1].upper() + words[1:]
