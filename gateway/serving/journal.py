"""A record of each session, in the gateway's journal and on its way to the hub's (promise 9)."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from fieldmesh.basics.errors import Retry
from fieldmesh.wire.v1 import replication_pb2
from gateway.storage import devices, outbox, sessions

if TYPE_CHECKING:
    from fieldmesh.basics.clock import Clock
    from fieldmesh.service.database import Database
    from gateway.storage.signals import Signals
    from gateway.storage.transaction import Transaction

LOG = logging.getLogger(__name__)

_TIER: Final = "gateway"
_MOST_WAITING: Final = 10_000


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
    its end known. If the process dies before, the next start ends it as cut.
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
        self._writing = False

    async def end(self, row: sessions.SessionRow, seen: devices.Seen | None) -> None:
        """The session goes into the journal and the outbox, alone or with the next ones.

        Sessions that end while another is being written share the next transaction. When the
        disk takes nothing, they wait for the next end.
        """
        row.ended_at = self._clock.now()
        self._waiting.append((row, seen))
        if self._writing and len(self._waiting) < _MOST_WAITING:
            return
        self._writing = True
        try:
            while self._waiting:
                ended, self._waiting = self._waiting, []
                if not await self._written(ended):
                    self._waiting = (ended + self._waiting)[-_MOST_WAITING:]
                    return
                self._signals.outbox_grown.give()
        finally:
            self._writing = False

    async def _written(self, ended: list[tuple[sessions.SessionRow, devices.Seen | None]]) -> bool:
        try:
            await self._database.write(lambda connection: self._save(connection, ended))
        except Retry as problem:
            LOG.warning("sessions_not_written", extra={"problem": problem.code})
            return False
        return True

    def _save(
        self,
        connection: Transaction,
        ended: list[tuple[sessions.SessionRow, devices.Seen | None]],
    ) -> None:
        sessions.save(connection, [row for row, _ in ended])
        for row, seen in ended:
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
