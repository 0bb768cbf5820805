"""What gateways and the hub have of this device's batches.

One tick: a gateway holds the batch; two ticks: the hub has applied it. Ticks of a gateway are
remembered per gateway, because each gateway must be offered what it lacks (promise 1, No loss):
a batch is offered to every gateway that is met until its second tick.
"""

import sqlite3
from dataclasses import dataclass

from device_agent.storage.state import read_state, update_state

DDL = """
CREATE TABLE fm_tick (
  gateway_id BLOB PRIMARY KEY NOT NULL,
  device_epoch INTEGER NOT NULL,
  sequence INTEGER NOT NULL,
  at INTEGER NOT NULL
) STRICT
"""


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A batch by device epoch and sequence; places are ordered as batches are made."""

    device_epoch: int
    sequence: int


NOWHERE = Place(0, 0)


@dataclass(frozen=True, slots=True)
class Standing:
    """How many rows and batches stand where; what a person sees as saved, one and two ticks."""

    saved_rows: int
    """Captured or packed; no gateway has them."""
    at_gateway_rows: int
    """One tick."""
    waiting_batches: int
    """Batches without their second tick."""
    at_head_office_sequence: int
    """Newest batch that the hub has applied, in `hub_epoch`."""
    hub_epoch: int


def held_by(connection: sqlite3.Connection, gateway_id: bytes) -> Place:
    """The newest batch that this gateway has said it holds, with all before it."""
    row = connection.execute(
        "SELECT device_epoch, sequence FROM fm_tick WHERE gateway_id = ?", (gateway_id,)
    ).fetchone()
    return Place(*row) if row else NOWHERE


def record_ticks(
    connection: sqlite3.Connection,
    gateway_id: bytes,
    *,
    gateway: Place,
    hub: Place,
    hub_sha256: bytes,
    hub_proof: bytes,
    now: int,
) -> int:
    """The ticks are remembered, and what has two ticks is forgotten.

    A gateway that holds less than it did has lost its disk: it is offered everything again, also
    batches of earlier epochs.
    The hub's tick only grows. One that names another batch than this device's, or one beyond its
    newest, is about a clone of it, and says nothing about what waits here: the device must
    initialize, and gives it anew. Until then no tick of the hub counts: it may be of a batch that
    follows the clone's.
    Returns the number of batches forgotten. Repeating it is harmless.
    Promise 1 (No loss): a batch leaves the device here and nowhere else.
    """
    if gateway < held_by(connection, gateway_id):
        forget_tick(connection, gateway_id)
        gateway = NOWHERE
    note_clone(connection, hub, hub_sha256)
    state = read_state(connection)
    if state.must_initialize:
        hub = NOWHERE
    connection.execute(
        "INSERT INTO fm_tick (gateway_id, device_epoch, sequence, at) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (gateway_id) DO UPDATE SET device_epoch = excluded.device_epoch,"
        " sequence = excluded.sequence, at = excluded.at",
        (gateway_id, gateway.device_epoch, gateway.sequence, now),
    )
    if NOWHERE < hub >= Place(state.hub_epoch, state.hub_sequence):
        update_state(
            connection,
            hub_epoch=hub.device_epoch,
            hub_sequence=hub.sequence,
            hub_proof=hub_proof,
        )
    connection.execute(
        "UPDATE fm_outbox SET one_tick_at = ? WHERE one_tick_at IS NULL"
        " AND (device_epoch, sequence) <= (?, ?)",
        (now, gateway.device_epoch, gateway.sequence),
    )
    return connection.execute(
        "DELETE FROM fm_outbox WHERE (device_epoch, sequence) <= (?, ?)",
        (hub.device_epoch, hub.sequence),
    ).rowcount


def forget_tick(connection: sqlite3.Connection, gateway_id: bytes) -> None:
    """The gateway is offered everything that has no second tick: it has lost what it held.

    What no other gateway has said that it holds has no first tick any more.
    """
    connection.execute("DELETE FROM fm_tick WHERE gateway_id = ?", (gateway_id,))
    newest = connection.execute(
        "SELECT device_epoch, sequence FROM fm_tick ORDER BY device_epoch DESC, sequence DESC"
    ).fetchone()
    connection.execute(
        "UPDATE fm_outbox SET one_tick_at = NULL WHERE (device_epoch, sequence) > (?, ?)",
        newest or (0, 0),
    )


def note_clone(connection: sqlite3.Connection, hub: Place, sha256: bytes) -> None:
    """The device must initialize where head office has decided on another batch under this number.

    Or on one that the device never packed: a restored image, the clone of which is ahead.
    """
    state = read_state(connection)
    never_packed = hub >= Place(state.device_epoch, state.next_sequence)
    row = connection.execute(
        "SELECT sha256 FROM fm_outbox WHERE device_epoch = ? AND sequence = ?",
        (hub.device_epoch, hub.sequence),
    ).fetchone()
    if never_packed or (row is not None and row[0] != sha256):
        update_state(connection, must_initialize=1)


def record_echo(connection: sqlite3.Connection, hub: Place) -> None:
    """The database now holds the hub's version of every row up to this batch.

    From here on those rows are ordinary rows again: downloads may replace or remove them.
    """
    state = read_state(connection)
    if hub > Place(state.seen_epoch, state.seen_sequence):
        update_state(connection, seen_epoch=hub.device_epoch, seen_sequence=hub.sequence)
    connection.execute(
        "DELETE FROM fm_outbox_row WHERE (device_epoch, sequence) <= (?, ?)",
        (hub.device_epoch, hub.sequence),
    )


def stand_at(connection: sqlite3.Connection, gateway_id: bytes, held: Place) -> None:
    """Batch 1 of the present epoch will name where the device stood: the newest batch that somebody holds.

    For a restored image or a clone, all of whose waiting batches are numbered anew: what it packed and nobody took
    under the old numbers never comes, and head office would wait for it for ever. What any gateway was seen to hold
    does come, and head office has said of some that it decided them: a restored one must get them from gateways first.

    Args:
        connection: to the new database.
        gateway_id: of the session; what it said in earlier ones does not count, it may have lost its disk.
        held: the newest batch that it holds now.
    """
    others = connection.execute(
        "SELECT device_epoch, sequence FROM fm_tick WHERE gateway_id <> ?", (gateway_id,)
    ).fetchall()
    state = read_state(connection)
    known = [held, Place(state.hub_epoch, state.hub_sequence), *(Place(*row) for row in others)]
    known = [one for one in known if one.sequence and one.device_epoch < state.device_epoch]
    stood = max(known, default=NOWHERE)
    update_state(connection, previous_epoch=stood.device_epoch, previous_sequence=stood.sequence)


def standing(connection: sqlite3.Connection) -> Standing:
    """How many rows stand where."""
    state = read_state(connection)
    captured = connection.execute(
        "SELECT count(*) FROM (SELECT DISTINCT table_no, row_id FROM fm_change)"
    ).fetchone()[0]
    packed, ticked, batches = connection.execute(
        "SELECT coalesce(sum(CASE WHEN one_tick_at IS NULL THEN rows END), 0),"
        " coalesce(sum(CASE WHEN one_tick_at IS NOT NULL THEN rows END), 0), count(*)"
        " FROM fm_outbox"
    ).fetchone()
    return Standing(
        saved_rows=captured + packed,
        at_gateway_rows=ticked,
        waiting_batches=batches,
        at_head_office_sequence=state.hub_sequence,
        hub_epoch=state.hub_epoch,
    )
