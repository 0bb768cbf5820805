"""Which days are worked on, said once: Monday to Friday."""

import datetime

WORKDAYS = 5
"""The first so many days of a week."""


def workdays(since: datetime.date, until: datetime.date) -> int:
    """How many days from one to the other, both counted, are worked on."""
    days = max(0, (until - since).days + 1)
    return sum(is_workday(since + datetime.timedelta(days=one)) for one in range(days))


def is_workday(day: datetime.date) -> bool:
    """Whether the day is worked on."""
    return day.weekday() < WORKDAYS
