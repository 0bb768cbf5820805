"""Changes to a colleague's row that came before that row wait for it. Promises 1 (No loss) and 7 (Authority).

A gateway shows its devices the new rows of others before head office has them. Through another gateway what a rep makes
of such a row can be here first. Only that part of the batch waits; it is judged when the row has come, and refused when
the row was refused, or has not come for as long as gateways and devices may be away. Tables that merge by column take a
late write as they would have taken it in time (its clock decides).
"""

from collections.abc import Callable, Sequence

from fieldmesh.codec.batch import Change
from fieldmesh.data.schema import TABLES
from fieldmesh.replica.early import leaned_on, leaning_on, parted, rows_of
from fieldmesh.replica.quarantine import RowKey
from hub.ingest.apply import GroupApplier, writer_of
from hub.ingest.decisions import header_of
from hub.ingest.verify import Checked
from hub.rules.documents import Refusal
from hub.rules.rights import why_not_table
from hub.storage import early
from hub.storage.changes import ChangeWriter
from hub.storage.early import EarlyBatch, Missing
from hub.storage.rows import rows_where
from hub.storage.writers import DeviceWriter

KEPT_US = 60 * 86_400_000_000
"""Sixty days: longer than a gateway keeps what it forwarded, and than a rep is on leave."""


class EarlyRows:
    """What waits for rows of others, within one hub transaction."""

    def __init__(self, writer: ChangeWriter, check: Callable[[bytes], Checked]) -> None:
        """Nothing was held back yet; ``check`` reads a batch's bytes again."""
        self._writer = writer
        self._connection = writer.connection
        self._check = check
        self._refused: set[RowKey] = set()

    async def hold_back(
        self,
        applier: GroupApplier,
        device: DeviceWriter,
        batch: Checked,
        changes: Sequence[Change],
    ) -> tuple[Sequence[Change], list[Refusal], int]:
        """What can be applied now; what is refused with the row that it leans on; how many rows wait.

        Durability: what waits is kept with the transaction of the caller.
        """
        writer = writer_of(device)
        may = [one for one in changes if why_not_table(writer, TABLES[one.rows.table]) is None]
        missing = await self._missing(applier, may)
        if not missing:
            return changes, [], 0
        held = leaning_on(missing, may)
        gone = await self._refused_before(missing)
        waits = {row for row, parent in held.items() if parent not in gone}
        refused = [
            Refusal(*row, "depends_on_refused", {})
            for row, parent in held.items()
            if parent in gone
        ]
        if waits:
            header = header_of(batch)
            kept = EarlyBatch(
                header.device_id, header.device_epoch, header.sequence, batch.payload, self._writer.now
            )  # fmt: skip
            await early.put(self._connection, kept, {held[row] for row in waits})
        return parted(changes, held.keys())[1], refused, len(waits)

    def refuse(self, refused: Sequence[Refusal]) -> None:
        """These rows were refused: what waits for them will be too."""
        self._refused.update((one.table, one.row_id) for one in refused)

    async def due(self, applier: GroupApplier) -> list[tuple[Checked, list[Change], str]]:
        """Parts of batches whose wait is over, and the code with which they are refused; empty = apply them.

        They wait no more, also those of a batch with a problem: its changes are not read, the caller keeps its bytes.
        Rows that came or were refused since the last call count.
        """
        if not await early.is_any(self._connection):
            return []
        born, refused = applier.take_born(), self._refused
        self._refused = set()
        ended = await early.waiting_for(self._connection, born | refused)
        late = await early.waiting_since_before(self._connection, self._writer.now - KEPT_US)
        over = list(dict.fromkeys([*ended, *late]))
        found = []
        for one in over:
            batch = self._check((await early.batch_of(self._connection, one)).payload)
            rows = leaning_on({one.row}, batch.changes)
            code = "" if one.row in born else _why(one, refused)
            found.append((batch, parted(batch.changes, rows.keys())[0], code))
        await early.forget(self._connection, over)
        return found

    async def _missing(self, applier: GroupApplier, changes: Sequence[Change]) -> set[RowKey]:
        found: set[RowKey] = set()
        for name, ids in leaned_on(changes).items():
            homes = self._writer.homes
            await homes.look_up(name, ids)
            nowhere = [one for one in ids if not homes.home(name, one)]
            if nowhere:
                there = await applier.there(TABLES[name], nowhere)
                found.update((name, one) for one in nowhere if one not in there)
        return found

    async def _refused_before(self, missing: set[RowKey]) -> set[RowKey]:
        """Those of the missing rows that head office has refused."""
        ids = sorted(row_id for _, row_id in missing)
        rows = await rows_where(self._connection, "reject", ("table_name", "row_id"), "row_id", ids)
        known = {(str(name), bytes(row_id)) for name, row_id in rows if isinstance(row_id, bytes)}
        return missing & (known | self._refused)


def refused_all(changes: Sequence[Change], code: str) -> list[Refusal]:
    """Every row of the changes, refused for that reason."""
    return [Refusal(*row, code, {}) for row in rows_of(changes)]


def _why(one: Missing, refused: set[RowKey]) -> str:
    return "depends_on_refused" if one.row in refused else "row_never_came"
