"""Outlets and what belongs to them: legal parties, contracts, debts, licences, contacts, proposals from the field."""

from fieldmesh.service.translation import N_
from hub.desk.view import Area, Child, Filter, View

VIEWS = (
    View(
        "outlets", "outlet", Area.OUTLETS, N_("Outlets"), "outlet.view",
        ("code", "name", "address", "city", "channel", "class", "legal_party_id.name", "distributor_id.name", "status"),
        change="outlet.change",
        editable=(
            "name", "channel", "sub_channel", "class", "potential", "address", "city", "postal_code",
            "latitude", "longitude", "opening_hours", "minimum_order", "legal_party_id", "distributor_id", "status",
        ),
        creatable=("code", "name", "channel", "class", "address", "city", "legal_party_id", "distributor_id"),
        filters=(
            Filter("status", ("active", "inactive")), Filter("channel"), Filter("class"),
            Filter("distributor_id"), Filter("territory_id"),
        ),
        order=("code",),
        children=(
            Child("outlet-assignments", "outlet_id"), Child("orders", "outlet_id"), Child("visits", "outlet_id"),
            Child("debts", "outlet_id"), Child("payments", "outlet_id"), Child("equipment", "outlet_id"),
            Child("contacts", "outlet_id"), Child("licences", "outlet_id"), Child("tasks", "outlet_id"),
            Child("service-requests", "outlet_id"), Child("outlet-discounts", "outlet_id"),
            Child("containers", "outlet_id"), Child("shipments", "outlet_id"),
        ),
        hint=N_("Load outlets from a CSV file (Administration, Import)."),
    ),
    View(
        "outlet-proposals", "outlet_change_request", Area.OUTLETS, N_("Changes proposed from the field"),
        "outlet.moderate",
        ("created_at", "position_id.name", "outlet_id.name", "state", "decided_at", "decision_text"),
        filters=(Filter("state"), Filter("position_id")), label=("created_at", "outlet_id.name"),
        hint=N_("Reps propose new outlets and corrections on their devices; they wait here for a decision."),
    ),
    View(
        "legal-parties", "legal_party", Area.OUTLETS, N_("Legal parties"), "outlet.view",
        ("code", "name", "tax_number", "vat_number", "address", "status"),
        change="outlet.change", editable=("name", "tax_number", "vat_number", "bank", "address", "status"),
        creatable=("code", "name", "tax_number", "vat_number", "bank", "address"),
        filters=(Filter("status", ("active", "inactive")),), order=("code",),
        children=(Child("outlets", "legal_party_id"), Child("contracts", "legal_party_id")),
        hint=N_("Load legal parties from a CSV file (Administration, Import)."),
    ),
    View(
        "contracts", "contract", Area.OUTLETS, N_("Contracts"), "outlet.view",
        ("code", "legal_party_id.name", "distributor_id.name", "price_list_id.name", "payment_form",
         "credit_limit", "credit_days", "valid_from", "valid_to"),
        change="outlet.change",
        editable=("price_list_id", "payment_form", "credit_limit", "credit_days", "valid_from", "valid_to"),
        filters=(Filter("payment_form", ("credit", "cash")), Filter("distributor_id")),
        order=("code",), label=("code",),
        children=(Child("debt-limits", "contract_id"),),
        hint=N_("Load contracts from a CSV file (Administration, Import)."),
    ),
    View(
        "debts", "debt_doc", Area.OUTLETS, N_("Debts"), "debt.view",
        ("number", "outlet_id.name", "date", "due_date", "amount", "rest", "distributor_id.name"),
        filters=(Filter("due_date"), Filter("outlet_id"), Filter("distributor_id")), order=("due_date",),
                 label=("number",), audited=True,
        hint=N_("Debts come from the accounting system or from a CSV file."),
    ),
    View(
        "debt-limits", "debt_limit", Area.OUTLETS, N_("Credit limits"), "debt.view",
        ("contract_id.code", "credit_limit", "limit_days", "balance", "overdue", "blocked", "as_of"),
        filters=(Filter("blocked"),), order=("contract_id",), label=("contract_id.code",), audited=True,
        hint=N_("Credit limits come from the accounting system or from a CSV file."),
    ),
    View(
        "contacts", "contact", Area.OUTLETS, N_("Contacts"), "outlet.view",
        ("name", "outlet_id.name", "role", "phone", "email", "consent"),
        change="outlet.change", editable=("name", "role", "phone", "email", "consent"),
        creatable=("outlet_id", "name", "role", "phone", "email", "consent"),
        order=("name",), label=("name",), audited=True,
        hint=N_("Reps keep contacts on their devices; they can be loaded from a CSV file too."),
    ),
    View(
        "licences", "outlet_licence", Area.OUTLETS, N_("Licences"), "outlet.view",
        ("number", "type", "outlet_id.name", "valid_from", "valid_to"),
        filters=(Filter("type"), Filter("valid_to")), order=("valid_to",), label=("type", "number"),
        hint=N_("Load licences from a CSV file (Administration, Import)."),
    ),
    View(
        "outlet-discounts", "outlet_discount", Area.OUTLETS, N_("Discounts of outlets"), "price.view",
        ("outlet_id.name", "product_group_id.name", "percent", "valid_from", "valid_to"),
        label=("outlet_id.name",), in_menu=False,
        hint=N_("Load discounts from a CSV file (Administration, Import)."),
    ),
    View(
        "containers", "container_balance", Area.OUTLETS, N_("Returnable containers"), "debt.view",
        ("outlet_id.name", "product_id.name", "quantity", "deposit", "as_of"),
        label=("outlet_id.name", "product_id.name"), in_menu=False,
        hint=N_("Load balances from a CSV file (Administration, Import)."),
    ),
    View(
        "distributors", "distributor", Area.OUTLETS, N_("Distributors"), "outlet.view",
        ("code", "name", "legal_party_id.name", "service_territories", "cut_off_time", "status"),
        change="outlet.change", editable=("name", "service_territories", "cut_off_time", "status"),
        filters=(Filter("status", ("active", "inactive")),), order=("code",),
        children=(Child("outlets", "distributor_id"), Child("warehouses", "distributor_id"),
                  Child("gateways", "distributor_id")),
        hint=N_("Load distributors from a CSV file (Administration, Import)."),
    ),
)  # fmt: skip
