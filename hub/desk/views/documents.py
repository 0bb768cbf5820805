"""Documents of the field, with their lines and their history."""

from fieldmesh.service.translation import N_
from hub.desk.view import Area, Child, Filter, View

_FIELD = N_(
    "Documents appear here when devices have synced and their gateways have reached head office."
)

VIEWS = (
    View(
        "orders", "sales_order", Area.DOCUMENTS, N_("Orders"), "order.view",
        ("number", "date", "outlet_id.name", "position_id.name", "distributor_id.name", "delivery_date", "amount",
         "state", "is_return"),
        filters=(Filter("state"), Filter("date"), Filter("position_id"), Filter("outlet_id"), Filter("distributor_id"),
                 Filter("payment_form", ("credit", "cash")), Filter("is_return")),
        order=("-id",), label=("number",),
        children=(Child("order-lines", "order_id"), Child("order-history", "order_id"),
                  Child("shipments", "order_id")),
        hint=_FIELD,
    ),
    View(
        "order-lines", "order_line", Area.DOCUMENTS, N_("Lines of orders"), "order.view",
        ("line_number", "product_unit_id.product_id.name", "product_unit_id.unit_code", "quantity", "price",
         "discount_percent", "amount", "accepted_quantity", "reject_reason"),
        order=("line_number",), label=("order_id.number", "line_number"), in_menu=False, hint=_FIELD,
    ),
    View(
        "order-history", "order_status", Area.DOCUMENTS, N_("History of orders"), "order.view",
        ("at", "state", "source", "text"), order=("at",), label=("order_id.number", "state"), in_menu=False,
        hint=N_("An order has a history from the moment at which head office has taken it in."),
    ),
    View(
        "van-sales", "sale_invoice", Area.DOCUMENTS, N_("Van sales"), "van_sale.view",
        ("number", "created_at", "outlet_id.name", "position_id.name", "warehouse_id.name", "amount", "state",
         "printed_at"),
        filters=(Filter("state"), Filter("created_at"), Filter("position_id"), Filter("outlet_id")), label=("number",),
        children=(Child("van-sale-lines", "invoice_id"),), hint=_FIELD,
    ),
    View(
        "van-sale-lines", "sale_invoice_line", Area.DOCUMENTS, N_("Lines of van sales"), "van_sale.view",
        ("line_number", "product_unit_id.product_id.name", "lot", "quantity", "price", "discount_percent", "amount"),
        order=("line_number",), label=("invoice_id.number", "line_number"), in_menu=False, hint=_FIELD,
    ),
    View(
        "shipments", "shipment", Area.DOCUMENTS, N_("Shipments"), "shipment.view",
        ("number", "date", "outlet_id.name", "distributor_id.name", "kind", "amount", "order_id.number"),
        filters=(Filter("date"), Filter("outlet_id"), Filter("distributor_id"),
                 Filter("kind", ("sale", "return", "write_off", "correction", "transfer"))),
        order=("-date",), label=("number",), children=(Child("shipment-lines", "shipment_id"),),
        hint=N_("Shipments come from the accounting system and from distributors."),
    ),
    View(
        "shipment-lines", "shipment_line", Area.DOCUMENTS, N_("Lines of shipments"), "shipment.view",
        ("line_number", "product_unit_id.product_id.name", "quantity", "price", "amount"),
        order=("line_number",), label=("shipment_id.number", "line_number"), in_menu=False, hint=_FIELD,
    ),
    View(
        "returns", "goods_return", Area.DOCUMENTS, N_("Returns"), "return.view",
        ("number", "created_at", "outlet_id.name", "position_id.name", "reason", "condition", "state"),
        filters=(Filter("state"), Filter("created_at"), Filter("position_id"), Filter("outlet_id")), label=("number",),
        children=(Child("return-lines", "return_id"),), hint=_FIELD,
    ),
    View(
        "return-lines", "goods_return_line", Area.DOCUMENTS, N_("Lines of returns"), "return.view",
        ("line_number", "product_unit_id.product_id.name", "lot", "quantity", "price", "amount"),
        order=("line_number",), label=("return_id.number", "line_number"), in_menu=False, hint=_FIELD,
    ),
    View(
        "payments", "payment", Area.DOCUMENTS, N_("Payments"), "payment.view",
        ("number", "created_at", "outlet_id.name", "position_id.name", "kind", "amount", "cash_bag", "state"),
        filters=(Filter("state"), Filter("kind", ("cash", "card")), Filter("created_at"), Filter("position_id"),
                 Filter("outlet_id")),
        label=("number",), audited=True, hint=_FIELD,
    ),
    View(
        "cash-handovers", "cash_handover", Area.DOCUMENTS, N_("Cash handed over"), "payment.view",
        ("created_at", "position_id.name", "amount", "place", "accepted_by.person"),
        filters=(Filter("position_id"), Filter("created_at")), label=("created_at", "position_id.name"), hint=_FIELD,
    ),
    View(
        "visits", "visit", Area.DOCUMENTS, N_("Visits"), "visit.view",
        ("started_at", "finished_at", "outlet_id.name", "position_id.name", "geo_band", "distance_m", "result_code",
         "reason_code"),
        filters=(Filter("position_id"), Filter("outlet_id"), Filter("started_at"), Filter("geo_band")),
        order=("-id",), label=("outlet_id.name", "started_at"),
        children=(Child("orders", "visit_id"), Child("survey-responses", "visit_id"), Child("shelf-facts", "visit_id"),
                  Child("photos", "visit_id"), Child("payments", "visit_id")),
        hint=_FIELD,
    ),
    View(
        "survey-responses", "survey_response", Area.DOCUMENTS, N_("Answered surveys"), "survey.view",
        ("created_at", "template_id.name", "template_version", "visit_id.outlet_id.name", "visit_id.position_id.name"),
        filters=(Filter("template_id"),), label=("template_id.name", "created_at"),
        children=(Child("answers", "response_id"),), hint=_FIELD,
    ),
    View(
        "answers", "answer", Area.DOCUMENTS, N_("Answers"), "survey.view",
        ("question_id.text", "product_id.name", "value"), order=("question_id",), label=("question_id.text",),
        in_menu=False, hint=_FIELD,
    ),
    View(
        "shelf-facts", "shelf_fact", Area.DOCUMENTS, N_("Shelf audits"), "survey.view",
        ("product_id.name", "visit_id.outlet_id.name", "present", "facings", "shelf_price", "stock_quantity",
         "out_of_stock_reason", "is_competitor"),
        filters=(Filter("present"), Filter("is_competitor")), label=("product_id.name",), hint=_FIELD,
    ),
    View(
        "photos", "photo", Area.DOCUMENTS, N_("Photos"), "photo.view",
        ("taken_at", "position_id.name", "visit_id.outlet_id.name", "size_bytes"),
        filters=(Filter("position_id"), Filter("taken_at")), label=("taken_at",), hint=_FIELD,
    ),
    View(
        "van-loads", "van_load", Area.DOCUMENTS, N_("Van tours and loads"), "van_sale.view",
        ("number", "created_at", "position_id.name", "kind", "from_warehouse_id.name", "to_warehouse_id.name", "state"),
        filters=(Filter("state"), Filter("created_at"), Filter("position_id")), label=("number",),
        children=(Child("van-load-lines", "load_id"),), hint=_FIELD,
    ),
    View(
        "van-load-lines", "van_load_line", Area.DOCUMENTS, N_("Lines of loads"), "van_sale.view",
        ("line_number", "product_unit_id.product_id.name", "lot", "planned_quantity", "counted_quantity",
         "difference_reason"),
        order=("line_number",), label=("load_id.number", "line_number"), in_menu=False, hint=_FIELD,
    ),
)  # fmt: skip
