"""All replicated tables, parents before children."""

from types import MappingProxyType

from fieldmesh.data.model import ReplicatedColumn, ReplicatedTable, Tier
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

__all__ = ["SCHEMA_VERSION", "TABLES", "ReplicatedColumn", "ReplicatedTable", "Tier", "by_number"]

SCHEMA_VERSION = 1
"""Grows with every change of a table; 1: 2026-11, the first release."""
SCHEMA_COMPAT_VERSION = 1
"""The oldest program that can read data written by this one."""

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

_BY_NUMBER = {table.number: table for table in TABLES.values()}


def by_number(number: int) -> ReplicatedTable:
    """The table of that number.

    Raises:
        KeyError: there is none.
    """
    return _BY_NUMBER[number]
