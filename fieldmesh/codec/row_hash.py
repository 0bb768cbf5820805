"""Row hashes (docs/architecture/core.md, section 3): equal hashes = equal rows, in any language."""

from collections.abc import Callable
from functools import lru_cache
from hashlib import blake2b

from fieldmesh.codec.columns import TableRows
from fieldmesh.data.model import HUB_COLUMNS, ReplicatedColumn, ReplicatedTable
from fieldmesh.data.schema import TABLES
from fieldmesh.data.types import Value, WireType

NOT_HASHED = frozenset({"partition", "lsn", "row_hash", *(column.name for column in HUB_COLUMNS)})
"""Columns that do not go into the text; lsn stands at its head."""
_DROPPED_BITS = 2
_BYTES = frozenset({WireType.IDENTIFIER, WireType.BINARY})

_Texts = Callable[[list[list[Value]]], list[str]]


def row_hashes(rows: TableRows, table: ReplicatedTable) -> list[int]:
    """The hash of each row, 62 bits.

    Args:
        rows: with `lsn` and every column that may be non-null.
        table: their table.
    """
    return [
        int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big") >> _DROPPED_BITS
        for text in _texts_of(table.name, rows.names)(rows.columns)
    ]


@lru_cache(maxsize=512)
def _texts_of(table: str, names: tuple[str, ...]) -> _Texts:
    """A function made once for a table and its columns: the text of each row."""
    hashed = [TABLES[table].column(name) for name in sorted(set(names) - NOT_HASHED)]
    pieces = [f'f"{table}\\x1f{{lsn}}\\x1e"', *(_piece(column) for column in hashed)]
    variables = ", ".join(["lsn", *(f"_{column.name}" for column in hashed)])
    places = [names.index("lsn"), *(names.index(column.name) for column in hashed)]
    columns = ", ".join(f"columns[{place}]" for place in places)
    source = f"lambda columns: [{' + '.join(pieces)} for {variables} in zip({columns})]"
    made: _Texts = eval(source, {"zip": zip})  # noqa: S307 - made of the schema's names only
    return made


def _piece(column: ReplicatedColumn) -> str:
    variable = f"_{column.name}"
    value = f"{variable}.hex()" if column.wire_type in _BYTES else variable
    text = f'f"{column.name}\\x1f{{{value}}}\\x1e"'
    return f'("" if {variable} is None else {text})' if column.nullable else text
