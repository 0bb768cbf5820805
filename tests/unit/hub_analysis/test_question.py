"""The days of a question that comes by mail in the morning."""

import datetime

import pytest

from hub.analysis.question import Question, Span

FIRST = datetime.date(2026, 12, 1)
DAYS = {
    Span.TODAY: ("2026-11-30", "2026-11-30"),
    Span.YESTERDAY: ("2026-11-30", "2026-11-30"),
    Span.WEEK: ("2026-11-30", "2026-11-30"),
    Span.LAST_WEEK: ("2026-11-23", "2026-11-29"),
    Span.MONTH: ("2026-11-01", "2026-11-30"),
    Span.LAST_MONTH: ("2026-11-01", "2026-11-30"),
    Span.QUARTER: ("2026-10-01", "2026-11-30"),
    Span.YEAR: ("2026-01-01", "2026-11-30"),
    Span.DAYS_30: ("2026-11-01", "2026-11-30"),
    Span.DAYS_365: ("2025-12-01", "2026-11-30"),
}


@pytest.mark.parametrize("span", Span)
def test_days_that_are_named_end_with_the_last_whole_one(span: Span) -> None:
    """“This month” on the first in the morning is some hours; “last month” must not become the one before it."""
    found = Question(("sales",), span=span).until_morning_of(FIRST)
    assert found.since
    assert found.until
    assert (found.since.isoformat(), found.until.isoformat()) == DAYS[span]


def test_days_that_are_given_stay() -> None:
    """Whoever has chosen the days has chosen them for the mail too."""
    given = Question(("sales",), since=datetime.date(2026, 11, 5), until=FIRST)
    assert given.until_morning_of(FIRST) == given
