"""What a row's captured changes come to: one operation per row, or nothing.

Pure. A row that was made and deleted between two packings never leaves the device; a row that was
made and changed leaves as it is now.
"""

from collections.abc import Iterable
from dataclasses import dataclass

INSERT = 1
UPDATE = 2
DELETE = 3


@dataclass(frozen=True, slots=True)
class Captured:
    """One line of `fm_change`."""

    change_no: int
    table_no: int
    row_id: bytes
    operation: int
    columns: int
    clock: int


@dataclass(slots=True)
class NetChange:
    """What one row's changes come to."""

    table_no: int
    row_id: bytes
    operation: int
    columns: int
    clock: int
    first_no: int


def net_changes(captured: Iterable[Captured], every_column: dict[int, int]) -> list[NetChange]:
    """One change per row that changed, in the order in which rows were first touched.

    Args:
        captured: changes in the order of `change_no`.
        every_column: per table number, the mask of all its columns; used when a row was deleted
            and made again.
    """
    rows: dict[tuple[int, bytes], NetChange] = {}
    born: set[tuple[int, bytes]] = set()
    for change in captured:
        key = (change.table_no, change.row_id)
        held = rows.get(key)
        if held is None:
            rows[key] = NetChange(
                change.table_no,
                change.row_id,
                change.operation,
                change.columns,
                change.clock,
                change.change_no,
            )
            if change.operation == INSERT:
                born.add(key)
            continue
        held.clock = max(held.clock, change.clock)
        born_here = key in born
        if change.operation == DELETE:
            held.operation, held.columns = DELETE, 0
        elif change.operation == INSERT or held.operation == DELETE:
            held.operation = INSERT if born_here else UPDATE
            held.columns = every_column[change.table_no]
        else:
            held.columns |= change.columns
    return [net for key, net in rows.items() if not (net.operation == DELETE and key in born)]
