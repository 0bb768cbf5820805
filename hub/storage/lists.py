"""Pages of rows for people: chosen columns, also through links, filtered, in order, only what the scope shows.

Keyset paging: a page begins after the last row of the one before, however many rows there are.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from fieldmesh.basics.errors import Rejected
from fieldmesh.data.schema import TABLES
from fieldmesh.data.types import Value
from hub.storage.org_tables import replicated_table
from hub.storage.reach import Scope
from hub.storage.visible import visible

MOST_ROWS = 1_000
COUNTED = 10_000
"""Rows beyond this are not counted: people are told that there are more."""


class Test(StrEnum):
    """How a filter compares."""

    IS = "is"
    ONE_OF = "one_of"
    FROM = "from"
    BEFORE = "before"
    EMPTY = "empty"
    FILLED = "filled"
    BEGINS = "begins"


@dataclass(frozen=True, slots=True)
class Condition:
    """A filter: the path's value passes the test with ``values``."""

    path: str
    test: Test
    values: tuple[Value, ...] = ()


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a page holds.

    Attributes:
        table: whose rows.
        paths: a column, or a column of the row that a link names: ``outlet_id.name``.
        conditions: all must hold.
        order: own columns, each with "descending"; the id comes last by itself.
        after: values of the order columns and the id of the row before the page.
        ids: only these rows; None = all.
        most: rows of the page.
    """

    table: str
    paths: tuple[str, ...]
    conditions: tuple[Condition, ...] = ()
    order: tuple[tuple[str, bool], ...] = ()
    after: tuple[Value, ...] | None = None
    ids: sa.Select[Any] | Sequence[bytes] | None = None
    most: int = 50


@dataclass(frozen=True, slots=True)
class Page:
    """Rows: the id first, then the values of the paths. ``after`` leads to the next page; None = there is none."""

    rows: list[tuple[Value, ...]]
    after: tuple[Value, ...] | None


@dataclass(slots=True)
class _Query:
    """A query that grows a join for each link that is followed."""

    scope: Scope
    table: str
    source: sa.FromClause = field(init=False)
    base: sa.FromClause = field(init=False)
    _linked: dict[str, sa.FromClause] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.base = self.source = replicated_table(self.table)

    def column(self, path: str) -> sa.ColumnElement[Any]:
        """The column behind a path. A row that the scope hides has no values, only its id.

        Raises:
            Rejected: `unknown_column`.
        """
        *links, last = path.split(".")
        name, held, way = self.table, self.base, ""
        for link in links:
            name, held, way = self._follow(name, held, link, f"{way}.{link}")
        if last not in held.c:
            raise Rejected("unknown_column", place=path, table=name, column=last)
        return held.c[last]

    def _follow(
        self, name: str, held: sa.FromClause, link: str, way: str
    ) -> tuple[str, sa.FromClause, str]:
        table = TABLES[name]
        target = table.column(link).references if table.has_column(link) else None
        if target is None:
            raise Rejected("unknown_column", place=way, table=name, column=link)
        if way not in self._linked:
            other = replicated_table(target).alias(f"linked_{len(self._linked)}")
            found = sa.and_(held.c[link] == other.c.id, visible(TABLES[target], self.scope, other))
            self.source = self.source.outerjoin(other, found)
            self._linked[way] = other
        return target, self._linked[way], way


async def page(connection: AsyncConnection, scope: Scope, wanted: Wanted) -> Page:
    """The next rows that the scope shows.

    Raises:
        Rejected: `unknown_column`.
    """
    query = _Query(scope, wanted.table)
    order = [(query.column(path), down) for path, down in (*wanted.order, ("id", False))]
    columns = [query.base.c.id, *(query.column(path) for path in wanted.paths)]
    keys = [_sortable(column) for column, _ in order]
    most = min(wanted.most, MOST_ROWS)
    statement = _filtered(query, wanted).add_columns(*columns, *keys)
    if wanted.after is not None:
        statement = statement.where(_beyond(keys, [down for _, down in order], wanted.after))
    for key, (_, down) in zip(keys, order, strict=True):
        statement = statement.order_by(key.desc() if down else key)
    found = (await connection.execute(statement.limit(most + 1))).all()
    rows = [tuple(row)[: len(columns)] for row in found[:most]]
    after = tuple(found[most - 1])[len(columns) :] if len(found) > most else None
    return Page(rows, after)


async def count(connection: AsyncConnection, scope: Scope, wanted: Wanted) -> int:
    """How many rows the whole list has, at most `COUNTED` + 1."""
    query = _Query(scope, wanted.table)
    inner = _filtered(query, wanted).add_columns(query.base.c.id).limit(COUNTED + 1).subquery()
    return int(
        (await connection.execute(sa.select(sa.func.count()).select_from(inner))).scalar_one()
    )


def _filtered(query: _Query, wanted: Wanted) -> sa.Select[Any]:
    """The condition of the list; its columns are added by whoever asks."""
    shown = visible(TABLES[wanted.table], query.scope, query.base)
    conditions = [query.base.c.deleted == 0, shown]
    conditions += [_condition(query.column(one.path), one) for one in wanted.conditions]
    if wanted.ids is not None:
        conditions.append(query.base.c.id.in_(wanted.ids))
    return sa.select().select_from(query.source).where(*conditions)


def _condition(column: sa.ColumnElement[Any], asked: Condition) -> sa.ColumnElement[bool]:
    first = asked.values[0] if asked.values else None
    conditions: dict[Test, Callable[[], sa.ColumnElement[bool]]] = {
        Test.IS: lambda: column == first,
        Test.ONE_OF: lambda: column.in_(asked.values),
        Test.FROM: lambda: column >= first,
        Test.BEFORE: lambda: column < first,
        Test.EMPTY: lambda: column.is_(None),
        Test.FILLED: lambda: column.is_not(None),
        Test.BEGINS: lambda: column.startswith(str(first), autoescape=True),
    }
    return conditions[asked.test]()


def _sortable(column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """The column with nothing in nulls' place: nothing is before or after null."""
    if isinstance(column, sa.Column) and not column.nullable:
        return column
    kind = getattr(column.type, "wire", None)
    nothing: Value = b"" if kind is not None and kind.name in {"IDENTIFIER", "BINARY"} else 0
    if kind is not None and kind.name in {"TEXT", "DATE"}:
        nothing = ""
    return sa.func.coalesce(column, sa.literal(nothing, column.type))


def _beyond(
    keys: Sequence[sa.ColumnElement[Any]], down: Sequence[bool], after: Sequence[Value]
) -> sa.ColumnElement[bool]:
    """Rows behind ``after`` in an order with directions of its own in each column."""
    ways = []
    for place, (key, descends, value) in enumerate(zip(keys, down, after, strict=True)):
        same = [one == other for one, other in zip(keys[:place], after[:place], strict=True)]
        ways.append(sa.and_(*same, key < value if descends else key > value))
    return sa.or_(*ways)
