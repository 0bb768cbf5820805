"""Where captured changes may be cut into batches: never between a document and its parts.

Head office takes a document in as it comes; parts that come in a later batch are refused there
(promise 7, Authority).
"""

import sqlite3
from collections.abc import Iterable, Sequence

from device_agent.storage.net_effect import INSERT, NetChange
from fieldmesh.data.schema import PARTS, TABLES, by_number

_IDS_A_QUERY = 500


def groups(
    connection: sqlite3.Connection, changes: list[NetChange], *, most: int
) -> list[list[NetChange]]:
    """The changes in lists of at most ``most``, in order; a longer document is a list by itself."""
    if len(changes) <= most:
        return [changes] if changes else []
    made: list[list[NetChange]] = [[]]
    for document in _documents(connection, changes):
        if made[-1] and len(made[-1]) + len(document) > most:
            made.append([])
        made[-1] += document
    return made


def are_several(connection: sqlite3.Connection, changes: list[NetChange]) -> bool:
    """Whether the changes can be cut without cutting a document."""
    return len(_documents(connection, changes)) > 1


def halves(
    connection: sqlite3.Connection, changes: list[NetChange]
) -> tuple[list[NetChange], list[NetChange]]:
    """The changes in two lists that are not empty; one document alone is cut in the middle."""
    documents = _documents(connection, changes)
    if len(documents) == 1:
        middle = len(changes) // 2
        return changes[:middle], changes[middle:]
    first: list[NetChange] = []
    for place, document in enumerate(documents):
        if first and (len(first) + len(document)) * 2 > len(changes):
            return first, _joined(documents[place:])
        first += document
    return _joined(documents[:-1]), documents[-1]


def _documents(
    connection: sqlite3.Connection, changes: Iterable[NetChange]
) -> list[list[NetChange]]:
    """New rows with the new parts of theirs, by their first change; every other row by itself."""
    held = list(changes)
    owners = _owners(connection, held)
    found: dict[tuple[int, bytes], list[NetChange]] = {}
    for change in held:
        key = (change.table_no, change.row_id)
        found.setdefault(owners.get(key, key), []).append(change)
    return list(found.values())


def _owners(
    connection: sqlite3.Connection, changes: Iterable[NetChange]
) -> dict[tuple[int, bytes], tuple[int, bytes]]:
    """New part → its document, each as table number and row."""
    new: dict[int, list[bytes]] = {}
    for change in changes:
        if change.operation == INSERT and by_number(change.table_no).name in PARTS:
            new.setdefault(change.table_no, []).append(change.row_id)
    found = {}
    for number, ids in new.items():
        table = by_number(number).name
        for column, parent in PARTS[table]:
            for start in range(0, len(ids), _IDS_A_QUERY):
                piece = ids[start : start + _IDS_A_QUERY]
                rows = connection.execute(
                    f"SELECT id, {column} FROM {table}"  # noqa: S608
                    f" WHERE id IN ({', '.join('?' * len(piece))})",
                    piece,
                )
                for row_id, owner in rows:
                    found[number, row_id] = (TABLES[parent].number, owner)
    return found


def _joined(documents: Sequence[list[NetChange]]) -> list[NetChange]:
    return [change for document in documents for change in document]
