"""A question becomes one SELECT for DuckDB, and only rows that the scopes show are in it.

The condition is `hub.storage.visible`'s own, worked out over the copy: nobody filters rows in another way.
Promise 6 (Scope), for people.
"""

import datetime
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.sql.elements import Grouping

from fieldmesh.basics.errors import Rejected
from fieldmesh.data.schema import TABLES
from fieldmesh.data.types import WireType
from hub.storage.columnar.local_days import clock_of, day_of, moments
from hub.storage.columnar.periods import named_periods, part_of
from hub.storage.columnar.terms import (
    Added,
    Asked,
    Both,
    Chosen,
    ClockOf,
    Column,
    DayOf,
    Either,
    Figure,
    Filled,
    FirstDay,
    Fixed,
    Grain,
    How,
    HowManyDays,
    Is,
    Key,
    LessReturns,
    Linked,
    Minus,
    Not,
    NotAbove,
    OfPeriod,
    On,
    OnWorkday,
    Pair,
    Period,
    Relation,
    Same,
    Size,
    Term,
    Test,
    Times,
    Today,
    Window,
)
from hub.storage.columnar.wide import WIDE
from hub.storage.org_tables import replicated_table
from hub.storage.reach import Scope
from hub.storage.returns import less_returns
from hub.storage.visible import visible
from hub.storage.workdays import WORKDAYS

_DIALECT = postgresql.dialect(paramstyle="qmark")  # type: ignore[no-untyped-call]
_IDENTIFIER_BYTES = 16
Clause = sa.ColumnElement[Any]


@dataclass(frozen=True, slots=True)
class Asker:
    """Whose eyes a question is asked with.

    Attributes:
        scopes: all of them must show a row.
        zone: of their days.
        linked: table → scope that must show its rows, too, where others are compared with them.
    """

    scopes: tuple[Scope, ...]
    zone: datetime.tzinfo
    linked: Mapping[str, Scope] = field(default_factory=dict)

    def sees(self, table: str, rows: sa.FromClause) -> list[Clause]:
        """Rows of the table that stand and are seen."""
        return [rows.c.deleted == 0, *_shown(table, self.scopes, rows)]

    def sees_linked(self, table: str, rows: sa.FromClause) -> list[Clause]:
        """The same for rows that others are compared with."""
        own = [self.linked[table]] if table in self.linked else []
        scopes = dict.fromkeys((*self.scopes, *own))
        return [rows.c.deleted == 0, *_shown(table, scopes, rows)]


def _shown(table: str, scopes: Iterable[Scope], rows: sa.FromClause) -> list[Clause]:
    return [visible(TABLES[table], scope, rows) for scope in scopes]


def compiled(asked: Asked, asker: Asker) -> tuple[str, list[Any]]:
    """SQL text and its values. A line is: the keys in order, then the figures.

    Raises:
        Rejected: `unknown_column`.
    """
    return text_of(selected(asked, asker).limit(asked.most + 1))


def selected(asked: Asked, asker: Asker) -> sa.Select[Any]:
    """The keys in order as k0, k1 …, then the figures as f0, f1 …, grouped by the keys.

    Raises:
        Rejected: `unknown_column`.
    """
    rows = _Rows(asker, asked.table, asked.period, asked.today)
    keys = [_key(rows, one).label(f"k{n}") for n, one in enumerate(asked.keys)]
    figures = [_figure(rows, one).label(f"f{n}") for n, one in enumerate(asked.figures)]
    conditions = [*asker.sees(asked.table, rows.base), *(rows.test(one) for one in asked.only)]
    if asked.day:
        conditions += rows.within(asked.day, asked.period)
    query = sa.select(*keys, *figures).select_from(rows.source).where(*conditions)
    groups = [n for n, one in enumerate(asked.keys, 1) if not one.is_label]
    if groups:
        query = query.group_by(*(sa.literal_column(str(n)) for n in groups))
    return query


def text_of(query: sa.Select[Any]) -> tuple[str, list[Any]]:
    """The SQL text of a query, and its values."""
    made = query.compile(dialect=_DIALECT, compile_kwargs={"render_postcompile": True})
    order = made.positiontup or []
    return str(made), [_bound(made.params[name]) for name in order]


@dataclass(slots=True)
class _Rows:
    """The rows of one table, with a join for each link that is followed."""

    asker: Asker
    table: str
    period: Period
    today: datetime.date
    outer: "_Rows | None" = None
    base: sa.FromClause = field(init=False)
    source: sa.FromClause = field(init=False)
    _linked: dict[str, sa.FromClause] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.base = self.source = replicated_table(self.table).alias()

    def column(self, path: str) -> tuple[Clause, WireType]:
        """The column behind a path; a row that the scope hides has no values, only its id."""
        *links, last = path.split(".")
        name, held, way = self.table, self.base, ""
        for link in links:
            way = f"{way}.{link}"
            target = (
                TABLES[name].column(link).references or "" if TABLES[name].has_column(link) else ""
            )
            if way not in self._linked:
                self._join(held, link, target, way)
            name, held = target, self._linked[way]
        if last not in held.c:
            raise Rejected("unknown_column", place=path, table=name, column=last)
        return held.c[last], TABLES[name].column(last).kind.wire

    def _join(self, held: sa.FromClause, link: str, target: str, way: str) -> None:
        if target not in TABLES:
            raise Rejected("unknown_column", place=way, table=self.table, column=link)
        other = replicated_table(target).alias()
        found = sa.and_(held.c[link] == other.c.id, *self.asker.sees(target, other))
        self.source = self.source.outerjoin(other, found)
        self._linked[way] = other

    def term(self, term: Term) -> Clause:  # noqa: C901 - one case for each kind of term
        """The value of a term."""
        found: Clause
        match term:
            case Column(path):
                found = self.column(path)[0]
            case Size(inner):
                found = sa.func.abs(self.term(inner))
            case Times(left, right):
                found = Grouping(sa.cast(self.term(left), WIDE).op("*")(self.term(right)))
            case Minus(left, right):
                found = Grouping(self.term(left).op("-")(self.term(right)))
            case Fixed(value):
                found = sa.literal(value, sa.BigInteger() if isinstance(value, int) else None)
            case Today():
                found = _date(self.today)
            case FirstDay():
                found = _date(self.period.since)
            case HowManyDays():
                days = (self.period.until - self.period.since).days + 1
                found = sa.literal(days, sa.BigInteger())
            case Either(test, then, otherwise):
                found = sa.case((self.test(test), self.term(then)), else_=self.term(otherwise))
            case LessReturns(is_return, inner):
                found = less_returns(self.test(is_return), self.term(inner))
            case Pair(left, right):
                found = sa.func.row(self.term(left), self.term(right))
            case DayOf() | ClockOf() | Added() | Chosen():
                found = self._worked_out(term)
        return found

    def _worked_out(self, term: DayOf | ClockOf | Added | Chosen) -> Clause:
        """A value of a moment in the asker's time zone, or one of other rows."""
        found: Clause
        match term:
            case DayOf(inner) if isinstance(inner, Column):
                found = self._day(inner.path)
            case DayOf(inner):
                span = (self.period.since, self.period.until)
                found = day_of(self.term(inner), *span, self.asker.zone)
            case ClockOf(path):
                span = (self.period.since, self.period.until)
                found = clock_of(self.column(path)[0], *span, self.asker.zone)
            case Added(inner, linked):
                found = self._of_others(linked, lambda other: sa.func.sum(other.term(inner)))
            case Chosen():
                found = self._chosen(term)
        return found

    def _day(self, path: str) -> Clause:
        value, wire = self.column(path)
        if wire is not WireType.TIME:
            return value
        return day_of(value, self.period.since, self.period.until, self.asker.zone)

    def _chosen(self, term: Chosen) -> Clause:
        def pick(other: "_Rows") -> Clause:
            value = other.column(term.path)[0]
            order: list[Clause] = []
            for path in (*term.first_by, term.by):
                by = other.column(path)[0]
                order += [by.is_not(None) if term.last else by.is_(None), by]
            choose = sa.func.arg_max if term.last else sa.func.arg_min
            return choose(value, sa.func.row(*order, other.base.c.id))

        return self._of_others(term.rows, pick)

    def test(self, test: Test) -> sa.ColumnElement[bool]:
        """The condition that a test makes."""
        found: sa.ColumnElement[bool]
        match test:
            case Is(term, values):
                found = sa.and_(self.term(term).is_not(None), self.term(term).in_(values))
            case Filled(term):
                found = self.term(term).is_not(None)
            case NotAbove(left, right):
                one, other = self.term(left), self.term(right)
                found = sa.and_(
                    one.is_not(None), other.is_not(None), one.op("<=", is_comparison=True)(other)
                )
            case Same(left, right):
                found = self.term(left) == self.term(right)
            case Not(inner):
                found = sa.not_(self.test(inner))
            case Both(tests):
                found = sa.and_(sa.true(), *(self.test(one) for one in tests))
            case OnWorkday(path):
                day_of_week = sa.extract("isodow", self._day(path))
                found = day_of_week.op("<=", is_comparison=True)(WORKDAYS)
            case OfPeriod(path):
                found = self.column(path)[0].in_(named_periods(self.period))
            case Linked():
                found = self._others(test, lambda _other: sa.literal(1, sa.Integer())).exists()
        return found

    def within(self, path: str, period: Period) -> list[Clause]:
        """The day, or the moment in the asker's time zone, lies in the period."""
        column, wire = self.column(path)
        if wire is WireType.TIME:
            since, until = moments(period.since, period.until, self.asker.zone)
            return [column >= since, column < until]
        days = [_date(day) for day in (period.since, period.until)]
        return [
            column.op(">=", is_comparison=True)(days[0]),
            column.op("<=", is_comparison=True)(days[1]),
        ]

    def _of_others(self, linked: Linked, value: Callable[["_Rows"], Clause]) -> Clause:
        return self._others(linked, value).scalar_subquery()

    def _others(self, linked: Linked, value: Callable[["_Rows"], Clause]) -> sa.Select[Any]:
        """A value over the rows of the other table that fit."""
        other = _Rows(self.asker, linked.table, self.period, self.today, self)
        conditions = self.asker.sees_linked(linked.table, other.base)
        conditions += [self._on(one, other) for one in linked.on]
        conditions += [other.test(one) for one in linked.only]
        period = self.period
        match linked.window:
            case Window.CURRENT:
                conditions += other.within(linked.day, period)
            case Window.PREVIOUS:
                conditions += other.within(linked.day, period.previous)
            case Window.NEXT:
                conditions += other.within(linked.day, period.following)
            case Window.BEFORE:
                before = period.since - datetime.timedelta(days=1)
                conditions += other.within(linked.day, Period(datetime.date(1900, 1, 1), before))
            case Window.ANY:
                pass
        shown = value(other)
        query = sa.select(shown).select_from(other.source).where(*conditions)
        return query.correlate(*self._froms())

    def _on(self, on: On, other: "_Rows") -> Clause:
        (inner, held), (outer, own) = other.column(on.column), self.column(on.path)
        if on.relation is Relation.SAME_DAY or (held is WireType.DATE) != (own is WireType.DATE):
            inner, outer = other._day(on.column), self._day(on.path)  # noqa: SLF001 - its own kind
        found: Clause = inner == outer
        match on.relation:
            case Relation.SAME | Relation.SAME_DAY:
                pass
            case Relation.UP_TO:
                found = inner.op("<=", is_comparison=True)(outer)
            case Relation.FROM:
                found = inner.op(">=", is_comparison=True)(outer)
            case Relation.BEFORE | Relation.AFTER:
                rows = sa.func.row(inner, other.base.c.id), sa.func.row(outer, self.base.c.id)
                sign = "<" if on.relation is Relation.BEFORE else ">"
                found = rows[0].op(sign, is_comparison=True)(rows[1])
            case Relation.ALIKE:
                found = inner.is_not_distinct_from(outer)
            case Relation.PART_OF:
                found = part_of(inner, outer)
            case Relation.WITHIN:
                found = sa.or_(found, part_of(inner, outer))
        if not on.or_empty:
            return found
        empty = [inner == ""] if held is WireType.TEXT else []
        return sa.or_(inner.is_(None), *empty, found)

    def _froms(self) -> list[sa.FromClause]:
        held = [self.base, *self._linked.values()]
        return held if self.outer is None else [*held, *self.outer._froms()]  # noqa: SLF001 - its own kind


def _date(day: datetime.date) -> Clause:
    return sa.cast(sa.literal(day.isoformat(), sa.Text()), sa.Date())


def _key(rows: _Rows, key: Key) -> Clause:
    if isinstance(key.term, Column):
        value, wire = rows.column(key.term.path)
        if key.grain is not None and wire is WireType.TIME:
            value = day_of(value, rows.period.since, rows.period.until, rows.asker.zone)
    else:
        value = rows.term(key.term)
    if key.grain is not None and key.grain is not Grain.DAY:
        value = sa.cast(
            sa.func.date_trunc(sa.literal_column(f"'{key.grain.value}'"), value), sa.Date()
        )
    if key.bands:
        bounds = [sa.literal(bound, sa.BigInteger()) for bound in key.bands]
        steps = [(value.op("<=", is_comparison=True)(one), n) for n, one in enumerate(bounds)]
        value = sa.case((value.is_(None), None), *steps, else_=len(key.bands))
    return sa.func.any_value(value) if key.is_label else value


def _figure(rows: _Rows, figure: Figure) -> Clause:
    value = rows.term(figure.term)
    if figure.only:
        value = sa.case((sa.and_(*(rows.test(one) for one in figure.only)), value), else_=None)
    match figure.how:
        case How.COUNT:
            return sa.func.count(value)
        case How.SUM:
            return sa.func.sum(value)
        case How.DISTINCT:
            return sa.func.count(sa.distinct(value))
        case How.P95:
            return sa.func.quantile_disc(value, sa.literal_column("0.95"))


def _bound(value: Any) -> Any:
    """A value as DuckDB takes it."""
    if isinstance(value, bytes) and len(value) == _IDENTIFIER_BYTES:
        return uuid.UUID(bytes=value)
    return value


def plain(row: Sequence[Any]) -> tuple[Any, ...]:
    """A line as the rest of the hub knows values: identifiers as bytes, days as texts, numbers as whole ones."""
    return tuple(_plain(value) for value in row)


def _plain(value: Any) -> Any:
    if isinstance(value, uuid.UUID):
        return value.bytes
    if isinstance(value, datetime.date):
        return value.isoformat()
    return value if value is None or isinstance(value, str | bytes) else int(value)
