"""Which partitions the gateway wants, is seeding, and holds; and what one device may see.

A partition is ``wanted`` → ``seeding`` → ``seeded`` → ``ready``, and ``leaving`` when nobody here
needs it any more. ``served`` says whether rows of it stand here: it stays 1 while a partition that
was ready is seeded anew, since then the old rows stand until the new ones replace them. ``whole``
is 0 from the moment when the gateway learns that the stream has passed over some of its rows until
it has been seeded anew. Devices are given what is served and whole.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from fieldmesh.data.policy import PartitionKind
from fieldmesh.replica.partition import partition_id
from gateway.storage.cursors import lost_sql

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection

    from gateway.storage.devices import DeviceFacts


class PartitionState(StrEnum):
    """Where a partition stands on its way into the cache."""

    WANTED = "wanted"
    SEEDING = "seeding"
    SEEDED = "seeded"
    READY = "ready"
    LEAVING = "leaving"


@dataclass(frozen=True, slots=True)
class Partition:
    """One row of ``fm_partition``."""

    partition: int
    state: PartitionState
    served: bool
    whole: bool
    seed_id: bytes | None
    next_chunk: int
    chunks: int
    seed_rows: int
    seed_lsn: int
    seed_horizon_lsn: int
    horizon_lsn: int
    progressed_at: int
    problem: str

    @property
    def given(self) -> bool:
        """Whether devices may be given it."""
        return self.served and self.whole


_COLUMNS = (
    "partition, state, served, whole, seed_id, next_chunk, chunks, seed_rows, seed_lsn,"
    " seed_horizon_lsn, horizon_lsn, progressed_at, problem"
)


def _from_row(
    row: tuple[int, str, int, int, bytes | None, int, int, int, int, int, int, int, str],
) -> Partition:
    return Partition(row[0], PartitionState(row[1]), bool(row[2]), bool(row[3]), *row[4:])


def list_partitions(connection: sqlite3.Connection) -> list[Partition]:
    """All partitions that the gateway deals with."""
    return [
        _from_row(row)
        for row in connection.execute(f"SELECT {_COLUMNS} FROM fm_partition ORDER BY partition")
    ]


def read_partition(connection: sqlite3.Connection, partition: int) -> Partition | None:
    """One partition, or None when the gateway has nothing to do with it."""
    row = connection.execute(
        f"SELECT {_COLUMNS} FROM fm_partition WHERE partition = ?", (partition,)
    ).fetchone()
    return None if row is None else _from_row(row)


def wanted_partitions(connection: sqlite3.Connection, gateway_id: bytes) -> set[int]:
    """What the positions served here need, as far as the cache can tell."""
    wanted = {
        partition_id(PartitionKind.GLOBAL),
        partition_id(PartitionKind.GATEWAY, gateway_id),
    }
    for (position,) in connection.execute(
        "SELECT DISTINCT position_id FROM gateway_position WHERE gateway_id = ?",
        (gateway_id,),
    ):
        wanted.add(partition_id(PartitionKind.POSITION, position))
    wanted.update(
        row[0]
        for row in connection.execute(
            "SELECT DISTINCT s.target_partition FROM gateway_position AS g"
            " JOIN subscription AS s ON s.position_id = g.position_id WHERE g.gateway_id = ?",
            (gateway_id,),
        )
    )
    for (device,) in connection.execute(
        "SELECT d.id FROM gateway_position AS g JOIN device AS d ON d.position_id = g.position_id"
        " WHERE g.gateway_id = ?",
        (gateway_id,),
    ):
        wanted.add(partition_id(PartitionKind.DEVICE, device))
    return wanted


def want(connection: sqlite3.Connection, wanted: Collection[int], now: int) -> tuple[int, int]:
    """The gateway deals with exactly these partitions from now on.

    Returns:
        How many were gained and how many will be let go.
    """
    held = {p.partition: p for p in list_partitions(connection)}
    gained = [p for p in wanted if p not in held]
    back = [p for p in wanted if p in held and held[p].state is PartitionState.LEAVING]
    lost = [
        p for p, row in held.items() if p not in wanted and row.state is not PartitionState.LEAVING
    ]
    connection.executemany(
        "INSERT INTO fm_partition (partition, state, progressed_at) VALUES (?, 'wanted', ?)",
        [(p, now) for p in gained],
    )
    connection.executemany(
        "UPDATE fm_partition SET state = 'wanted', served = 0, progressed_at = ?"
        " WHERE partition = ?",
        [(now, p) for p in back],
    )
    connection.executemany(
        "UPDATE fm_partition SET state = 'leaving', served = 0, progressed_at = ?"
        " WHERE partition = ?",
        [(now, p) for p in lost],
    )
    return len(gained) + len(back), len(lost)


def seed_again(
    connection: sqlite3.Connection, partitions: Collection[int] | None, now: int, *, whole: bool
) -> int:
    """These partitions (None = all) are seeded anew, while the rows held stand.

    Args:
        connection: open write transaction.
        partitions: which ones.
        now: gateway clock.
        whole: whether the rows held are one state of the hub; if not, no device is given them.

    Returns:
        How many.
    """
    return connection.execute(
        "UPDATE fm_partition SET state = 'wanted', seed_id = NULL, next_chunk = 0, chunks = 0,"
        " whole = min(whole, ?3), progressed_at = ?1 WHERE state <> 'leaving'"
        " AND (?2 IS NULL OR partition IN (SELECT value FROM json_each(?2)))",
        (now, None if partitions is None else json.dumps(sorted(partitions)), whole),
    ).rowcount


def holds_older(connection: sqlite3.Connection, lsn: int) -> bool:
    """Whether rows or seeds here are of before that LSN, when the mark is: what lies between is in no stream."""
    found = connection.execute(
        "SELECT EXISTS (SELECT 1 FROM fm_partition WHERE state = 'ready'"
        " OR state IN ('seeding', 'seeded') AND seed_lsn < ?)",
        (lsn,),
    ).fetchone()
    return bool(found[0])


def with_lost_seeds(connection: sqlite3.Connection) -> set[int]:
    """Partitions whose seed, under way or waiting for the mark, is of a lost future."""
    return {
        row[0]
        for row in connection.execute(
            "SELECT partition FROM fm_partition WHERE state IN ('seeding', 'seeded')"
            f" AND {lost_sql('seed_lsn')}"
        )
    }


@dataclass(frozen=True, slots=True)
class SeedBegun:
    """What the hub said of a seed."""

    seed_id: bytes
    lsn: int
    horizon_lsn: int
    chunks: int
    rows: int


def begin_seed(connection: sqlite3.Connection, partition: int, seed: SeedBegun, now: int) -> int:
    """The seed is under way.

    Returns:
        The number of the next chunk to fetch: above 0 when the same seed goes on after a break.
    """
    held = read_partition(connection, partition)
    if held is not None and held.seed_id == seed.seed_id:
        connection.execute(
            "UPDATE fm_partition SET state = 'seeding', problem = '', progressed_at = ?"
            " WHERE partition = ?",
            (now, partition),
        )
        return held.next_chunk
    connection.execute("DELETE FROM fm_seed_chunk WHERE partition = ?", (partition,))
    connection.execute(
        "UPDATE fm_partition SET state = 'seeding', seed_id = ?, next_chunk = 0, chunks = ?,"
        " seed_rows = ?, seed_lsn = ?, seed_horizon_lsn = ?, problem = '', progressed_at = ?"
        " WHERE partition = ?",
        (
            seed.seed_id,
            seed.chunks,
            seed.rows,
            seed.lsn,
            seed.horizon_lsn,
            now,
            partition,
        ),
    )
    return 0


def keep_chunk(
    connection: sqlite3.Connection,
    partition: int,
    *,
    seed_id: bytes,
    chunk: int,
    payload: bytes,
    now: int,
) -> None:
    """The chunk is here for good; the seed goes on with the next one after a restart."""
    connection.execute(
        "INSERT OR REPLACE INTO fm_seed_chunk (partition, chunk, payload) VALUES (?, ?, ?)",
        (partition, chunk, payload),
    )
    note_chunk(connection, partition, seed_id=seed_id, chunk=chunk, now=now)


def note_chunk(
    connection: sqlite3.Connection, partition: int, *, seed_id: bytes, chunk: int, now: int
) -> None:
    """The seed stands after this chunk, unless it is not wanted any more."""
    connection.execute(
        "UPDATE fm_partition SET next_chunk = ?, progressed_at = ? WHERE partition = ? AND seed_id = ?",
        (chunk + 1, now, partition, seed_id),
    )


def set_seeded(connection: sqlite3.Connection, partition: int, *, seed_id: bytes, now: int) -> None:
    """All chunks are here; the partition waits for the mark to reach the seed.

    A seed that was given up meanwhile, because the stream has missed something since, does not count any more.
    """
    connection.execute(
        "UPDATE fm_partition SET state = 'seeded', progressed_at = ? WHERE partition = ? AND seed_id = ?",
        (now, partition, seed_id),
    )


def kept_chunks(connection: sqlite3.Connection, partition: int) -> list[bytes]:
    """The payloads of a seed that replaces a served partition, in order."""
    return [
        row[0]
        for row in connection.execute(
            "SELECT payload FROM fm_seed_chunk WHERE partition = ? ORDER BY chunk",
            (partition,),
        )
    ]


def set_ready(connection: sqlite3.Connection, partition: int, now: int) -> None:
    """Devices may be given the partition.

    Where it was served while it was seeded anew, the seed may have brought rows that are older than
    the cursor of a device that synced meanwhile: no cursor up to now is good for a delta. What was
    forgotten here while the seed was on its way, removals of the seed among it, stays forgotten.
    """
    connection.execute("DELETE FROM fm_seed_chunk WHERE partition = ?", (partition,))
    connection.execute(
        "UPDATE fm_partition SET state = 'ready', served = 1, whole = 1, horizon_lsn = CASE served WHEN 1"
        " THEN (SELECT mark_lsn + 1 FROM fm_state) ELSE max(seed_horizon_lsn, horizon_lsn) END,"
        " problem = '', progressed_at = ? WHERE partition = ?",
        (now, partition),
    )


def set_problem(connection: sqlite3.Connection, partition: int, *, problem: str) -> None:
    """Why the partition makes no progress, for people who look."""
    connection.execute(
        "UPDATE fm_partition SET problem = ? WHERE partition = ?", (problem, partition)
    )


def drop(connection: sqlite3.Connection, partition: int) -> None:
    """The gateway has nothing to do with the partition any more."""
    connection.execute("DELETE FROM fm_seed_chunk WHERE partition = ?", (partition,))
    connection.execute(
        "DELETE FROM fm_partition WHERE partition = ? AND state = 'leaving'",
        (partition,),
    )


def device_partitions(connection: sqlite3.Connection, facts: DeviceFacts) -> set[int]:
    """What the device may see: its position's subscription, and its own partition."""
    found = {
        partition_id(PartitionKind.GLOBAL),
        partition_id(PartitionKind.DEVICE, facts.device_id),
    }
    if facts.position_id is not None:
        found.add(partition_id(PartitionKind.POSITION, facts.position_id))
        found.update(
            row[0]
            for row in connection.execute(
                "SELECT target_partition FROM subscription WHERE position_id = ?",
                (facts.position_id,),
            )
        )
    return found


def not_served(connection: sqlite3.Connection, partitions: Collection[int]) -> list[int]:
    """Which of them cannot be given to a device yet."""
    return [
        row[0]
        for row in connection.execute(
            "SELECT w.value FROM json_each(?) AS w"
            " LEFT JOIN fm_partition AS p ON p.partition = w.value AND p.served = 1"
            " AND p.whole = 1"
            " WHERE p.partition IS NULL",
            (json.dumps(sorted(partitions)),),
        )
    ]


def horizons(connection: sqlite3.Connection, partitions: Collection[int]) -> dict[int, int]:
    """Per partition, the LSN below which removals are not known here."""
    return dict(
        connection.execute(
            "SELECT p.partition, p.horizon_lsn FROM json_each(?) AS w"
            " JOIN fm_partition AS p ON p.partition = w.value",
            (json.dumps(sorted(partitions)),),
        ).fetchall()
    )
