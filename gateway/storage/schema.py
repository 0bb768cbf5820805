"""The gateway's own tables, and which replicated tables it keeps.

Replicated tables come from ``fieldmesh.data``: this module adds the system tables of
``docs/architecture/core.md`` section 8 and works out column lists once.
"""

from __future__ import annotations

from typing import Final

from fieldmesh.data.ddl import PROVISIONAL_PREFIX
from fieldmesh.data.policy import Audience
from fieldmesh.data.schema import TABLES

DATABASE_VERSION: Final = 3
"""Version of the system tables; migrations/ holds the steps between versions."""

CACHED_TABLES: Final[tuple[str, ...]] = tuple(
    name for name, table in TABLES.items() if table.policy.audience is not Audience.HUB
)
"""Tables whose rows the hub sends to gateways."""

DEVICE_TABLES: Final[tuple[str, ...]] = tuple(
    name for name, table in TABLES.items() if table.policy.audience is Audience.DEVICE
)
"""Tables whose rows also go to devices: digests that a device is told cover these only."""

PROVISIONAL_TABLES: Final[tuple[str, ...]] = tuple(
    name for name in DEVICE_TABLES if TABLES[name].device_writable
)
"""Tables that can hold rows which a device brought and the hub has not applied yet."""

DOWNLOAD_ORDER: Final[tuple[str, ...]] = tuple(
    sorted(DEVICE_TABLES, key=lambda name: TABLES[name].download_priority)
)
"""Today's route, prices and stock first, the rest after."""

WIRE_COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    name: TABLES[name].wire_names for name in CACHED_TABLES
}
TABLE_NUMBER: Final[dict[str, int]] = {name: TABLES[name].number for name in TABLES}


def provisional(table: str) -> str:
    """The name of the table that holds the provisional rows of ``table``."""
    return f"{PROVISIONAL_PREFIX}{table}"


SYSTEM_STATEMENTS: Final[tuple[str, ...]] = (
    """CREATE TABLE fm_state (
        only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
        gateway_id BLOB NOT NULL,
        database_version INTEGER NOT NULL,
        schema_version INTEGER NOT NULL,
        mark_lsn INTEGER NOT NULL DEFAULT 0,
        marked_at INTEGER NOT NULL DEFAULT 0,
        down_sequence INTEGER NOT NULL DEFAULT 0,
        hub_epochs TEXT NOT NULL DEFAULT '[]',
        shards INTEGER NOT NULL DEFAULT 1,
        bandwidth TEXT NOT NULL DEFAULT '[]',
        compat_version INTEGER NOT NULL DEFAULT 1,
        release TEXT NOT NULL DEFAULT '',
        hub_schema_version INTEGER NOT NULL DEFAULT 0
    ) STRICT""",
    """CREATE TABLE fm_inbox (
        device_id BLOB NOT NULL,
        device_epoch INTEGER NOT NULL,
        sequence INTEGER NOT NULL,
        sha256 BLOB NOT NULL,
        received_at INTEGER NOT NULL,
        outbox_number INTEGER NOT NULL,
        applied_lsn INTEGER,
        hub_tick BLOB,
        differs INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (device_id, device_epoch, sequence, sha256)
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE fm_outbox (
        outbox_number INTEGER PRIMARY KEY AUTOINCREMENT,
        kind TEXT NOT NULL,
        payload BLOB NOT NULL,
        device_id BLOB NOT NULL,
        device_epoch INTEGER NOT NULL,
        sequence INTEGER NOT NULL,
        queued_at INTEGER NOT NULL,
        published_at INTEGER,
        attempts INTEGER NOT NULL DEFAULT 0,
        receipt_lsn INTEGER,
        receipted_at INTEGER,
        decision TEXT
    ) STRICT""",
    "CREATE INDEX fm_outbox_open ON fm_outbox (outbox_number) WHERE receipted_at IS NULL",
    "CREATE INDEX fm_outbox_batch ON fm_outbox (device_id, device_epoch, sequence)",
    "CREATE INDEX fm_outbox_receipted ON fm_outbox (receipted_at) WHERE receipted_at IS NOT NULL",
    """CREATE TABLE fm_provisional_batch (
        device_id BLOB NOT NULL,
        device_epoch INTEGER NOT NULL,
        sequence INTEGER NOT NULL,
        table_no INTEGER NOT NULL,
        PRIMARY KEY (device_id, device_epoch, sequence, table_no)
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE fm_device (
        device_id BLOB PRIMARY KEY,
        used_epoch INTEGER NOT NULL DEFAULT 0,
        granted_epoch INTEGER NOT NULL DEFAULT 0,
        suspended_by BLOB,
        suspended_at_lsn INTEGER,
        handover_epoch INTEGER NOT NULL DEFAULT 0,
        handover_sequence INTEGER NOT NULL DEFAULT 0,
        heard_epoch INTEGER NOT NULL DEFAULT 0,
        heard_sequence INTEGER NOT NULL DEFAULT 0,
        heard_proof BLOB,
        heard_lsn INTEGER NOT NULL DEFAULT 0,
        certificate BLOB,
        first_seen_at INTEGER NOT NULL,
        last_session_at INTEGER NOT NULL,
        last_mode TEXT NOT NULL DEFAULT '',
        app_version TEXT NOT NULL DEFAULT ''
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE fm_lease_wish (
        device_id BLOB PRIMARY KEY,
        wished_at INTEGER NOT NULL,
        presence BLOB NOT NULL,
        presence_at INTEGER NOT NULL,
        certificate BLOB NOT NULL,
        expires_at INTEGER NOT NULL DEFAULT 0
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE fm_partition (
        partition INTEGER PRIMARY KEY,
        state TEXT NOT NULL,
        served INTEGER NOT NULL DEFAULT 0,
        whole INTEGER NOT NULL DEFAULT 1,
        seed_id BLOB,
        next_chunk INTEGER NOT NULL DEFAULT 0,
        chunks INTEGER NOT NULL DEFAULT 0,
        seed_rows INTEGER NOT NULL DEFAULT 0,
        seed_lsn INTEGER NOT NULL DEFAULT 0,
        seed_horizon_lsn INTEGER NOT NULL DEFAULT 0,
        horizon_lsn INTEGER NOT NULL DEFAULT 0,
        progressed_at INTEGER NOT NULL DEFAULT 0,
        problem TEXT NOT NULL DEFAULT ''
    ) STRICT""",
    """CREATE TABLE fm_seed_chunk (
        partition INTEGER NOT NULL,
        chunk INTEGER NOT NULL,
        payload BLOB NOT NULL,
        PRIMARY KEY (partition, chunk)
    ) STRICT""",
    """CREATE TABLE fm_removal (
        partition INTEGER NOT NULL,
        lsn INTEGER NOT NULL,
        table_no INTEGER NOT NULL,
        row_id BLOB NOT NULL,
        PRIMARY KEY (partition, lsn, table_no, row_id)
    ) STRICT, WITHOUT ROWID""",
    "CREATE INDEX fm_removal_row ON fm_removal (partition, table_no, row_id, lsn)",
    """CREATE TABLE fm_lost_range (
        above_lsn INTEGER NOT NULL,
        below_lsn INTEGER NOT NULL,
        PRIMARY KEY (above_lsn, below_lsn)
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE fm_mark_day (
        day INTEGER PRIMARY KEY,
        mark_lsn INTEGER NOT NULL
    ) STRICT""",
    """CREATE TABLE fm_session (
        session_id BLOB NOT NULL,
        device_id BLOB NOT NULL,
        mode TEXT NOT NULL,
        started_at INTEGER NOT NULL,
        ended_at INTEGER,
        clock_skew INTEGER NOT NULL DEFAULT 0,
        rows_up INTEGER NOT NULL DEFAULT 0,
        rows_down INTEGER NOT NULL DEFAULT 0,
        bytes_up INTEGER NOT NULL DEFAULT 0,
        bytes_down INTEGER NOT NULL DEFAULT 0,
        outcome TEXT NOT NULL DEFAULT 'cut',
        problem TEXT NOT NULL DEFAULT '',
        app_version TEXT NOT NULL DEFAULT '',
        network TEXT NOT NULL DEFAULT '',
        resumed INTEGER NOT NULL DEFAULT 0,
        mark_lsn INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (device_id, session_id)
    ) STRICT""",
    "CREATE INDEX fm_session_started ON fm_session (started_at)",
    "CREATE INDEX fm_session_open ON fm_session (session_id) WHERE ended_at IS NULL",
    """CREATE TABLE fm_download (
        download_id BLOB PRIMARY KEY,
        device_id BLOB NOT NULL,
        kind TEXT NOT NULL,
        variant BLOB NOT NULL,
        path TEXT NOT NULL,
        description BLOB NOT NULL,
        size INTEGER NOT NULL,
        made_at INTEGER NOT NULL,
        used_at INTEGER NOT NULL
    ) STRICT""",
    "CREATE INDEX fm_download_device ON fm_download (device_id, kind)",
    """CREATE TABLE fm_blob (
        sha256 BLOB PRIMARY KEY,
        size INTEGER NOT NULL,
        held INTEGER NOT NULL DEFAULT 0,
        complete INTEGER NOT NULL DEFAULT 0,
        sent INTEGER NOT NULL DEFAULT 0,
        changed_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID""",
    "CREATE INDEX fm_blob_unsent ON fm_blob (changed_at) WHERE complete = 1 AND sent < size",
    "CREATE INDEX fm_device_by_position ON device (position_id)",
    "CREATE INDEX fm_subscription_by_position ON subscription (position_id)",
    "CREATE INDEX fm_tick_by_device ON device_tick (device_id)",
    "CREATE INDEX fm_sign_in_by_login ON sign_in (login)",
)
"""System tables. fm_inbox holds one row per batch and per differing copy of it (differs = 1)."""
