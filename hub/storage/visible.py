"""Which rows a person sees: a table's policy and a scope become one SQL condition.

The same rules decide what sync delivers (`Policy.partition`); `Policy.seen_by` stands in its place for tables that
people see otherwise than devices do. Retention does not count: what left a device for its age is seen here.
Promise 6 (Scope), for people.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from typing_extensions import override

from fieldmesh.data.model import ReplicatedTable
from fieldmesh.data.policy import (
    First,
    Follows,
    Global,
    HubOnly,
    Keyed,
    NamedBy,
    Own,
    PartitionKind,
    Patched,
    SightRule,
    rule_column,
)
from fieldmesh.data.schema import TABLES
from hub.storage.org_tables import replicated_table
from hub.storage.reach import Scope

Condition = sa.ColumnElement[bool]
_HOME_TABLES = {
    PartitionKind.PRICELIST: "price_list",
    PartitionKind.WAREHOUSE: "warehouse",
    PartitionKind.POSITION: "position",
    PartitionKind.DEVICE: "device",
}


_POSITIONS, _DISTRIBUTORS = "scope_positions", "scope_distributors"
_KEY = replicated_table("subscription").c.position_id.type
Keys = Sequence[bytes] | Sequence[sa.BindParameter[Any]] | sa.BindParameter[Any]
_FEW = 4
"""Most people stand at few places: a value for each of so many makes a statement whose text does not change."""


@dataclass(frozen=True, slots=True)
class ScopeKind:
    """What a statement for a scope depends on; which positions and distributors these are comes with each run.

    Attributes:
        is_everything: the whole company.
        positions: how many, if they are few; one more stands for any number.
        distributors: the same.
    """

    is_everything: bool
    positions: int
    distributors: int


def kind_of(scope: Scope) -> ScopeKind:
    """All scopes of a kind share a statement."""
    few = [min(len(keys), _FEW + 1) for keys in (scope.positions, scope.distributors)]
    return ScopeKind(scope.is_everything, *few)


def values_of(scope: Scope) -> dict[str, object]:
    """What a statement with `visible_by` needs to be run for the scope. Without it the run fails: nothing is shown."""
    if scope.is_everything:
        return {}
    found: dict[str, object] = {}
    for name, keys in ((_POSITIONS, scope.positions), (_DISTRIBUTORS, scope.distributors)):
        if len(keys) > _FEW:
            found[name] = sorted(keys)
        else:
            found |= {f"{name}_{place}": key for place, key in enumerate(sorted(keys))}
    return found


def _asked_for(name: str, count: int) -> Keys:
    """What stands for the keys in a statement."""
    if count > _FEW:
        return sa.bindparam(name, type_=_KEY, expanding=True)
    return [sa.bindparam(f"{name}_{place}", type_=_KEY) for place in range(count)]


def visible(table: ReplicatedTable, scope: Scope, source: sa.FromClause | None = None) -> Condition:
    """The condition under which a row of the table is in the scope.

    Args:
        table: whose rows.
        scope: of the person.
        source: the table, or its alias, in the query; None = the table itself.
    """
    kind = kind_of(scope)
    return _condition(table, kind, sorted(scope.positions), sorted(scope.distributors), source)


def visible_by(
    table: ReplicatedTable,
    kind: ScopeKind,
    source: sa.FromClause | None = None,
    *,
    by_row: bool = False,
) -> Condition:
    """The same for every scope of the kind: a statement is made once, and run with `values_of` the scope.

    Args:
        table: whose rows.
        kind: of scopes.
        source: the table, or its alias, in the query; None = the table itself.
        by_row: each row is asked whether its parents are seen, for statements that look at few rows; otherwise all
            parents that are seen are gathered, and rows are found by them.
    """
    positions = _asked_for(_POSITIONS, kind.positions)
    distributors = _asked_for(_DISTRIBUTORS, kind.distributors)
    return _condition(table, kind, positions, distributors, source, by_row=by_row)


def _condition(
    table: ReplicatedTable,
    kind: ScopeKind,
    positions: Keys,
    distributors: Keys,
    source: sa.FromClause | None,
    *,
    by_row: bool = False,
) -> Condition:
    rows = source if source is not None else replicated_table(table.name)
    if kind.is_everything:
        return sa.true()
    ways: list[Condition] = []
    if kind.positions:
        ways.append(_Positions(positions).sees(table, rows, by_row=by_row))
    if kind.distributors:
        ways.append(_Distributors(distributors).sees(table, rows, by_row=by_row))
    return sa.or_(*ways) if ways else sa.false()


class _Sight(ABC):
    """Walks the rules of tables; its heirs say what a key means at the end of the walk."""

    def sees(
        self, table: ReplicatedTable, rows: sa.FromClause, *, by_row: bool = False
    ) -> Condition:
        """The condition for rows of a table."""
        return self.by(table.policy.sight, table, rows, by_row=by_row)

    def by(
        self, rule: SightRule, table: ReplicatedTable, rows: sa.FromClause, *, by_row: bool
    ) -> Condition:
        """The condition that a rule gives."""
        found: Condition = sa.false()
        match rule:
            case HubOnly():
                pass  # nothing is said about people
            case Global():
                found = sa.true()
            case Own(kind):
                found = self.key(kind, rows.c.id)
            case Keyed(kind, column):
                found = self.key(kind, rows.c[column])
            case Patched(column):
                found = self.patch(table, rows, column)
            case Follows(parent, column) if by_row:
                found = self._has_seen(parent, rows.c[column])
            case Follows(parent, column):
                found = rows.c[column].in_(self.ids(parent))
            case NamedBy(other, column):
                found = rows.c.id.in_(self.ids(other, column))
            case First(rules):
                found = self._first(rules, table, rows, by_row=by_row)
        return found

    def ids(self, name: str, column: str = "id") -> sa.Select[Any]:
        """Ids of the rows of a table that are seen, or what they name in a column."""
        rows = replicated_table(name).alias()
        seen = self.sees(TABLES[name], rows)
        return sa.select(rows.c[column]).where(rows.c.deleted == 0, seen)

    def _has_seen(self, name: str, column: sa.ColumnElement[Any]) -> Condition:
        """Whether the row of a table that the column names is seen."""
        rows = replicated_table(name).alias()
        seen = self.sees(TABLES[name], rows, by_row=True)
        return sa.exists().where(rows.c.id == column, rows.c.deleted == 0, seen)

    @abstractmethod
    def key(self, kind: PartitionKind, column: sa.ColumnElement[Any]) -> Condition:
        """Whether the column is the key of a partition of that kind that is seen."""

    @abstractmethod
    def patch(self, table: ReplicatedTable, rows: sa.FromClause, column: str) -> Condition:
        """Whether the row's patch is seen."""

    def _first(
        self,
        rules: Iterable[SightRule],
        table: ReplicatedTable,
        rows: sa.FromClause,
        *,
        by_row: bool,
    ) -> Condition:
        ways: list[Condition] = []
        before: list[Condition] = []
        for rule in rules:
            column = None if isinstance(rule, NamedBy) else rule_column(rule)
            given = [rows.c[column].is_not(None)] if column is not None else []
            ways.append(sa.and_(*before, *given, self.by(rule, table, rows, by_row=by_row)))
            if column is None:
                break
            before.append(rows.c[column].is_(None))
        return sa.or_(*ways)


class _Positions(_Sight):
    """What positions see: their subscriptions, which hold everything of the positions below."""

    def __init__(self, positions: Keys) -> None:
        self._positions = positions

    @override
    def key(self, kind: PartitionKind, column: sa.ColumnElement[Any]) -> Condition:
        held = replicated_table("subscription").alias()
        keys = sa.select(held.c.target_key).where(
            held.c.position_id.in_(self._positions),
            held.c.target_kind == kind.value,
            held.c.deleted == 0,
        )
        return column.in_(keys)

    @override
    def patch(self, table: ReplicatedTable, rows: sa.FromClause, column: str) -> Condition:
        return self.key(PartitionKind.PATCH, rows.c[column])


class _Distributors(_Sight):
    """What belongs to distributors: rows that name one, and rows of what names one."""

    def __init__(self, distributors: Keys) -> None:
        self._distributors = distributors

    @override
    def sees(
        self, table: ReplicatedTable, rows: sa.FromClause, *, by_row: bool = False
    ) -> Condition:
        rule = table.policy.sight
        if table.has_column("distributor_id") and not isinstance(rule, First | Global):
            return rows.c.distributor_id.in_(self._distributors)
        return self.by(rule, table, rows, by_row=by_row)

    @override
    def key(self, kind: PartitionKind, column: sa.ColumnElement[Any]) -> Condition:
        if kind is PartitionKind.DISTRIBUTOR:
            return column.in_(self._distributors)
        if kind in _HOME_TABLES:
            return column.in_(self.ids(_HOME_TABLES[kind]))
        return sa.false()

    @override
    def patch(self, table: ReplicatedTable, rows: sa.FromClause, column: str) -> Condition:
        """A legal party is seen by the distributors of its outlets and of its contracts."""
        del column
        ways = [
            rows.c.id.in_(self.ids(child.name, name))
            for child in TABLES.values()
            for name, parent in child.parents
            if parent == table.name and child.has_column("distributor_id")
        ]
        return sa.or_(*ways) if ways else sa.false()
