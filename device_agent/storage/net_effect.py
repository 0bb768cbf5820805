"""What a row's captured changes come to: one operation per row, or nothing.

Pure. A row that was made and deleted between two packings never leaves the device; a row that was
made and changed leaves as it is now.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

INSERT = 1
UPDATE = 2
DELETE = 3


class Captured(NamedTuple):
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
    for change_no, table_no, row_id, operation, columns, clock in captured:
        key = (table_no, row_id)
        held = rows.get(key)
        if held is None:
            rows[key] = NetChange(table_no, row_id, operation, columns, clock, change_no)
            if operation == INSERT:
                born.add(key)
            continue
        held.clock = max(held.clock, clock)
        if operation == DELETE:
            held.operation, held.columns = DELETE, 0
        elif operation == INSERT or held.operation == DELETE:
            held.operation = INSERT if key in born else UPDATE
            held.columns = every_column[table_no]
        else:
            held.columns |= columns
    return [net for key, net in rows.items() if not (net.operation == DELETE and key in born)]
