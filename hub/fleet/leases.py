"""Leases: a roaming device's position is wanted at another gateway for a time."""

from dataclasses import dataclass

from fieldmesh.basics.errors import Fenced, Rejected
from fieldmesh.basics.identifiers import to_text
from fieldmesh.data.types import as_bytes
from hub.fleet.registry import Maker
from hub.fleet.subscriptions import Refreshed, refresh_gateway
from hub.storage import nodes
from hub.storage.database import HubDatabase
from hub.storage.org_changes import delete_rows, head_office_write, upsert_rows
from hub.storage.rows import Connection, all_rows, rows_where

LEASE_HOURS = 72
_HOUR_US = 3_600_000_000


@dataclass(frozen=True, slots=True)
class LeaseGrant:
    """A lease: until when (UTC microseconds.

    0 = as long as it is the home), and the LSN that brought it.
    """

    expires_at: int
    lsn: int


async def lease(
    database: HubDatabase, maker: Maker, gateway_id: bytes, device_id: bytes
) -> LeaseGrant:
    """The gateway may hold what the device's position may see, for 72 hours from now.

    Raises:
        Rejected: `device_unknown`, or `gateway_unknown`.
        Fenced: `device_revoked`.
    """
    expires_at = maker.clock.now() + LEASE_HOURS * _HOUR_US
    about = {"gateway": gateway_id.hex(), "device": device_id.hex()}
    async with head_office_write(
        database, maker.clock, actor="hub", kind="lease_given", about=about
    ) as writer:
        position = await _leasable(writer.connection, gateway_id, device_id)
        names = ("id", "position_id", "kind")
        rows = await rows_where(
            writer.connection, "gateway_position", names, "gateway_id", [gateway_id]
        )
        held = {row[2]: row[0] for row in rows if row[1] == position}
        if "home" in held:
            return LeaseGrant(0, writer.lsn)
        lease_id = held.get("lease") or maker.identifiers.new()
        columns = ("id", "gateway_id", "position_id", "kind", "expires_at")
        row = (lease_id, gateway_id, position, "lease", expires_at)
        await upsert_rows(writer, "gateway_position", columns, [row])
        await refresh_gateway(writer, gateway_id, Refreshed())
        return LeaseGrant(expires_at, writer.lsn)


async def end_leases(database: HubDatabase, maker: Maker) -> int:
    """Leases whose time is over are gone, and with them what their gateways held for them.

    Returns how many.
    """
    async with database.read() as connection:
        if not await _over(connection, maker):
            return 0
    about: dict[str, object] = {}
    async with head_office_write(
        database, maker.clock, actor="hub", kind="leases_ended", about=about
    ) as writer:
        over = await _over(writer.connection, maker)  # again: one may have been renewed meanwhile
        about["leases"] = len(over)
        await delete_rows(writer, "gateway_position", list(over))
        for gateway in sorted(set(over.values())):
            await refresh_gateway(writer, gateway, Refreshed())
    return len(over)


async def _over(connection: Connection, maker: Maker) -> dict[bytes, bytes]:
    """Leases whose time is over, and their gateways."""
    now = maker.clock.now()
    names = ("id", "gateway_id", "kind", "expires_at")
    return {
        as_bytes(lease_id): as_bytes(gateway)
        for lease_id, gateway, kind, expires_at in await all_rows(
            connection, "gateway_position", names
        )
        if kind == "lease" and isinstance(expires_at, int) and expires_at < now
    }


async def _leasable(connection: Connection, gateway_id: bytes, device_id: bytes) -> bytes:
    gateway = await nodes.gateway(connection, gateway_id)
    if gateway is None or gateway.status == "revoked":
        raise Rejected("gateway_unknown", place="gateway", gateway=to_text(gateway_id))
    device = await nodes.device(connection, device_id)
    if device is None or device.position_id is None:
        raise Rejected("device_unknown", place="device", device=to_text(device_id))
    if device.state == "revoked":
        raise Fenced("device_revoked", place="device")
    return device.position_id
