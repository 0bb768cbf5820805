"""Captured changes become signed batches; batches wait here for their second tick.

Guarantee: a change is either in `fm_change` or in exactly one batch, because packing reads, signs,
stores and forgets in one transaction (promises 1 and 2). A packed batch is never re-encoded: the
bytes that were signed are the bytes that leave, however often.
"""

import hashlib
import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from device_agent.storage import documents
from device_agent.storage.net_effect import (
    DELETE,
    INSERT,
    UPDATE,
    Captured,
    NetChange,
    net_changes,
)
from device_agent.storage.state import DeviceState, read_state, update_state
from device_agent.storage.ticks import NOWHERE, Place
from fieldmesh.basics.errors import Rejected
from fieldmesh.basics.limits import CLOCK_COUNTER_BITS
from fieldmesh.codec.batch import (
    BatchDraft,
    Change,
    EncodedBody,
    Event,
    Operation,
    decode_header,
    encode_batch,
    encode_header,
    header_of,
)
from fieldmesh.codec.columns import from_rows
from fieldmesh.data.model import ReplicatedTable
from fieldmesh.data.schema import TABLES

DDL = """
CREATE TABLE fm_outbox (
  device_epoch INTEGER NOT NULL,
  sequence INTEGER NOT NULL,
  header BLOB NOT NULL,
  body BLOB NOT NULL,
  signature BLOB NOT NULL,
  sha256 BLOB NOT NULL,
  packed_at INTEGER NOT NULL,
  rows INTEGER NOT NULL,
  one_tick_at INTEGER,
  PRIMARY KEY (device_epoch, sequence)
) STRICT;
CREATE TABLE fm_outbox_row (
  device_epoch INTEGER NOT NULL,
  sequence INTEGER NOT NULL,
  table_no INTEGER NOT NULL,
  row_id BLOB NOT NULL,
  PRIMARY KEY (device_epoch, sequence, table_no, row_id)
) STRICT, WITHOUT ROWID;
"""
_MOST_CLOCK = (1 << 63) - 1
MOST_BATCH_ROWS = 2_000
"""More than a rep makes between two syncs."""
COMFORTABLE_BODY_BYTES = 128 * 1024
"""A larger body is cut between documents: on a slow line (5 KiB/s) each batch gets its tick within half a minute."""
_IDS_A_QUERY = 500


@dataclass(frozen=True, slots=True)
class WaitingBatch:
    """A packed batch without its second tick."""

    device_epoch: int
    sequence: int
    header: bytes
    body: bytes
    signature: bytes
    rows: int

    @property
    def place(self) -> Place:
        """Where it stands among this device's batches."""
        return Place(self.device_epoch, self.sequence)


Signer = Callable[[bytes], bytes]
"""Signs header bytes with the device's key."""


def pack(
    connection: sqlite3.Connection,
    *,
    sign: Signer,
    now: int,
    event: Event | None = None,
) -> int:
    """What was captured is in batches. Returns the number of batches made.

    Args:
        connection: a write transaction of the caller; packing is whole or nothing.
        sign: signs the header of a batch.
        now: device clock, microseconds UTC.
        event: takeover or handover; goes with the last batch, which is made even when nothing
            was captured.
    """
    newest = connection.execute("SELECT max(change_no) FROM fm_change").fetchone()[0]
    changes = _read_changes(connection, newest or 0)
    groups = documents.groups(connection, changes, most=MOST_BATCH_ROWS)
    if event is not None and not groups:
        groups = [[]]
    made = 0
    for number, group in enumerate(groups):
        last = number == len(groups) - 1
        made += _pack_group(connection, group, sign=sign, now=now, event=event if last else None)
    connection.execute("DELETE FROM fm_change WHERE change_no <= ?", (newest or 0,))
    return made


def waiting_after(connection: sqlite3.Connection, place: Place) -> list[WaitingBatch]:
    """Batches after the place that have no second tick, in order."""
    return [
        WaitingBatch(*row)
        for row in connection.execute(
            "SELECT device_epoch, sequence, header, body, signature, rows FROM fm_outbox"
            " WHERE (device_epoch, sequence) > (?, ?) ORDER BY device_epoch, sequence",
            (place.device_epoch, place.sequence),
        )
    ]


def newest_before(connection: sqlite3.Connection, device_epoch: int) -> Place:
    """The newest batch of an earlier epoch that has no second tick; (0, 0) = none."""
    row = connection.execute(
        "SELECT device_epoch, sequence FROM fm_outbox WHERE device_epoch < ?"
        " ORDER BY device_epoch DESC, sequence DESC LIMIT 1",
        (device_epoch,),
    ).fetchone()
    return Place(*row) if row else NOWHERE


def waiting_places_after(connection: sqlite3.Connection, place: Place) -> set[Place]:
    """Where the batches after the place stand that have no second tick."""
    rows = connection.execute(
        "SELECT device_epoch, sequence FROM fm_outbox WHERE (device_epoch, sequence) > (?, ?)",
        (place.device_epoch, place.sequence),
    )
    return {Place(*row) for row in rows}


def renumber_all(connection: sqlite3.Connection, *, sign: Signer, now: int) -> int:
    """Waiting batches of earlier epochs stand in the present one, signed anew; bodies unchanged.

    Used when others went up under these numbers (a restored image, a clone): what waits goes up
    under the epoch that the gateway granted. Returns how many.
    """
    state = read_state(connection)
    moved = [
        batch
        for batch in waiting_after(connection, Place(0, 0))
        if batch.device_epoch != state.device_epoch
    ]
    for batch in moved:
        rows = connection.execute(
            "SELECT table_no, row_id FROM fm_outbox_row WHERE device_epoch = ? AND sequence = ?",
            (batch.device_epoch, batch.sequence),
        ).fetchall()
        _remove(connection, batch.place)
        old = decode_header(batch.header)
        body = EncodedBody(batch.body, old.body_uncompressed_size, old.rows)
        header = encode_header(
            header_of(_draft(read_state(connection), now=now, event=old.event), body)
        )
        _store(connection, (header, batch.body), rows=rows, count=old.rows, sign=sign, now=now)
    return len(moved)


def _remove(connection: sqlite3.Connection, place: Place) -> None:
    for table in ("fm_outbox", "fm_outbox_row"):
        connection.execute(
            f"DELETE FROM {table} WHERE device_epoch = ? AND sequence = ?",  # noqa: S608
            (place.device_epoch, place.sequence),
        )


def take_back(
    connection: sqlite3.Connection,
    header: bytes,
    body: bytes,
    signature: bytes,
    *,
    now: int,
) -> int:
    """The batch waits in the outbox if it is missing there and has no second tick; 1 or 0."""
    found = decode_header(header)
    state = read_state(connection)
    if Place(found.device_epoch, found.sequence) <= Place(state.hub_epoch, state.hub_sequence):
        return 0
    if found.device_id != state.device_id:
        raise Rejected("bad_carrier_file", place="device of the batch")
    return connection.execute(
        "INSERT OR IGNORE INTO fm_outbox (device_epoch, sequence, header, body, signature, sha256,"
        " packed_at, rows) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            found.device_epoch,
            found.sequence,
            header,
            body,
            signature,
            hashlib.sha256(header).digest(),
            now,
            found.rows,
        ),
    ).rowcount


def _read_changes(connection: sqlite3.Connection, newest: int) -> list[NetChange]:
    """The net effect of what was captured, its clocks as those of the network, each above all that were packed before.

    A gateway whose clock is wrong gives an offset that the next gateway takes back; what is written later stays later.
    """
    captured = connection.execute(
        "SELECT change_no, table_no, row_id, operation, columns, clock FROM fm_change"
        " WHERE change_no <= ? ORDER BY change_no",
        (newest,),
    )
    every = {table.number: (1 << len(table.columns)) - 1 for table in TABLES.values()}
    state = read_state(connection)
    offset, newest_clock = state.clock_offset << CLOCK_COUNTER_BITS, state.packed_clock
    changes = net_changes(map(Captured._make, captured), every)
    for change in sorted(changes, key=lambda one: one.clock):
        newest_clock = min(max(change.clock + offset, newest_clock + 1), _MOST_CLOCK)
        change.clock = newest_clock
    update_state(connection, packed_clock=newest_clock)
    return changes


def _pack_group(
    connection: sqlite3.Connection,
    group: list[NetChange],
    *,
    sign: Signer,
    now: int,
    event: Event | None,
) -> int:
    """The group is one batch, or more where its body would be too large. Returns how many."""
    packed = _encoded(connection, group, now=now, event=event)
    if packed is None:
        first, second = documents.halves(connection, group)
        made = _pack_group(connection, first, sign=sign, now=now, event=None)
        return made + _pack_group(connection, second, sign=sign, now=now, event=event)
    rows = [(change.table_no, change.row_id) for change in group]
    _store(connection, packed, rows=rows, count=len(group), sign=sign, now=now)
    return 1


def _encoded(
    connection: sqlite3.Connection, group: list[NetChange], *, now: int, event: Event | None
) -> tuple[bytes, bytes] | None:
    """Header and body of the group's batch; None = it must be cut, or had better be where it can be."""
    try:
        header, body = encode_batch(
            _draft(read_state(connection), now=now, event=event), _changes_of(connection, group)
        )
    except Rejected as error:
        if error.code != "batch_too_large" or len(group) == 1:
            raise
        return None
    large = len(body) > COMFORTABLE_BODY_BYTES
    return None if large and documents.are_several(connection, group) else (header, body)


def _draft(state: DeviceState, *, now: int, event: Event | None) -> BatchDraft:
    """Where the next batch stands: its number, and what came before it."""
    return BatchDraft(
        device_id=state.device_id,
        device_epoch=state.device_epoch,
        sequence=state.next_sequence,
        packed_at=now,
        previous_epoch=state.previous_epoch,
        previous_sequence=state.previous_sequence,
        previous_sha256=state.previous_sha256,
        clock_offset=state.clock_offset,
        event=event,
    )


def _store(
    connection: sqlite3.Connection,
    packed: tuple[bytes, bytes],
    *,
    rows: Iterable[tuple[int, bytes]],
    count: int,
    sign: Signer,
    now: int,
) -> None:
    """The batch waits, signed, and the device's numbers have moved on."""
    state = read_state(connection)
    place = (state.device_epoch, state.next_sequence)
    header, body = packed
    sha256 = hashlib.sha256(header).digest()
    connection.execute(
        "INSERT INTO fm_outbox (device_epoch, sequence, header, body, signature, sha256,"
        " packed_at, rows) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (*place, header, body, sign(header), sha256, now, count),
    )
    connection.executemany(
        "INSERT INTO fm_outbox_row (device_epoch, sequence, table_no, row_id) VALUES (?, ?, ?, ?)",
        [(*place, *row) for row in rows],
    )
    update_state(connection, next_sequence=state.next_sequence + 1, previous_sha256=sha256)


def _changes_of(connection: sqlite3.Connection, group: list[NetChange]) -> list[Change]:
    """Parents before children; deletions last, children before parents."""
    by_kind: dict[tuple[int, int, int], list[NetChange]] = {}
    for net in group:
        mask = net.columns if net.operation == UPDATE else 0
        by_kind.setdefault((net.table_no, net.operation, mask), []).append(net)
    made: list[Change] = []
    gone: list[Change] = []
    for table in TABLES.values():
        kinds = sorted(kind for kind in by_kind if kind[0] == table.number)
        for kind in kinds:
            if kind[1] == DELETE:
                gone.insert(0, _deletion(table, by_kind[kind]))
            else:
                names = _names(table, kind[1], kind[2])
                if names:
                    made.append(_written(connection, table, by_kind[kind], names))
    return made + gone


def _names(table: ReplicatedTable, operation: int, mask: int) -> tuple[str, ...]:
    """Columns that go up: never what only head office writes."""
    hub = table.policy.hub_columns
    if operation == INSERT:
        business = [column.name for column in table.columns if column.name not in hub]
        return ("id", "created_at", "changed_at", *business)
    changed = [
        column.name
        for position, column in enumerate(table.columns)
        if mask >> position & 1 and column.name not in hub
    ]
    return ("id", "changed_at", *changed) if changed else ()


def _written(
    connection: sqlite3.Connection,
    table: ReplicatedTable,
    nets: list[NetChange],
    names: tuple[str, ...],
) -> Change:
    clocks = {net.row_id: net.clock for net in nets}
    ids = list(clocks)
    found: list[tuple[Any, ...]] = []
    for start in range(0, len(ids), _IDS_A_QUERY):
        piece = ids[start : start + _IDS_A_QUERY]
        found += connection.execute(
            f"SELECT {', '.join(names)} FROM {table.name}"  # noqa: S608
            f" WHERE id IN ({', '.join('?' * len(piece))})",
            piece,
        ).fetchall()
    rows = from_rows(table.name, names, found)
    operation = Operation.INSERT if nets[0].operation == INSERT else Operation.UPDATE
    return Change(operation, rows, [clocks[row[0]] for row in found] if table.merges else [])


def _deletion(table: ReplicatedTable, nets: list[NetChange]) -> Change:
    rows = from_rows(table.name, ("id",), [(net.row_id,) for net in nets])
    return Change(Operation.DELETE, rows, [net.clock for net in nets] if table.merges else [])
