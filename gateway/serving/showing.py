"""What devices brought is shown to other devices of the region, behind the acknowledgement.

Promises 4 and 8: a download holds what this gateway has acknowledged before, whether the hub has
seen it or not. Downloads ask for that; in between, what has lain for a moment is laid out here, so
that nobody finds a week of it.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from fieldmesh.basics.errors import FieldmeshError
from fieldmesh.codec import batch as batch_codec
from fieldmesh.codec.fitting import misfits
from fieldmesh.wire.v1 import replication_pb2
from gateway.storage import provisional_due

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fieldmesh.codec.batch import Change
    from fieldmesh.service.database import Database
    from gateway.storage.signals import Signals
    from gateway.storage.transaction import Transaction

LOG = logging.getLogger(__name__)

_MOMENT_S: Final = 2.0
"""With the hub in reach its decision comes before, and there is nothing left to lay out."""
_LOOK_S: Final = 60.0

_LaidOut = tuple[provisional_due.Key, "Sequence[Change]"]


class Showing:
    """Lays out batches that are due."""

    def __init__(self, database: Database, signals: Signals) -> None:
        """Nothing is laid out yet."""
        self._database = database
        self._signals = signals
        self._one = asyncio.Lock()

    async def run(self) -> None:
        """What comes in is laid out a moment later, for ever."""
        while True:
            count = self._signals.outbox_grown.count
            await self.catch_up()
            await self._signals.outbox_grown.after(count, timeout_s=_LOOK_S)
            await asyncio.sleep(_MOMENT_S)

    async def catch_up(self, *, own: bytes = b"", after: tuple[int, int] = (0, 0)) -> None:
        """Everything acknowledged before the call is shown.

        Args:
            own: this device's batches after ``after`` may wait.
            after: device epoch and sequence.

        Raises:
            Retry: the disk takes nothing.
        """
        find = partial(provisional_due.find, own=own, after=after)
        if not await self._database.read(find):
            return
        async with self._one:
            while due := await self._database.read(find):
                laid_out = await asyncio.to_thread(_decode, due)
                await self._database.write(partial(_lay_out, laid_out=laid_out))


def _lay_out(connection: Transaction, *, laid_out: Sequence[_LaidOut]) -> None:
    for key, changes in laid_out:
        provisional_due.lay_out(connection, key, changes)


def _decode(due: Sequence[provisional_due.Due]) -> list[_LaidOut]:
    return [(batch.key, _changes_of(batch)) for batch in due]


def _changes_of(due: provisional_due.Due) -> Sequence[Change]:
    """A body that cannot be read shows nothing, nor does a row that head office will refuse: the hub decides on it."""
    signed = replication_pb2.ForwardedBatch.FromString(due.payload).batch
    try:
        changes = batch_codec.decode_body(batch_codec.decode_header(signed.header), signed.body)
    except FieldmeshError as problem:
        LOG.warning(
            "batch_body_unreadable",
            extra={
                "device": due.key[0].hex(),
                "sequence": due.key[2],
                "problem": problem.code,
            },
        )
        return ()
    return [_that_fits(change) for change in changes]


def _that_fits(change: Change) -> Change:
    """The change without rows that have a value which their column can't hold: one may be larger than any frame."""
    wrong = misfits(change.rows)
    if not wrong:
        return change
    fit = [place for place in range(change.rows.row_count) if place not in wrong]
    clocks = [change.clocks[place] for place in fit] if change.clocks else []
    return replace(change, rows=change.rows.take(fit), clocks=clocks)
