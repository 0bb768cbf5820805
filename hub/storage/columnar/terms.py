"""What a question is made of: values of a row, tests of a row, keys to group by, figures of a group. Pure values.

A path is a column, or a column behind links (`order_id.outlet_id.channel`), as in lists. `query` makes SQL of them.
"""

import datetime
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, is_dataclass
from enum import StrEnum

Plain = int | str | bytes


@dataclass(frozen=True, slots=True)
class Column:
    """The value at the end of a path."""

    path: str


@dataclass(frozen=True, slots=True)
class Times:
    """One value times another."""

    left: "Term"
    right: "Term"


@dataclass(frozen=True, slots=True)
class Minus:
    """One value less another; of two days the days between them."""

    left: "Term"
    right: "Term"


@dataclass(frozen=True, slots=True)
class Fixed:
    """The same value for every row."""

    value: Plain


@dataclass(frozen=True, slots=True)
class Today:
    """The day on which the question is asked."""


@dataclass(frozen=True, slots=True)
class FirstDay:
    """The first of the question's days."""


@dataclass(frozen=True, slots=True)
class HowManyDays:
    """How many days the question has."""


@dataclass(frozen=True, slots=True)
class Either:
    """One value where the test holds, the other elsewhere."""

    test: "Test"
    then: "Term"
    otherwise: "Term"


@dataclass(frozen=True, slots=True)
class Size:
    """A value without its sign."""

    term: "Term"


@dataclass(frozen=True, slots=True)
class LessReturns:
    """The value, or what it takes off where the document is a return."""

    is_return: "Test"
    term: "Term"


@dataclass(frozen=True, slots=True)
class Pair:
    """Two values as one: for what is counted by both."""

    left: "Term"
    right: "Term"


@dataclass(frozen=True, slots=True)
class DayOf:
    """The day, in the asker's time zone, of a moment; of a day itself."""

    term: "Column | Chosen"


@dataclass(frozen=True, slots=True)
class ClockOf:
    """Microseconds from midnight, in the asker's time zone, of a moment at the path."""

    path: str


@dataclass(frozen=True, slots=True)
class Added:
    """The sum of a value over the rows of another table that fit; missing when there are none."""

    term: "Term"
    rows: "Linked"


@dataclass(frozen=True, slots=True)
class Chosen:
    """A value of the first row of another table that fits, by another value and the id; ``last``: of the last row.

    Values of ``first_by`` decide before that one.
    """

    path: str
    by: str
    rows: "Linked"
    last: bool = False
    first_by: tuple[str, ...] = ()


Term = (
    Column | Size | Times | Minus | Fixed | Today | FirstDay | HowManyDays | Either | LessReturns | Pair
    | DayOf | ClockOf | Added | Chosen
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Is:
    """The value is one of these."""

    term: Term
    values: tuple[Plain, ...]


@dataclass(frozen=True, slots=True)
class Filled:
    """There is a value."""

    term: Term


@dataclass(frozen=True, slots=True)
class NotAbove:
    """One value is not above another; neither is missing."""

    left: Term
    right: Term


@dataclass(frozen=True, slots=True)
class Same:
    """One value is the other; neither is missing."""

    left: Term
    right: Term


@dataclass(frozen=True, slots=True)
class Not:
    """The test does not hold."""

    test: "Test"


@dataclass(frozen=True, slots=True)
class Both:
    """All the tests hold."""

    tests: tuple["Test", ...]


@dataclass(frozen=True, slots=True)
class OfPeriod:
    """A text at the path names a month, quarter or year that lies in the question's days: 2026-11, 2026-Q4, 2026."""

    path: str


@dataclass(frozen=True, slots=True)
class OnWorkday:
    """The day of the moment at the path, in the asker's time zone, is worked on."""

    path: str


class Window(StrEnum):
    """Which days of another table count: those of the question, as many before or after, all before, or all."""

    CURRENT = "current"
    PREVIOUS = "previous"
    NEXT = "next"
    BEFORE = "before"
    ANY = "any"


class Relation(StrEnum):
    """How a value of the other table stands to one of this: the same, of the same day, not above it, and so on.

    What lies before is lower, or as high with a lower id, so that no two rows lie before each other; after: the other
    way round. Alike are the same values and two that are missing; part of a period is a shorter one in it, as 2026-11
    in 2026-Q4 and both in 2026; within a period are its parts and itself.
    """

    SAME = "same"
    SAME_DAY = "same day"
    UP_TO = "up to"
    FROM = "from"
    BEFORE = "before"
    AFTER = "after"
    ALIKE = "alike"
    PART_OF = "part of"
    WITHIN = "within"


@dataclass(frozen=True, slots=True)
class On:
    """A path of the other table stands to a path of this one; ``or_empty``: an empty one stands to everything."""

    column: str
    path: str
    or_empty: bool = False
    relation: Relation = Relation.SAME


@dataclass(frozen=True, slots=True)
class Linked:
    """Some row of another table fits, among those that the person may see.

    Attributes:
        table: the other one.
        on: all must hold.
        only: what its rows must pass.
        day: path of the other table's day, for the window.
        window: which days count.
    """

    table: str
    on: tuple[On, ...]
    only: tuple["Test", ...] = ()
    day: str = ""
    window: Window = Window.ANY


Test = Is | Filled | NotAbove | Same | Not | Both | OfPeriod | OnWorkday | Linked


def linked_in(part: object) -> Iterator[Linked]:
    """Wherever a figure, value or test looks at rows of other tables."""
    if isinstance(part, Linked):
        yield part
    inner: Iterable[object] = part if isinstance(part, tuple) else ()
    if is_dataclass(part) and not isinstance(part, type):
        inner = [getattr(part, one.name) for one in fields(part)]
    for one in inner:
        yield from linked_in(one)


class Grain(StrEnum):
    """How long a stretch of time is that a line stands for."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


@dataclass(frozen=True, slots=True)
class Key:
    """What lines are made by.

    Attributes:
        term: the value.
        grain: of a day, shortened to the first day of its week, month, quarter or year.
        bands: upper bounds; the key is the number of the first one that the value does not exceed.
        is_label: follows from the other keys: shown, not grouped by.
    """

    term: Term
    grain: Grain | None = None
    bands: tuple[int, ...] = ()
    is_label: bool = False


class How(StrEnum):
    """What is made of the values of a group."""

    COUNT = "count"
    SUM = "sum"
    DISTINCT = "distinct"
    P95 = "p95"


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of a group: what is made of a term's values, over the rows that pass the tests."""

    how: How
    term: Term = Fixed(1)
    only: tuple[Test, ...] = ()


@dataclass(frozen=True, slots=True)
class Period:
    """Days from ``since`` to ``until``, both counted."""

    since: datetime.date
    until: datetime.date

    @property
    def previous(self) -> "Period":
        """As many days just before."""
        days = (self.until - self.since).days + 1
        last = self.since - datetime.timedelta(days=1)
        return Period(last - datetime.timedelta(days=days - 1), last)

    @property
    def following(self) -> "Period":
        """As many days just after."""
        days = datetime.timedelta(days=(self.until - self.since).days + 1)
        return Period(self.since + days, self.until + days)


@dataclass(frozen=True, slots=True)
class Asked:
    """One aggregation over one table.

    Attributes:
        table: whose rows.
        day: path of the day or moment that the period is compared with; empty = rows stand as they are now.
        only: what every row must pass.
        keys: what lines are made by.
        figures: what is worked out for each line.
        period: which days.
        today: of whoever asks.
        most: more lines than this are refused.
    """

    table: str
    day: str
    only: tuple[Test, ...]
    keys: tuple[Key, ...]
    figures: tuple[Figure, ...]
    period: Period
    today: datetime.date
    most: int = 200_000
