"""Changes that came before the row that they lean on: a colleague's, which a gateway showed while it was on its way.

Only rows of tables that devices write can be on their way; a row of head office is there or was never.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from collections.abc import Set as AbstractSet

from fieldmesh.codec.batch import Change, Operation
from fieldmesh.codec.columns import TableRows
from fieldmesh.data.model import ReplicatedTable
from fieldmesh.data.schema import TABLES
from fieldmesh.data.types import Value, as_bytes
from fieldmesh.replica.quarantine import RowKey, dependants


def leaned_on(changes: Sequence[Change]) -> dict[str, set[bytes]]:
    """Table → ids of the rows that must be there before these changes, and do not come with them.

    A change leans on the row that it changes, where the table merges by column; a new row on the rows that it follows.
    """
    found: dict[str, set[Value]] = defaultdict(set)
    for change in changes:
        table, rows = TABLES[change.rows.table], change.rows
        if change.operation is Operation.INSERT:
            for column, parent in _followed(table, rows):
                found[parent].update(rows.column(column))
        elif table.merges:
            found[table.name].update(rows.column("id"))
    for change in changes:
        if change.operation is Operation.INSERT and change.rows.table in found:
            found[change.rows.table].difference_update(change.rows.column("id"))
    return {
        table: {one for one in ids if isinstance(one, bytes)} for table, ids in found.items() if ids
    }


def leaning_on(missing: AbstractSet[RowKey], changes: Sequence[Change]) -> dict[RowKey, RowKey]:
    """Row of the changes → the missing row that it leans on, itself or through a new row beside it."""
    found = {row: parent for row, parent in _links(changes) if parent in missing}
    new = rows_of([change for change in changes if change.operation is Operation.INSERT])
    for row in sorted(found.keys() & set(new)):
        for other in dependants({row}, changes):
            found.setdefault(other, found[row])
    return found


def rows_of(changes: Sequence[Change]) -> list[RowKey]:
    """The rows that are changed."""
    return [
        (change.rows.table, as_bytes(row_id))
        for change in changes
        for row_id in change.rows.column("id")
    ]


def parted(
    changes: Sequence[Change], rows: Collection[RowKey]
) -> tuple[list[Change], list[Change]]:
    """The changes of these rows, and the others."""
    chosen: list[Change] = []
    others: list[Change] = []
    for change in changes:
        table = change.rows.table
        within = [(table, one) in rows for one in change.rows.column("id")]
        for found, wanted in ((chosen, True), (others, False)):
            places = [place for place, one in enumerate(within) if one is wanted]
            if len(places) == len(within):
                found.append(change)
            elif places:
                clocks = [change.clocks[place] for place in places] if change.clocks else []
                found.append(Change(change.operation, change.rows.take(places), clocks))
    return chosen, others


def _links(changes: Sequence[Change]) -> list[tuple[RowKey, RowKey]]:
    """Rows, and what they lean on."""
    found: list[tuple[RowKey, RowKey]] = []
    for change in changes:
        table, rows = TABLES[change.rows.table], change.rows
        ids = [as_bytes(one) for one in rows.column("id")]
        if change.operation is not Operation.INSERT:
            if table.merges:
                found += [((table.name, one), (table.name, one)) for one in ids]
            continue
        for column, parent in _followed(table, rows):
            keys = rows.column(column)
            found += [
                ((table.name, one), (parent, as_bytes(key)))
                for one, key in zip(ids, keys, strict=True)
                if key is not None
            ]
    return found


def _followed(table: ReplicatedTable, rows: TableRows) -> list[tuple[str, str]]:
    """(column, table) of the rows that these follow, and that a device may have made."""
    return [
        (column, parent)
        for column, parent in table.follows
        if TABLES[parent].device_writable and rows.has(column)
    ]
