"""What the gateway knows of each device: the hub's word, and its own since then."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gateway.storage import inbox
from gateway.storage.cursors import lost_sql

if TYPE_CHECKING:
    import sqlite3


@dataclass(frozen=True, slots=True)
class HubTick:
    """The last batch that the hub has applied, with its signed word for the device; zeros = none known."""

    device_epoch: int = 0
    sequence: int = 0
    proof: bytes = b""


@dataclass(frozen=True, slots=True)
class DeviceFacts:
    """One device as of one transaction.

    Attributes:
        known: whether the hub has told this gateway of it.
        state: the hub's word (active, suspended, spare, standing_in, locked, revoked), or empty.
        used_epoch: highest epoch that the device is known to have worked in.
        granted_epoch: highest epoch that was ever granted to it, as far as is known here.
        epoch_floor: a spare's highest epoch as of its authorisation; 0 = head office has not told.
        home_gateway_id: the gateway where it belongs.
        enrolled_key: the hub's word about its key, see `fieldmesh.service.enrolled_key`.
    """

    device_id: bytes
    known: bool
    state: str
    position_id: bytes | None
    home_gateway_id: bytes | None
    stands_in_for: bytes | None
    wipe_order: bytes | None
    must_full_sync: bool
    enrolled_key: str
    used_epoch: int
    granted_epoch: int
    epoch_floor: int
    suspended: bool
    handed_over: bool
    tick: HubTick


def read_facts(connection: sqlite3.Connection, device_id: bytes) -> DeviceFacts:
    """What is known of the device, also when that is nothing."""
    hub = connection.execute(
        "SELECT d.state, coalesce(d.position_id, f.position_id), d.stands_in_for, d.wipe_order,"
        " d.must_full_sync, d.certificate_fingerprint, d.epoch_floor, d.lsn, d.gateway_id FROM device AS d"
        " LEFT JOIN device AS f ON f.id = d.stands_in_for WHERE d.id = ?",
        (device_id,),
    ).fetchone()
    own = connection.execute(
        "SELECT used_epoch, granted_epoch, suspended_by, suspended_at_lsn, handover_epoch,"
        " handover_sequence FROM fm_device WHERE device_id = ?",
        (device_id,),
    ).fetchone() or (0, 0, None, None, 0, 0)
    tick = read_tick(connection, device_id)
    state = str(hub[0]) if hub else ""
    floor = int(hub[6] or 0) if hub else 0
    held_down = own[2] is not None and (hub is None or own[3] == hub[7])
    handed_over = own[4] > 0 and (
        (tick.device_epoch, tick.sequence) < (own[4], own[5])
        or (hub is not None and _decided_at(connection, device_id, own[4:]) > hub[7])
    )
    used = max(own[0], tick.device_epoch, floor)
    return DeviceFacts(
        device_id=device_id,
        known=hub is not None,
        state=state,
        position_id=hub[1] if hub else None,
        home_gateway_id=hub[8] if hub else None,
        stands_in_for=hub[2] if hub else None,
        wipe_order=hub[3] if hub else None,
        must_full_sync=bool(hub[4]) if hub else False,
        enrolled_key=str(hub[5] or "") if hub else "",
        used_epoch=used,
        granted_epoch=max(own[1], used),
        epoch_floor=floor,
        suspended=held_down or state == "suspended",
        handed_over=handed_over,
        tick=tick,
    )


def _decided_at(connection: sqlite3.Connection, device_id: bytes, place: tuple[int, int]) -> int:
    """LSN of the batch's receipt; 0 = none. It may come before what head office changed with the batch."""
    row = connection.execute(
        "SELECT applied_lsn FROM fm_inbox WHERE device_id = ? AND device_epoch = ? AND sequence = ?"
        " AND differs = 0",
        (device_id, *place),
    ).fetchone()
    return int(row[0] or 0) if row else 0


def read_tick(connection: sqlite3.Connection, device_id: bytes) -> HubTick:
    """How far head office has applied the device's batches, as far as this gateway has heard.

    From the replicated tick, from what it was when the device's partition left, or from a receipt of a batch that
    went through here: a roaming device gets its ticks also where its partitions are not. What was of a lost future
    does not count.
    """
    row = connection.execute(
        "SELECT device_epoch, sequence, proof FROM device_tick WHERE device_id = ?1 UNION ALL"
        f" SELECT heard_epoch, heard_sequence, heard_proof FROM fm_device WHERE device_id = ?1"
        f" AND heard_lsn > 0 AND NOT {lost_sql('heard_lsn')} UNION ALL"
        " SELECT device_epoch, sequence, hub_tick"
        " FROM (SELECT device_epoch, sequence, hub_tick FROM fm_inbox"
        f" WHERE device_id = ?1 AND differs = 0 AND applied_lsn > 0 AND NOT {lost_sql('applied_lsn')}"
        " ORDER BY device_epoch DESC, sequence DESC LIMIT 1)"
        " ORDER BY 1 DESC, 2 DESC, 3 DESC LIMIT 1",
        (device_id,),
    ).fetchone()
    return HubTick(0, 0) if row is None else HubTick(row[0], row[1], row[2] or b"")


def keep_ticks(connection: sqlite3.Connection, partition: int) -> None:
    """The ticks of devices that were here stay known while the partition, and their rows with it, leaves.

    Else the gateway would hold less of a device than it has said: the device takes that for a lost disk.
    """
    connection.execute(
        "UPDATE fm_device SET heard_epoch = t.device_epoch, heard_sequence = t.sequence,"
        " heard_proof = t.proof, heard_lsn = t.lsn FROM device_tick AS t"
        " WHERE t.device_id = fm_device.device_id AND t.partition = ?",
        (partition,),
    )


@dataclass(frozen=True, slots=True)
class Seen:
    """A device has opened a session."""

    device_id: bytes
    device_epoch: int
    mode: str
    app_version: str
    certificate: bytes
    at: int


def note_session(connection: sqlite3.Connection, seen: Seen) -> None:
    """The device was here, in this epoch. An epoch never goes back."""
    connection.execute(
        "INSERT INTO fm_device (device_id, used_epoch, granted_epoch, certificate, first_seen_at,"
        " last_session_at, last_mode, app_version) VALUES (?1, ?2, ?2, ?3, ?4, ?4, ?5, ?6)"
        " ON CONFLICT (device_id) DO UPDATE SET used_epoch = max(used_epoch, ?2),"
        " granted_epoch = max(granted_epoch, ?2), certificate = ?3, last_session_at = ?4,"
        " last_mode = ?5, app_version = ?6",
        (
            seen.device_id,
            seen.device_epoch,
            seen.certificate,
            seen.at,
            seen.mode,
            seen.app_version,
        ),
    )


def grant_epoch(connection: sqlite3.Connection, device_id: bytes, *, above: int) -> int:
    """A device epoch that nobody has been given before.

    Durability: it counts as granted from the commit on, whether or not the device hears of it.
    """
    facts = read_facts(connection, device_id)
    granted = max(facts.granted_epoch, above) + 1
    connection.execute(
        "UPDATE fm_device SET granted_epoch = ? WHERE device_id = ?",
        (granted, device_id),
    )
    return granted


def suspend(connection: sqlite3.Connection, first_id: bytes, *, spare_id: bytes, now: int) -> None:
    """A spare stands in: the first device is suspended here until the hub says otherwise."""
    connection.execute(
        "INSERT INTO fm_device (device_id, suspended_by, suspended_at_lsn, first_seen_at,"
        " last_session_at) VALUES (?1, ?2, (SELECT lsn FROM device WHERE id = ?1), ?3, 0)"
        " ON CONFLICT (device_id) DO UPDATE SET suspended_by = excluded.suspended_by,"
        " suspended_at_lsn = excluded.suspended_at_lsn",
        (first_id, spare_id, now),
    )


@dataclass(frozen=True, slots=True)
class Fence:
    """Why a device must initialize before it goes on: a problem code."""

    code: str


def find_fence(
    connection: sqlite3.Connection,
    facts: DeviceFacts,
    *,
    device_epoch: int,
    last_sequence: int,
    last_sha256: bytes,
) -> Fence | None:
    """Whether the device is an older epoch, a restored image or a clone (core.md section 7)."""
    if device_epoch < facts.used_epoch:
        return Fence("older_epoch")
    held = inbox.highest_sequence(connection, facts.device_id, device_epoch)
    if facts.tick.device_epoch == device_epoch:
        held = max(held, facts.tick.sequence)
    if last_sequence < held:
        return Fence("restored_image")
    if last_sequence:
        known = inbox.sha256_of(connection, facts.device_id, device_epoch, last_sequence)
        if known is not None and known != last_sha256:
            return Fence("cloned_device")
    return None


def devices_of_position(connection: sqlite3.Connection, position_id: bytes) -> list[bytes]:
    """All devices that the hub has registered for a position."""
    return [
        row[0]
        for row in connection.execute("SELECT id FROM device WHERE position_id = ?", (position_id,))
    ]


_SERVED: Final = (
    "SELECT 1 FROM device AS d JOIN gateway_position AS g ON g.position_id = d.position_id"
    " AND g.gateway_id = (SELECT gateway_id FROM fm_state)"
)


@dataclass(frozen=True, slots=True)
class LeaseWish:
    """A roaming device is here, in its own signed word.

    Attributes:
        presence: see ``fieldmesh.codec.presence``.
        certificate: of the device, DER.
    """

    device_id: bytes
    presence: bytes
    presence_at: int
    certificate: bytes


def wish_lease(connection: sqlite3.Connection, wish: LeaseWish, now: int) -> None:
    """The hub will be asked for the device's partitions. A wish without the device's word keeps an earlier one's."""
    connection.execute(
        "INSERT INTO fm_lease_wish (device_id, wished_at, presence, presence_at, certificate)"
        " VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (device_id) DO UPDATE SET wished_at = ?2,"
        " certificate = ?5, presence = coalesce(nullif(?3, x''), presence),"
        " presence_at = CASE ?3 WHEN x'' THEN presence_at ELSE ?4 END",
        (wish.device_id, now, wish.presence, wish.presence_at, wish.certificate),
    )


def lease_wishes(connection: sqlite3.Connection, *, renew_before: int) -> list[LeaseWish]:
    """Devices whose lease is wished for and not granted beyond ``renew_before``, or not here.

    What counts is the row that the hub sends for a lease, not its answer of then: a hub that was restored since knows
    nothing of that answer.
    """
    return [
        LeaseWish(*row)
        for row in connection.execute(
            "SELECT device_id, presence, presence_at, certificate FROM fm_lease_wish AS w"
            f" WHERE presence <> x'' AND (expires_at < ? OR NOT EXISTS ({_SERVED} WHERE d.id = w.device_id))"
            " ORDER BY wished_at",
            (renew_before,),
        )
    ]


def is_served(connection: sqlite3.Connection, device_id: bytes) -> bool:
    """Whether the gateway serves the device's position, at home or for a time."""
    return connection.execute(f"{_SERVED} WHERE d.id = ?", (device_id,)).fetchone() is not None


def is_guest(connection: sqlite3.Connection, device_id: bytes) -> bool:
    """Whether the gateway serves the device's position for a time only."""
    lent = f"{_SERVED} WHERE d.id = ?1 AND g.kind = 'lease'"
    at_home = f"{_SERVED} WHERE d.id = ?1 AND g.kind <> 'lease'"
    found = connection.execute(f"{lent} AND NOT EXISTS ({at_home})", (device_id,)).fetchone()
    return found is not None


def note_lease(connection: sqlite3.Connection, device_id: bytes, *, expires_at: int) -> None:
    """The hub has granted the lease."""
    connection.execute(
        "UPDATE fm_lease_wish SET expires_at = ? WHERE device_id = ?",
        (expires_at, device_id),
    )


def forget_lease_wishes(connection: sqlite3.Connection, *, wished_before: int) -> None:
    """Devices that have not come since then are not asked for again."""
    connection.execute("DELETE FROM fm_lease_wish WHERE wished_at < ?", (wished_before,))


def list_devices(connection: sqlite3.Connection) -> list[dict[str, object]]:
    """All devices that have been here or belong here, for people."""
    rows = connection.execute(
        "SELECT f.device_id, d.code, d.state, f.used_epoch, f.last_session_at, f.last_mode,"
        " f.app_version, f.suspended_by IS NOT NULL, t.device_epoch, t.sequence"
        " FROM fm_device AS f LEFT JOIN device AS d ON d.id = f.device_id"
        " LEFT JOIN device_tick AS t ON t.device_id = f.device_id"
        " ORDER BY f.last_session_at DESC"
    )
    names = [
        "device_id",
        "code",
        "state",
        "device_epoch",
        "last_session_at",
        "last_mode",
        "app_version",
        "suspended_here",
        "hub_epoch",
        "hub_sequence",
    ]
    return [dict(zip(names, (row[0].hex(), *row[1:]), strict=True)) for row in rows]
