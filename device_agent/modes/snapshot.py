"""What initialize and duplicate share: a snapshot is built, proven, and swapped in."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from device_agent.link.carrier_file import write_carrier
from device_agent.link.messages import DownloadAnnounced, Kind, SignedBytes
from device_agent.modes.progress import Step
from device_agent.modes.talk import Talk
from device_agent.storage import outbox, rescue, snapshot, swap
from device_agent.storage.parts import Parts
from device_agent.storage.ticks import NOWHERE, Place
from fieldmesh.basics.errors import FieldmeshError, Rejected, Retry
from fieldmesh.replica.digest import Digest


@dataclass(frozen=True, slots=True)
class Built:
    """A new database file, filled and proven, that nobody uses yet."""

    path: Path
    snapshot: swap.Snapshot


async def build(
    talk: Talk, announced: DownloadAnnounced, parts: Parts, meant: list[Digest]
) -> Built:
    """The snapshot is in a file of its own, equal to what the gateway means.

    Raises:
        Retry: `download_damaged`: its digests differ from the gateway's.
    """
    if announced.kind is not Kind.SNAPSHOT:
        raise Rejected("bad_message", place="not a snapshot")
    context = talk.context
    context.tell(Step.APPLY)
    path = context.home.next_database()
    key = context.database.key

    def work() -> list[Digest]:
        context.home.remove_database(path)
        scratch = context.home.scratch
        try:
            with snapshot.in_memory(parts.pieces(), announced.uncompressed_bytes, scratch) as plain:
                return snapshot.build(path, key, plain, meant, announced.partitions)
        except FieldmeshError:
            context.home.remove_database(path)
            raise

    differs = await asyncio.to_thread(work)
    if differs:
        parts.forget()
        context.home.remove_database(path)
        raise Retry("download_damaged", place="snapshot digests")
    talk.report.rows_down = sum(line.rows for line in meant)
    context.tell(Step.APPLY, talk.report.rows_down, talk.report.rows_down)
    context.tell(Step.VERIFY, note="equal")
    told = swap.Snapshot(
        mark_lsn=announced.mark_lsn,
        partitions=announced.partitions,
        answered=Place(*announced.ticks.hub),
        uncompressed_bytes=announced.uncompressed_bytes,
    )
    return Built(path, told)


async def keep_aside(talk: Talk) -> str:
    """What waits and this gateway does not hold is in a rescue file. Returns its name or "".

    Raises:
        Retry: the file could not be written: nothing has been replaced.
    """
    context = talk.context
    held = NOWHERE if talk.is_restored_image else Place(*talk.heard.gateway)
    waiting = await context.database.read(lambda found: outbox.waiting_after(found, held))
    if not waiting:
        return ""
    carrier = write_carrier(
        context.certificate,
        [
            SignedBytes(batch.sequence, batch.header, batch.body, batch.signature)
            for batch in waiting
        ],
    )
    try:
        path = rescue.keep(context.home, context.database.key, carrier, now=context.clock.now())
    except OSError as error:
        raise Retry("disk_full", place="rescue file") from error
    return path.name
