"""What captured changes come to."""

from device_agent.storage.net_effect import DELETE, INSERT, UPDATE, Captured, net_changes

ROW = b"r" * 16
EVERY = {60: 0b1111}


def net(*operations: tuple[int, int]) -> list[tuple[int, int]]:
    """(operation, columns) of one row after these (operation, columns)."""
    captured = [
        Captured(number, 60, ROW, operation, columns, number)
        for number, (operation, columns) in enumerate(operations)
    ]
    return [(change.operation, change.columns) for change in net_changes(captured, EVERY)]


def test_a_row_made_and_changed_leaves_as_made() -> None:
    """Else the hub would see an update of a row that it does not have."""
    assert net((INSERT, 0), (UPDATE, 0b10)) == [(INSERT, 0b10)]


def test_a_row_made_and_deleted_never_leaves() -> None:
    """Else head office would see what a person took back."""
    assert net((INSERT, 0), (UPDATE, 1), (DELETE, 0)) == []


def test_changed_columns_add_up() -> None:
    """Else a column of an earlier change would be lost."""
    assert net((UPDATE, 0b1), (UPDATE, 0b100)) == [(UPDATE, 0b101)]


def test_a_deletion_wins_over_earlier_changes() -> None:
    """Else a deleted row would live on at the hub."""
    assert net((UPDATE, 0b1), (DELETE, 0)) == [(DELETE, 0)]


def test_a_row_deleted_and_made_again_is_a_change_of_all_columns() -> None:
    """Else the hub would keep old values in columns that nobody touched."""
    assert net((DELETE, 0), (INSERT, 0)) == [(UPDATE, 0b1111)]
    assert net((INSERT, 0), (DELETE, 0), (INSERT, 0)) == [(INSERT, 0b1111)]


def test_rows_keep_the_order_in_which_they_were_first_touched() -> None:
    """Batches are cut in this order, so a later batch never holds what came first."""
    captured = [
        Captured(1, 60, b"b" * 16, INSERT, 0, 5),
        Captured(2, 60, b"a" * 16, INSERT, 0, 6),
        Captured(3, 60, b"b" * 16, UPDATE, 1, 7),
    ]
    found = net_changes(captured, EVERY)
    assert [change.row_id[:1] for change in found] == [b"b", b"a"]
    assert found[0].clock == 7
