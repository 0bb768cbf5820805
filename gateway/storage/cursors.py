"""Where the gateway stands: its mark, the hub's epochs, shards, bandwidth hours."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from fieldmesh.basics.epochs import make_lsn
from fieldmesh.data.schema import SCHEMA_VERSION

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class EpochStart:
    """A hub epoch and the last LSN of the epochs before it that counts."""

    epoch: int
    began_after: int


@dataclass(frozen=True, slots=True)
class BandwidthRule:
    """Between two minutes of the local day, downloads and blobs share this rate."""

    from_minute: int
    to_minute: int
    kilobytes_per_second: int


@dataclass(frozen=True, slots=True)
class State:
    """The one row of ``fm_state``."""

    gateway_id: bytes
    mark_lsn: int
    marked_at: int
    down_sequence: int
    epochs: tuple[EpochStart, ...]
    shards: int
    bandwidth: tuple[BandwidthRule, ...]


def read_state(connection: sqlite3.Connection) -> State:
    """Where the gateway stands as of this transaction."""
    row = connection.execute(
        "SELECT gateway_id, mark_lsn, marked_at, down_sequence, hub_epochs, shards, bandwidth"
        " FROM fm_state"
    ).fetchone()
    return State(
        gateway_id=row[0],
        mark_lsn=row[1],
        marked_at=row[2],
        down_sequence=row[3],
        epochs=tuple(EpochStart(*pair) for pair in json.loads(row[4])),
        shards=row[5],
        bandwidth=tuple(BandwidthRule(*triple) for triple in json.loads(row[6])),
    )


def mark_lsn(connection: sqlite3.Connection) -> int:
    """The newest hub LSN whose content is applied whole."""
    return int(connection.execute("SELECT mark_lsn FROM fm_state").fetchone()[0])


def set_mark(
    connection: sqlite3.Connection, lsn: int, *, marked_at: int, down_sequence: int
) -> None:
    """The gateway stands at ``lsn``; the stream goes on after ``down_sequence``."""
    connection.execute(
        "UPDATE fm_state SET mark_lsn = max(mark_lsn, ?), marked_at = ?, down_sequence = ?",
        (lsn, marked_at, down_sequence),
    )


def note_day(connection: sqlite3.Connection, day: int) -> None:
    """The mark that the gateway had first on that day (days since 1970) is remembered."""
    connection.execute(
        "INSERT OR IGNORE INTO fm_mark_day (day, mark_lsn) SELECT ?, mark_lsn FROM fm_state",
        (day,),
    )


def mark_of_day(connection: sqlite3.Connection, day: int) -> int:
    """The mark at the beginning of that day or of the last one before it; 0 = not known."""
    row = connection.execute(
        "SELECT mark_lsn FROM fm_mark_day WHERE day <= ? ORDER BY day DESC LIMIT 1",
        (day,),
    ).fetchone()
    connection.execute("DELETE FROM fm_mark_day WHERE day < ?", (day,))
    return int(row[0]) if row else 0


def set_shards(connection: sqlite3.Connection, shards: int) -> None:
    """The hub reads UP in this many shards."""
    connection.execute("UPDATE fm_state SET shards = ?", (shards,))


def set_hub_schema(connection: sqlite3.Connection, version: int) -> None:
    """The hub's schema has this version."""
    connection.execute("UPDATE fm_state SET hub_schema_version = ?", (version,))


def network_schema(connection: sqlite3.Connection) -> int:
    """The newest schema version that a row here may come from.

    Above this program's own, rows may have had columns that are not here, so that their content
    doesn't give their hash.
    """
    row = connection.execute("SELECT hub_schema_version FROM fm_state").fetchone()
    return max(SCHEMA_VERSION, int(row[0]))


def set_bandwidth(connection: sqlite3.Connection, rules: Sequence[BandwidthRule]) -> None:
    """These hours limit downloads from now on; none = the file's hours, or no limit."""
    text = json.dumps([[r.from_minute, r.to_minute, r.kilobytes_per_second] for r in rules])
    connection.execute("UPDATE fm_state SET bandwidth = ?", (text,))


def forget_stream_place(connection: sqlite3.Connection) -> None:
    """The next hello asks for the oldest message that DOWN still holds."""
    connection.execute("UPDATE fm_state SET down_sequence = 0")


def lost_ranges(epochs: Sequence[EpochStart]) -> tuple[tuple[int, int], ...]:
    """LSNs of lost futures, as (above, below) bounds, both exclusive.

    An epoch that began after LSN x makes everything above x and below its own first LSN void.
    """
    return tuple(
        (start.began_after, make_lsn(start.epoch, 0)) for start in epochs if start.epoch > 1
    )


def is_lost(lsn: int, epochs: Sequence[EpochStart]) -> bool:
    """Whether ``lsn`` was given by a hub whose future was lost in a restore."""
    return any(above < lsn < below for above, below in lost_ranges(epochs))


def what_stands(lsn: int, epochs: Sequence[EpochStart]) -> int:
    """The LSN, or where the lost future began in which it lies: up to there the hub's state is as it was."""
    while lost := [above for above, below in lost_ranges(epochs) if above < lsn < below]:
        lsn = min(lost)
    return lsn


def lost_sql(lsn: str) -> str:
    """SQL: the LSN, a column's name, is of a future that a restore of head office undid."""
    return f"EXISTS (SELECT 1 FROM fm_lost_range WHERE {lsn} > above_lsn AND {lsn} < below_lsn)"


class Restored(Enum):
    """What a gateway hears of the hub's epochs."""

    NOTHING_NEW = "nothing_new"
    GONE_ON = "gone_on"
    """The hub was restored since it was heard last, to what this gateway has, too, or had."""
    COME_BACK = "come_back"
    """What another restore had undone counts again: a newer backup was taken than the time before."""


def learn_epochs(connection: sqlite3.Connection, epochs: Sequence[EpochStart]) -> Restored:
    """The hub's epochs are known here; a mark in a lost future is set back to the last LSN that counts.

    The newest list says which LSNs count; epochs that stand in an older one only are of a hub that is given up. Rows
    of the lost future may be here even where the mark is not in it: seeds and repairs run ahead of the mark.
    """
    held = read_state(connection)
    newest = max((start.epoch for start in held.epochs), default=0)
    is_late = newest > max((start.epoch for start in epochs), default=0)
    if is_late or set(epochs) == set(held.epochs):
        return Restored.NOTHING_NEW
    mark = what_stands(held.mark_lsn, [*held.epochs, *epochs])
    text = json.dumps(sorted([start.epoch, start.began_after] for start in epochs))
    connection.execute("UPDATE fm_state SET hub_epochs = ?, mark_lsn = ?", (text, mark))
    connection.execute("DELETE FROM fm_lost_range")
    connection.executemany(
        "INSERT INTO fm_lost_range (above_lsn, below_lsn) VALUES (?, ?)", lost_ranges(epochs)
    )
    given_up = set(held.epochs) - set(epochs)
    if any(what_stands(make_lsn(one.epoch, 0), epochs) > one.began_after for one in given_up):
        return Restored.COME_BACK
    is_first = not held.epochs and mark == held.mark_lsn
    return Restored.NOTHING_NEW if is_first else Restored.GONE_ON
