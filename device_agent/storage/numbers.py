"""Counters of document numbers, which must never give a number twice."""

import sqlite3

from device_agent.storage.state import read_state, update_state

DDL = """
CREATE TABLE fm_number (
  document_kind TEXT PRIMARY KEY NOT NULL,
  last_number INTEGER NOT NULL
) STRICT
"""


def begin_anew(connection: sqlite3.Connection, prefix: str) -> None:
    """Documents are numbered under a prefix of their own from now on: K07 becomes K07R9.

    A restored image has old counters, so numbers under the old prefix may have been given.

    Args:
        connection: to the new database.
        prefix: that the device was enrolled with.
    """
    update_state(connection, document_prefix=f"{prefix}R{read_state(connection).device_epoch}")
