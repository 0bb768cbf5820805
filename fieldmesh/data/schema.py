"""All replicated tables, parents before children."""

from types import MappingProxyType

from fieldmesh.data.model import ReplicatedColumn, ReplicatedTable, Tier
from fieldmesh.data.policy import Conflict
from fieldmesh.data.tables import (
    catalogue,
    documents,
    equipment,
    fieldwork,
    marketing,
    organisation,
    partners,
    system,
)

__all__ = [
    "PARTS",
    "SCHEMA_COMPAT_VERSION",
    "SCHEMA_VERSION",
    "TABLES",
    "ReplicatedColumn",
    "ReplicatedTable",
    "Tier",
    "by_number",
]

SCHEMA_VERSION = 1
"""Grows with every release that adds a table or a column (`since`); 1: 2026-11, the first release."""
SCHEMA_COMPAT_VERSION = 1
"""The oldest schema version whose gateways can go on with the cache of a gateway of this one."""

_AREAS = (
    organisation.TABLES,
    partners.TABLES,
    catalogue.TABLES,
    documents.TABLES,
    fieldwork.TABLES,
    marketing.TABLES,
    equipment.TABLES,
    system.TABLES,
)


def _parents_first(tables: dict[str, ReplicatedTable]) -> dict[str, ReplicatedTable]:
    ordered: dict[str, ReplicatedTable] = {}
    open_: set[str] = set()

    def place(table: ReplicatedTable) -> None:
        if table.name in ordered or table.name in open_:
            return
        open_.add(table.name)
        for _, parent in (*table.follows, *table.parents):
            if parent != table.name:
                place(tables[parent])
        open_.discard(table.name)
        ordered[table.name] = table

    for table in tables.values():
        place(table)
    return ordered


TABLES: MappingProxyType[str, ReplicatedTable] = MappingProxyType(
    _parents_first({table.name: table for area in _AREAS for table in area})
)
"""Every replicated table by name, parents before children."""


def _parts(table: ReplicatedTable) -> tuple[tuple[str, str], ...]:
    """(column, table) of the documents that this table's rows are parts of."""
    return tuple(
        (column, parent)
        for column, parent in table.follows
        if all(_is_written_once(one) for one in (table, TABLES[parent]))
    )


def _is_written_once(table: ReplicatedTable) -> bool:
    return table.device_writable and table.policy.conflict is Conflict.INSERT_ONLY


PARTS: MappingProxyType[str, tuple[tuple[str, str], ...]] = MappingProxyType(
    {table.name: parts for table in TABLES.values() if (parts := _parts(table))}
)
"""Tables of lines, answers and the like: the column that names their document, and its table."""

_BY_NUMBER = {table.number: table for table in TABLES.values()}


def by_number(number: int) -> ReplicatedTable:
    """The table of that number.

    Raises:
        KeyError: there is none.
    """
    return _BY_NUMBER[number]
