"""Devices and gateways: add, authorise a spare, replace, revoke.

Each is one transaction of its caller.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from fieldmesh.basics.clock import Clock
from fieldmesh.basics.errors import Rejected
from fieldmesh.basics.identifiers import IdentifierMaker, to_text
from fieldmesh.data.types import Value
from fieldmesh.service.translation import N_, _
from hub.fleet.subscriptions import Affected, refresh
from hub.storage import enrolments, journal, nodes
from hub.storage.changes import ChangeWriter
from hub.storage.org_changes import delete_rows, update_rows, upsert_rows
from hub.storage.rows import all_rows, one_row, rows_where

_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""For number prefixes of documents: without letters that people mix up with digits."""
_PREFIX_CHARACTERS = 4


@dataclass(frozen=True, slots=True)
class Maker:
    """What new rows need: ids and the time."""

    clock: Clock
    identifiers: IdentifierMaker


@dataclass(frozen=True, slots=True)
class NewGateway:
    """A gateway to be registered; `unit` and `distributor` are codes, one of them or none."""

    code: str
    name: str = ""
    unit: str | None = None
    distributor: str | None = None


@dataclass(frozen=True, slots=True)
class NewDevice:
    """A device to be registered; `position` and `gateway` are codes.

    A spare has no position yet. One that was registered after the backup from which the hub was restored has an id, a
    number prefix and a certificate already.
    """

    code: str
    position: str | None = None
    gateway: str | None = None
    spare: bool = False
    device_id: bytes | None = None
    document_prefix: str = ""


async def add_gateway(writer: ChangeWriter, maker: Maker, new: NewGateway) -> bytes:
    """The gateway is registered and may enrol.

    Raises:
        Rejected: `code_taken`, or `not_found` for an unknown unit or distributor.
    """
    await _refuse_taken(writer, "gateway", new.code)
    unit = await _named(writer, "org_unit", new.unit)
    distributor = await _named(writer, "distributor", new.distributor)
    gateway_id = maker.identifiers.new()
    names = ("id", "code", "name", "org_unit_id", "distributor_id", "status")
    row = (gateway_id, new.code, new.name or new.code, unit, distributor, "registered")
    await upsert_rows(writer, "gateway", names, [row])
    await _refresh(writer, maker, gateways=[gateway_id])
    return gateway_id


async def add_device(writer: ChangeWriter, maker: Maker, new: NewDevice) -> bytes:
    """The device is registered, has a number prefix of its own, and may enrol.

    Raises:
        Rejected: `code_taken`, also of an id or prefix; `not_found` for an unknown position or gateway;
            `position_has_device`, the
            position has a main device already.
    """
    await _refuse_taken(writer, "device", new.code)
    position = await _named(writer, "position", new.position)
    gateway = await _named(writer, "gateway", new.gateway)
    if not new.spare:
        if position is None or gateway is None:
            raise Rejected("usage", text=N_("a main device needs a position and a gateway"))
        await _refuse_second(writer, position)
    for name, held in (("id", new.device_id), ("document_prefix", new.document_prefix)):
        if held and await one_row(writer.connection, "device", ("id",), name, held) is not None:
            raise Rejected("code_taken", place=f"device {name}", code=_shown(held))
    device_id = new.device_id or maker.identifiers.new()
    row = (
        device_id,
        new.code,
        position,
        gateway,
        "spare" if new.spare else "main",
        "spare" if new.spare else "active",
        new.document_prefix or await _free_prefix(writer),
    )
    names = ("id", "code", "position_id", "gateway_id", "kind", "state", "document_prefix")
    await upsert_rows(writer, "device", names, [row])
    await _refresh(writer, maker, positions=[position], gateways=[gateway])
    return device_id


async def authorise_spare(
    writer: ChangeWriter, maker: Maker, *, spare: nodes.Device, first: nodes.Device
) -> None:
    """The spare may take over from ``first``: it serves the same position and may run `duplicate`.

    Raises:
        Rejected: `not_a_spare_device`, `device_revoked`, `spare_in_use`, or `position_has_spare`: the first hand-over
            of two spares would let the first device work beside the other one.
    """
    if spare.kind != "spare":
        raise Rejected("not_a_spare_device", place=spare.code, device=spare.code)
    if "revoked" in {spare.state, first.state}:
        raise Rejected("device_revoked", place=f"{spare.code}, {first.code}")
    if spare.state in {"standing_in", "locked"}:
        raise Rejected("spare_in_use", place=spare.code, device=spare.code)
    if first.position_id is None:
        raise Rejected("not_found", text=_("{code} serves no position").format(code=first.code))
    await _refuse_second_spare(writer, spare, first)
    gateway = spare.gateway_id or first.gateway_id
    names = ("id", "position_id", "gateway_id", "stands_in_for", "state", "epoch_floor")
    floor = await _newest_epoch(writer, spare.device_id)
    row = (spare.device_id, first.position_id, gateway, first.device_id, "spare", floor)
    await update_rows(writer, "device", names, [row])
    await _put_away_rejects(writer, spare.device_id)
    await _refresh(
        writer, maker, positions=[first.position_id, spare.position_id], gateways=[gateway]
    )


async def _newest_epoch(writer: ChangeWriter, device_id: bytes) -> int:
    """The newest epoch of which a batch was decided, from 1: what the device does later is in a newer one."""
    ticks = await rows_where(
        writer.connection, "device_tick", ("device_epoch",), "device_id", [device_id]
    )
    return max([1, *(epoch for [epoch] in ticks if isinstance(epoch, int))])


async def _put_away_rejects(writer: ChangeWriter, spare_id: bytes) -> None:
    """What came late of its last user's work is not shown to the next one: it stands in the journal, whole."""
    names = (
        "id", "lsn", "device_epoch", "sequence", "table_name", "row_id", "code", "text", "row",
    )  # fmt: skip
    held = await rows_where(writer.connection, "reject", names, "device_id", [spare_id])
    for _reject_id, *values in held:
        payload: dict[str, object] = {"device": to_text(spare_id)}
        for name, value in zip(names[1:], values, strict=True):
            payload[name] = to_text(value) if isinstance(value, bytes) else value
        await journal.append(
            writer.connection, at=writer.now, kind="reject_put_away", actor="hub",
            payload=payload, subjects=[spare_id],
        )  # fmt: skip
    await delete_rows(writer, "reject", [row[0] for row in held if isinstance(row[0], bytes)])


async def release_spare(writer: ChangeWriter, maker: Maker, spare_id: bytes) -> None:
    """The spare serves nobody: to stand in again it needs to be authorised again.

    What its gateway held for it alone goes. Promise 6 (Scope).
    """
    names = ("position_id", "gateway_id")
    held = await one_row(writer.connection, "device", names, "id", spare_id)
    if held is None:
        return
    position, gateway = (one if isinstance(one, bytes) else None for one in held)
    row = (spare_id, None, None, "spare")
    await update_rows(writer, "device", ("id", "position_id", "stands_in_for", "state"), [row])
    await _refresh(writer, maker, positions=[position], gateways=[gateway])


async def revoke_device(
    writer: ChangeWriter, maker: Maker, device: nodes.Device, *, wipe_order: bytes
) -> list[str]:
    """The device is revoked: gateways refuse it and hand it the signed order to erase itself.

    Returns:
        Serials of its certificates.
    """
    serials = await enrolments.revoke_certificates(
        writer.connection, device.device_id, maker.clock.now()
    )
    await enrolments.drop_codes(writer.connection, device.device_id)
    names = ("id", "state", "wipe_order")
    await update_rows(writer, "device", names, [(device.device_id, "revoked", wipe_order)])
    await _work_again_after(writer, device)
    await _refresh(writer, maker, positions=[device.position_id], gateways=[device.gateway_id])
    return serials


async def revoke_gateway(writer: ChangeWriter, maker: Maker, gateway: nodes.Gateway) -> list[str]:
    """The gateway is revoked: it loses its partitions and leases. Its devices need another home.

    Returns:
        Serials of its certificates.
    """
    serials = await enrolments.revoke_certificates(
        writer.connection, gateway.gateway_id, maker.clock.now()
    )
    await enrolments.drop_codes(writer.connection, gateway.gateway_id)
    await update_rows(writer, "gateway", ("id", "status"), [(gateway.gateway_id, "revoked")])
    leases = await rows_where(
        writer.connection,
        "gateway_position",
        ("id", "kind"),
        "gateway_id",
        [gateway.gateway_id],
    )
    gone = [row[0] for row in leases if row[1] == "lease" and isinstance(row[0], bytes)]
    await delete_rows(writer, "gateway_position", gone)
    await _refresh(writer, maker, gateways=[gateway.gateway_id])
    return serials


async def change_home(
    writer: ChangeWriter, maker: Maker, device: nodes.Device, gateway: nodes.Gateway
) -> None:
    """The device's home is that gateway.

    Raises:
        Rejected: `gateway_unknown`, it is revoked.
    """
    if gateway.status == "revoked":
        raise Rejected("gateway_unknown", place="gateway", gateway=gateway.code)
    row = (device.device_id, gateway.gateway_id)
    await update_rows(writer, "device", ("id", "gateway_id"), [row])
    await _refresh(
        writer,
        maker,
        positions=[device.position_id],
        gateways=[device.gateway_id, gateway.gateway_id],
    )


async def change_states(
    writer: ChangeWriter, states: Sequence[tuple[bytes, str, int]]
) -> set[bytes]:
    """The devices are in these states, and must sync fully or not; those that are revoked stay so, and are returned.

    Promise 7 (Authority): what a spare does, or what becomes of it, lets no stolen device in again.
    """
    ids = [one[0] for one in states]
    held = await rows_where(writer.connection, "device", ("id", "state"), "id", ids)
    revoked = {one for one, state in held if state == "revoked" and isinstance(one, bytes)}
    rows = [one for one in states if one[0] not in revoked]
    await update_rows(writer, "device", ("id", "state", "must_full_sync"), rows)
    return revoked


async def _work_again_after(writer: ChangeWriter, device: nodes.Device) -> None:
    """When a spare in use is revoked, the first device works again after a full sync."""
    if device.state in {"standing_in", "locked"} and device.stands_in_for is not None:
        await change_states(writer, [(device.stands_in_for, "active", 1)])


async def _refresh(
    writer: ChangeWriter,
    maker: Maker,
    *,
    positions: Sequence[bytes | None] = (),
    gateways: Sequence[bytes | None] = (),
) -> None:
    affected = Affected(
        positions=frozenset(one for one in positions if one is not None),
        gateways=frozenset(one for one in gateways if one is not None),
    )
    await refresh(writer, affected, clock=maker.clock, identifiers=maker.identifiers)


async def _refuse_taken(writer: ChangeWriter, table: str, code: str) -> None:
    if not code:
        raise Rejected("usage", text=N_("a code is needed"))
    if await one_row(writer.connection, table, ("id",), "code", code) is not None:
        raise Rejected("code_taken", place=table, code=code)


def _shown(held: bytes | str) -> str:
    return to_text(held) if isinstance(held, bytes) else held


async def _refuse_second(writer: ChangeWriter, position: bytes) -> None:
    for device in await nodes.devices(writer.connection, positions=[position]):
        if device.kind == "main" and device.state != "revoked":
            raise Rejected("position_has_device", place="position", device=device.code)


async def _refuse_second_spare(
    writer: ChangeWriter, spare: nodes.Device, first: nodes.Device
) -> None:
    names = ("code", "state")
    held = await rows_where(writer.connection, "device", names, "stands_in_for", [first.device_id])
    for code, state in held:
        if code != spare.code and state != "revoked":
            raise Rejected("position_has_spare", place=first.code, device=str(code))


async def _named(writer: ChangeWriter, table: str, code: str | None) -> bytes | None:
    if code is None:
        return None
    row = await one_row(writer.connection, table, ("id",), "code", code)
    if row is None or not isinstance(row[0], bytes):
        title = table.replace("_", " ")
        raise Rejected("not_found", place=table, text=f"there is no {title} {code}")
    return row[0]


async def _free_prefix(writer: ChangeWriter) -> str:
    rows = await all_rows(writer.connection, "device", ("document_prefix",))
    taken: set[Value] = {row[0] for row in rows}
    number = len(taken)
    while (prefix := _prefix(number)) in taken:
        number += 1
    return prefix


def _prefix(number: int) -> str:
    letters = ""
    for _number in range(_PREFIX_CHARACTERS):
        number, place = divmod(number, len(_LETTERS))
        letters = _LETTERS[place] + letters
    return letters
