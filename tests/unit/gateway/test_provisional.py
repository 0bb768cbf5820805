"""Rows that head office has not confirmed, as other devices of the region see them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fieldmesh.codec.batch import Change, Operation
from fieldmesh.codec.columns import TableRows, from_rows
from fieldmesh.data.schema import TABLES
from fieldmesh.data.types import Value
from gateway.storage import cache, cursors, provisional, provisional_due
from tests.unit.gateway.test_storage import DEVICE, OTHER, database, outlet

if TYPE_CHECKING:
    import sqlite3

__all__ = ["database"]
BEFORE, AFTER = 77, 5
ORDER, LINE, VISIT, SURVEY = b"r" * 16, b"l" * 16, b"v" * 16, b"s" * 16


def row(table: str, **values: Value) -> TableRows:
    """A new row as a device sends it."""
    known = {"created_at": 1, "changed_at": 1, **values}
    made = TABLES[table]
    names = [name for name in made.wire_names if name not in {"partition", "lsn", "row_hash"}]
    line = [known.get(name, made.column(name).neutral) for name in names]
    return from_rows(table, names, [line])


def order() -> list[Change]:
    """An order of one line for the outlet."""
    header = row("sales_order", id=ORDER, outlet_id=OTHER, amount=500)
    line = row("order_line", id=LINE, order_id=ORDER, amount=500)
    return [Change(Operation.INSERT, header, []), Change(Operation.INSERT, line, [])]


def shown(database: sqlite3.Connection, partition: int) -> dict[str, int]:
    """Rows by table that a device with this partition alone would see."""
    rows = provisional.current_rows(database, [partition], device_id=b"x" * 16, own_through=(0, 0))
    return {found.table: found.row_count for found in rows}


def test_an_order_that_comes_again_after_its_outlet_moved_is_shown_with_its_lines(
    database: sqlite3.Connection,
) -> None:
    """Promise 4: a device that signs its batches anew brings both, and the outlet's new rep saw half of the order."""
    cache.apply_rows(database, outlet("Shop", 10, partition=BEFORE))
    provisional.add(database, (DEVICE, 1, 1), order())
    assert shown(database, BEFORE) == {"sales_order": 1, "order_line": 1}
    cache.apply_rows(database, outlet("Shop", 20, partition=AFTER))
    provisional.add(database, (DEVICE, 2, 1), order())
    assert shown(database, AFTER) == {"sales_order": 1, "order_line": 1}
    assert shown(database, BEFORE) == {}
    provisional.forget_through(database, DEVICE, device_epoch=1, sequence=1)
    assert shown(database, AFTER) == {"sales_order": 1, "order_line": 1}


@pytest.mark.parametrize("at_once", [True, False])
def test_an_order_that_comes_again_after_a_restore_is_shown_with_its_lines(
    database: sqlite3.Connection, *, at_once: bool
) -> None:
    """Promise 4: the order of the lost future stood in the area of the outlet's old rep, and the lines followed it."""
    cache.apply_rows(database, outlet("Shop", 10, partition=AFTER))
    header, line = order()
    stood = from_rows(
        "sales_order",
        (*header.rows.names, "partition", "lsn", "row_hash"),
        [(*(header.rows.column(name)[0] for name in header.rows.names), BEFORE, 30, 0)],
    )
    cache.apply_rows(database, stood)
    cursors.learn_epochs(database, [cursors.EpochStart(1, 0), cursors.EpochStart(2, 20)])
    for sequence, changes in enumerate([[header, line]] if at_once else [[header], [line]]):
        provisional.add(database, (DEVICE, 1, sequence + 1), changes)
    database.execute("DELETE FROM sales_order WHERE id = ?", (ORDER,))
    assert shown(database, AFTER) == {"sales_order": 1, "order_line": 1}
    assert shown(database, BEFORE) == {}


def test_a_visit_that_ends_after_its_outlet_moved_stays_with_its_survey(
    database: sqlite3.Connection,
) -> None:
    """Promise 4: the old rep would see a survey without its visit, the new one a visit without its survey."""
    cache.apply_rows(database, outlet("Shop", 10, partition=BEFORE))
    visit = row("visit", id=VISIT, outlet_id=OTHER)
    survey = row("survey_response", id=SURVEY, visit_id=VISIT)
    began = [Change(Operation.INSERT, visit, []), Change(Operation.INSERT, survey, [])]
    provisional.add(database, (DEVICE, 1, 1), began)
    cache.apply_rows(database, outlet("Shop", 20, partition=AFTER))
    ended = from_rows("visit", ("id", "finished_at"), [(VISIT, 7)])
    provisional.add(database, (DEVICE, 1, 2), [Change(Operation.UPDATE, ended, [])])
    assert shown(database, BEFORE) == {"visit": 1, "survey_response": 1}
    assert shown(database, AFTER) == {}


def test_a_row_without_a_column_that_may_not_be_empty_stops_nobody(
    database: sqlite3.Connection,
) -> None:
    """Promise 8: one client with a fault would take every download from the whole branch."""
    cache.apply_rows(database, outlet("Shop", 10, partition=BEFORE))
    bare = from_rows("sales_order", ("id", "outlet_id", "amount"), [(ORDER, OTHER, 500)])
    provisional_due.mark(database, (DEVICE, 1, 1))
    provisional_due.lay_out(database, (DEVICE, 1, 1), [Change(Operation.INSERT, bare, [])])
    assert shown(database, BEFORE) == {"sales_order": 1}


def test_a_batch_that_cannot_be_laid_out_is_left_out_whole(database: sqlite3.Connection) -> None:
    """Promises 4 and 8: head office decides on it; those beside it are shown."""
    cache.apply_rows(database, outlet("Shop", 10, partition=BEFORE))
    rows = row("order_line", id=LINE, order_id=ORDER, amount=500)
    unfit = rows.with_column("product_unit_id", [None])
    for sequence in (1, 2):
        provisional_due.mark(database, (DEVICE, 1, sequence))
    bad = [order()[0], Change(Operation.INSERT, unfit, [])]
    assert provisional_due.lay_out(database, (DEVICE, 1, 1), bad)
    assert shown(database, BEFORE) == {}
    assert provisional_due.lay_out(database, (DEVICE, 1, 2), order())
    assert shown(database, BEFORE) == {"sales_order": 1, "order_line": 1}
