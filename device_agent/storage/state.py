"""The one row that says where this device stands: `fm_device`.

The trigger switches (applying, retired, locked, clock) stand in `fm_state`, which belongs to the
kernel's triggers; everything else that the agent must remember between sessions stands here.
"""

import dataclasses
import sqlite3
from dataclasses import dataclass
from typing import cast

DDL = """
CREATE TABLE fm_device (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  device_id BLOB NOT NULL,
  position_id BLOB NOT NULL,
  spare INTEGER NOT NULL,
  document_prefix TEXT NOT NULL,
  device_epoch INTEGER NOT NULL,
  next_sequence INTEGER NOT NULL,
  previous_epoch INTEGER NOT NULL,
  previous_sequence INTEGER NOT NULL,
  previous_sha256 BLOB NOT NULL,
  cursor_lsn INTEGER NOT NULL,
  hub_epoch INTEGER NOT NULL,
  hub_sequence INTEGER NOT NULL,
  seen_epoch INTEGER NOT NULL,
  seen_sequence INTEGER NOT NULL,
  clock_offset INTEGER NOT NULL,
  must_initialize INTEGER NOT NULL,
  first_device_id BLOB NOT NULL,
  handover_epoch INTEGER NOT NULL,
  handover_sequence INTEGER NOT NULL,
  last_full_at INTEGER NOT NULL,
  session_us INTEGER NOT NULL,
  schema_version INTEGER NOT NULL,
  successor TEXT NOT NULL DEFAULT '',
  release TEXT NOT NULL DEFAULT '',
  network_schema INTEGER NOT NULL DEFAULT 0,
  hub_proof BLOB NOT NULL DEFAULT x'',
  packed_clock INTEGER NOT NULL DEFAULT 0
) STRICT
"""


@dataclass(frozen=True, slots=True)
class DeviceState:
    """Where a device stands. Times are microseconds UTC, identifiers 16 bytes or empty."""

    device_id: bytes
    position_id: bytes
    spare: int
    document_prefix: str
    device_epoch: int = 1
    next_sequence: int = 1
    previous_epoch: int = 0
    """Where the device stood before this epoch; goes into batch 1."""
    previous_sequence: int = 0
    previous_sha256: bytes = b""
    """sha256 of the newest packed batch's header, in whatever epoch."""
    cursor_lsn: int = 0
    hub_epoch: int = 0
    """Two ticks: what the hub has applied, as far as the device has heard."""
    hub_sequence: int = 0
    seen_epoch: int = 0
    """What the hub had applied as of cursor_lsn: its echo is in this database."""
    seen_sequence: int = 0
    clock_offset: int = 0
    """Gateway time minus device time, as measured last, microseconds."""
    must_initialize: int = 0
    first_device_id: bytes = b""
    """A spare in use: the device that it stands in for."""
    handover_epoch: int = 0
    """The epoch of the last handover, also after it; 0 = none, or stands in again since."""
    handover_sequence: int = 0
    """The batch that hands everything over, until head office has it; 0 = none."""
    last_full_at: int = 0
    session_us: int = 0
    schema_version: int = 0
    release: str = ""
    """Which release wrote the database last."""
    network_schema: int = 0
    """The newest schema version that rows of the network come from; 0 = not heard yet."""
    hub_proof: bytes = b""
    """The hub's signed word of hub_epoch and hub_sequence; empty = none was kept."""
    packed_clock: int = 0
    """The newest clock in any batch so far: no later change has one below it, also when clock_offset goes back."""

    @property
    def last_sequence(self) -> int:
        """Newest batch packed in this epoch; 0 = none."""
        return self.next_sequence - 1


NAMES = tuple(field.name for field in dataclasses.fields(DeviceState))
_SELECT = f"SELECT {', '.join(NAMES)} FROM fm_device"  # noqa: S608  (names of the dataclass)


def read_state(connection: sqlite3.Connection) -> DeviceState:
    """Where the device stands, within the caller's transaction."""
    return DeviceState(*connection.execute(_SELECT).fetchone())


def insert_state(connection: sqlite3.Connection, state: DeviceState) -> None:
    """A new database knows where its device stands."""
    marks = ", ".join("?" * len(NAMES))
    connection.execute(
        f"INSERT INTO fm_device (one, {', '.join(NAMES)}) VALUES (1, {marks})",  # noqa: S608
        dataclasses.astuple(state),
    )


def update_state(connection: sqlite3.Connection, **changes: int | str | bytes) -> None:
    """The named columns have the given values.

    Raises:
        KeyError: a name that is no column.
    """
    unknown = changes.keys() - set(NAMES)
    if unknown:
        raise KeyError(*unknown)
    text = ", ".join(f"{name} = ?" for name in changes)
    connection.execute(f"UPDATE fm_device SET {text}", tuple(changes.values()))  # noqa: S608


def is_locked(connection: sqlite3.Connection) -> bool:
    """Whether the device has handed over and takes no more work."""
    return cast("int", connection.execute("SELECT locked FROM fm_state").fetchone()[0]) == 1


def is_retired(connection: sqlite3.Connection) -> bool:
    """Whether another file was made complete with everything that is here."""
    return cast("int", connection.execute("SELECT retired FROM fm_state").fetchone()[0]) == 1


def set_locked(connection: sqlite3.Connection, *, locked: bool) -> None:
    """Programs that write to replicated tables are refused, or no longer."""
    connection.execute("UPDATE fm_state SET locked = ?", (int(locked),))
