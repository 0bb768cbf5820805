"""A day against the timetable, in the zone of the office."""

import datetime
import zoneinfo

import pytest

from hub.desk.schedule import Timetable, Verdict, verdict
from hub.storage.attendance import Attendance

SOFIA = zoneinfo.ZoneInfo("Europe/Sofia")
HOURS = Timetable(datetime.time(8, 30), datetime.time(17, 0), 15)


AFTER = "23:59:00"


def at(clock: str) -> int:
    """UTC microseconds of a clock time in Sofia on the day."""
    moment = datetime.datetime.fromisoformat(f"2026-03-02T{clock}").replace(tzinfo=SOFIA)
    return int(moment.timestamp()) * 1_000_000


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        ("08:44:59", "16:46:00", Verdict.KEPT),
        ("08:45:01", "17:30:00", Verdict.LATE),
        ("08:00:00", "16:44:59", Verdict.EARLY),
    ],
)
def test_a_day_is_judged_with_the_tolerance_at_both_ends(
    first: str, last: str, expected: Verdict
) -> None:
    """A rule that is a minute off, or in another zone, accuses people who were at work."""
    day = Attendance(
        b"p", b"r", "P", "P", "2026-03-02", first_session=at(first), last_session=at(last)
    )
    assert verdict(day, HOURS, SOFIA, at(AFTER)) is expected


def test_an_opened_day_counts_before_the_first_session_and_nothing_is_absence() -> None:
    """Who works where there is no network syncs late, and has begun all the same."""
    day = Attendance(
        b"p",
        b"r",
        "P",
        "P",
        "2026-03-02",
        first_session=at("11:00:00"),
        last_session=at("17:00:00"),
    )
    assert verdict(day, HOURS, SOFIA, at(AFTER)) is Verdict.LATE
    day.opened = at("08:10:00")
    assert verdict(day, HOURS, SOFIA, at(AFTER)) is Verdict.KEPT
    nothing = Attendance(b"p", b"r", "P", "P", "2026-03-02")
    assert verdict(nothing, HOURS, SOFIA, at(AFTER)) is Verdict.ABSENT


@pytest.mark.parametrize(
    ("now", "first", "last", "expected"),
    [
        ("08:00:00", "", "", Verdict.OPEN),
        ("08:46:00", "", "", Verdict.ABSENT),
        ("11:00:00", "08:20:00", "10:40:00", Verdict.OPEN),
        ("11:00:00", "09:20:00", "10:40:00", Verdict.LATE),
        ("16:50:00", "08:20:00", "16:46:00", Verdict.KEPT),
        ("17:00:00", "08:20:00", "16:30:00", Verdict.EARLY),
    ],
)
def test_a_day_that_is_not_over_is_judged_only_for_what_has_passed(
    now: str, first: str, last: str, expected: Verdict
) -> None:
    """At eleven everybody who is at work would read that they have left early."""
    day = Attendance(b"p", b"r", "P", "P", "2026-03-02")
    if first:
        day.first_session, day.last_session = at(first), at(last)
    assert verdict(day, HOURS, SOFIA, at(now)) is expected
