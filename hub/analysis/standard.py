"""The standard reports: questions that everybody has. Source: domain.md, section 4, "Report list to ship"."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from fieldmesh.service.translation import N_
from hub.analysis.model.registry import DIMENSIONS, MEASURES
from hub.analysis.question import Chart, Compare, Question, Span, functions_of


@dataclass(frozen=True, slots=True)
class Standard:
    """A report that comes with the program.

    Attributes:
        code: in addresses.
        title: English msgid.
        about: what it answers, English msgid.
        question: as it opens.
        filters: dimensions that the page offers.
        also: screens that show the same in another way: (English msgid, address, function).
    """

    code: str
    title: str
    about: str
    question: Question
    filters: tuple[str, ...] = ("supervisor", "position")
    also: Sequence[tuple[str, str, str]] = ()
    needed: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        """What it needs follows from the question."""
        object.__setattr__(self, "needed", frozenset(functions_of(self.question)))


_MAP = (N_("Map of the day"), "/today/map", "map.view")
_WITH_OUTLETS = ("supervisor", "position", "channel", "class", "city", "outlet")
_SOLD = ("supervisor", "position", "channel", "brand", "group", "product", "outlet")
_ALL = (
    Standard("rep-sheet", N_("Daily sheet of representatives"),
             N_("What each position did on each day: planned, visited, sold, collected."),
             Question(("planned_visits", "visits", "productive_calls", "strike_rate", "orders", "sales",
                       "lines_per_order", "collected", "first_visit", "last_visit", "work_span"), ("day", "position"),
                       span=Span.WEEK, sort="day",
                      chart=Chart.NONE)),
    Standard("team-board", N_("Board of teams"), N_("The same figures by team and position, against the days before."),
             Question(("visits", "adherence", "strike_rate", "orders", "sales", "drop_size"),
                      ("supervisor", "position"), compare=Compare.PREVIOUS, sort="sales")),
    Standard("routes", N_("Routes: plan and fact"), N_("Planned visits, how many were made, and in what time."),
             Question(("planned_visits", "planned_made", "adherence", "adherence_strict", "visits", "coverage",
                       "outlet_minutes", "travel_minutes"),
                      ("position",), span=Span.WEEK, sort="planned_visits"), also=(_MAP,)),
    Standard("visit-places", N_("Visits by distance"), N_("How far from the outlet visits began."),
             Question(("visits", "geo_valid", "outlet_minutes"), ("position", "geo_band"), sort="visits"),
                  also=(_MAP,)),
    Standard("orders-by-state", N_("Orders by state"), N_("Where orders stand, and how much of them was accepted."),
             Question(("orders", "sales", "fill_rate"), ("order_state",)),
             ("supervisor", "position", "distributor", "payment_form")),
    Standard("in-full", N_("Orders in full and on time"),
         N_("How much of the orders came whole and on the agreed day, and how much was refused."),
             Question(("orders", "otif", "fill_rate", "refused_lines"), ("distributor",), sort="orders"),
             ("supervisor", "position", "distributor", "channel")),
    Standard("refusals", N_("Reasons of refusals"),
         N_("Why lines of orders were refused or cut, the most frequent first."),
             Question(("refused_lines",), ("refusal",), sort="refused_lines"), _SOLD),
    Standard("sales", N_("Sales over time"), N_("Sales by month against the year before."),
             Question(("sales", "orders", "ordering_outlets", "order_value"), ("month",), span=Span.DAYS_365,
                      compare=Compare.YEAR, chart=Chart.LINE),
             ("supervisor", "position", "distributor", "channel", "city", "outlet")),
    Standard("brands", N_("Sales by brand"), N_("What was sold of each brand, and in how many outlets."),
             Question(("sales", "sales_quantity", "order_lines", "numeric_distribution", "return_rate"), ("brand",),
                      top=40), _SOLD),
    Standard("targets", N_("Targets: plan and fact"),
         N_("How much of the approved targets is reached, level by level."),
             Question(("target_sales", "sales", "attainment", "forecast", "required_rate", "target_visits", "visits",
                       "visit_attainment"),
                      ("supervisor", "position"), sort="sales")),
    Standard("clients", N_("Client base"), N_("Outlets that are active, new and lapsed, by team."),
             Question(("outlets_served", "active_clients", "new_clients", "lapsed_clients", "strike_assigned"),
                      ("supervisor", "position"), sort="active_clients"), _WITH_OUTLETS),
    Standard("distribution", N_("Distribution"),
         N_("In how many of the served outlets each product stands, and what these sell."),
             Question(("numeric_distribution", "weighted_distribution", "sales", "order_lines"), ("product",),
                       top=100), _SOLD),
    Standard("out-of-stock", N_("Out of stock"), N_("Which products were missing on shelves."),
             Question(("shelf_checks", "availability", "out_of_stock", "out_of_stock_listed", "run_out",
                       "never_handled"), ("product",), sort="out_of_stock", top=100),
             _SOLD),
    Standard("must-stock", N_("Must-stock gaps"), N_("Products that outlets must have and do not have."),
             Question(("must_checks", "must_gaps", "compliance", "full_compliance"), ("outlet",), sort="must_gaps",
                       top=200),
             ("supervisor", "position", "channel", "class", "product")),
    Standard("merchandising", N_("Merchandising scorecard"),
         N_("The shelf of each outlet in one number, and its six pillars."),
             Question(("perfect_store", "compliance", "availability", "shelf_share", "price_compliance",
                       "promotion_compliance", "point_compliance"), ("outlet",),
                      sort="perfect_store", top=200), _WITH_OUTLETS, ((N_("Photos"), "/photos", "photo.view"),)),
    Standard("prices", N_("Prices on shelves"), N_("What products cost on shelves, own ones and competitors'."),
             Question(("shelf_price", "own_shelf_price", "rival_shelf_price", "price_checks",
                       "price_compliance"), ("product",),
                      sort="price_checks", top=100), _SOLD),
    Standard("debts", N_("Debts by age"), N_("What is open, by the days since it was due."),
             Question(("debt", "debtors", "overdue"), ("debt_age",), sort="debt_age", chart=Chart.BARS),
             ("channel", "city", "outlet", "distributor")),
    Standard("red-list", N_("Red list"), N_("Outlets with the largest overdue debts."),
             Question(("overdue", "debt", "overdue_share", "dso"), ("outlet",), top=100),
             ("channel", "city", "distributor")),
    Standard("collection", N_("Collection of debts"), N_("What was collected of what was overdue, by outlet."),
             Question(("collected", "overdue", "collection"), ("outlet",), sort="overdue", top=200),
             ("channel", "city")),
    Standard("promotions", N_("Promotions"), N_("What each promotion sold, in how many outlets, and what it cost."),
             Question(("promo_sales", "promo_outlets", "promo_cost", "promo_cost_share"), ("promotion",)), _SOLD),
    Standard("uplift", N_("Uplift of promotions"), N_("What promotions added to the sales of each product."),
             Question(("promo_sales", "uplift", "promo_share"), ("product",), sort="promo_sales", top=100),
             ("channel", "class", "city", "brand", "group")),
    Standard("cash", N_("Payments and cash"), N_("Payments taken, cash handed over, and what is still held."),
             Question(("payments", "collected", "cash", "handed_over", "cash_held"), ("position",), sort="cash_held")),
    Standard("vans", N_("Settlement of vans"), N_("Loaded, sold and counted, by position."),
             Question(("van_sales", "loaded", "van_quantity", "load_use", "counted", "load_difference",
                       "shortage_value", "van_run_out"), ("position",))),
    Standard("equipment", N_("Register of equipment"), N_("Pieces by state and model, and those nobody has seen."),
             Question(("equipment", "placed", "not_sighted", "sighted_share", "equipment_value"),
                      ("equipment_state", "equipment_model"), span=Span.QUARTER), ("channel", "city", "outlet")),
    Standard("coolers", N_("Coolers against the minimum"),
         N_("What outlets with coolers sell, and whether these were seen."),
             Question(("weak_coolers", "cooler_sales", "sighted_share", "purity"), ("outlet",), span=Span.DAYS_30,
                      sort="weak_coolers", top=200), ("channel", "city", "outlet")),
    Standard("contracts", N_("Contracts of equipment that end"), N_("Contracts by the days that they still run."),
             Question(("contracts", "no_contract"), ("contract_end",), sort="contract_end"), ("channel",
                  "city", "outlet")),
    Standard("service", N_("Service in time"), N_("Requests by fault, repaired in time or not."),
             Question(("requests", "sla", "fixed", "first_fix", "repeats"), ("fault",)), ("channel", "city", "outlet")),
    Standard("distributors", N_("Stock of distributors"), N_("Stock of each distributor against what it ships."),
             Question(("stock", "sell_out", "days_of_stock", "shipped"), ("distributor",), sort="stock"),
                       ("distributor",
                  "product", "brand")),
    Standard("distributor-data", N_("Data of distributors"),
         N_("Whether stock and sales come every workday, and which codes nobody knows."),
             Question(("completeness", "complete_days", "unmapped_codes", "exchange_errors"), ("distributor",),
                      sort="completeness", descends=False), ("distributor",),
             ((N_("Every file"), "/exchange-messages", "exchange.view"),)),
    Standard("exchange", N_("Log of exchange"), N_("Files to and from partners, by state."),
             Question(("messages", "messages_failed"), ("day", "exchange_document", "exchange_state"), sort="day"),
             ("exchange_gateway", "exchange_direction"),
             ((N_("Every file"), "/exchange-messages", "exchange.view"),)),
    Standard("sessions", N_("Sync sessions"), N_("Sessions by mode and outcome, with size and duration."),
             Question(("sessions", "sessions_done", "devices", "session_p95", "bytes_up", "bytes_down"),
                      ("sync_mode", "sync_outcome"), span=Span.WEEK), ("position", "gateway", "device"),
             ((N_("Adherence to the timetable"), "/schedule", "schedule.view"),)),
    Standard("timetable", N_("First and last sessions and visits"),
         N_("When each position began and ended each day: working day, sessions, visits."),
             Question(("day_opened", "first_session", "first_visit", "last_visit", "last_session", "day_closed",
                       "visits",
                       "sessions"), ("day", "position"), span=Span.WEEK, sort="day", chart=Chart.NONE),
             also=((N_("Adherence to the timetable"), "/schedule", "schedule.view"),)),
    Standard("presence", N_("Days without sessions"),
         N_("Who does not sync, how old the last sync is, and time in the field."),
             Question(("silent_days", "sync_age", "sessions", "field_days", "visits_a_day", "work_span"), ("position",),
                      sort="silent_days")),
)  # fmt: skip
STANDARD = {one.code: one for one in _ALL}
"""Every standard report by its code."""


@dataclass(frozen=True, slots=True)
class Screen:
    """A standard report that is a screen of its own: title and what it answers as English msgids, address, function."""

    title: str
    about: str
    address: str
    function: str


SCREENS = (
    Screen(N_("Adherence to the timetable"), N_("Each working day of each position against its role's timetable."),
           "/schedule", "schedule.view"),
    Screen(N_("Audit trail"), N_("Who did, saw and exported what, from the journal that shows every change."),
           "/journal", "journal.view"),
)  # fmt: skip
"""Reports that are not questions over figures."""


def is_sound(one: Standard) -> bool:
    """Whether the report names only what there is."""
    known = {*one.question.dimensions, *one.filters} <= DIMENSIONS.keys()
    return known and set(one.question.measures) <= MEASURES.keys()
