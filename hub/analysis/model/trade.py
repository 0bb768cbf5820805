"""Measures of money, vans, equipment, service and the network. Source: domain.md, section 4."""

from fieldmesh.service.translation import N_
from hub.analysis.model.kinds import (
    Base,
    Calendar,
    Days,
    Figure,
    Measure,
    Product,
    Ratio,
    Sum,
    Unit,
)
from hub.analysis.model.prices import list_price
from hub.analysis.model.sales import (
    LINE_STANDS,
    MINUTE_US,
    MONEY,
    PERCENT,
    PIECES,
    QUANTITY,
    SHIPPED,
    VAN_STANDS,
    count,
    distinct,
    pieces,
    total,
)
from hub.storage.columnar.terms import (
    Added,
    Chosen,
    Column,
    Either,
    Filled,
    FirstDay,
    Fixed,
    How,
    HowManyDays,
    Is,
    LessReturns,
    Linked,
    Minus,
    Not,
    NotAbove,
    On,
    Relation,
    Same,
    Times,
    Today,
    Window,
)

_HOUR_MINUTES, _PRICE = 60, 100_000
_DAY_US = 86_400_000_000
REPEAT_DAYS = 30
"""A request for the same piece is a repeat when it comes within so many days."""
COOLER_MINIMUM, MINIMUM_DAYS = 10_000, 30
"""What a cooler must sell, in cents, in so many days."""
DEBT = total("debts", Column("rest"), MONEY)
OVERDUE = total(
    "debts",
    Column("rest"),
    MONEY,
    Not(NotAbove(Today(), Column("due_date"))),
    Filled(Column("due_date")),
)
_OPEN_BEFORE = total(
    "debts",
    Column("rest"),
    MONEY,
    Not(NotAbove(FirstDay(), Column("due_date"))),
    Filled(Column("due_date")),
)
TAKEN = total("payments", Column("amount"), MONEY)
_CASH = total("payments", Column("amount"), MONEY, Is(Column("kind"), ("cash",)))
_HANDED = total("handovers", Column("amount"), MONEY)
_PLACED = count("equipment", Is(Column("state"), ("placed",)))
_SIGHTED = distinct("inspections", "equipment_id", Is(Column("sighted"), (1,)))
REQUESTS = count("service_requests")
_REPAIRED = Is(Column("result"), ("done", "fixed"))
_FIXED = Linked("service_work", (On("request_id", "id"),), (_REPAIRED,))
_IN_TIME = Linked(
    "service_work",
    (On("request_id", "id"),),
    (_REPAIRED, NotAbove(Column("finished_at"), Column("request_id.due_at"))),
)
_WORKS = count("service_works")
_REPAIR = total(
    "service_works",
    Minus(Column("finished_at"), Column("request_id.created_at")),
    MINUTE_US * _HOUR_MINUTES,
    _REPAIRED,
)
_FIRST_RESULT = Chosen("result", "finished_at", Linked("service_work", (On("request_id", "id"),)))
_REQUEST_BEFORE = Chosen(
    "created_at",
    "created_at",
    Linked(
        "service_request",
        (
            On("equipment_id", "equipment_id"),
            On("created_at", "created_at", relation=Relation.BEFORE),
        ),
    ),
    last=True,
)
_AGAIN = NotAbove(Minus(Column("created_at"), _REQUEST_BEFORE), Fixed(REPEAT_DAYS * _DAY_US))
_IN_VAN = Is(Column("load_id.kind"), ("load", "reload"))
LOADED = total("load_lines", pieces("planned_quantity"), PIECES, _IN_VAN)
VAN_QUANTITY = total("van_sale_lines", pieces("quantity"), PIECES, VAN_STANDS)
_LIST_PRICE = list_price(
    On("product_unit_id", "product_unit_id"),
    "load_id.to_warehouse_id.distributor_id",
    "load_id.created_at",
)
_MISSING = Minus(Column("planned_quantity"), Column("counted_quantity"))
_SHORTAGE = total(
    "load_lines",
    Either(NotAbove(Fixed(0), _MISSING), Times(_MISSING, _LIST_PRICE), Fixed(0)),
    QUANTITY * _PRICE,
    Is(Column("load_id.kind"), ("unload",)),
)
_LEFT_IN_VAN = Added(
    Column("quantity"),
    Linked(
        "van_stock_move",
        (
            On("position_id", "position_id"),
            On("warehouse_id", "warehouse_id"),
            On("product_id", "product_id"),
            On("sequence_number", "sequence_number", relation=Relation.UP_TO),
        ),
    ),
)
_COOLER = (Is(Column("state"), ("placed",)), Is(Column("model_id.type"), ("cooler",)))
_BESIDE = Linked("equipment", (On("outlet_id", "outlet_id"),), _COOLER)
_OUTLET_SALES = Added(
    LessReturns(Is(Column("order_id.is_return"), (1,)), Column("amount")),
    Linked(
        "order_line",
        (On("order_id.outlet_id", "outlet_id"),),
        (LINE_STANDS,),
        "order_id.date",
        Window.CURRENT,
    ),
)
_FIRST_COOLER = Same(Column("id"), Chosen("id", "id", _BESIDE))
_COOLERS = count("equipment", *_COOLER)
_COOLER_SALES = total("equipment", _OUTLET_SALES, MONEY, *_COOLER, _FIRST_COOLER)
_ENOUGH = NotAbove(
    Times(Fixed(COOLER_MINIMUM), Times(HowManyDays(), Added(Fixed(1), _BESIDE))),
    Times(_OUTLET_SALES, Fixed(MINIMUM_DAYS)),
)
_NOT_SIGHTED = count(
    "equipment",
    Is(Column("state"), ("placed",)),
    Not(Linked("equipment_inspection", (On("equipment_id", "id"),), (Is(Column("sighted"), (1,)),),
               "created_at", Window.CURRENT)),
)  # fmt: skip
SESSIONS = count("sessions")

MEASURES = (
    Measure("photos", N_("Photos"), Unit.COUNT, count("photos"), N_("Photos taken.")),
    Measure("debt", N_("Debt"), Unit.MONEY, DEBT, N_("What is still open of all debts."), high_is_good=False),
    Measure("overdue", N_("Overdue"), Unit.MONEY, OVERDUE, N_("What is still open after its due day."),
            high_is_good=False),
    Measure("overdue_share", N_("Overdue share"), Unit.PERCENT, Ratio(OVERDUE, DEBT, PERCENT), N_("Overdue / debt."),
            high_is_good=False),
    Measure("debtors", N_("Outlets in debt"), Unit.COUNT,
            distinct("debts", "outlet_id", NotAbove(Fixed(1), Column("rest"))),
            N_("Outlets with an open debt."), high_is_good=False),
    Measure("dso", N_("Days sales outstanding"), Unit.DAYS, Ratio(Product(DEBT, Days(Calendar.DAYS)), SHIPPED),
            N_("Debt / value shipped in a day."), high_is_good=False),
    Measure("collection", N_("Collection"), Unit.PERCENT, Ratio(TAKEN, Sum((TAKEN, _OPEN_BEFORE)), PERCENT),
            N_("Collected / collected and what is still overdue since before the days.")),
    Measure("payments", N_("Payments"), Unit.COUNT, count("payments"), N_("Payments taken.")),
    Measure("collected", N_("Collected"), Unit.MONEY, TAKEN, N_("Value of payments taken.")),
    Measure("cash", N_("Cash taken"), Unit.MONEY, _CASH, N_("Value of payments in cash.")),
    Measure("handed_over", N_("Cash handed over"), Unit.MONEY, _HANDED, N_("Cash that was handed over.")),
    Measure("cash_held", N_("Cash not handed over"), Unit.MONEY, Sum((_CASH,), (_HANDED,)),
            N_("Cash taken less cash handed over."), high_is_good=False),
    Measure("loaded", N_("Loaded"), Unit.QUANTITY, LOADED, N_("Pieces that vans were loaded with.")),
    Measure("counted", N_("Counted at the end"), Unit.QUANTITY,
            total("load_lines", pieces("counted_quantity"), PIECES, Is(Column("load_id.kind"), ("unload",))),
            N_("Pieces that were counted when vans came back.")),
    Measure("van_quantity", N_("Sold from vans"), Unit.QUANTITY, VAN_QUANTITY,
            N_("Pieces of van sales, without cancelled ones.")),
    Measure("load_use", N_("Use of the load"), Unit.PERCENT, Ratio(VAN_QUANTITY, LOADED, PERCENT),
            N_("Pieces sold from vans / pieces loaded.")),
    Measure("load_difference", N_("Difference of counts"), Unit.QUANTITY,
            total("load_lines",
                  Minus(pieces("counted_quantity"), pieces("planned_quantity")), PIECES),
            N_("Pieces counted less pieces expected."), high_is_good=None),
    Measure("shortage_value", N_("Value of shortages"), Unit.MONEY, _SHORTAGE,
            N_("What was expected and not there when vans came back, at the default price list."), high_is_good=False),
    Measure("van_run_out", N_("Run out in vans"), Unit.COUNT,
            count("van_moves", NotAbove(Column("quantity"), Fixed(-1)), NotAbove(_LEFT_IN_VAN, Fixed(0))),
            N_("Times that the last piece of a product left a van."), high_is_good=False),
    Measure("equipment", N_("Pieces of equipment"), Unit.COUNT, count("equipment"), N_("Pieces in the register.")),
    Measure("equipment_value", N_("Value of equipment"), Unit.MONEY, total("equipment", Column("value"), MONEY),
            N_("Book value.")),
    Measure("placed", N_("Placed in outlets"), Unit.COUNT, _PLACED, N_("Pieces that stand in outlets.")),
    Measure("not_sighted", N_("Not sighted"), Unit.COUNT, _NOT_SIGHTED,
            N_("Pieces in outlets that no inspection of the days has seen."), high_is_good=False),
    Measure("sighted_share", N_("Sighted share"), Unit.PERCENT,
            Ratio(Sum((_PLACED,), (_NOT_SIGHTED,)), _PLACED, PERCENT),
            N_("Pieces in outlets that an inspection of the days has seen / pieces in outlets.")),
    Measure("cooler_sales", N_("Sales per cooler"), Unit.MONEY, Ratio(_COOLER_SALES, _COOLERS),
            N_("Value of order lines of outlets with coolers, returns taken off / coolers.")),
    Measure("weak_coolers", N_("Coolers below the minimum"), Unit.COUNT, count("equipment", *_COOLER, Not(_ENOUGH)),
            N_("Coolers in outlets that ordered for less than 100.00 per cooler and 30 days."), high_is_good=False),
    Measure("inspections", N_("Inspections"), Unit.COUNT, count("inspections"), N_("Inspections of equipment.")),
    Measure("sighted", N_("Pieces sighted"), Unit.COUNT, _SIGHTED, N_("Different pieces that were seen.")),
    Measure("purity", N_("Cooler purity"), Unit.PERCENT,
            Ratio(total("inspections", Column("purity_percent"), QUANTITY),
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
                  count("service_requests", Filled(Column("due_at"))), PERCENT),
            N_("Requests with a successful work finished before they were due / requests with a due time.")),
    Measure("fixed", N_("Repaired"), Unit.PERCENT, Ratio(count("service_requests", _FIXED), REQUESTS, PERCENT),
            N_("Requests with a successful work / requests.")),
    Measure("first_fix", N_("Repaired at the first visit"), Unit.PERCENT,
            Ratio(count("service_requests", Is(_FIRST_RESULT, ("done", "fixed"))),
                  count("service_requests", Linked("service_work", (On("request_id", "id"),))), PERCENT),
            N_("Requests whose first work was successful / requests with a work.")),
    Measure("repeats", N_("Repeated requests"), Unit.PERCENT,
            Ratio(count("service_requests", _AGAIN), REQUESTS, PERCENT),
            N_("Requests for a piece for which there was one in the 30 days before / requests."), high_is_good=False),
    Measure("works", N_("Service works"), Unit.COUNT, _WORKS, N_("Works finished.")),
    Measure("repair_hours", N_("Hours to repair"), Unit.DECIMAL, Ratio(_REPAIR, count("service_works", _REPAIRED)),
            N_("From the request to the end of the successful work, on average."), high_is_good=False),
    Measure("sessions", N_("Sync sessions"), Unit.COUNT, SESSIONS, N_("Sessions begun.")),
    Measure("sessions_done", N_("Sessions that ended well"), Unit.PERCENT,
            Ratio(count("sessions", Is(Column("outcome"), ("done",))), SESSIONS, PERCENT),
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
