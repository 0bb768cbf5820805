"""Measures of the day in the field: route, working time, sessions. Source: domain.md, section 4."""

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
from hub.analysis.model.sales import (
    FINISHED,
    GEO_LIMIT_M,
    MINUTE_US,
    PERCENT,
    PLANNED,
    count,
    distinct,
    total,
)
from hub.storage.columnar.terms import (
    Added,
    Chosen,
    ClockOf,
    Column,
    DayOf,
    Filled,
    Fixed,
    How,
    Is,
    Linked,
    Minus,
    NotAbove,
    On,
    OnWorkday,
    Pair,
    Relation,
    Same,
    Size,
    Test,
    Today,
)

MOST_PLACES = 2
"""A visit keeps the order of the route when it comes at most so many places earlier or later."""


def _one(table: str, on: On, at: str, *only: Test, last: bool = False) -> Test:
    """The row is the first, or the last, of its day, among those that are alike ``on``."""
    day = On(at, at, relation=Relation.SAME_DAY)
    return Same(Column("id"), Chosen("id", at, Linked(table, (on, day), only), last))


_ALIKE, _DEVICE = (
    On("position_id", "position_id"),
    On("device_id.position_id", "device_id.position_id"),
)
_ENDED = Filled(Column("ended_at"))
_FIRST_VISIT = _one("visit", _ALIKE, "started_at", FINISHED)
_LAST_VISIT = _one("visit", _ALIKE, "finished_at", FINISHED, last=True)
_FIRST_SESSION = _one("sync_session", _DEVICE, "started_at")
_LAST_SESSION = _one("sync_session", _DEVICE, "ended_at", _ENDED, last=True)
FIELD_DAYS = count("field_days", FINISHED, _FIRST_VISIT)
_BEGUN = total("field_days", Column("started_at"), MINUTE_US, FINISHED, _FIRST_VISIT)
_OVER = total("field_days", Column("finished_at"), MINUTE_US, FINISHED, _LAST_VISIT)
_INSIDE = total(
    "field_days", Minus(Column("finished_at"), Column("started_at")), MINUTE_US, FINISHED
)
_STOPS = count("field_days", FINISHED)


def _clock(fact: str, path: str, *only: Test) -> Ratio:
    """The time of day at a path, on average."""
    return Ratio(
        total(fact, ClockOf(path), MINUTE_US, *only), count(fact, Filled(Column(path)), *only)
    )


_PLACE_OF_PLAN = Added(
    Fixed(1),
    Linked(
        "visit_plan",
        (
            On("position_id", "visit_plan_id.position_id"),
            On("date", "visit_plan_id.date"),
            On("sequence_number", "visit_plan_id.sequence_number", relation=Relation.UP_TO),
        ),
    ),
)
_PLACE_OF_VISIT = Added(
    Fixed(1),
    Linked(
        "visit",
        (
            _ALIKE,
            On("started_at", "started_at", relation=Relation.SAME_DAY),
            On("started_at", "started_at", relation=Relation.UP_TO),
        ),
        (FINISHED,),
    ),
)
_STRICTLY = distinct(
    "visits",
    "visit_plan_id",
    FINISHED,
    Same(DayOf(Column("started_at")), Column("visit_plan_id.date")),
    NotAbove(Column("distance_m"), Fixed(GEO_LIMIT_M)),
    NotAbove(Size(Minus(_PLACE_OF_VISIT, _PLACE_OF_PLAN)), Fixed(MOST_PLACES)),
)
_IN_USE = Is(Column("state"), ("active", "suspended", "standing_in", "locked"))
_SESSION_DAYS = Base(
    "session_days",
    Figure(
        How.DISTINCT,
        Pair(Column("device_id.position_id"), DayOf(Column("started_at"))),
        (
            Linked("device", (On("position_id", "device_id.position_id"),), (_IN_USE,)),
            OnWorkday("started_at"),
        ),
    ),
)
"""Of positions that `_POSTS` counts."""
_POSTS = distinct("devices", "position_id", _IN_USE)
_NEWEST = Chosen(
    "ended_at",
    "ended_at",
    Linked("sync_session", (On("device_id", "id"),), (Is(Column("outcome"), ("done",)),)),
    last=True,
)

MEASURES = (
    Measure("adherence_strict", N_("Route adherence, strict"), Unit.PERCENT, Ratio(_STRICTLY, PLANNED, PERCENT),
            N_("Planned visits made on their day, within 100 m and at most 2 places out of order / planned visits.")),
    Measure("field_days", N_("Days in the field"), Unit.COUNT, FIELD_DAYS, N_("Days with a finished visit.")),
    Measure("work_span", N_("Working time"), Unit.MINUTES, Ratio(Sum((_OVER,), (_BEGUN,)), FIELD_DAYS),
            N_("Minutes from the beginning of the first visit to the end of the last, on average of the days.")),
    Measure("travel_minutes", N_("Time between visits"), Unit.MINUTES,
            Ratio(Sum((_OVER,), (_BEGUN, _INSIDE)), Sum((_STOPS,), (FIELD_DAYS,))),
            N_("Minutes from the end of a visit to the beginning of the next, on average."), high_is_good=False),
    Measure("visits_a_day", N_("Visits a day"), Unit.DECIMAL, Ratio(_STOPS, FIELD_DAYS),
            N_("Finished visits / days in the field.")),
    Measure("first_visit", N_("First visit"), Unit.CLOCK, _clock("field_days", "started_at", FINISHED, _FIRST_VISIT),
            N_("When the first visit of the day began, on average."), high_is_good=None),
    Measure("last_visit", N_("Last visit"), Unit.CLOCK, _clock("field_days", "finished_at", FINISHED, _LAST_VISIT),
            N_("When the last visit of the day ended, on average."), high_is_good=None),
    Measure("day_opened", N_("Day opened"), Unit.CLOCK, _clock("work_days", "opened_at"),
            N_("When the working day was opened, on average."), high_is_good=None),
    Measure("day_closed", N_("Day closed"), Unit.CLOCK, _clock("work_days", "closed_at"),
            N_("When the working day was closed, on average."), high_is_good=None),
    Measure("first_session", N_("First session"), Unit.CLOCK, _clock("session_days", "started_at", _FIRST_SESSION),
            N_("When the first sync session of the day began, on average."), high_is_good=None),
    Measure("last_session", N_("Last session"), Unit.CLOCK,
            _clock("session_days", "ended_at", _ENDED, _LAST_SESSION),
            N_("When the last sync session of the day ended, on average."), high_is_good=None),
    Measure("silent_days", N_("Days without session"), Unit.COUNT,
            Sum((Product(Days(Calendar.ELAPSED), _POSTS),), (_SESSION_DAYS,)),
            N_("Workdays of positions with a device on which none synced."), high_is_good=False),
    Measure("sync_age", N_("Age of the last sync"), Unit.DAYS,
            Ratio(total("devices", Minus(Today(), DayOf(_NEWEST)), 1, _IN_USE),
                  count("devices", _IN_USE, Filled(_NEWEST))),
            N_("Days since the last session that ended well of each device in use, on average."), high_is_good=False),
)  # fmt: skip
