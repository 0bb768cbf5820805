"""Rows for tests: a few by hand, any number of any table by chance."""

from hypothesis import strategies as st

from fieldmesh.codec.columns import TableRows
from fieldmesh.data.domain import FIRST_TIME_US, LAST_TIME_US
from fieldmesh.data.model import ReplicatedColumn, ReplicatedTable
from fieldmesh.data.schema import TABLES
from fieldmesh.data.types import Value, WireType

NEW_CONTACT = ("id", "created_at", "changed_at", "outlet_id", "name", "phone", "consent")
OUTLET = bytes.fromhex("0192f0c1a3b47c5d8e6f00112233445a")
_IDS = st.binary(min_size=16, max_size=16)
_ROW_IDS = _IDS.filter(any)
"""No row has the id of zeros: it stands for a null on the wire."""


def row_id(number: int) -> bytes:
    """An id whose last byte is the number's."""
    return bytes.fromhex("0192f0c1a3b47c5d8e6f0011223344") + bytes([number % 256])


def contacts(count: int = 3, *, first: int = 1) -> TableRows:
    """New contacts as a device sends them; every other one has no telephone."""
    numbers = range(first, first + count)
    columns: list[list[Value]] = [
        [row_id(number) for number in numbers],
        [1_764_000_000_000_000 + number for number in numbers],
        [1_764_000_000_000_000 + number for number in numbers],
        [OUTLET for _ in numbers],
        [f"Мария {number}" for number in numbers],
        [None if number % 2 else f"+359 88 {number}" for number in numbers],
        [number % 2 for number in numbers],
    ]
    return TableRows("contact", NEW_CONTACT, columns)


def value_of(column: ReplicatedColumn) -> st.SearchStrategy[Value]:
    """Any value that the column may hold, null included."""
    value = _present(column)
    return st.none() | value if column.nullable else value


def _present(column: ReplicatedColumn) -> st.SearchStrategy[Value]:
    kind = column.kind
    most = 10 ** (kind.precision or 18) - 1
    letters = st.characters(exclude_characters="\x1e\x1f", exclude_categories=["Cs"])
    strategies: dict[WireType, st.SearchStrategy[Value]] = {
        WireType.INTEGER: st.integers(-(1 << 63), (1 << 63) - 1),
        WireType.BOOLEAN: st.integers(0, 1),
        WireType.DECIMAL: st.integers(-most, most),
        WireType.TIME: st.integers(FIRST_TIME_US, LAST_TIME_US),
        WireType.DATE: st.dates().map(str),
        WireType.TEXT: st.text(letters, max_size=min(kind.precision or 20, 20)),
        WireType.IDENTIFIER: _ROW_IDS if column.name == "id" else _IDS,
        WireType.BINARY: st.binary(max_size=32),
    }
    return strategies[kind.wire]


@st.composite
def rows_of(draw: st.DrawFn, table: ReplicatedTable, most: int = 20) -> TableRows:
    """Rows of the table with all its columns."""
    count = draw(st.integers(0, most))
    columns = [
        draw(st.lists(value_of(column), min_size=count, max_size=count))
        for column in table.wire_columns
    ]
    return TableRows(table.name, table.wire_names, columns)


any_rows = st.sampled_from(sorted(TABLES)).flatmap(lambda name: rows_of(TABLES[name]))
"""Rows of any table."""
