"""What depends on a row that was refused."""

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet

from fieldmesh.codec.batch import Change, Operation
from fieldmesh.data.schema import TABLES

RowKey = tuple[str, bytes]
"""Table and row id."""


def dependants(refused: AbstractSet[RowKey], changes: Sequence[Change]) -> set[RowKey]:
    """Inserted rows of the batch that refer to a refused one, directly or through others.

    Returns:
        Their keys, without those that were refused themselves.
    """
    found: set[RowKey] = set()
    gone = set(refused)
    grew = bool(gone)
    while grew:
        grew = False
        for key, parents in _links(changes):
            if key not in gone and parents & gone:
                gone.add(key)
                found.add(key)
                grew = True
    return found


def _links(changes: Sequence[Change]) -> Iterable[tuple[RowKey, set[RowKey]]]:
    for change in changes:
        if change.operation is not Operation.INSERT:
            continue
        table = TABLES[change.rows.table]
        columns = [
            (parent, change.rows.column(name))
            for name, parent in table.parents
            if change.rows.has(name)
        ]
        for place, row_id in enumerate(change.rows.column("id")):
            parents = {(parent, values[place]) for parent, values in columns if values[place]}
            yield (table.name, row_id), parents  # type: ignore[misc]
