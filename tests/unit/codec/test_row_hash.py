"""Row hashes: any language can work them out from the page that describes them."""

import random
from hashlib import blake2b

import pytest

from fieldmesh.codec.columns import TableRows
from fieldmesh.codec.row_hash import NOT_HASHED, row_hashes
from fieldmesh.data.model import ReplicatedColumn
from fieldmesh.data.schema import TABLES
from fieldmesh.data.types import Value, WireType
from tests.kit.rows import contacts

TABLE = TABLES["contact"]


def _by_hand(rows: TableRows, place: int) -> int:
    """The description of core.md, word by word."""
    table = TABLES[rows.table]
    row = dict(zip(rows.names, rows.rows()[place], strict=True))
    text = f"{rows.table}\x1f{row['lsn']}\x1e"
    for name in sorted(row):
        value = row[name]
        if name in NOT_HASHED or value is None:
            continue
        if table.column(name).wire_type in {WireType.IDENTIFIER, WireType.BINARY}:
            assert isinstance(value, bytes)
            value = value.hex()
        text += f"{name}\x1f{value}\x1e"
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big") >> 2


def _confirmed(lsn: int = 1 << 40) -> TableRows:
    return contacts(4).with_column("lsn", [lsn] * 4)


def test_hashes_are_what_the_description_says() -> None:
    """A device in another language must come to the same number."""
    rows = _confirmed()
    assert row_hashes(rows, TABLE) == [_by_hand(rows, place) for place in range(4)]


def test_every_table_can_be_hashed() -> None:
    """The function is made from the schema; a name that Python reserves must not break it."""
    for table in TABLES.values():
        rows = TableRows(
            table.name, table.wire_names, [[column.neutral] for column in table.wire_columns]
        )
        assert row_hashes(rows, table) == [_by_hand(rows, 0)]


@pytest.mark.parametrize("seed", range(3))
def test_what_rows_have_in_common_counts_for_each_of_them(seed: int) -> None:
    """Common values and nulls are written once for all rows: not one row's text may differ for it."""
    choose = random.Random(seed)
    for table in TABLES.values():
        columns = [_mixed(choose, column, 7) for column in table.wire_columns]
        rows = TableRows(table.name, table.wire_names, columns)
        assert row_hashes(rows, table) == [_by_hand(rows, place) for place in range(7)], table.name


def _mixed(choose: random.Random, column: ReplicatedColumn, count: int) -> list[Value]:
    """All the same, all different, or with nulls between them."""
    if column.wire_type in {WireType.IDENTIFIER, WireType.BINARY}:
        made: list[Value] = [choose.randbytes(16) for _ in range(count)]
    elif column.wire_type in {WireType.TEXT, WireType.DATE}:
        made = [f"{{{choose.random()}}}'\"\\я" for _ in range(count)]
    else:
        made = [choose.randint(-(1 << 62), 1 << 62) for _ in range(count)]
    match choose.choice(("same", "different", "nulls", "null")):
        case "same":
            return made[:1] * count
        case "nulls" if column.nullable:
            return [value if choose.random() < 0.5 else None for value in made]
        case "null" if column.nullable:
            return [None] * count
        case _:
            return made


def test_a_hash_fits_a_signed_integer_with_room_to_spare() -> None:
    """Sums of two halves stay far below what SQLite holds."""
    assert all(0 <= value < 1 << 62 for value in row_hashes(_confirmed(), TABLE))


def test_a_new_nullable_column_changes_no_hash() -> None:
    """A network may be upgraded node by node while digests are compared."""
    rows = _confirmed()
    wider = rows.with_column("role", [None] * 4)
    assert row_hashes(wider, TABLE) == row_hashes(rows, TABLE)


def test_the_order_of_columns_does_not_matter() -> None:
    """Each node has its own order of columns."""
    rows = _confirmed()
    assert row_hashes(rows.only(rows.names[::-1]), TABLE) == row_hashes(rows, TABLE)


@pytest.mark.parametrize("name", ["partition", "row_hash", "origin_device_id", "received_at"])
def test_what_only_one_tier_has_does_not_count(name: str) -> None:
    """Device, gateway and hub compare the same thing."""
    assert name in NOT_HASHED


@pytest.mark.parametrize(
    ("name", "value"), [("name", "Мари"), ("phone", ""), ("consent", 2), ("lsn", 5)]
)
def test_any_other_difference_changes_the_hash(name: str, value: Value) -> None:
    """Otherwise verify would call two different rows equal. Null and empty differ too."""
    rows = _confirmed()
    changed = rows.with_column(name, [value] * 4)
    assert not set(row_hashes(rows, TABLE)) & set(row_hashes(changed, TABLE))
