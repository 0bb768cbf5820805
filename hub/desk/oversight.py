"""Quarantine, gaps and conflicts: looked at and decided by people. Promise 7 (Authority)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from fieldmesh.basics.errors import Rejected
from fieldmesh.service.translation import _
from hub.desk.changes import acting
from hub.desk.hands import Applied, Hands
from hub.rules.access import Access
from hub.storage import conflicts, inbox, journal, nodes, quarantine
from hub.storage.conflicts import LoggedConflict
from hub.storage.quarantine import Held, Quarantined
from hub.storage.rows import Connection

_Entry = TypeVar("_Entry", Held, LoggedConflict)
FUNCTION = "quarantine.manage"
PAGE = 50


@dataclass(frozen=True, slots=True)
class Gap:
    """A device whose batches wait for an earlier one. `since` is UTC microseconds."""

    device_id: bytes
    device: str
    decided: str
    first_waiting: str
    waiting: int
    since: int


async def quarantined(
    hands: Hands, access: Access, *, everything: bool = False, after: int = 0
) -> tuple[list[tuple[Held, str]], int]:
    """A page of what stands in quarantine, oldest first, each with the code of its device; without the bytes.

    Returns:
        The entries above the number ``after``, and the number that leads to the next page; 0 = there is none.
    """
    access.need(FUNCTION)
    state = "" if everything else quarantine.OPEN
    async with hands.office.database.read() as connection:
        held = await quarantine.entries(connection, state=state, after=after, most=PAGE + 1)
        names = {one.device_id: one.code for one in await nodes.devices(connection)}
    shown, following = _page(held)
    return [(one, names.get(one.device_id or b"", "")) for one in shown], following


async def retry(hands: Hands, access: Access, number: int) -> Applied:
    """The entry's batch is applied now.

    Raises:
        Rejected: `not_found`, or why it still can't be applied: it stays in quarantine.
    """
    access.need(FUNCTION)
    entry = await _entry(hands, number)

    async def note(connection: Connection) -> None:
        await quarantine.decide(connection, number, quarantine.RETRIED)
        await _note(hands, access, connection, "quarantine_retried", about={"number": number})

    return await hands.retry(entry.payload, note)


async def release(hands: Hands, access: Access, number: int) -> None:
    """The entry is closed without being applied; its bytes are kept.

    Raises:
        Rejected: `not_found`, there is no open one.
    """
    access.need(FUNCTION)
    async with acting(hands.office, access, "quarantine_released", {"number": number}) as writer:
        await quarantine.decide(writer.connection, number, quarantine.RELEASED)


async def gaps(hands: Hands, access: Access) -> list[Gap]:
    """Devices with a gap."""
    access.need(FUNCTION)
    async with hands.office.database.read() as connection:
        found = await inbox.gaps(connection)
        names = {one.device_id: one.code for one in await nodes.devices(connection)}
    return [
        Gap(
            device, names.get(device, device.hex()[:8]), f"{mark.device_epoch}/{mark.sequence}",
            f"{first.device_epoch}/{first.sequence}", count, since,
        )
        for device, mark, first, count, since in found
    ]  # fmt: skip


async def release_gap(hands: Hands, access: Access, device_id: bytes) -> Applied:
    """The device's batches go on without what is missing, which can then only come by hand."""
    access.need(FUNCTION)
    about = {"device": device_id.hex()}

    async def note(connection: Connection) -> None:
        await _note(hands, access, connection, "gap_released", about=about, subjects=[device_id])

    return await hands.release(device_id, note)


async def open_conflicts(
    hands: Hands, access: Access, *, after: int = 0
) -> tuple[list[LoggedConflict], int]:
    """A page of column writes that lost against another, oldest first.

    Returns:
        Those above the number ``after``, and the number that leads to the next page; 0 = there is none.
    """
    access.need(FUNCTION)
    async with hands.office.database.read() as connection:
        held = await conflicts.conflicts(
            connection, state=conflicts.OPEN, after=after, most=PAGE + 1
        )
    return _page(held)


async def overturn(hands: Hands, access: Access, number: int) -> None:
    """The value that lost stands now."""
    access.need(FUNCTION)
    subjects: list[bytes] = []
    async with acting(
        hands.office, access, "conflict_overturned", {"number": number}, subjects
    ) as writer:
        held = await conflicts.overturn(writer, number)
        subjects.append(held.row_id)


async def keep(hands: Hands, access: Access, number: int) -> None:
    """The value that won stays; nobody needs to look again.

    Raises:
        Rejected: `not_found`, there is no open conflict of that number.
    """
    access.need(FUNCTION)
    async with acting(hands.office, access, "conflict_kept", {"number": number}) as writer:
        await conflicts.decide(writer.connection, number, conflicts.KEPT)


async def _note(
    hands: Hands, access: Access, connection: Connection, kind: str, *, about: Mapping[str, object],
    subjects: Collection[bytes] = (),
) -> None:  # fmt: skip
    """The act stands in the journal, in the transaction that does it. Promise 9 (Audit)."""
    await journal.append(
        connection, at=hands.office.clock.now(), kind=kind, actor=access.login, payload=about, subjects=subjects,
    )  # fmt: skip


async def _entry(hands: Hands, number: int) -> Quarantined:
    async with hands.office.database.read() as connection:
        entry = await quarantine.entry(connection, number)
    if entry is None:
        raise Rejected(
            "not_found",
            place="quarantine",
            text=_("there is no entry {number}").format(number=number),
        )
    return entry


def _page(held: Sequence[_Entry]) -> tuple[list[_Entry], int]:
    """What is shown of one more than a page, and the number that leads to the next one; 0 = there is none."""
    shown = list(held[:PAGE])
    return shown, shown[-1].number if len(held) > PAGE else 0
