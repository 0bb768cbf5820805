"""Many forwarded batches, one hub transaction. Promises 2 (Once), 3 (Order), 4 (Whole), 7 (Authority), 9 (Audit)."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

from fieldmesh.basics.errors import Fenced, FieldmeshError, Quarantined, Rejected, Retry
from fieldmesh.codec.batch import Change
from fieldmesh.codec.columns import from_rows
from fieldmesh.data.types import Value
from fieldmesh.replica.watermark import Turn, Watermark
from fieldmesh.service.translation import N_
from hub.fleet.registry import Maker
from hub.ingest.answers import Answers
from hub.ingest.apply import GroupApplier
from hub.ingest.approval import send_to_approval
from hub.ingest.blame import POISON, FailedBatchError
from hub.ingest.chain import Chain
from hub.ingest.decisions import (
    decided,
    header_of,
    is_forged,
    place_of,
    quarantine_entry,
    receipt_of,
    same_place,
)
from hub.ingest.early import EarlyRows, refused_all
from hub.ingest.events import apply_event
from hub.ingest.facts import read_facts
from hub.ingest.rejects import reject_batch, reject_rows, take_back
from hub.ingest.result import GroupResult
from hub.ingest.verify import Checked
from hub.rules.documents import Refusal
from hub.storage import inbox, journal, quarantine
from hub.storage.changes import ChangeWriter
from hub.storage.database import refusing_rows
from hub.storage.inbox import Decided, Waiting
from hub.storage.writers import DeviceWriter, device_writers

MOST_WAITING = 500
"""Waiting batches that one transaction decides, a hundred rows for one more: there may be tens of thousands."""
_ROWS_OF_ONE = 100
APPLIED, QUARANTINED, FORGED = "applied", "quarantined", "forged"


class Group:
    """The batches of one transaction, device by device in their order."""

    def __init__(
        self,
        writer: ChangeWriter,
        maker: Maker,
        check: Callable[[bytes], Checked],
        sign: Callable[[bytes], bytes],
        condemned: Mapping[bytes, FieldmeshError] | None,
        *,
        most_waiting: int | None = None,
    ) -> None:
        """Nothing was decided yet.

        Args:
            writer: of an open transaction.
            maker: hub time, and ids of rows that the hub adds.
            check: reads and verifies a batch that waited.
            sign: signs with the hub's key.
            condemned: batches (by their hash) that go to quarantine, and why. None = the group is large, and nobody
                asks which of its batches fails.
            most_waiting: of the batches that waited are decided; None = `MOST_WAITING`.
        """
        self.result = GroupResult()
        self._writer = writer
        self._connection = writer.connection
        self._maker = maker
        self._new_identifier = maker.identifiers.new
        self._check = check
        self._condemned = condemned or {}
        self._careful = condemned is not None
        self._most_waiting = MOST_WAITING if most_waiting is None else most_waiting
        self._marks: dict[bytes, Watermark] = {}
        self._devices: dict[bytes, DeviceWriter] = {}
        self._decisions: list[Decided] = []
        self._moved: set[bytes] = set()
        self._answers = Answers(sign)
        self._early = EarlyRows(writer, check)
        self._chain = Chain(writer.connection)

    async def run(self, batches: Sequence[Checked]) -> None:
        """The batches are decided, or wait; so is what waited for them."""
        readable: dict[bytes, list[Checked]] = defaultdict(list)
        batches = [self._as_it_counts(batch) for batch in batches]
        for batch in batches:
            if batch.header is None:
                await self._quarantine(batch, batch.problem or Rejected("bad_batch"))
            else:
                readable[batch.header.device_id].append(batch)
        self._marks = await inbox.marks(self._connection, readable)
        await self._chain.know(readable)
        self._devices = await device_writers(self._connection, readable)
        waits = await inbox.who_waits(self._connection, readable)
        with self._blame(batches[0] if len(batches) == 1 else None):
            applier = GroupApplier(self._writer, await read_facts(self._writer, batches))
            await applier.foresee([batch.changes for batch in batches])
        for device_id, held in readable.items():
            held.sort(key=place_of)
            for batch in held:
                await self._decide(applier, device_id, batch)
            if device_id in self._moved | waits:
                await self._waiting_ones(applier, device_id)
        await self._finish(applier)
        self.result.conflicts = applier.conflicts
        await inbox.record(self._connection, self._decisions)
        await self._write_ticks()

    async def run_again(self, batch: Checked) -> None:
        """One batch out of its turn; the device's sequence stays where it is unless it is the next one."""
        header = header_of(batch)
        device_id = header.device_id
        self._marks = await inbox.marks(self._connection, [device_id])
        await self._chain.know([device_id])
        self._devices = await device_writers(self._connection, [device_id])
        if device_id not in self._devices:
            raise Rejected("device_unknown", device=device_id.hex())
        applier = GroupApplier(self._writer, await read_facts(self._writer, [batch]))
        mark = self._marks.get(device_id, Watermark())
        if mark.turn(header) is Turn.APPLY:
            await self._decide(applier, device_id, batch)
            if device_id in self._moved:
                await self._waiting_ones(applier, device_id)
            await inbox.record(self._connection, self._decisions)
        else:
            with self._blame(batch):
                await self._apply_rows(applier, batch)
            await self._journal("batch_retried", batch)
        await take_back(self._writer, batch)
        await self._finish(applier)
        await self._write_ticks()

    async def run_released(self, device_id: bytes) -> None:
        """The device's waiting batches, with what is missing before them given up."""
        waiting = await inbox.places_waiting(self._connection, device_id)
        first = (
            await inbox.waiting_at(self._connection, device_id, *waiting[0]) if waiting else None
        )
        if first is None:
            raise Rejected("not_found", text=N_("Nothing of that device waits."))
        self._devices = await device_writers(self._connection, [device_id])
        self._marks = {device_id: Watermark(first.device_epoch, first.sequence - 1)}
        self._moved.add(device_id)
        await self._journal("gap_released", self._check(first.payload))
        await self._let_in([device_id])

    async def run_waiting(self, devices: Collection[bytes]) -> None:
        """More of what waits of these devices and may be decided now."""
        self._marks = await inbox.marks(self._connection, devices)
        await self._chain.know(devices)
        self._devices = await device_writers(self._connection, devices)
        await self._let_in(sorted(devices))

    async def _let_in(self, devices: Sequence[bytes]) -> None:
        applier = GroupApplier(self._writer, await read_facts(self._writer, []))
        for device_id in devices:
            await self._waiting_ones(applier, device_id)
        await self._finish(applier)
        await inbox.record(self._connection, self._decisions)
        await self._write_ticks()

    async def _finish(self, applier: GroupApplier) -> None:
        """All rows are written, those too that waited for them; orders that need one wait for a person."""
        await applier.flush()
        await self._early_ones(applier)
        if applier.doubts:
            await send_to_approval(self._writer, applier.doubts, self._new_identifier)

    async def _decide(self, applier: GroupApplier, device_id: bytes, batch: Checked) -> None:
        header = header_of(batch)
        if device_id not in self._devices:
            await self._quarantine(batch, Rejected("device_unknown", device=device_id.hex()))
            return
        if batch.problem is not None and is_forged(batch.problem):
            await self._quarantine(batch, batch.problem, answer=FORGED)
            return
        mark = self._marks.get(device_id, Watermark())
        match mark.turn(header):
            case Turn.PASSED:
                await self._repeat(batch)
            case Turn.WAIT:
                await self._park(batch)
            case Turn.APPLY:
                with self._blame(batch):
                    await self._apply(applier, batch)

    async def _apply(self, applier: GroupApplier, batch: Checked) -> None:
        header = header_of(batch)
        device = self._devices[header.device_id]
        decision = APPLIED
        if device.state == "revoked":
            decision = QUARANTINED
            await self._quarantine(batch, Fenced("device_revoked"), answer="")
        elif batch.problem is not None:
            decision = QUARANTINED
            await self._quarantine(batch, batch.problem, answer="")
        else:
            await self._apply_rows(applier, batch)
        await self._settle(batch, decision)

    async def _apply_rows(self, applier: GroupApplier, batch: Checked) -> None:
        header = header_of(batch)
        device = self._devices[header.device_id]
        await self._apply_changes(applier, batch, batch.changes)
        self.result.applied, self.result.last = self.result.applied + 1, batch.sha256
        self.result.rows += header.rows
        await self._note_oddities(device, batch)
        if header.event is not None:
            await applier.flush()
            self._devices.update(await apply_event(self._writer, self._maker, device, header))
        if self._careful:
            await applier.flush()

    async def _apply_changes(
        self, applier: GroupApplier, batch: Checked, changes: Sequence[Change]
    ) -> None:
        """The changes are applied but for what waits or is refused."""
        device = self._devices[header_of(batch).device_id]
        now, refused, early = await self._early.hold_back(applier, device, batch, changes)
        refused += await applier.apply(device, now)
        await self._refuse(batch, changes, refused)
        self.result.early += early
        if early:
            await self._journal("rows_wait_for_others", batch, rows=early)

    async def _refuse(
        self, batch: Checked, changes: Sequence[Change], refused: Sequence[Refusal]
    ) -> None:
        await reject_rows(self._writer, header_of(batch), refused, changes, self._new_identifier)
        self._early.refuse(refused)
        self.result.refused += len(refused)

    async def _early_ones(self, applier: GroupApplier) -> None:
        """What waited for rows that have come, or will not come, is decided."""
        while due := await self._early.due(applier):
            for batch, changes, code in due:
                device_id = header_of(batch).device_id
                if device_id not in self._devices:
                    self._devices |= await device_writers(self._connection, [device_id])
                problem = self._condemned.get(batch.sha256) or batch.problem
                if problem is not None:
                    await self._quarantine(batch, problem, answer="")
                    continue
                with self._blame(batch):
                    await self._early_one(applier, batch, changes, code)

    async def _early_one(
        self, applier: GroupApplier, batch: Checked, changes: Sequence[Change], code: str
    ) -> None:
        applier.know(await read_facts(self._writer, [batch]))
        if code:
            await self._refuse(batch, changes, refused_all(changes, code))
        else:
            await self._apply_changes(applier, batch, changes)
        await self._journal("rows_no_longer_wait", batch, problem=code)
        await applier.flush()

    async def _settle(self, batch: Checked, decision: str) -> None:
        header = header_of(batch)
        device_id = header.device_id
        self._marks[device_id] = Watermark(header.device_epoch, header.sequence)
        self._moved.add(device_id)
        self._note(batch, decision)
        self._chain.settle(batch)
        self._answers.moved(batch)
        self._answers.give(batch, receipt_of(batch, decision, self._writer.lsn))

    def _note(self, batch: Checked, decision: str) -> None:
        self._decisions.append(decided(batch, decision, self._writer.lsn, self._writer.now))

    async def _repeat(self, batch: Checked) -> None:
        header = header_of(batch)
        held = next(
            (one for one in self._decisions if same_place(one, header)), None
        ) or await inbox.decision_on(
            self._connection, header.device_id, header.device_epoch, header.sequence
        )
        self.result.repeated += 1
        if held is None:
            await self._quarantine(batch, Quarantined("late_batch"))
            self._note(batch, QUARANTINED)
        elif held.sha256 != batch.sha256:
            await self._quarantine(batch, Quarantined("cloned_device"))
        else:
            self._answers.stands(batch)
            self._answers.give(batch, receipt_of(batch, held.decision, held.lsn))

    async def _park(self, batch: Checked) -> None:
        place = (header_of(batch).device_id, *place_of(batch))
        waiting = Waiting(*place, batch.sha256, batch.payload, self._writer.now)
        if await inbox.park(self._connection, waiting):
            self.result.waiting += 1

    async def _waiting_ones(self, applier: GroupApplier, device_id: bytes) -> None:
        """What waited and may be decided now; of a long row the rest is left for the next transaction."""
        self._marks.setdefault(device_id, Watermark())
        before = None
        while self._marks[device_id] != before:  # a new epoch passes over what waits before it
            before = self._marks[device_id]
            for place in await inbox.places_waiting(self._connection, device_id):
                batch = await self._now_due(device_id, *place)
                if batch is None:
                    continue
                if self._most_waiting <= 0:
                    self.result.unfinished.add(device_id)
                    return
                self._most_waiting -= 1 + header_of(batch).rows // _ROWS_OF_ONE
                await inbox.unpark(self._connection, device_id, *place)
                with self._blame(batch):
                    applier.know(await read_facts(self._writer, [batch]))
                await self._decide(applier, device_id, batch)

    async def _now_due(self, device_id: bytes, epoch: int, sequence: int) -> Checked | None:
        """The batch that waits there; None when it must wait on. Read alone: a row of them may hold gigabytes."""
        mark = self._marks[device_id]
        if mark.is_far_from(epoch, sequence):
            return None
        held = await inbox.waiting_at(self._connection, device_id, epoch, sequence)
        batch = self._as_it_counts(self._check(held.payload)) if held else None
        return None if batch is None or mark.turn(header_of(batch)) is Turn.WAIT else batch

    def _as_it_counts(self, batch: Checked) -> Checked:
        problem = self._condemned.get(batch.sha256)
        return batch if problem is None else replace(batch, changes=(), problem=problem)

    @contextmanager
    def _blame(self, batch: Checked | None) -> Iterator[None]:
        try:
            with refusing_rows():
                yield
        except (Retry, FailedBatchError):
            raise
        except POISON as error:
            if batch is None:
                raise
            raise FailedBatchError(batch.sha256, error) from error

    async def _quarantine(
        self, batch: Checked, problem: FieldmeshError, *, answer: str = QUARANTINED
    ) -> None:
        entry = quarantine_entry(batch, problem, self._writer.now)
        if await quarantine.put(self._connection, entry):
            self.result.quarantined += 1
            await self._journal("batch_quarantined", batch, problem=problem.code)
            if self._is_told(batch, problem):
                await reject_batch(self._writer, batch, problem, self._new_identifier)
        if answer:
            self._answers.give(batch, receipt_of(batch, answer, self._writer.lsn))

    def _is_told(self, batch: Checked, problem: FieldmeshError) -> bool:
        """Whether the device made the batch, and may still hear of it."""
        device = self._devices.get(batch.header.device_id) if batch.header else None
        return device is not None and device.state != "revoked" and not is_forged(problem)

    async def _note_oddities(self, device: DeviceWriter, batch: Checked) -> None:
        if device.state == "suspended":
            await self._journal("late_upload_of_suspended_device", batch)
        first = device.stands_in_for if device.state == "spare" else None
        if first is not None and header_of(batch).takeover_first_device_id != first:
            await self._journal("spare_works_without_takeover", batch, first_device=first.hex())
        if self._chain.is_broken_by(batch):
            self.result.breaks += 1
            await self._journal("another_batch_came_before", batch)

    async def _journal(self, kind: str, batch: Checked, **more: object) -> None:
        header = batch.header
        about = {
            "gateway": batch.forwarded.gateway_id.hex(),
            "source": batch.forwarded.source,
            "epoch": header.device_epoch if header else 0,
            "sequence": header.sequence if header else 0,
            "sha256": batch.sha256.hex(),
            "lsn": self._writer.lsn,
            **more,
        }
        actor = f"device {header.device_id.hex()}" if header else "unknown"
        await journal.append(
            self._connection, at=self._writer.now, kind=kind, actor=actor, payload=about
        )

    async def _write_ticks(self) -> None:
        ticks = await self._answers.send(self._writer)
        lines: list[tuple[Value, ...]] = []
        for device_id in sorted(self._moved):
            mark = self._marks[device_id]
            await inbox.set_mark(self._connection, device_id, mark)
            proof = ticks.get(device_id)
            lines.append((device_id, device_id, mark.device_epoch, mark.sequence, proof))
        if lines:
            names = ("id", "device_id", "device_epoch", "sequence", "proof")
            await self._writer.upsert("device_tick", from_rows("device_tick", names, lines))
