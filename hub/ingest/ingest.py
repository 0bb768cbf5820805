"""Groups of batches, each in a transaction of its own.

Crash points: before the commit nothing has happened and the broker delivers again; after it the inbox answers every
repeat with the same receipt.
"""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial

from fieldmesh.basics.errors import FieldmeshError, Retry
from fieldmesh.codec.replication import RecordedSession
from hub.desk.hands import Note
from hub.fleet.registry import Maker
from hub.ingest.blame import POISON, FailedBatchError
from hub.ingest.group import Group
from hub.ingest.result import GroupResult
from hub.ingest.sessions import record_sessions
from hub.ingest.verify import Checked
from hub.storage.changes import ChangeWriter, writing
from hub.storage.database import HubDatabase

LOG = logging.getLogger(__name__)


class Ingest:
    """Applies groups of what gateways forwarded."""

    def __init__(
        self,
        database: HubDatabase,
        maker: Maker,
        *,
        check: Callable[[bytes], Checked],
        sign: Callable[[bytes], bytes],
    ) -> None:
        """Groups are written to ``database``.

        Args:
            database: the hub's.
            maker: hub time, and ids of rows that the hub adds.
            check: reads and verifies an UpMessage's bytes again (for batches that waited).
            sign: signs with the hub's key.
        """
        self._database = database
        self._maker = maker
        self._clock = maker.clock
        self._check = check
        self._sign = sign

    async def apply(
        self, batches: Sequence[Checked], sessions: Sequence[RecordedSession] = ()
    ) -> GroupResult:
        """Everything of the group is decided, or waits for its turn. Durability: committed when this returns.

        Raises:
            Retry: the database could not take it now; nothing was done.
            FieldmeshError, ValueError, …: `blame.POISON`, one of several can't be applied; nothing was done. A batch
                that comes alone is put aside instead, and so is what waited behind it.
        """
        if len(batches) + len(sessions) > 1:
            async with self._group(None) as (group, writer):
                await self._run(batches, sessions, group, writer)
            return await self._go_on(group.result)
        return await self._blaming(partial(self._run, batches, sessions), few=0)

    async def retry(self, payload: bytes, note: Note | None = None) -> GroupResult:
        """A batch from quarantine is applied now, whatever came after it; ``note`` is written in its transaction.

        Raises:
            FieldmeshError: why it still can't be applied; nothing was done.
        """
        batch = self._check(payload)
        if batch.problem is not None:
            raise batch.problem

        async def work(group: Group, writer: ChangeWriter) -> None:
            if note is not None:
                await note(writer.connection)
            await group.run_again(batch)

        return await self._blaming(work, but=batch.sha256, few=0)

    async def release(self, device_id: bytes, note: Note | None = None) -> GroupResult:
        """A gap is given up: what waits behind it is applied. What was missing can still come by `retry`.

        ``note`` is written in the transaction that gives it up.

        Raises:
            Rejected: `not_found`, nothing of the device waits.
        """

        async def work(group: Group, writer: ChangeWriter) -> None:
            if note is not None:
                await note(writer.connection)
            await group.run_released(device_id)

        return await self._blaming(work)

    async def _run(
        self,
        batches: Sequence[Checked],
        sessions: Sequence[RecordedSession],
        group: Group,
        writer: ChangeWriter,
    ) -> None:
        await group.run(batches)
        group.result.sessions = await record_sessions(writer, sessions, self._maker.identifiers.new)

    async def _blaming(
        self,
        work: Callable[[Group, ChangeWriter], Awaitable[None]],
        *,
        but: bytes = b"",
        few: int = 1,
    ) -> GroupResult:
        """The work is done, without what makes it fail: that goes to quarantine, and the next try begins anew.

        What fails only when the transaction ends names nobody. Then ``few`` of the batches that waited are decided,
        so that one is left that it can be; the others have their turn in the next transactions.

        Raises:
            Retry: the database could not take it now.
            FieldmeshError: the batch ``but`` (its hash) itself can't be applied, or no batch was to blame.
        """
        condemned: dict[bytes, FieldmeshError] = {}
        most: int | None = None
        while True:
            result = GroupResult()
            try:
                async with self._group(condemned, most) as (group, writer):
                    result = group.result
                    await work(group, writer)
            except Retry:
                raise
            except POISON as error:
                failed = _blamed(error, b"" if most is None else result.last)
                if failed is None:
                    if most is not None:
                        raise
                    most = few
                    continue
                if failed.sha256 == but:
                    raise failed.problem from error
                if failed.sha256 in condemned:
                    raise
                LOG.exception("batch_failed")
                condemned[failed.sha256] = failed.problem
            else:
                return await self._go_on(result)

    async def _go_on(self, result: GroupResult) -> GroupResult:
        """What one transaction left of a long row of waiting batches is decided in the next ones."""
        while result.unfinished:
            devices, result.unfinished = result.unfinished, set()
            result.add(await self._blaming(partial(_run_waiting, devices)))
        return result

    @asynccontextmanager
    async def _group(
        self, condemned: Mapping[bytes, FieldmeshError] | None, most_waiting: int | None = None
    ) -> AsyncIterator[tuple[Group, ChangeWriter]]:
        """A group in a transaction of its own, committed at the end."""
        async with writing(self._database, self._clock) as writer:
            group = Group(
                writer, self._maker, self._check, self._sign, condemned, most_waiting=most_waiting
            )
            yield group, writer
            group.result.lsn = writer.lsn


async def _run_waiting(devices: Collection[bytes], group: Group, _: ChangeWriter) -> None:
    await group.run_waiting(devices)


def _blamed(error: Exception, last: bytes) -> FailedBatchError | None:
    """What is condemned for the error; ``last`` is the only batch that it can be, if its hash is known."""
    if isinstance(error, FailedBatchError):
        return error
    return FailedBatchError(last, error) if last else None
