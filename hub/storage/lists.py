"""Pages of rows for people: chosen columns, also through links, filtered, in order, only what the scope shows.

Keyset paging: a page begins after the last row of the one before, however many rows there are. Which rows stand on it
is found first, what is shown of them then. Rows are found in one of two ways: gathered by the parents that the scope
shows, and sorted; or one after the other in the list's order, each asked whether it is seen. The first costs as much
as the list is long, the second as rows lie between those that are seen: it is for long lists and for few rows.
What a common word finds comes in the order of the words: in the list's own, thousands of rows without the word may lie
before the first that has it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from fieldmesh.basics.errors import Rejected
from fieldmesh.data.schema import TABLES
from fieldmesh.data.types import Value, WireType
from hub.storage import search
from hub.storage.org_tables import replicated_table
from hub.storage.prepared import Prepared
from hub.storage.reach import Scope
from hub.storage.visible import ScopeKind, kind_of, values_of, visible_by

MOST_ROWS = 1_000
COUNTED = 10_000
"""Rows beyond this are not counted: people are told that there are more."""
COUNTED_FOUND = 100
"""The same for what is found by words: who finds more looks for more words."""
MOST_SHAPES = 1_024
"""Statements that are kept ready: making one takes longer than running it."""
NO_WORDS = -1
_BY_WORDS = b"w"
"""What a cursor in the order of the words begins with; no row's own value is that."""
_NOTHING: dict[WireType, Value] = {
    WireType.IDENTIFIER: b"", WireType.BINARY: b"", WireType.TEXT: "", WireType.DATE: "0001-01-01",
}  # fmt: skip
"""What comes before every value of a kind; 0 before those of the others. SQL Server has no empty date."""
_WORDS_ORDER = (("word", False), ("id", False))


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

    @property
    def effective_test(self) -> Test:
        """Nothing is equal to null: a row with nothing in the column is empty there."""
        is_null = self.test is Test.IS and self.values == (None,)
        return Test.EMPTY if is_null else self.test


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a page holds.

    Attributes:
        table: whose rows.
        paths: a column, or a column of the row that a link names: ``outlet_id.name``.
        conditions: all must hold.
        order: own columns, each with "descending"; the id comes last by itself where it is not among them.
        after: values of the order columns and the id of the row before the page.
        ids: only these rows; None = all.
        most: rows of the page.
        words: only rows that are found by these; empty = all.
    """

    table: str
    paths: tuple[str, ...]
    conditions: tuple[Condition, ...] = ()
    order: tuple[tuple[str, bool], ...] = ()
    after: tuple[Value, ...] | None = None
    ids: Sequence[bytes] | None = None
    most: int = 50
    words: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """Rows: the id first, then the values of the paths. ``after`` leads to the next page; None = there is none."""

    rows: list[tuple[Value, ...]]
    after: tuple[Value, ...] | None


@dataclass(frozen=True, slots=True)
class _Shape:
    """What the text of a statement depends on: it is made once, and run with the values of each request."""

    table: str
    scope: ScopeKind
    paths: tuple[str, ...]
    conditions: tuple[tuple[str, Test], ...]
    order: tuple[tuple[str, bool], ...]
    goes_on: bool
    has_ids: bool
    beginnings: int
    by_words: bool
    by_row: bool


Words = tuple[tuple[str, ...], bool]
"""Beginnings of words, that of the fewest words first; whether even that one is common."""


async def words_of(connection: AsyncConnection, wanted: Wanted) -> Words:
    """How the wanted words stand in the database."""
    begins = search.beginnings(wanted.table, wanted.words) if wanted.words else ()
    return await search.rarest_first(connection, wanted.table, begins)


def _asked(
    scope: Scope, wanted: Wanted, words: Words, *, many: bool = False
) -> tuple[_Shape, dict[str, object]]:
    """The shape of a request, and its values."""
    begins, by_words = words
    order, after, begins = _standing(wanted, begins, by_words=by_words)
    by_words = order is _WORDS_ORDER
    shape = _Shape(
        wanted.table,
        kind_of(scope),
        wanted.paths,
        tuple((one.path, one.effective_test) for one in wanted.conditions),
        order,
        after is not None,
        wanted.ids is not None,
        len(begins) if wanted.words else NO_WORDS,
        by_words,
        by_words or (many and _is_kept_in_order(wanted)) or _are_few(wanted),
    )
    values = values_of(scope) | search.bounds(wanted.table, begins)
    for place, one in enumerate(wanted.conditions):
        if one.test is Test.ONE_OF:
            values[f"is_{place}"] = list(one.values)
        elif one.test is Test.BEGINS:
            values[f"is_{place}"] = search.pattern(str(one.values[0]))
        elif one.effective_test not in {Test.EMPTY, Test.FILLED}:
            values[f"is_{place}"] = one.values[0]
    values |= {f"after_{place}": value for place, value in enumerate(after or ())}
    if wanted.ids is not None:
        values["ids"] = list(wanted.ids)
    return shape, values


def _standing(
    wanted: Wanted, begins: tuple[str, ...], *, by_words: bool
) -> tuple[tuple[tuple[str, bool], ...], tuple[Value, ...] | None, tuple[str, ...]]:
    """The order of the rows, where in it the page begins, and the beginnings in the order in which that was found.

    A page that is not the first goes on in the order of the one before.

    Raises:
        Rejected: `bad_filter`, the cursor is of another list.
    """
    order = wanted.order if ("id", True) in wanted.order else (*wanted.order, ("id", False))
    after = wanted.after
    if after is None:
        return _WORDS_ORDER if by_words else order, None, begins
    if after[:1] == (_BY_WORDS,) and begins and wanted.table in search.SEARCHED:
        order, after = _WORDS_ORDER, after[1:]
    if len(after) != len(order) or after[0] == _BY_WORDS:
        raise Rejected("bad_filter", place="after")
    if order is _WORDS_ORDER:
        word = str(after[0])
        begins = tuple(sorted(begins, key=lambda text: not word.startswith(text)))
    return order, after, begins


def _is_kept_in_order(wanted: Wanted) -> bool:
    """Whether an index gives the rows in the list's order."""
    first = wanted.order[0][0] if wanted.order else "id"
    if first == "id":
        return True
    column = TABLES[wanted.table].column(first)
    return column.indexed or column.ordered


def _are_few(wanted: Wanted) -> bool:
    """Whether the rows are named, or those of one parent."""
    return wanted.ids is not None or any(one.test is Test.IS for one in wanted.conditions)


class _Query:
    """A query that grows a join for each link that is followed; ``among`` holds the ids of its rows, None = all."""

    def __init__(self, scope: ScopeKind, table: str, among: sa.FromClause | None = None) -> None:
        self._scope, self._table = scope, table
        self.base: sa.FromClause = replicated_table(table)
        self.source: sa.FromClause = self.base
        if among is not None:
            self.source = among.join(self.base, self.base.c.id == among.c.id)
        self._linked: dict[str, sa.FromClause] = {}

    def column(self, path: str) -> sa.ColumnElement[Any]:
        """The column behind a path. A row that the scope hides has no values, only its id.

        Raises:
            Rejected: `unknown_column`.
        """
        *links, last = path.split(".")
        name, held, way = self._table, self.base, ""
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
            seen = visible_by(TABLES[target], self._scope, other, by_row=True)
            found = sa.and_(held.c[link] == other.c.id, seen)
            self.source = self.source.outerjoin(other, found)
            self._linked[way] = other
        return target, self._linked[way], way


async def page(
    connection: AsyncConnection,
    scope: Scope,
    wanted: Wanted,
    *,
    many: bool = False,
    words: Words | None = None,
) -> Page:
    """The next rows that the scope shows.

    Args:
        connection: to the hub's database.
        scope: of the person.
        wanted: which rows, and what of them.
        many: whether the whole list has more rows than are counted.
        words: of `words_of`, where it was asked before.

    Raises:
        Rejected: `unknown_column`.
    """
    shape, values = _asked(scope, wanted, words or await words_of(connection, wanted), many=many)
    most = min(wanted.most, MOST_ROWS)
    statement = _page_statement(shape)
    found = await statement.rows(connection, {**values, "most": most + 1})
    own = 1 + len(wanted.paths)
    rows = [tuple(row)[:own] for row in found[:most]]
    if len(found) <= most:
        return Page(rows, None)
    mark = (_BY_WORDS,) if shape.by_words else ()
    return Page(rows, (*mark, *tuple(found[most - 1])[own:]))


async def count(
    connection: AsyncConnection,
    scope: Scope,
    wanted: Wanted,
    words: Words | None = None,
    *,
    most: int | None = None,
) -> int:
    """How many rows the whole list has, at most one more than ``most``; None = than `most_counted`."""
    whole = replace(wanted, after=None, order=(), paths=())
    shape, values = _asked(scope, whole, words or await words_of(connection, wanted))
    statement = _count_statement(shape, (most_counted(wanted.words) if most is None else most) + 1)
    return int(await statement.value(connection, values))


def most_counted(words: str) -> int:
    """Rows beyond this are not counted in a list that is searched by the words; empty = in a whole one."""
    return COUNTED_FOUND if words else COUNTED


@lru_cache(maxsize=MOST_SHAPES)
def _page_statement(shape: _Shape) -> Prepared:
    """What is shown of the rows that `_found` finds."""
    downs = [down for _, down in shape.order]
    found = _found(shape, downs).subquery("found")
    query = _Query(shape.scope, shape.table, found)
    columns = [query.base.c.id, *(query.column(path) for path in shape.paths)]
    keys = [found.c[f"key_{n}"] for n in range(len(downs))]
    statement = sa.select(*columns, *keys).select_from(query.source)
    return Prepared(statement.order_by(*_directed(keys, downs)))


def _found(shape: _Shape, downs: Sequence[bool]) -> sa.Select[Any]:
    """Ids of the page's rows, with the keys of its order."""
    query = _Query(shape.scope, shape.table)
    keys: Sequence[sa.ColumnElement[Any]] = search.WORDS
    if not shape.by_words:
        keys = [_sortable(query.column(path)) for path, _ in shape.order]
    named = [key.label(f"key_{n}") for n, key in enumerate(keys)]
    statement = _with_words(query, shape) if shape.by_words else _of_list(query, shape)
    statement = statement.add_columns(*named)
    if shape.goes_on:
        after = [sa.bindparam(f"after_{n}", type_=key.type) for n, key in enumerate(keys)]
        statement = statement.where(_beyond(keys, downs, after))
        if shape.by_words:
            statement = statement.where(keys[0] >= after[0])  # where the index goes on
    statement = statement.order_by(*_directed(keys, downs))
    return statement.limit(sa.bindparam("most", type_=sa.Integer()))


def _directed(
    keys: Sequence[sa.ColumnElement[Any]], downs: Sequence[bool]
) -> list[sa.ColumnElement[Any]]:
    return [key.desc() if down else key for key, down in zip(keys, downs, strict=True)]


@lru_cache(maxsize=MOST_SHAPES)
def _count_statement(shape: _Shape, most: int) -> Prepared:
    """``most`` is no value of the request: SQL Server takes none as a bound without an order."""
    query = _Query(shape.scope, shape.table)
    is_along = shape.beginnings > 0 and shape.table in search.SEARCHED
    rows = _with_words(query, shape) if is_along else _of_list(query, shape)
    return Prepared(sa.select(sa.func.count()).select_from(rows.limit(most).subquery()))


def _of_list(query: _Query, shape: _Shape) -> sa.Select[Any]:
    return _filtered(query, shape).add_columns(query.base.c.id)


def _with_words(query: _Query, shape: _Shape) -> sa.Select[Any]:
    rows = _filtered(query, replace(shape, beginnings=NO_WORDS))
    return search.along_words(rows, shape.table, shape.beginnings, query.base.c.id)


def _filtered(query: _Query, shape: _Shape) -> sa.Select[Any]:
    """The condition of the list; its columns are added by whoever asks."""
    own = query.base.c
    seen = visible_by(TABLES[shape.table], shape.scope, query.base, by_row=shape.by_row)
    conditions = [own.deleted == 0, seen]
    conditions += [
        _condition(query.column(path), test, f"is_{place}")
        for place, (path, test) in enumerate(shape.conditions)
    ]
    if shape.has_ids:
        conditions.append(own.id.in_(sa.bindparam("ids", type_=own.id.type, expanding=True)))
    if shape.beginnings != NO_WORDS:
        conditions.append(own.id.in_(search.matching(shape.table, shape.beginnings)))
    return sa.select().select_from(query.source).where(*conditions)


def _condition(column: sa.ColumnElement[Any], test: Test, name: str) -> sa.ColumnElement[bool]:
    value = sa.bindparam(name, type_=column.type, expanding=test is Test.ONE_OF)
    conditions: dict[Test, Callable[[], sa.ColumnElement[bool]]] = {
        Test.IS: lambda: column == value,
        Test.ONE_OF: lambda: column.in_(value),
        Test.FROM: lambda: column >= value,
        Test.BEFORE: lambda: column < value,
        Test.EMPTY: lambda: column.is_(None),
        Test.FILLED: lambda: column.is_not(None),
        Test.BEGINS: lambda: column.like(value, escape=search.ESCAPE),
    }
    return conditions[test]()


def _sortable(column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """The column with nothing in nulls' place: nothing is before or after null."""
    if isinstance(column, sa.Column) and not column.nullable:
        return column
    nothing = _NOTHING.get(getattr(column.type, "wire", WireType.INTEGER), 0)
    return sa.func.coalesce(column, sa.literal(nothing, column.type))


def _beyond(
    keys: Sequence[sa.ColumnElement[Any]],
    down: Sequence[bool],
    after: Sequence[sa.BindParameter[Any]],
) -> sa.ColumnElement[bool]:
    """Rows behind ``after`` in an order with directions of its own in each column."""
    ways = []
    for place, (key, descends, value) in enumerate(zip(keys, down, after, strict=True)):
        same = [one == other for one, other in zip(keys[:place], after[:place], strict=True)]
        ways.append(sa.and_(*same, key < value if descends else key > value))
    return sa.or_(*ways)
