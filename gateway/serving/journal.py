"""A record of each session, in the gateway's journal and on its way to the hub's (promise 9)."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Final

from fieldmesh.basics.errors import Retry
from fieldmesh.wire.v1 import replication_pb2
from gateway.storage import devices, outbox, sessions
from gateway.storage.signals import Signal

if TYPE_CHECKING:
    from fieldmesh.basics.clock import Clock
    from fieldmesh.service.database import Database
    from gateway.storage.signals import Signals
    from gateway.storage.transaction import Transaction

LOG = logging.getLogger(__name__)

_TIER: Final = "gateway"
_MOST_WAITING: Final = 10_000
_TRY_AGAIN_S: Final = 5.0


def to_record(row: sessions.SessionRow, gateway_id: bytes) -> bytes:
    """The session as the hub's journal takes it."""
    return replication_pb2.SessionRecord(
        session_id=row.session_id,
        device_id=row.device_id,
        gateway_id=gateway_id,
        mode=row.mode,
        tier=_TIER,
        started_at=row.started_at,
        ended_at=row.ended_at or 0,
        clock_skew=row.clock_skew,
        rows_up=row.rows_up,
        rows_down=row.rows_down,
        bytes_up=row.bytes_up,
        bytes_down=row.bytes_down,
        outcome=row.outcome,
        problem=row.problem,
        app_version=row.app_version,
        network=row.network,
        resumed=bool(row.resumed),
        mark_lsn=row.mark_lsn,
    ).SerializeToString()


class SessionJournal:
    """Ended sessions, written together: one transaction for all that ended meanwhile.

    A session that stored batches is in the journal, as cut, from the same commit on; this makes
    its end known. If the process dies before, the next start ends it as cut. A device that hangs
    up as soon as it is done cancels its own session only: who ends one never waits for the disk.
    """

    def __init__(
        self, database: Database, signals: Signals, clock: Clock, gateway_id: bytes
    ) -> None:
        """Nothing waits."""
        self._database = database
        self._signals = signals
        self._clock = clock
        self._gateway_id = gateway_id
        self._waiting: list[tuple[sessions.SessionRow, devices.Seen | None]] = []
        self._ended = Signal()

    def end(self, row: sessions.SessionRow, seen: devices.Seen | None) -> None:
        """The session will be in the journal and the outbox with the next write."""
        row.ended_at = self._clock.now()
        self._waiting.append((row, seen))
        del self._waiting[:-_MOST_WAITING]
        self._ended.give()

    async def run(self) -> None:
        """What ends is written, for ever."""
        while True:
            count = self._ended.count
            await self.write_waiting()
            await self._ended.after(count, timeout_s=_TRY_AGAIN_S)

    async def write_waiting(self) -> None:
        """All sessions that have ended are written; when the disk takes nothing, they go on waiting."""
        while self._waiting:
            ended, self._waiting = self._waiting, []
            try:
                await self._database.write(partial(self._save, ended=ended))
            except Retry as problem:
                self._waiting = ended + self._waiting
                LOG.warning("sessions_not_written", extra={"problem": problem.code})
                return
            except BaseException:
                self._waiting = ended + self._waiting
                raise
            self._signals.outbox_grown.give()

    def _save(
        self,
        connection: Transaction,
        ended: list[tuple[sessions.SessionRow, devices.Seen | None]],
    ) -> None:
        # A write that was cancelled may have taken place: what is there is not told twice.
        new = [one for one in ended if not sessions.is_ended(connection, one[0])]
        sessions.save(connection, [row for row, _ in new])
        for row, seen in new:
            if seen is not None:
                devices.note_session(connection, seen)
            self._tell_hub(connection, row)

    def _tell_hub(self, connection: Transaction, row: sessions.SessionRow) -> None:
        outbox.add(
            connection,
            outbox.Entry(
                "session",
                to_record(row, self._gateway_id),
                row.device_id,
                0,
                0,
                queued_at=row.ended_at or 0,
            ),
        )

    def end_left_open(self, connection: Transaction) -> int:
        """Sessions of an earlier run end as cut.

        Returns:
            How many.
        """
        rows = sessions.left_open(connection)
        for row in rows:
            row.ended_at = self._clock.now()
            self._tell_hub(connection, row)
        sessions.save(connection, rows)
        return len(rows)
