"""Column-wise rows in memory and on the wire.

Values are in storage form (`fieldmesh.data.types.Value`). Whole columns are copied; no loop runs
over cells.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from operator import itemgetter
from struct import iter_unpack
from typing import Any

from fieldmesh.basics import limits
from fieldmesh.basics.errors import Rejected
from fieldmesh.data.model import ReplicatedColumn, ReplicatedTable
from fieldmesh.data.schema import TABLES
from fieldmesh.data.types import Value, WireType
from fieldmesh.wire.v1 import table_pb2

_NEUTRAL: dict[WireType, Value] = {
    WireType.INTEGER: 0,
    WireType.BOOLEAN: 0,
    WireType.DECIMAL: 0,
    WireType.TIME: 0,
    WireType.DATE: "",
    WireType.TEXT: "",
    WireType.IDENTIFIER: bytes(16),
    WireType.BINARY: b"",
}
_ID_BYTES = 16
_MOST_UTF8_BYTES = 4


@dataclass(slots=True)
class TableRows:
    """Rows of one table, column by column.

    Attributes:
        table: name of the table.
        names: names of the columns.
        columns: one list of values a name, all equally long.
    """

    table: str
    names: tuple[str, ...]
    columns: list[list[Value]]

    @property
    def row_count(self) -> int:
        """Number of rows."""
        return len(self.columns[0]) if self.columns else 0

    def rows(self) -> list[tuple[Value, ...]]:
        """The same rows, row by row."""
        return list(zip(*self.columns, strict=True))

    def column(self, name: str) -> list[Value]:
        """The values of one column.

        Raises:
            KeyError: there is no such column here.
        """
        try:
            return self.columns[self.names.index(name)]
        except ValueError:
            raise KeyError(name) from None

    def has(self, name: str) -> bool:
        """Whether the column is here."""
        return name in self.names

    def take(self, indexes: Sequence[int]) -> "TableRows":
        """The rows at these places, in this order."""
        if not indexes:
            return TableRows(self.table, self.names, [[] for _ in self.names])
        if len(indexes) == 1:
            return TableRows(self.table, self.names, [[c[indexes[0]]] for c in self.columns])
        pick = itemgetter(*indexes)
        return TableRows(self.table, self.names, [list(pick(column)) for column in self.columns])

    def only(self, names: Sequence[str]) -> "TableRows":
        """The same rows with these columns, in this order."""
        return TableRows(self.table, tuple(names), [self.column(name) for name in names])

    def with_column(self, name: str, values: list[Value]) -> "TableRows":
        """The same rows with one column set."""
        columns = list(self.columns)
        if name in self.names:
            columns[self.names.index(name)] = values
            return TableRows(self.table, self.names, columns)
        return TableRows(self.table, (*self.names, name), [*columns, values])


def from_rows(
    table: ReplicatedTable | str, names: Sequence[str], rows: Iterable[Sequence[Value]]
) -> TableRows:
    """Rows given row by row, column-wise."""
    name = table if isinstance(table, str) else table.name
    columns = [list(column) for column in zip(*rows, strict=True)]
    return TableRows(name, tuple(names), columns or [[] for _ in names])


def join(pieces: Sequence[TableRows]) -> TableRows:
    """The rows of all pieces, which are of one table and have the same columns."""
    first = pieces[0]
    if len(pieces) == 1:
        return first
    columns = [
        list(chain.from_iterable(held))
        for held in zip(*(piece.columns for piece in pieces), strict=True)
    ]
    return TableRows(first.table, first.names, columns)


def encode_table(rows: TableRows) -> table_pb2.TableData:
    """The rows as a message."""
    table = TABLES[rows.table]
    data = table_pb2.TableData(table=rows.table, rows=rows.row_count)
    for name, values in zip(rows.names, rows.columns, strict=True):
        _encode_column(data.columns.add(), table.column(name), values)
    return data


def _encode_column(target: table_pb2.Column, column: ReplicatedColumn, values: list[Value]) -> None:
    kind = column.kind.wire
    target.name = column.name
    target.type = table_pb2.ColumnType.ValueType(int(kind))
    if None in values:
        neutral = _NEUTRAL[kind]
        target.nulls = _bitmap(values)
        values = [neutral if value is None else value for value in values]
    match kind:
        case WireType.TEXT | WireType.DATE:
            target.texts.extend(values)  # type: ignore[arg-type]
        case WireType.IDENTIFIER:
            target.identifiers = b"".join(values)  # type: ignore[arg-type]
        case WireType.BINARY:
            target.binaries.extend(values)  # type: ignore[arg-type]
        case _:
            target.scale = column.scale
            target.integers.extend(values)  # type: ignore[arg-type]


def _bitmap(values: list[Value]) -> bytes:
    bits = "".join(["1" if value is None else "0" for value in reversed(values)])
    return int(bits, 2).to_bytes((len(values) + 7) // 8, "little")


def decode_table(
    data: table_pb2.TableData, names: Sequence[str] | None = None, *, strict: bool = False
) -> TableRows:
    """The rows of a message.

    Args:
        data: as it came.
        names: columns wanted, in this order, missing ones filled with their defaults; None = those
            that came and are known.
        strict: an unknown column is refused instead of ignored.

    Raises:
        Rejected: `unknown_table`, `unknown_column` or `bad_table_data`, with the place.
    """
    table = TABLES.get(data.table)
    if table is None:
        name = data.table[:63] or "“”"
        raise Rejected("unknown_table", place=f"table {name}", table=name)
    if data.rows > limits.TABLE_ROWS or len(data.columns) > limits.TABLE_COLUMNS:
        raise Rejected("bad_table_data", place=f"table {table.name}")
    found: dict[str, list[Value]] = {}
    for column in data.columns:
        if not table.has_column(column.name):
            if strict:
                raise Rejected(
                    "unknown_column",
                    place=f"table {table.name}",
                    table=table.name,
                    column=column.name[:63],
                )
            continue
        if column.name in found:
            raise _bad(table, column)
        found[column.name] = _decode_column(table, column, data.rows)
    if names is None:
        return TableRows(table.name, tuple(found), list(found.values()))
    return TableRows(
        table.name,
        tuple(names),
        [found.get(name) or [table.column(name).neutral] * data.rows for name in names],
    )


def _decode_column(table: ReplicatedTable, column: table_pb2.Column, rows: int) -> list[Value]:
    known = table.column(column.name)
    if int(column.type) != int(known.wire_type) or column.scale != known.scale:
        raise _bad(table, column)
    values = _values(table, column, known.wire_type, rows)
    return _with_nulls(table, column, known, values) if column.nulls else values


def _values(
    table: ReplicatedTable, column: table_pb2.Column, kind: WireType, rows: int
) -> list[Value]:
    match kind:
        case WireType.TEXT | WireType.DATE:
            texts = _all(table, column, column.texts, rows)
            if texts and _is_too_long(max(texts, key=len)):
                raise _bad(table, column)
            return texts
        case WireType.IDENTIFIER:
            packed = column.identifiers
            if len(packed) != rows * _ID_BYTES:
                raise _bad(table, column)
            return [one for (one,) in iter_unpack("16s", packed)]
        case WireType.BINARY:
            binaries = _all(table, column, column.binaries, rows)
            if binaries and len(max(binaries, key=len)) > limits.BINARY_BYTES:
                raise _bad(table, column)
            return binaries
        case _:
            return _all(table, column, column.integers, rows)


def _all(
    table: ReplicatedTable, column: table_pb2.Column, held: Sequence[Any], rows: int
) -> list[Any]:
    """The values, one a row: counted before they are taken out, for there may be millions."""
    if len(held) != rows:
        raise _bad(table, column)
    return list(held)


def _is_too_long(longest: str) -> bool:
    characters = len(longest)
    return characters > limits.TEXT_BYTES or (
        characters * _MOST_UTF8_BYTES > limits.TEXT_BYTES
        and len(longest.encode()) > limits.TEXT_BYTES
    )


def _with_nulls(
    table: ReplicatedTable, column: table_pb2.Column, known: ReplicatedColumn, values: list[Value]
) -> list[Value]:
    count = len(values)
    mask = int.from_bytes(column.nulls, "little")
    if len(column.nulls) != (count + 7) // 8 or not known.nullable or mask.bit_length() > count:
        raise _bad(table, column)
    if mask.bit_count() == count:
        return [None] * count
    # As text, because walking over a string is the fastest way to walk over bits.
    bits = f"{mask:0{count}b}"[::-1]
    return [None if bit == "1" else value for value, bit in zip(values, bits, strict=True)]


def _bad(table: ReplicatedTable, column: table_pb2.Column) -> Rejected:
    return Rejected("bad_table_data", place=f"table {table.name}, column {column.name[:63]}")
