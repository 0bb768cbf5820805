"""Restores of head office as a gateway hears of them: which LSNs count, and what comes again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fieldmesh.basics.epochs import make_lsn
from fieldmesh.wire.v1.replication_pb2 import Receipt
from gateway.replication import subscription
from gateway.replication.receipts import apply_receipts
from gateway.storage import cursors, deltas, inbox, outbox, provisional_due
from tests.unit.gateway.test_storage import DEVICE, PATCH, batch, database

if TYPE_CHECKING:
    import sqlite3

__all__ = ["database"]


def test_a_cursor_of_a_lost_future_gets_everything_whole(database: sqlite3.Connection) -> None:
    """After a restored backup nobody trusts an LSN of the lost future."""
    cursors.set_mark(database, 100, marked_at=1, down_sequence=5)
    first, restored = cursors.EpochStart(1, 0), cursors.EpochStart(2, 60)
    assert cursors.learn_epochs(database, [first]) is cursors.Restored.NOTHING_NEW
    assert cursors.learn_epochs(database, [first, restored]) is cursors.Restored.GONE_ON
    assert cursors.learn_epochs(database, [first]) is cursors.Restored.NOTHING_NEW
    assert cursors.mark_lsn(database) == 60
    plan = deltas.plan_delta(database, cursor_lsn=70, held=[PATCH], wanted=[PATCH])
    assert plan.whole == {PATCH}


@pytest.mark.parametrize(
    ("began_after", "heard", "mark", "lost"),
    [
        (90, cursors.Restored.COME_BACK, 60, {80: False, 95: True}),
        (60, cursors.Restored.GONE_ON, 60, {50: False, 80: True}),
        (40, cursors.Restored.GONE_ON, 40, {50: True, 80: True}),
    ],
)
def test_the_newest_restore_says_which_future_counts(
    database: sqlite3.Connection,
    began_after: int,
    heard: cursors.Restored,
    mark: int,
    lost: dict[int, bool],
) -> None:
    """Otherwise what a newer backup brings back, after an older one by mistake, would never come here again."""
    first, second = cursors.EpochStart(1, 0), cursors.EpochStart(2, 60)
    cursors.set_mark(database, 100, marked_at=1, down_sequence=5)
    cursors.learn_epochs(database, [first])
    cursors.learn_epochs(database, [first, second])
    given_up = make_lsn(2, 7)
    cursors.set_mark(database, given_up, marked_at=1, down_sequence=6)
    now = [first, cursors.EpochStart(3, began_after)]
    assert cursors.learn_epochs(database, now) is heard
    state = cursors.read_state(database)
    assert (state.mark_lsn, state.epochs) == (mark, tuple(now))
    assert {lsn: cursors.is_lost(lsn, state.epochs) for lsn in lost} == lost
    assert cursors.is_lost(given_up, state.epochs)
    assert database.execute("SELECT above_lsn FROM fm_lost_range").fetchall() == [(began_after,)]


def test_a_gateway_of_an_earlier_release_that_heard_of_both_restores_fetches_what_counts(
    database: sqlite3.Connection,
) -> None:
    """It kept every restore that it had ever heard of; nothing new may come for years."""
    known = "[[1, 0], [2, 60], [3, 90]]"
    database.execute("UPDATE fm_state SET hub_epochs = ?", (known,))
    now = [cursors.EpochStart(1, 0), cursors.EpochStart(3, 90)]
    assert cursors.learn_epochs(database, now) is cursors.Restored.COME_BACK
    assert cursors.learn_epochs(database, now) is cursors.Restored.NOTHING_NEW


def test_a_batch_that_a_restored_hub_has_lost_is_shown_again(database: sqlite3.Connection) -> None:
    """Promise 8: its confirmed rows give way to the hub's, and colleagues would lose them until the replay."""
    cursors.learn_epochs(database, [cursors.EpochStart(1, 0)])
    inbox.store_batches(database, [batch(1), batch(2), batch(2, b"b" * 32)], 1)
    numbers = [
        entry.outbox_number
        for entry in outbox.to_publish(database, before=0, most=9, most_bytes=99)
    ]
    told = [
        Receipt(outbox_number=number, device_id=DEVICE, device_epoch=1, sequence=sequence)
        for number, sequence in zip(numbers, (1, 2, 2), strict=True)
    ]
    for receipt, lsn, decision in zip(
        told, (50, 70, 71), ("applied", "applied", "quarantined"), strict=True
    ):
        receipt.lsn, receipt.decision = lsn, decision
    apply_receipts(database, told, 2)
    cursors.set_mark(database, 71, marked_at=1, down_sequence=5)
    assert provisional_due.find(database) == []
    restored = [cursors.EpochStart(1, 0), cursors.EpochStart(2, 60)]
    assert subscription.take_epochs(database, restored, 3)
    assert [due.key for due in provisional_due.find(database)] == [(DEVICE, 1, 2)]
    assert [due.key for due in provisional_due.find(database, own=DEVICE, after=(1, 2))] == [
        (DEVICE, 1, 2)
    ]
    assert provisional_due.find(database, own=DEVICE, after=(1, 1)) == []
    apply_receipts(database, told[1:2], 4)
    assert provisional_due.find(database) == []
