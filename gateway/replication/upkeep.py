"""Forgetting what is old: receipted batches, sessions, removals."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Final

from gateway.storage import cache, cursors, outbox, sessions

if TYPE_CHECKING:
    from gateway.replication.parts import ReplicationParts
    from gateway.storage.transaction import Transaction

_DAY_US: Final = 24 * 3_600 * 1_000_000
_LOOK_S: Final = 600.0
_PIECE: Final = 2_000


async def run_upkeep(parts: ReplicationParts) -> None:
    """Forget what is older than it has to be, for ever."""
    while True:
        now = parts.clock.now()
        keep = now - parts.limits.keep_batches_days * _DAY_US
        while await parts.database.write(partial(_forget_piece, before=keep)) == _PIECE:
            pass
        oldest_day = now // _DAY_US - parts.limits.keep_removals_days
        await parts.database.write(partial(_prune, day=now // _DAY_US, oldest_day=oldest_day))
        parts.metrics.progressed("upkeep")
        await asyncio.sleep(_LOOK_S)


def _prune(connection: Transaction, *, day: int, oldest_day: int) -> int:
    cursors.note_day(connection, day)
    through = cursors.mark_of_day(connection, oldest_day)
    return cache.prune_removals(connection, through_lsn=through) if through else 0


def _forget_piece(connection: Transaction, *, before: int) -> int:
    gone = outbox.forget_older(connection, receipted_before=before, most=_PIECE)
    sessions.forget_older(connection, started_before=before, most=_PIECE)
    return gone
