"""Rows as table data: what comes out is what went in, and nothing that breaks a limit comes out."""

import tracemalloc
from collections.abc import Callable

import pytest

from fieldmesh.basics import limits
from fieldmesh.basics.errors import Rejected
from fieldmesh.codec.columns import TableRows, decode_table, encode_table, from_rows
from fieldmesh.data.schema import TABLES
from fieldmesh.wire.v1 import table_pb2
from tests.kit.rows import NEW_CONTACT, contacts, row_id


def _column(data: table_pb2.TableData, name: str) -> table_pb2.Column:
    return next(column for column in data.columns if column.name == name)


def test_rows_come_back_as_they_went() -> None:
    """A value that changes on the way is a wrong order."""
    rows = contacts(9)
    assert decode_table(encode_table(rows)) == rows


def test_no_rows_come_back_as_no_rows() -> None:
    """An empty table is ordinary."""
    rows = contacts(0)
    assert decode_table(encode_table(rows)) == rows


def test_columns_wanted_come_in_their_order_and_missing_ones_get_their_defaults() -> None:
    """An older node does not know the newest column; a newer one still has to work with its rows."""
    data = encode_table(contacts(2))
    found = decode_table(data, ["consent", "role", "lsn", "id"])
    assert found.names == ("consent", "role", "lsn", "id")
    assert found.columns == [[1, 0], [None, None], [0, 0], [row_id(1), row_id(2)]]


def test_a_column_of_a_newer_schema_is_ignored_where_that_is_allowed() -> None:
    """Hub, gateways and devices are upgraded one after the other, while running."""
    data = encode_table(contacts(2))
    data.columns.add(
        name="favourite_colour", type=table_pb2.COLUMN_TYPE_TEXT, texts=["red", "blue"]
    )
    assert decode_table(data) == contacts(2)
    with pytest.raises(Rejected) as caught:
        decode_table(data, strict=True)
    assert caught.value.code == "unknown_column"


def test_an_unknown_table_is_refused_by_its_name() -> None:
    """A table that this node does not know can't be applied, and must not be dropped in silence."""
    with pytest.raises(Rejected) as caught:
        decode_table(table_pb2.TableData(table="secrets", rows=0))
    assert caught.value.code == "unknown_table"
    assert "secrets" in caught.value.place
    with pytest.raises(Rejected, match="There is no table “”"):
        decode_table(table_pb2.TableData(rows=0))


def _too_many_rows(data: table_pb2.TableData) -> None:
    data.rows = limits.TABLE_ROWS + 1


def _too_many_columns(data: table_pb2.TableData) -> None:
    for number in range(limits.TABLE_COLUMNS):
        data.columns.add(name=f"column_{number}")


def _column_twice(data: table_pb2.TableData) -> None:
    data.columns.append(_column(data, "name"))


def _wrong_type(data: table_pb2.TableData) -> None:
    _column(data, "name").type = table_pb2.COLUMN_TYPE_INTEGER


def _wrong_scale(data: table_pb2.TableData) -> None:
    _column(data, "consent").scale = 2


def _too_few_values(data: table_pb2.TableData) -> None:
    _column(data, "name").texts.pop()


def _too_many_values(data: table_pb2.TableData) -> None:
    _column(data, "consent").integers.append(1)


def _short_identifiers(data: table_pb2.TableData) -> None:
    _column(data, "id").identifiers = _column(data, "id").identifiers[:-1]


def _null_in_the_key(data: table_pb2.TableData) -> None:
    _column(data, "id").nulls = b"\x01"


def _short_bitmap(data: table_pb2.TableData) -> None:
    _column(data, "phone").nulls = b""
    _column(data, "phone").nulls = b"\x01\x00"


def _null_beyond_the_rows(data: table_pb2.TableData) -> None:
    _column(data, "phone").nulls = b"\x80"


def _long_text(data: table_pb2.TableData) -> None:
    _column(data, "name").texts[0] = "x" * (limits.TEXT_BYTES + 1)


def _text_of_long_letters(data: table_pb2.TableData) -> None:
    _column(data, "name").texts[0] = "ж" * (limits.TEXT_BYTES // 2 + 1)


@pytest.mark.parametrize(
    "damage",
    [
        _too_many_rows,
        _too_many_columns,
        _column_twice,
        _wrong_type,
        _wrong_scale,
        _too_few_values,
        _too_many_values,
        _short_identifiers,
        _null_in_the_key,
        _short_bitmap,
        _null_beyond_the_rows,
        _long_text,
        _text_of_long_letters,
    ],
)
def test_table_data_that_breaks_a_rule_is_refused_with_its_place(
    damage: Callable[[table_pb2.TableData], None],
) -> None:
    """A machine in doubt refuses: rows out of step would give one shop another's order."""
    data = encode_table(contacts(3))
    damage(data)
    with pytest.raises(Rejected) as caught:
        decode_table(data)
    assert caught.value.code == "bad_table_data"
    assert "table contact" in caught.value.place


def test_a_long_binary_is_refused() -> None:
    """One value may not fill a device's memory."""
    names = ("id", "sha256")
    data = encode_table(TableRows("photo", names, [[row_id(1)], [b"x"]]))
    _column(data, "sha256").binaries[0] = bytes(limits.BINARY_BYTES + 1)
    with pytest.raises(Rejected):
        decode_table(data)


@pytest.mark.parametrize(("column", "part"), [("name", "texts"), ("consent", "integers")])
def test_more_values_than_rows_are_refused_before_they_are_taken_out(
    column: str, part: str
) -> None:
    """Sixteen million empty texts are two bytes each on the wire, and half a gigabyte as a list."""
    data = encode_table(contacts(1))
    held = getattr(_column(data, column), part)
    held.extend([held[0]] * 2_000_000)
    tracemalloc.start()
    try:
        with pytest.raises(Rejected):
            decode_table(data)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


def test_every_table_fits_the_limit_of_columns() -> None:
    """A table with more columns than the wire allows could never travel."""
    widest = max(len(table.wire_columns) for table in TABLES.values())
    assert widest <= limits.TABLE_COLUMNS


def test_rows_are_taken_named_and_replaced_by_column() -> None:
    """Everything that works with rows stands on these."""
    rows = contacts(4)
    assert rows.take([]).row_count == 0
    assert rows.take([2]).column("id") == [row_id(3)]
    assert rows.take([3, 0]).column("id") == [row_id(4), row_id(1)]
    assert rows.only(["id"]).columns == [rows.column("id")]
    assert rows.with_column("consent", [1, 1, 1, 1]).column("consent") == [1, 1, 1, 1]
    assert rows.with_column("role", [None] * 4).names == (*NEW_CONTACT, "role")
    assert from_rows("contact", rows.names, rows.rows()) == rows
    assert from_rows(TABLES["contact"], ("id",), []) == TableRows("contact", ("id",), [[]])
    assert rows.has("id")
    assert not rows.has("role")
    with pytest.raises(KeyError):
        rows.column("role")
