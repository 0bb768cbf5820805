"""Rules of the gateway's storage, on a database in memory."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from fieldmesh.codec.columns import TableRows, from_rows
from fieldmesh.codec.row_hash import row_hashes
from fieldmesh.data.schema import TABLES
from fieldmesh.service.database import connect
from gateway.replication import subscription
from gateway.storage import (
    cache,
    cursors,
    deltas,
    devices,
    digests,
    inbox,
    outbox,
    partitions,
)
from gateway.storage.database import prepare

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from pathlib import Path

GATEWAY, DEVICE, OTHER = b"g" * 16, b"d" * 16, b"o" * 16
PATCH = 77
GUEST = devices.LeaseWish(DEVICE, b"word", 4, b"certificate")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A new gateway database."""
    connection = connect(tmp_path / "gateway.db")
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("BEGIN")
    prepare(connection, GATEWAY, 1_000)
    yield connection
    connection.close()


def rows_of(table: str, *rows: dict[str, object]) -> TableRows:
    """Whole rows with their hashes."""
    known = TABLES[table]
    made = from_rows(
        table,
        known.wire_names,
        [[row.get(n, known.column(n).neutral) for n in known.wire_names] for row in rows],  # type: ignore[misc]
    )
    return made.with_column("row_hash", list(row_hashes(made, known)))


def outlet(name: str, lsn: int, *, identifier: bytes = OTHER, partition: int = PATCH) -> TableRows:
    """One outlet."""
    return rows_of("outlet", {"id": identifier, "partition": partition, "lsn": lsn, "name": name})


def batch(sequence: int, sha256: bytes = b"a" * 32, epoch: int = 1) -> inbox.ReceivedBatch:
    """A batch without readable rows."""
    return inbox.ReceivedBatch(DEVICE, epoch, sequence, sha256, b"payload", 1, 7)


def name_of(database: sqlite3.Connection) -> str | None:
    """The outlet's name as the cache has it."""
    row = database.execute("SELECT name FROM outlet WHERE id = ?", (OTHER,)).fetchone()
    return row[0] if row else None


def test_the_newer_version_of_a_row_stays(database: sqlite3.Connection) -> None:
    """Messages that come again, or late, must not turn a row back."""
    cache.apply_rows(database, outlet("new", 20))
    cache.apply_rows(database, outlet("old", 10))
    assert name_of(database) == "new"


def test_each_of_many_removals_looks_at_its_own_row(database: sqlite3.Connection) -> None:
    """They go through in pieces: a row that moved on, came back or is somebody else's may not go with the piece."""
    ids = [number.to_bytes(16, "big") for number in range(200)]
    lsns = [30 if number % 7 == 0 else 10 for number in range(200)]
    homes = [PATCH + 1 if number % 5 == 0 else PATCH for number in range(200)]
    cache.apply_rows(
        database,
        rows_of(
            "outlet",
            *(
                {"id": one, "partition": home, "lsn": lsn, "name": "x"}
                for one, home, lsn in zip(ids, homes, lsns, strict=True)
            ),
        ),
    )
    for at_lsn in ([20] * 150, [n % 3 + 19 for n in range(150)]):
        lines = [(one, PATCH, lsn) for one, lsn in zip(ids, at_lsn, strict=False)]
        cache.apply_removals(database, from_rows("outlet", ("id", "partition", "lsn"), lines))
    held = {row[0] for row in database.execute("SELECT id FROM outlet")}
    stay = {n for n in range(200) if n % 7 == 0 or n % 5 == 0 or n >= 150}
    assert held == {ids[n] for n in stay}
    kept = database.execute("SELECT count(*), count(DISTINCT row_id) FROM fm_removal").fetchone()
    assert kept == (250, 150)
    assert database.execute("SELECT sum(rows) FROM fm_digest").fetchone() == (len(held),)


def test_a_removal_leaves_a_row_that_has_come_back(database: sqlite3.Connection) -> None:
    """A row that moved away and back again must not vanish."""
    removal = from_rows("outlet", ("id", "partition", "lsn"), [(OTHER, PATCH, 15)])
    cache.apply_rows(database, outlet("back", 20))
    cache.apply_removals(database, removal)
    assert name_of(database) == "back"
    cache.apply_rows(database, outlet("moved", 30, partition=99))
    later = from_rows("outlet", ("id", "partition", "lsn"), [(OTHER, PATCH, 30)])
    cache.apply_removals(database, later)
    assert name_of(database) == "moved"


def test_what_comes_again_after_its_removal_stays_away(database: sqlite3.Connection) -> None:
    """Promise 5: the broker delivers a message once more, or behind the next: nothing would ever take the row away."""
    cache.apply_rows(database, outlet("here", 10))
    left = from_rows("outlet", ("id", "partition", "lsn"), [(OTHER, PATCH, 15)])
    cache.apply_removals(database, left)
    cache.apply_rows(database, outlet("again", 10))
    assert database.execute("SELECT count(*) FROM outlet").fetchone() == (0,)
    cache.apply_rows(database, outlet("back", 16))
    assert name_of(database) == "back"
    assert database.execute("SELECT sum(rows) FROM fm_digest").fetchone() == (1,)


def test_digests_follow_rows_and_find_a_changed_one(database: sqlite3.Connection) -> None:
    """Promise 5 rests on digests that are always those of the rows."""
    cache.apply_rows(database, outlet("a", 10))
    cache.apply_rows(database, outlet("b", 11))
    kept = digests.partition_digests(database, [PATCH], for_devices=True)[0]
    counted = digests.bucket_digests(database, PATCH, for_devices=True)[0]
    assert (kept.rows, kept.low, kept.high) == (counted.rows, counted.low, counted.high)
    assert digests.wrong_rows(database, PATCH) == {}
    database.execute("UPDATE outlet SET name = 'c'")
    assert digests.wrong_rows(database, PATCH) == {"outlet": [OTHER]}


def test_one_tick_stops_at_a_gap(database: sqlite3.Connection) -> None:
    """A tick over a hole would let a device forget what nobody holds."""
    inbox.store_batches(database, [batch(1), batch(2), batch(4)], 5)
    assert inbox.contiguous_sequence(database, DEVICE, 1, applied=0) == 2
    assert inbox.contiguous_sequence(database, DEVICE, 1, applied=3) == 4


def test_a_receipt_of_a_differing_copy_leaves_the_original_waiting(
    database: sqlite3.Connection,
) -> None:
    """A clone's quarantine must not make the gateway forget the right batch."""
    inbox.store_batches(database, [batch(1), batch(1, b"b" * 32)], 5)
    first, second = outbox.to_publish(database, before=0, most=9, most_bytes=999)
    receipt = outbox.ReceiptRow(second.outbox_number, DEVICE, 1, 1, "quarantined", 50)
    outbox.take_receipts(database, [receipt], 6)
    left = outbox.to_publish(database, before=0, most=9, most_bytes=999)
    assert [entry.outbox_number for entry in left] == [first.outbox_number]


def test_a_receipt_forgets_the_batch_that_it_names_and_no_other(
    database: sqlite3.Connection,
) -> None:
    """Promise 2: an outbox number alone, wherever it comes from, must not make a waiting batch be forgotten."""
    inbox.store_batches(database, [batch(1), batch(2)], 5)
    _, second = outbox.to_publish(database, before=0, most=9, most_bytes=999)
    receipt = outbox.ReceiptRow(second.outbox_number, DEVICE, 1, 1, "applied", 50)
    outbox.take_receipts(database, [receipt], 6)
    left = outbox.to_publish(database, before=0, most=9, most_bytes=999)
    assert [entry.outbox_number for entry in left] == [second.outbox_number]


def test_a_receipt_of_a_session_record_names_no_device(database: sqlite3.Connection) -> None:
    """Session records would go up again for ever."""
    number = outbox.add(database, outbox.Entry("session", b"p", DEVICE, 0, 0, 5))
    outbox.take_receipts(database, [outbox.ReceiptRow(number, b"", 0, 0, "recorded", 50)], 6)
    assert outbox.depth(database).entries == 0


def test_a_batch_that_follows_another_than_is_held_is_not_taken(
    database: sqlite3.Connection,
) -> None:
    """Promise 1: the hub's tick for it would let the device forget the one of its own that nobody has."""
    copied, follows = batch(1), replace(batch(2), previous_sha256=b"own first batch".ljust(32))
    stored = inbox.store_batches(database, [copied, follows], 5)
    assert (stored.new, stored.differing) == (1, 1)
    assert inbox.highest_sequence(database, DEVICE, 1) == 1
    right = replace(follows, previous_sha256=copied.sha256)
    assert inbox.store_batches(database, [right], 6).new == 1


def test_a_receipt_of_a_session_record_forgets_no_batch(database: sqlite3.Connection) -> None:
    """Promise 1: it comes late, to a gateway that was restored and has given its number to a batch since."""
    inbox.store_batches(database, [batch(1)], 5)
    (held,) = outbox.to_publish(database, before=0, most=9, most_bytes=999)
    receipt = outbox.ReceiptRow(held.outbox_number, b"", 0, 0, "recorded", 50)
    assert outbox.take_receipts(database, [receipt], 6) == 0
    assert outbox.to_publish(database, before=0, most=9, most_bytes=999) == [held]


def test_a_restored_image_uses_no_outbox_number_of_its_lost_future(
    database: sqlite3.Connection,
) -> None:
    """The hub's receipts would name the wrong entries, and the broker drop the new ones as repeated."""
    inbox.store_batches(database, [batch(1)], 5)
    database.execute("SAVEPOINT image")
    inbox.store_batches(database, [batch(2), batch(3)], 6)
    used = [
        one.outbox_number for one in outbox.to_publish(database, before=0, most=9, most_bytes=999)
    ]
    database.execute("ROLLBACK TO image")
    prepare(database, GATEWAY, 7)
    inbox.store_batches(database, [batch(4)], 8)
    again = [
        one.outbox_number for one in outbox.to_publish(database, before=0, most=9, most_bytes=999)
    ]
    assert again[0] == used[0]
    assert again[1] > used[-1]


def test_outbox_numbers_of_a_new_database_begin_at_the_time(database: sqlite3.Connection) -> None:
    """A gateway that lost its disk must not use a message id again."""
    assert outbox.add(database, outbox.Entry("session", b"p", DEVICE, 0, 0, 5)) > 1_000


def test_an_epoch_is_never_granted_twice(database: sqlite3.Connection) -> None:
    """Two clones that initialize must not work under one epoch."""
    devices.note_session(database, devices.Seen(DEVICE, 3, "fast", "", b"", 5))
    assert devices.grant_epoch(database, DEVICE, above=3) == 4
    assert devices.grant_epoch(database, DEVICE, above=3) == 5


def test_an_older_epoch_is_fenced_only_once_the_newer_was_used(
    database: sqlite3.Connection,
) -> None:
    """A device whose initialize was cut must still be able to sync."""

    def fence(epoch: int) -> devices.Fence | None:
        facts = devices.read_facts(database, DEVICE)
        return devices.find_fence(
            database, facts, device_epoch=epoch, last_sequence=0, last_sha256=b""
        )

    devices.note_session(database, devices.Seen(DEVICE, 1, "initialize", "", b"", 5))
    granted = devices.grant_epoch(database, DEVICE, above=1)
    assert fence(1) is None
    devices.note_session(database, devices.Seen(DEVICE, granted, "fast", "", b"", 6))
    assert fence(1) == devices.Fence("older_epoch")


def test_a_suspension_made_here_ends_with_the_hubs_next_word(database: sqlite3.Connection) -> None:
    """With the hub away the gateway itself keeps the first device down, but not for ever."""
    row = {"id": DEVICE, "partition": 1, "lsn": 10, "state": "active"}
    cache.apply_rows(database, rows_of("device", row))
    devices.suspend(database, DEVICE, spare_id=OTHER, now=5)
    assert devices.read_facts(database, DEVICE).suspended
    cache.apply_rows(database, rows_of("device", {**row, "lsn": 20}))
    assert not devices.read_facts(database, DEVICE).suspended


def test_a_partition_whose_removals_are_not_known_goes_down_whole(
    database: sqlite3.Connection,
) -> None:
    """Without it a row that was removed meanwhile would stay on the device for ever."""
    partitions.want(database, {PATCH}, 1)
    partitions.begin_seed(database, PATCH, partitions.SeedBegun(b"s", 100, 90, 0, 0), 1)
    partitions.set_ready(database, PATCH, 1)
    plans = [
        deltas.plan_delta(database, cursor_lsn=cursor, held=[PATCH], wanted=[PATCH])
        for cursor in (80, 95)
    ]
    assert [plan.whole for plan in plans] == [{PATCH}, set()]


def test_removals_forgotten_while_a_seed_was_on_its_way_are_not_claimed_to_be_known(
    database: sqlite3.Connection,
) -> None:
    """Promise 6: a seed brings old removals too; the upkeep that forgot them ran before the partition was ready."""
    partitions.want(database, {PATCH}, 1)
    partitions.begin_seed(database, PATCH, partitions.SeedBegun(b"s", 100, 20, 1, 0), 1)
    removal = from_rows("outlet", ("id", "partition", "lsn"), [(OTHER, PATCH, 50)])
    cache.apply_removals(database, removal)
    assert cache.prune_removals(database, through_lsn=60) == 1
    partitions.set_ready(database, PATCH, 1)
    plans = [
        deltas.plan_delta(database, cursor_lsn=cursor, held=[PATCH], wanted=[PATCH])
        for cursor in (40, 70)
    ]
    assert [plan.whole for plan in plans] == [{PATCH}, set()]


def test_a_seed_of_a_lost_future_is_fetched_again_though_the_mark_never_came_there(
    database: sqlite3.Connection,
) -> None:
    """Promise 5: a seed runs ahead of the mark; it would become ready at the restored hub's next one."""
    assert not subscription.take_epochs(database, [cursors.EpochStart(1, 0)], 1)
    partitions.want(database, {PATCH}, 1)
    cursors.set_mark(database, 60, marked_at=1, down_sequence=5)
    partitions.begin_seed(database, PATCH, partitions.SeedBegun(b"s", 70, 0, 1, 1), 1)
    partitions.set_seeded(database, PATCH, seed_id=b"s", now=1)
    assert subscription.take_epochs(database, [cursors.EpochStart(2, 60)], 2)
    assert cursors.mark_lsn(database) == 60
    (row,) = partitions.list_partitions(database)
    assert row.state is partitions.PartitionState.WANTED
    assert not subscription.take_epochs(database, [cursors.EpochStart(2, 60)], 3)


def test_a_table_and_a_column_that_the_schema_has_gained_are_there_and_seeded_anew(
    database: sqlite3.Connection,
) -> None:
    """Old rows lack the column's values, so no device is given them meanwhile."""
    partitions.want(database, [PATCH], 1)
    partitions.set_ready(database, PATCH, 1)
    assert not partitions.not_served(database, [PATCH])
    before = database.execute("SELECT sql FROM sqlite_schema ORDER BY name").fetchall()
    for name in ("sales_order", "provisional_sales_order"):
        database.execute(f"DROP TABLE {name}")
    for name in ("visit", "provisional_visit"):
        database.execute(f"ALTER TABLE {name} DROP COLUMN result_code")
    prepare(database, GATEWAY, 2_000)
    assert len(database.execute("SELECT sql FROM sqlite_schema").fetchall()) == len(before)
    assert partitions.not_served(database, [PATCH]) == [PATCH]
    (row,) = partitions.list_partitions(database)
    assert row.state is partitions.PartitionState.WANTED
    partitions.set_ready(database, PATCH, 3_000)
    assert not partitions.not_served(database, [PATCH])


def test_a_lease_that_a_restored_hub_knows_nothing_of_is_asked_for_again(
    database: sqlite3.Connection,
) -> None:
    """Promise 8: the hub once answered "three days"; without its row here the device would wait three days."""
    devices.wish_lease(database, GUEST, 5)
    devices.note_lease(database, DEVICE, expires_at=1_000)
    assert devices.lease_wishes(database, renew_before=100) == [GUEST]
    position = b"p" * 16
    cache.apply_rows(database, rows_of("device", {"id": DEVICE, "lsn": 9, "position_id": position}))
    lease = {"id": OTHER, "lsn": 9, "position_id": position, "gateway_id": GATEWAY, "kind": "lease"}
    cache.apply_rows(database, rows_of("gateway_position", lease))
    assert devices.lease_wishes(database, renew_before=100) == []
    assert devices.lease_wishes(database, renew_before=2_000) == [GUEST]


def test_a_tick_that_was_heard_stays_known_when_the_devices_partition_leaves(
    database: sqlite3.Connection,
) -> None:
    """Promise 5: else its tick here goes back to the batches that came through here, and a guest loses its ticks."""
    devices.note_session(database, devices.Seen(DEVICE, 3, "fast", "1", b"certificate", 5))
    tick = {"id": OTHER, "partition": PATCH, "lsn": 40, "device_id": DEVICE, "device_epoch": 3}
    cache.apply_rows(database, rows_of("device_tick", {**tick, "sequence": 6, "proof": b"word"}))
    inbox.store_batches(database, [batch(5, epoch=3)], 1)
    devices.keep_ticks(database, PATCH)
    cache.forget_partition(database, PATCH)
    assert devices.read_tick(database, DEVICE) == devices.HubTick(3, 6, b"word")
    database.execute("INSERT INTO fm_lost_range (above_lsn, below_lsn) VALUES (39, 41)")
    assert devices.read_tick(database, DEVICE) == devices.HubTick(0, 0)
