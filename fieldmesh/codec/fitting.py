"""Values that a column can't hold, although their type is right: found per row, told per row.

What breaks the shape of table data is refused with its batch (`columns`). What is only one wrong
value, such as a text that is too long, costs its own row: the rest of the batch stands.
"""

from collections.abc import Iterable
from datetime import date

from fieldmesh.codec.columns import TableRows
from fieldmesh.data.domain import NO_ID, SEPARATORS, bounds
from fieldmesh.data.model import ReplicatedColumn
from fieldmesh.data.schema import TABLES
from fieldmesh.data.types import Value, WireType

_DATE_CHARACTERS = 10


def misfits(rows: TableRows) -> dict[int, str]:
    """Places of rows with a value that its column can't hold → name of the (first) column.

    Looks at whole columns first: rows that fit, which is nearly always all of them, cost no Python
    step each but one of `min`, `max` or `len`.
    """
    table = TABLES[rows.table]
    found: dict[int, str] = {}
    for name, values in zip(rows.names, rows.columns, strict=True):
        for place in _places(table.column(name), values):
            found.setdefault(place, name)
    return found


def _places(column: ReplicatedColumn, values: list[Value]) -> Iterable[int]:
    present: list[Value] = [value for value in values if value is not None]
    return _wrong(column, values, present) if present else ()


def _wrong(column: ReplicatedColumn, values: list[Value], present: list[Value]) -> Iterable[int]:
    match column.wire_type:
        case WireType.DATE:
            return _unlike(values, {day for day in set(present) if not _is_date(day)})
        case WireType.TEXT:
            return _texts(values, present, column.kind.precision)
        case WireType.BOOLEAN | WireType.DECIMAL | WireType.TIME:
            return _outside(values, present, *bounds(column))
        case WireType.BINARY:
            return _longer(values, present, column.kind.precision)
        case WireType.IDENTIFIER if column.name == "id":
            return _unlike(values, {NO_ID}) if NO_ID in values else ()
        case _:
            return ()


def _outside(values: list[Value], present: list[Value], low: int, high: int) -> Iterable[int]:
    if min(present) >= low and max(present) <= high:  # type: ignore[operator, type-var]
        return ()
    return [
        place
        for place, value in enumerate(values)
        if isinstance(value, int) and not low <= value <= high
    ]


def _longer(values: list[Value], present: list[Value], most: int) -> Iterable[int]:
    if len(max(present, key=len)) <= most:  # type: ignore[arg-type]
        return ()
    return [
        place
        for place, value in enumerate(values)
        if isinstance(value, bytes) and len(value) > most
    ]


def _unlike(values: list[Value], wrong: set[Value]) -> Iterable[int]:
    return [place for place, value in enumerate(values) if value in wrong] if wrong else ()


def _is_date(value: Value) -> bool:
    if not isinstance(value, str) or len(value) != _DATE_CHARACTERS:
        return False
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return value[4] == value[7] == "-"


def _texts(values: list[Value], present: list[Value], most: int) -> Iterable[int]:
    texts = [value for value in present if isinstance(value, str)]
    together = "".join(texts)
    long = bool(most) and len(max(texts, key=len)) > most
    if not long and not any(separator in together for separator in SEPARATORS):
        return ()
    return [
        place
        for place, value in enumerate(values)
        if isinstance(value, str)
        and ((most and len(value) > most) or any(one in value for one in SEPARATORS))
    ]
