"""Facts: what can be counted, who may see it, by what it can be asked."""

from fieldmesh.service.translation import N_
from hub.analysis.model.kinds import Fact

_PLACE = {"outlet": "outlet_id", "position": "position_id"}
_LEADS = {"position": "position_id", "outlet": "outlet_id"}
_POST = {"position": "position_id"}


def _of(parent: str, *kinds: str) -> dict[str, str]:
    return {kind: f"{parent}.{kind}_id" for kind in kinds}


_UNIT = {"product": "product_unit_id.product_id"}

_ALL = (
    Fact("orders", N_("Orders"), "sales_order", "order.view", "date",
         {**_PLACE, "distributor": "distributor_id"}, "orders",
         {**_LEADS, "distributor": "distributor_id", "order_state": "state",
          "payment_form": "payment_form"}, "date"),
    Fact("order_lines", N_("Lines of orders"), "order_line", "order.view", "order_id.date",
         {**_of("order_id", "outlet", "position", "distributor"), **_UNIT, "orders": "order_id"}, "orders",
         {**_LEADS, "distributor": "distributor_id", "order_state": "state",
          "payment_form": "payment_form"}, "date"),
    Fact("van_sales", N_("Van sales"), "sale_invoice", "van_sale.view", "created_at", _PLACE, "van-sales", _LEADS,
         "created_at"),
    Fact("van_sale_lines", N_("Lines of van sales"), "sale_invoice_line", "van_sale.view", "invoice_id.created_at",
         {**_of("invoice_id", "outlet", "position"), **_UNIT}, "van-sales", _LEADS, "created_at"),
    Fact("shipments", N_("Shipments"), "shipment", "shipment.view", "date",
         {"outlet": "outlet_id", "distributor": "distributor_id"}, "shipments", {"outlet": "outlet_id",
              "distributor": "distributor_id"},
         "date"),
    Fact("shipment_lines", N_("Lines of shipments"), "shipment_line", "shipment.view", "shipment_id.date",
         {**_of("shipment_id", "outlet", "distributor"), **_UNIT}, "shipments", {"outlet": "outlet_id",
              "distributor": "distributor_id"},
         "date"),
    Fact("return_lines", N_("Lines of returns"), "goods_return_line", "return.view", "return_id.created_at",
         {**_of("return_id", "outlet", "position"), **_UNIT}, "returns", _LEADS, "created_at"),
    Fact("visits", N_("Visits"), "visit", "visit.view", "started_at", _PLACE, "visits",
         {**_LEADS, "geo_band": "geo_band"}, "started_at"),
    Fact("visit_plans", N_("Planned visits"), "visit_plan", "route.view", "date", _PLACE, "visit-plans", _POST,
         "date"),
    Fact("work_days", N_("Working days"), "work_day", "schedule.view", "date", {"position": "position_id"}, "work-days",
         _POST, "date"),
    Fact("served_outlets", N_("Outlets served"), "outlet_assignment", "outlet.view", "", _PLACE),
    Fact("plans", N_("Targets"), "plan", "target.view", "", {"position": "position_id", "outlet": "outlet_id"},
         "targets", {"position": "position_id", "plan_figure": "kpi"}),
    Fact("payments", N_("Payments"), "payment", "payment.view", "created_at", _PLACE, "payments",
         {**_LEADS, "payment_kind": "kind", "payment_state": "state"},
         "created_at"),
    Fact("handovers", N_("Cash handed over"), "cash_handover", "payment.view", "created_at",
         {"position": "position_id"}, "cash-handovers", _POST, "created_at"),
    Fact("debts", N_("Debts"), "debt_doc", "debt.view", "",
         {"outlet": "outlet_id", "distributor": "distributor_id"}, "debts",
         {"outlet": "outlet_id", "distributor": "distributor_id"}),
    Fact("shelf", N_("Shelf audits"), "shelf_fact", "survey.view", "visit_id.started_at",
         {**_of("visit_id", "outlet", "position"), "product": "product_id"}, "shelf-facts"),
    Fact("photos", N_("Photos"), "photo", "photo.view", "taken_at",
         {"position": "position_id", "outlet": "visit_id.outlet_id"}, "photos", _POST, "taken_at"),
    Fact("equipment", N_("Equipment"), "equipment", "equipment.view", "", {"outlet": "outlet_id"}, "equipment",
         {"equipment_state": "state", "equipment_model": "model_id", "outlet": "outlet_id"}),
    Fact("placements", N_("Where equipment stood"), "equipment_placement", "equipment.view", "",
         {"outlet": "outlet_id"}, "placements"),
    Fact("inspections", N_("Inspections of equipment"), "equipment_inspection", "equipment.view", "created_at",
         {"outlet": "equipment_id.outlet_id", "position": "visit_id.position_id"}, "inspections",
         {"condition": "condition"}),
    Fact("service_requests", N_("Service requests"), "service_request", "service.view", "created_at",
         {"outlet": "outlet_id"}, "service-requests", {"fault": "fault_code", "service_state": "state",
              "outlet": "outlet_id"},
         "created_at"),
    Fact("service_works", N_("Service works"), "service_work", "service.view", "finished_at",
         {"position": "position_id", "outlet": "request_id.outlet_id"}),
    Fact("stock", N_("Stock"), "stock", "stock.view", "",
         {"product": "product_id", "distributor": "warehouse_id.distributor_id"}),
    Fact("load_lines", N_("Lines of loads"), "van_load_line", "van_sale.view", "load_id.created_at",
         {"position": "load_id.position_id", **_UNIT}, "van-loads", _POST, "created_at"),
    Fact("sessions", N_("Sync sessions"), "sync_session", "session.view", "started_at",
         {"position": "device_id.position_id"}, "sessions",
         {"sync_mode": "mode", "sync_outcome": "outcome", "device": "device_id", "gateway": "gateway_id"},
         "started_at"),
    Fact("field_days", N_("Days in the field"), "visit", "visit.view", "started_at", {"position": "position_id"},
         "visits", _POST, "started_at"),
    Fact("session_days", N_("Days of sync sessions"), "sync_session", "session.view", "started_at",
         {"position": "device_id.position_id"}),
    Fact("devices", N_("Devices"), "device", "session.view", "", {"position": "position_id"}, "devices"),
    Fact("answers", N_("Answers"), "answer", "survey.view", "response_id.visit_id.started_at",
         _of("response_id.visit_id", "outlet", "position")),
    Fact("van_moves", N_("Moves of van stock"), "van_stock_move", "van_sale.view", "created_at",
         {"position": "position_id", "product": "product_id"}),
    Fact("partners", N_("Gateways of distributors"), "gateway", "exchange.view", "",
         {"distributor": "distributor_id"}),
    Fact("exchange_errors", N_("Errors in exchanged files"), "exchange_error", "exchange.view", "created_at",
         {"distributor": "message_id.gateway_id.distributor_id"}),
    Fact("exchange", N_("Exchange with partners"), "exchange_message", "exchange.view", "created_at",
         {"distributor": "gateway_id.distributor_id"},
         "exchange-messages", {"exchange_state": "state", "exchange_direction": "direction"}),
)  # fmt: skip
FACTS = {one.code: one for one in _ALL}
"""Every fact by its code."""
