"""Measures of the shelf, money, equipment, service, stock and the network. Source: domain.md, section 4."""

from fieldmesh.service.translation import N_
from hub.analysis.model.kinds import Base, Figure, Measure, Ratio, Sum, Unit
from hub.analysis.model.sales import count, distinct, total
from hub.storage.columnar.terms import (
    Column,
    Filled,
    Fixed,
    How,
    Is,
    Linked,
    Minus,
    Not,
    NotAbove,
    On,
    Today,
    Window,
)

_MINUTE_US, _HOUR_MINUTES, _QUANTITY, _MONEY, _PRICE, _PERCENT = (
    60_000_000,
    60,
    1000,
    100,
    100_000,
    100,
)
_OWN, _RIVAL = Is(Column("is_competitor"), (0,)), Is(Column("is_competitor"), (1,))
_THERE, _ABSENT = Is(Column("present"), (1,)), Is(Column("present"), (0,))
_MUST = Linked(
    "assortment",
    (
        On("product_id", "product_id"),
        On("channel", "visit_id.outlet_id.channel", or_empty=True),
        On("class", "visit_id.outlet_id.class", or_empty=True),
    ),
    (Is(Column("required"), (1,)),),
)
"""The product must stand in outlets of this channel and class."""

CHECKS = count("shelf", _OWN)
_MUST_CHECKS, _MUST_THERE = count("shelf", _OWN, _MUST), count("shelf", _OWN, _MUST, _THERE)
_FACINGS = total("shelf", Column("facings"), 1, _OWN)
DEBT = total("debts", Column("rest"), _MONEY)
OVERDUE = total(
    "debts",
    Column("rest"),
    _MONEY,
    Not(NotAbove(Today(), Column("due_date"))),
    Filled(Column("due_date")),
)
TAKEN = total("payments", Column("amount"), _MONEY)
_CASH = total("payments", Column("amount"), _MONEY, Is(Column("kind"), ("cash",)))
_HANDED = total("handovers", Column("amount"), _MONEY)
_PLACED = count("equipment", Is(Column("state"), ("placed",)))
_SIGHTED = distinct("inspections", "equipment_id", Is(Column("sighted"), (1,)))
REQUESTS = count("service_requests")
_FIXED = Linked(
    "service_work", (On("request_id", "id"),), (Is(Column("result"), ("done", "fixed")),)
)
_IN_TIME = Linked(
    "service_work",
    (On("request_id", "id"),),
    (NotAbove(Column("finished_at"), Column("request_id.due_at")),),
)
_WORKS = count("service_works")
_REPAIR = total(
    "service_works",
    Minus(Column("finished_at"), Column("request_id.created_at")),
    _MINUTE_US * _HOUR_MINUTES,
)
STOCK = total("stock", Column("quantity"), _QUANTITY)
SESSIONS = count("sessions")

MEASURES = (
    Measure("shelf_checks", N_("Shelf checks"), Unit.COUNT, CHECKS, N_("Own products looked for on shelves.")),
    Measure("availability", N_("On-shelf availability"), Unit.PERCENT,
            Ratio(count("shelf", _OWN, _THERE), CHECKS, _PERCENT),
            N_("Own products that stood there / own products looked for.")),
    Measure("out_of_stock", N_("Out of stock"), Unit.PERCENT, Ratio(count("shelf", _OWN, _ABSENT), CHECKS, _PERCENT),
            N_("Own products that were absent / own products looked for."), high_is_good=False),
    Measure("must_checks", N_("Must-stock checks"), Unit.COUNT, _MUST_CHECKS,
            N_("Checks of products that the outlet's assortment demands.")),
    Measure("must_gaps", N_("Must-stock gaps"), Unit.COUNT, count("shelf", _OWN, _MUST, _ABSENT),
            N_("Products that the assortment demands and that were absent."), high_is_good=False),
    Measure("compliance", N_("Assortment compliance"), Unit.PERCENT, Ratio(_MUST_THERE, _MUST_CHECKS, _PERCENT),
            N_("Demanded products that stood there / demanded products.")),
    Measure("facings", N_("Own facings"), Unit.COUNT, _FACINGS, N_("Facings of own products.")),
    Measure("shelf_share", N_("Share of shelf"), Unit.PERCENT,
            Ratio(_FACINGS, total("shelf", Column("facings"), 1), _PERCENT), N_("Own facings / all facings.")),
    Measure("shelf_price", N_("Shelf price"), Unit.MONEY,
            Ratio(total("shelf", Column("shelf_price"), _PRICE), count("shelf", Filled(Column("shelf_price")))),
            N_("Average price on the shelf."), high_is_good=None),
    Measure("own_shelf_price", N_("Shelf price, own"), Unit.MONEY,
            Ratio(total("shelf", Column("shelf_price"), _PRICE, _OWN),
                  count("shelf", _OWN, Filled(Column("shelf_price")))),
            N_("Average price of own products on the shelf."), high_is_good=None),
    Measure("rival_shelf_price", N_("Shelf price, competitors"), Unit.MONEY,
            Ratio(total("shelf", Column("shelf_price"), _PRICE, _RIVAL),
                  count("shelf", _RIVAL, Filled(Column("shelf_price")))),
            N_("Average price of competitors' products on the shelf."), high_is_good=None),
    Measure("price_checks", N_("Price checks"), Unit.COUNT, count("shelf", Filled(Column("shelf_price"))),
            N_("Products whose price was noted.")),
    Measure("perfect_store", N_("Shelf score"), Unit.DECIMAL,
            Sum((Ratio(_MUST_THERE, _MUST_CHECKS, 40), Ratio(count("shelf", _OWN, _THERE), CHECKS, 30),
                 Ratio(_FACINGS, total("shelf", Column("facings"), 1), 30))),
            N_("40 × assortment + 30 × availability + 30 × share of shelf; at most 100.")),
    Measure("photos", N_("Photos"), Unit.COUNT, count("photos"), N_("Photos taken.")),
    Measure("debt", N_("Debt"), Unit.MONEY, DEBT, N_("What is still open of all debts."), high_is_good=False),
    Measure("overdue", N_("Overdue"), Unit.MONEY, OVERDUE, N_("What is still open after its due day."),
            high_is_good=False),
    Measure("overdue_share", N_("Overdue share"), Unit.PERCENT, Ratio(OVERDUE, DEBT, _PERCENT), N_("Overdue / debt."),
            high_is_good=False),
    Measure("debtors", N_("Outlets in debt"), Unit.COUNT,
            distinct("debts", "outlet_id", NotAbove(Fixed(1), Column("rest"))),
            N_("Outlets with an open debt."), high_is_good=False),
    Measure("payments", N_("Payments"), Unit.COUNT, count("payments"), N_("Payments taken.")),
    Measure("collected", N_("Collected"), Unit.MONEY, TAKEN, N_("Value of payments taken.")),
    Measure("cash", N_("Cash taken"), Unit.MONEY, _CASH, N_("Value of payments in cash.")),
    Measure("handed_over", N_("Cash handed over"), Unit.MONEY, _HANDED, N_("Cash that was handed over.")),
    Measure("cash_held", N_("Cash not handed over"), Unit.MONEY, Sum((_CASH,), (_HANDED,)),
            N_("Cash taken less cash handed over."), high_is_good=False),
    Measure("loaded", N_("Loaded"), Unit.QUANTITY,
            total("load_lines", Column("planned_quantity"), _QUANTITY, Is(Column("load_id.kind"), ("load", "reload"))),
            N_("Quantity that vans were loaded with.")),
    Measure("counted", N_("Counted at the end"), Unit.QUANTITY,
            total("load_lines", Column("counted_quantity"), _QUANTITY, Is(Column("load_id.kind"), ("unload",))),
            N_("Quantity that was counted when vans came back.")),
    Measure("van_quantity", N_("Sold from vans"), Unit.QUANTITY, total("van_sale_lines", Column("quantity"), _QUANTITY),
            N_("Quantity of van sales.")),
    Measure("load_difference", N_("Difference of counts"), Unit.QUANTITY,
            total("load_lines", Minus(Column("counted_quantity"), Column("planned_quantity")), _QUANTITY),
            N_("Quantity counted less quantity expected."), high_is_good=None),
    Measure("equipment", N_("Pieces of equipment"), Unit.COUNT, count("equipment"), N_("Pieces in the register.")),
    Measure("equipment_value", N_("Value of equipment"), Unit.MONEY, total("equipment", Column("value"), _MONEY),
            N_("Book value.")),
    Measure("placed", N_("Placed in outlets"), Unit.COUNT, _PLACED, N_("Pieces that stand in outlets.")),
    Measure("not_sighted", N_("Not sighted"), Unit.COUNT,
            count("equipment", Is(Column("state"), ("placed",)),
                  Not(Linked("equipment_inspection", (On("equipment_id", "id"),), (Is(Column("sighted"), (1,)),),
                             "created_at", Window.CURRENT))),
            N_("Pieces in outlets that no inspection of the days has seen."), high_is_good=False),
    Measure("inspections", N_("Inspections"), Unit.COUNT, count("inspections"), N_("Inspections of equipment.")),
    Measure("sighted", N_("Pieces sighted"), Unit.COUNT, _SIGHTED, N_("Different pieces that were seen.")),
    Measure("purity", N_("Cooler purity"), Unit.PERCENT,
            Ratio(total("inspections", Column("purity_percent"), _QUANTITY),
                  count("inspections", Filled(Column("purity_percent")))),
            N_("Share of own goods in coolers, on average.")),
    Measure("contracts", N_("Contracts of equipment"), Unit.COUNT,
            count("placements", Filled(Column("contract_until"))), N_("Placements with a contract.")),
    Measure("no_contract", N_("Placed without contract"), Unit.COUNT,
            count("placements", Filled(Column("outlet_id")), Not(Filled(Column("placed_to"))),
                  Not(Filled(Column("contract_number")))),
            N_("Placements in outlets, not ended, without a contract."), high_is_good=False),
    Measure("requests", N_("Service requests"), Unit.COUNT, REQUESTS, N_("Requests made."), high_is_good=None),
    Measure("sla", N_("Repaired in time"), Unit.PERCENT,
            Ratio(count("service_requests", Filled(Column("due_at")), _IN_TIME),
                  count("service_requests", Filled(Column("due_at"))), _PERCENT),
            N_("Requests with a work finished before they were due / requests with a due time.")),
    Measure("fixed", N_("Repaired"), Unit.PERCENT, Ratio(count("service_requests", _FIXED), REQUESTS, _PERCENT),
            N_("Requests with a successful work / requests.")),
    Measure("works", N_("Service works"), Unit.COUNT, _WORKS, N_("Works finished.")),
    Measure("repair_hours", N_("Hours to repair"), Unit.DECIMAL, Ratio(_REPAIR, _WORKS),
            N_("From the request to the end of the work, on average."), high_is_good=False),
    Measure("stock", N_("Stock"), Unit.QUANTITY, STOCK, N_("Quantity in warehouses now.")),
    Measure("sell_out", N_("Sell-out"), Unit.QUANTITY, total("shipment_lines", Column("quantity"), _QUANTITY),
            N_("Quantity shipped to outlets.")),
    Measure("sessions", N_("Sync sessions"), Unit.COUNT, SESSIONS, N_("Sessions begun.")),
    Measure("sessions_done", N_("Sessions that ended well"), Unit.PERCENT,
            Ratio(count("sessions", Is(Column("outcome"), ("done",))), SESSIONS, _PERCENT),
            N_("Sessions done / sessions.")),
    Measure("session_p95", N_("Duration, 95 of 100"), Unit.DECIMAL,
            Base("sessions", Figure(How.P95, Minus(Column("ended_at"), Column("started_at"))), 1_000_000),
            N_("Seconds in which 95 of 100 sessions ended."), high_is_good=False),
    Measure("bytes_up", N_("Bytes up"), Unit.BYTES, total("sessions", Column("bytes_up"), 1), N_("From devices."),
            high_is_good=None),
    Measure("bytes_down", N_("Bytes down"), Unit.BYTES, total("sessions", Column("bytes_down"), 1), N_("To devices."),
            high_is_good=None),
    Measure("devices", N_("Devices that synced"), Unit.COUNT, distinct("sessions", "device_id"),
            N_("Different devices with a session.")),
    Measure("work_days", N_("Working days"), Unit.COUNT, count("work_days", Filled(Column("opened_at"))),
            N_("Days that were opened.")),
    Measure("messages", N_("Files exchanged"), Unit.COUNT, count("exchange"), N_("Files to and from partners.")),
    Measure("messages_failed", N_("Files with errors"), Unit.COUNT,
            count("exchange", Linked("exchange_error", (On("message_id", "id"),))),
            N_("Files with at least one error."), high_is_good=False),
)  # fmt: skip
