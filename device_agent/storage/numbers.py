"""Counters of document numbers, which must never give a number twice."""

import re
import sqlite3

from device_agent.storage.state import read_state, update_state

DDL = """
CREATE TABLE fm_number (
  document_kind TEXT PRIMARY KEY NOT NULL,
  last_number INTEGER NOT NULL
) STRICT
"""


def begin_anew(connection: sqlite3.Connection) -> None:
    """Documents are numbered under a prefix of their own from now on: K07 becomes K07R9.

    A restored image has old counters, so numbers under the old prefix may have been given.
    """
    state = read_state(connection)
    plain = re.sub(r"R\d+$", "", state.document_prefix)
    update_state(connection, document_prefix=f"{plain}R{state.device_epoch}")
