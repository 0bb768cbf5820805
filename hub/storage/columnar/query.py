"""A question becomes one SELECT for DuckDB, and only rows that the scopes show are in it.

The condition is `hub.storage.visible`'s own, worked out over the copy: nobody filters rows in another way.
Promise 6 (Scope), for people.
"""

import datetime
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.sql.elements import Grouping

from fieldmesh.basics.errors import Rejected
from fieldmesh.data.schema import TABLES
from fieldmesh.data.types import WireType
from hub.storage.columnar.local_days import day_of, moments
from hub.storage.columnar.terms import (
    Asked,
    Both,
    Column,
    Either,
    Figure,
    Filled,
    Fixed,
    Grain,
    How,
    Is,
    Key,
    Linked,
    Minus,
    Not,
    NotAbove,
    OfPeriod,
    On,
    Period,
    Size,
    Term,
    Test,
    Times,
    Today,
    Window,
    named_periods,
)
from hub.storage.org_tables import replicated_table
from hub.storage.reach import Scope
from hub.storage.visible import visible

_DIALECT = postgresql.dialect(paramstyle="qmark")  # type: ignore[no-untyped-call]
_IDENTIFIER_BYTES = 16
Clause = sa.ColumnElement[Any]


@dataclass(frozen=True, slots=True)
class Asker:
    """Whose eyes a question is asked with: the scopes, all of which must show a row, and their days' time zone."""

    scopes: tuple[Scope, ...]
    zone: datetime.tzinfo

    def sees(self, table: str, rows: sa.FromClause) -> list[Clause]:
        """Rows of the table that stand and are seen."""
        seen = [visible(TABLES[table], scope, rows) for scope in self.scopes]
        return [rows.c.deleted == 0, *seen]


def compiled(asked: Asked, asker: Asker) -> tuple[str, list[Any]]:
    """SQL text and its values. A line is: the keys in order, then the figures.

    Raises:
        Rejected: `unknown_column`.
    """
    rows = _Rows(asker, asked.table, asked.period, asked.today)
    keys = [_key(rows, one) for one in asked.keys]
    figures = [_figure(rows, one) for one in asked.figures]
    conditions = [*asker.sees(asked.table, rows.base), *(rows.test(one) for one in asked.only)]
    if asked.day:
        conditions += rows.within(asked.day, asked.period)
    query = sa.select(*keys, *figures).select_from(rows.source).where(*conditions)
    groups = [n for n, one in enumerate(asked.keys, 1) if not one.is_label]
    if groups:
        query = query.group_by(*(sa.literal_column(str(n)) for n in groups))
    made = query.limit(asked.most + 1).compile(
        dialect=_DIALECT, compile_kwargs={"render_postcompile": True}
    )
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

    def term(self, term: Term) -> Clause:
        """The value of a term."""
        found: Clause
        match term:
            case Column(path):
                found = self.column(path)[0]
            case Size(inner):
                found = sa.func.abs(self.term(inner))
            case Times(left, right):
                found = Grouping(self.term(left).op("*")(self.term(right)))
            case Minus(left, right):
                found = Grouping(self.term(left).op("-")(self.term(right)))
            case Fixed(value):
                found = sa.literal(value, sa.BigInteger() if isinstance(value, int) else None)
            case Today():
                found = sa.cast(sa.literal(self.today.isoformat(), sa.Text()), sa.Date())
            case Either(test, then, otherwise):
                found = sa.case((self.test(test), self.term(then)), else_=self.term(otherwise))
        return found

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
            case Not(inner):
                found = sa.not_(self.test(inner))
            case Both(tests):
                found = sa.and_(sa.true(), *(self.test(one) for one in tests))
            case OfPeriod(path):
                found = self.column(path)[0].in_(named_periods(self.period))
            case Linked():
                found = self._exists(test)
        return found

    def within(self, path: str, period: Period) -> list[Clause]:
        """The day, or the moment in the asker's time zone, lies in the period."""
        column, wire = self.column(path)
        if wire is WireType.TIME:
            since, until = moments(period.since, period.until, self.asker.zone)
            return [column >= since, column < until]
        days = [
            sa.cast(sa.literal(day.isoformat(), sa.Text()), sa.Date())
            for day in (period.since, period.until)
        ]
        return [
            column.op(">=", is_comparison=True)(days[0]),
            column.op("<=", is_comparison=True)(days[1]),
        ]

    def _exists(self, test: Linked) -> sa.ColumnElement[bool]:
        other = _Rows(self.asker, test.table, self.period, self.today, self)
        conditions = [*self.asker.sees(test.table, other.base)]
        conditions += [self._on(one, other) for one in test.on]
        conditions += [other.test(one) for one in test.only]
        period = self.period
        match test.window:
            case Window.CURRENT:
                conditions += other.within(test.day, period)
            case Window.PREVIOUS:
                conditions += other.within(test.day, period.previous)
            case Window.BEFORE:
                before = period.since - datetime.timedelta(days=1)
                conditions += other.within(test.day, Period(datetime.date(1900, 1, 1), before))
            case Window.ANY:
                pass
        query = sa.select(sa.literal(1, sa.Integer())).select_from(other.source).where(*conditions)
        return query.correlate(*self._froms()).exists()

    def _on(self, on: On, other: "_Rows") -> Clause:
        inner, outer = other.column(on.column)[0], self.column(on.path)[0]
        same: Clause = inner == outer
        return sa.or_(inner.is_(None), inner == "", same) if on.or_empty else same

    def _froms(self) -> list[sa.FromClause]:
        held = [self.base, *self._linked.values()]
        return held if self.outer is None else [*held, *self.outer._froms()]  # noqa: SLF001 - its own kind


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
