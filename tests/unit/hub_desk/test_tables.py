"""Answers as tables: what stands beside what it is compared with, and that nothing of either answer is lost."""

import datetime
from decimal import Decimal
from fractions import Fraction

import duckdb
import pytest

from fieldmesh.basics.errors import Rejected
from hub.analysis.answers import Answer, Line
from hub.analysis.question import Compare, Question, year_before
from hub.desk.reports.files import as_parquet
from hub.desk.reports.tables import MOST_ACROSS, Table, table_of
from hub.storage.columnar.file import Mark
from hub.storage.columnar.terms import Period

NOVEMBER = Period(datetime.date(2026, 11, 1), datetime.date(2026, 11, 30))
AUTUMN = Period(datetime.date(2026, 9, 9), datetime.date(2026, 11, 24))
YEAR = Period(datetime.date(2026, 1, 1), datetime.date(2026, 11, 26))
LEAP_YEAR = Period(datetime.date(2024, 1, 1), datetime.date(2024, 12, 31))


def answer(
    question: Question, period: Period, now: dict[Line, int], before: dict[Line, int]
) -> Answer:
    """Sales by line, now and in the days before; the totals are their sums."""
    days = year_before(period) if question.compare is Compare.YEAR else period.previous
    compared = days if question.compare else None
    lines, earlier = (
        {line: {"sales": Fraction(value)} for line, value in held.items()} for held in (now, before)
    )
    totals = [{"sales": Fraction(sum(held.values()))} for held in (now, before)]
    mark = Mark(1, 1, 0)
    return Answer(question, period, compared, lines, earlier, totals[0], totals[1], {}, mark)


def figures(table: Table) -> dict[tuple[str, ...], tuple[Fraction | None, ...]]:
    """Now, before and change in per cent, by the line's names."""
    return {row.names: row.figures for row in table.rows}


def test_what_was_sold_only_before_has_a_line_and_the_lines_add_up_to_the_total() -> None:
    """A brand that fell to nothing is what the comparison is made for, and it was the one that nobody saw."""
    question = Question(("sales",), ("brand",), compare=Compare.PREVIOUS)
    table = table_of(
        answer(question, NOVEMBER, {("Ayran",): 30}, {("Ayran",): 20, ("Boza",): 50}), "en"
    )
    assert figures(table) == {("Ayran",): (30, 20, 50), ("Boza",): (None, 50, -100)}
    assert table.lines == 2
    assert table.total == (30, 70, Fraction(3000, 70) - 100)
    assert sum(row.figures[1] or 0 for row in table.rows) == table.total[1]


def test_what_stood_across_only_before_has_a_column() -> None:
    """A channel that sells nothing any more would take its earlier sales along."""
    question = Question(("sales",), ("brand",), "channel", compare=Compare.PREVIOUS)
    now, before = {("Ayran", "kiosk"): 3}, {("Ayran", "bar"): 4, ("Boza", "bar"): 5}
    table = table_of(answer(question, NOVEMBER, now, before), "en")
    assert [one.group for one in table.headings[1::3]] == ["bar", "kiosk"]
    assert figures(table) == {
        ("Ayran",): (None, 4, -100, 3, None, None),
        ("Boza",): (None, 5, -100, None, None, None),
    }


def test_more_values_across_than_a_table_takes_are_refused_and_none_is_left_out() -> None:
    """Columns that are not there are missed by nobody, and every line says less than was sold."""
    question = Question(("sales",), ("brand",), "city")
    fits = {("Ayran", f"City {n}"): 1 for n in range(MOST_ACROSS)}
    table = table_of(answer(question, NOVEMBER, fits, {}), "en")
    assert len(table.rows[0].figures) == MOST_ACROSS
    with pytest.raises(Rejected) as caught:
        table_of(answer(question, NOVEMBER, {**fits, ("Ayran", "Sofia"): 1}, {}), "en")
    assert caught.value.code == "question_too_wide"


@pytest.mark.parametrize("compare", [Compare.PREVIOUS, Compare.YEAR])
@pytest.mark.parametrize("grain", ["day", "week", "month", "quarter", "year"])
@pytest.mark.parametrize("period", [NOVEMBER, AUTUMN, YEAR, LEAP_YEAR])
def test_the_first_stretch_of_time_stands_beside_the_first_and_none_is_lost(
    period: Period, grain: str, compare: Compare
) -> None:
    """By week, month, quarter or year nothing stood beside anything: the two began on different days."""
    question = Question(("sales",), (grain,), compare=compare)
    days = period.previous if compare is Compare.PREVIOUS else year_before(period)
    now, before = (stretches(one, grain) for one in (period, days))
    table = table_of(answer(question, period, now, before), "en")
    first = table.rows[0]
    assert first.line == next(iter(now))
    assert first.figures[:2] == (1, 1)
    shown = [row.figures for row in table.rows]
    assert sum(one[0] or 0 for one in shown) == sum(now.values())
    assert sum(one[1] or 0 for one in shown) == sum(before.values())
    both = min(len(now), len(before))
    assert [one[:2] for one in shown[:both]] == [(n, n) for n in range(1, both + 1)]


def stretches(period: Period, grain: str) -> dict[Line, int]:
    """The first days of the period's stretches, each with its number from 1 on."""
    day, found = period.since, dict[Line, int]()
    while day <= period.until:
        found.setdefault((truncated(day, grain).isoformat(),), len(found) + 1)
        day += datetime.timedelta(days=1)
    return found


def truncated(day: datetime.date, grain: str) -> datetime.date:
    """As the copy shortens a day."""
    match grain:
        case "week":
            return day - datetime.timedelta(days=day.weekday())
        case "month":
            return day.replace(day=1)
        case "quarter":
            return day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
        case "year":
            return day.replace(month=1, day=1)
        case _:
            return day


def test_a_parquet_file_holds_each_name_and_each_cent() -> None:
    """A name with a carriage return broke the file off; a sum of twenty digits lost its last ones."""
    figure = Fraction(1234567890123456789, 100)
    lines = {(name,): {"sales": figure} for name in ("Ay\rran", '"', "–")}
    held = Answer(
        Question(("sales",), ("brand",)),
        NOVEMBER,
        None,
        lines,
        {},
        {"sales": figure},
        {},
        {},
        Mark(1, 1, 0),
    )
    path = as_parquet(table_of(held, "en"))
    try:
        with duckdb.connect() as connection:
            found = connection.execute(f"SELECT * FROM '{path}'").fetchall()
    finally:
        path.unlink()
    assert dict(found) == {line[0]: Decimal("12345678901234567.89") for line in lines}
