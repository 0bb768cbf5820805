"""What the hub does by itself as time goes by: leases and codes end, assignments begin and end."""

import asyncio
import logging

from hub.fleet.leases import end_leases
from hub.fleet.people import refresh_sign_ins
from hub.fleet.registry import Maker
from hub.fleet.subscriptions import refresh_everything, today
from hub.storage import days_begun
from hub.storage.clocks import correct_clocks
from hub.storage.database import HubDatabase
from hub.storage.enrolments import forget_codes
from hub.storage.org_changes import head_office_write
from hub.storage.removals import forget_old_removals
from hub.storage.retired import retire_old_rows

LOG = logging.getLogger(__name__)

_LOOK_S = 60.0
_KEEP_CODES_US = 30 * 86_400_000_000


class Jobs:
    """The loop of timed jobs."""

    def __init__(self, database: HubDatabase, maker: Maker) -> None:
        """Nothing was done yet; the first day is done at the first look."""
        self._database = database
        self._maker = maker
        self._day = ""
        self._looked_at: int | None = None

    async def run(self) -> None:
        """Looks once a minute, for ever. Doing a job twice is harmless."""
        while True:
            await self.look()
            await asyncio.sleep(_LOOK_S)

    async def look(self) -> None:
        """What is due by now is done."""
        now = self._maker.clock.now()
        if self._looked_at is None or now < self._looked_at:
            await self._correct_clocks(now)
        self._looked_at = now
        ended = await end_leases(self._database, self._maker)
        if ended:
            LOG.info("leases_ended", extra={"leases": ended})
        day = today(self._maker.clock)
        if day != self._day:
            await self.begin_day()
            self._day = day

    async def begin_day(self) -> None:
        """Assignments of today are in force; old rows stay here only; old codes and removals are forgotten."""
        clock = self._maker.clock
        async with head_office_write(
            self._database, clock, actor="hub", kind="day_begun", about={"day": today(clock)}
        ) as writer:
            await days_begun.note(writer.connection, today(clock), writer.lsn)
            await forget_codes(writer.connection, clock.now() - _KEEP_CODES_US)
            await refresh_sign_ins(writer, self._maker, None)
        done = await refresh_everything(
            self._database, clock=clock, identifiers=self._maker.identifiers
        )
        retired = await retire_old_rows(self._database, clock)
        forgotten = await forget_old_removals(self._database)
        LOG.info(
            "day_begun",
            extra={
                "moved": done.moved,
                "gained": done.gained,
                "retired": retired,
                "removals_forgotten": forgotten,
            },
        )

    async def _correct_clocks(self, now: int) -> None:
        """The clock has gone back, or may have while the hub was away."""
        corrected = await correct_clocks(self._database, now)
        if corrected:
            LOG.warning("clock_went_back", extra={"columns": corrected})
