"""A snapshot replaces the database in one step (promise 4, Whole).

Plan, each step of which may be cut and done again:

1. a new file `<n+1>.db` is filled from the snapshot; nobody uses it;
2. in one write transaction of the old database, so that no program can write meanwhile: what
   waits (batches, changes, their rows, journal, numbers) is carried into the new file, the new
   file is committed and fsynced, the old one is marked retired and names its successor;
3. `CURRENT` is renamed to the successor;
4. the old file is deleted.

A crash before the commit of 2 leaves an orphan, deleted at the next opening. A crash after it
leaves a retired database whose successor is known: `settle` does 3 and 4. A program that still has
the old file open is refused by its triggers, so no write can be lost in a file that nobody reads.
"""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from sqlcipher3 import dbapi2 as sqlcipher

from device_agent.storage import schema
from device_agent.storage.database import DeviceDatabase, connect
from device_agent.storage.gateways import replace_hub_list
from device_agent.storage.held import pending_rows
from device_agent.storage.home import Home
from device_agent.storage.identity import load_facts, load_private_key
from device_agent.storage.state import (
    DeviceState,
    insert_state,
    is_retired,
    read_state,
)
from device_agent.storage.ticks import Place
from fieldmesh.basics.errors import Rejected
from fieldmesh.basics.release import RELEASE
from fieldmesh.data.schema import SCHEMA_VERSION, TABLES
from fieldmesh.service.files import sync

_CARRIED = (
    "fm_outbox",
    "fm_outbox_row",
    "fm_change",
    "fm_tick",
    "fm_session",
    "fm_number",
    "fm_gateway",
    "fm_photo",
)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the gateway says about a snapshot."""

    mark_lsn: int
    partitions: list[int]
    answered: Place
    """The newest own batch that the hub had applied as of the mark."""
    uncompressed_bytes: int


@dataclass(frozen=True, slots=True)
class Turn:
    """How the device goes on in the new database."""

    epoch: int
    """Device epoch from now on; 0 = unchanged."""
    now: int
    """Device clock, microseconds UTC."""
    last: Callable[[sqlite3.Connection], object]
    """Runs in the new database, in the transaction that makes it complete."""
    restored: bool = False
    """The old database is a restored image or a clone: what the hub has applied under its numbers
    is not what it holds, so everything that waits goes up again; the hub takes its rows once."""


async def replace_database(
    old: DeviceDatabase, home: Home, path: Path, snapshot: Snapshot, turn: Turn
) -> DeviceDatabase:
    """The new file is the live database, with everything that waits; the old one is gone.

    Args:
        old: the live database; closed afterwards.
        home: where the files are.
        path: the file that `build` made.
        snapshot: what the gateway said about it.
        turn: how the device goes on in it.
    """

    def carry_over(connection: sqlite3.Connection) -> sqlite3.Connection:
        new = connect(path, old.key)
        try:
            carry(connection, new, snapshot, turn)
            sync(path)
            connection.execute("UPDATE fm_device SET successor = ?", (path.name,))
            connection.execute("UPDATE fm_state SET retired = 1")
        except BaseException:
            new.close()
            raise
        return new

    new = await DeviceDatabase.adopt(path, old.key, await old.write(carry_over))
    try:
        home.make_current(path)
    except BaseException:
        await new.close()
        raise
    await old.close()
    home.remove_database(old.path)
    return new


def settle(home: Home, key: bytes) -> Path:
    """The live database's path; a swap that was cut is finished first. Promise 4.

    A successor that is gone was never live, so everything is still in the old file: that goes on. Promise 1.
    """
    path = home.current_database()
    connection = connect(path, key)
    try:
        if not is_retired(connection):
            return path
        successor = home.data / connection.execute("SELECT successor FROM fm_device").fetchone()[0]
        if not successor.is_file():
            connection.execute("UPDATE fm_state SET retired = 0")
            return path
    finally:
        connection.close()
    home.make_current(successor)
    return home.current_database()


def begin_anew(home: Home, key: bytes) -> Path:
    """A database that cannot be read is put aside; an empty one of the same device is live.

    What waited in the old one is lost to the device (promise 1 does not reach this far: somebody
    was told and forced it). Document numbers go on under a prefix of their own (K07 becomes K07N3),
    because the old counters are lost too; R belongs to epochs (`storage.numbers`), so N is ours.
    Its batch numbers may have been used before: it must initialize, as a restored image.

    Raises:
        Rejected: `initialize_needed`: the database can be read, so nothing has to be lost;
            `sealed_file_damaged`: the key is not this device's, so it says nothing about the database.
    """
    load_private_key(home, key)
    old = home.current_database()
    if not _is_sound(old, key):
        fresh = home.next_database()
        facts, gateways = load_facts(home)
        schema.create_database(
            fresh,
            key,
            replace(
                facts,
                document_prefix=f"{facts.document_prefix}N{fresh.stem}",
                must_initialize=1,
            ),
            lambda found: replace_hub_list(found, gateways),
        )
        home.make_current(fresh)
        home.keep_damaged(old)
        return fresh
    raise Rejected("initialize_needed", place=old.name)


def _is_sound(path: Path, key: bytes) -> bool:
    """Whether every page of the database is as it was sealed, and SQLite finds its rows."""
    try:
        with closing(connect(path, key)) as found:
            if found.execute("PRAGMA cipher_integrity_check").fetchone() is not None:
                return False
            return bool(found.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok")
    except (Rejected, sqlcipher.Error):
        return False


def carry(old: sqlite3.Connection, new: sqlite3.Connection, snapshot: Snapshot, turn: Turn) -> None:
    """What waits in the old database is in the new one too, committed.

    Rows with local changes that the hub has not answered as of the snapshot keep their content
    and take over the snapshot's bookkeeping, as after a delta.
    """
    new.execute("BEGIN IMMEDIATE")
    new.execute(
        "UPDATE fm_state SET applying = 1, clock = ?",
        _one(old, "SELECT clock FROM fm_state"),
    )
    for table in _CARRIED:
        _copy_own(old, new, table)
    # Of a restored image only those whose batch has gone are answered: what waits goes up again.
    new.execute(
        "DELETE FROM fm_outbox_row WHERE (device_epoch, sequence) <= (?, ?)"
        " AND NOT (? AND (device_epoch, sequence) IN"
        " (SELECT device_epoch, sequence FROM fm_outbox))",
        (snapshot.answered.device_epoch, snapshot.answered.sequence, turn.restored),
    )
    _lay_over(old, new)
    insert_state(new, _state_after(read_state(old), snapshot, turn))
    new.execute("DELETE FROM fm_partition")
    new.executemany(
        "INSERT INTO fm_partition (partition) VALUES (?)",
        [(partition,) for partition in dict.fromkeys(snapshot.partitions)],
    )
    locked = _one(old, "SELECT locked FROM fm_state")
    new.execute("UPDATE fm_state SET applying = 0, locked = ?", locked)
    turn.last(new)
    new.execute("COMMIT")
    new.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _state_after(state: DeviceState, snapshot: Snapshot, turn: Turn) -> DeviceState:
    after = replace(
        state,
        cursor_lsn=snapshot.mark_lsn,
        seen_epoch=snapshot.answered.device_epoch,
        seen_sequence=snapshot.answered.sequence,
        must_initialize=0,
        last_full_at=turn.now,
        schema_version=SCHEMA_VERSION,
        release=RELEASE,
    )
    return in_epoch(after, turn.epoch) if turn.epoch else after


def in_epoch(state: DeviceState, epoch: int) -> DeviceState:
    """The state in a new device epoch: sequences begin at 1, and batch 1 names where it stood."""
    stood = (
        (state.device_epoch, state.last_sequence)
        if state.last_sequence
        else (state.previous_epoch, state.previous_sequence)
    )
    return replace(
        state,
        device_epoch=epoch,
        next_sequence=1,
        previous_epoch=stood[0],
        previous_sequence=stood[1],
    )


def _copy_own(old: sqlite3.Connection, new: sqlite3.Connection, table: str) -> None:
    names = [line[1] for line in new.execute(f"PRAGMA table_info({table})")]
    held = {line[1] for line in old.execute(f"PRAGMA table_info({table})")}
    both = [name for name in names if name in held]
    columns = ", ".join(both)
    marks = ", ".join("?" * len(both))
    new.execute(f"DELETE FROM {table}")  # noqa: S608
    new.executemany(
        f"INSERT INTO {table} ({columns}) VALUES ({marks})",  # noqa: S608
        old.execute(f"SELECT {columns} FROM {table}"),  # noqa: S608
    )


def _lay_over(old: sqlite3.Connection, new: sqlite3.Connection) -> None:
    """Rows with local changes are as the person left them."""
    by_number = {table.number: table for table in TABLES.values()}
    for table_no, ids in pending_rows(new).items():
        table = by_number[table_no]
        content = [
            "created_at",
            "changed_at",
            *(column.name for column in table.columns),
        ]
        names = ", ".join(["id", *content])
        sets = ", ".join(f"{name} = excluded.{name}" for name in content)
        insert = (
            f"INSERT INTO {table.name} ({names}) VALUES ({', '.join('?' * (len(content) + 1))})"  # noqa: S608
            f" ON CONFLICT (id) DO UPDATE SET {sets}"
        )
        for row_id in ids:
            row = old.execute(
                f"SELECT {names} FROM {table.name} WHERE id = ?",  # noqa: S608
                (row_id,),
            ).fetchone()
            if row is not None:
                new.execute(insert, row)
                continue
            new.execute(
                "INSERT OR REPLACE INTO fm_deleted_row"  # noqa: S608
                " (table_no, row_id, partition, lsn, row_hash)"
                f" SELECT {table_no}, id, partition, lsn, row_hash FROM {table.name}"
                " WHERE id = ? AND lsn > 0",
                (row_id,),
            )
            new.execute(f"DELETE FROM {table.name} WHERE id = ?", (row_id,))  # noqa: S608
        new.execute("DELETE FROM fm_provisional WHERE table_no = ?", (table_no,))
        new.execute(
            f"INSERT INTO fm_provisional SELECT {table_no}, id FROM {table.name} WHERE lsn = 0"  # noqa: S608
        )
        new.executemany(
            f"DELETE FROM fm_provisional WHERE table_no = {table_no} AND row_id = ?",  # noqa: S608
            [(row_id,) for row_id in ids],
        )


def _one(connection: sqlite3.Connection, query: str) -> tuple[int, ...]:
    found: tuple[int, ...] = connection.execute(query).fetchone()
    return found
