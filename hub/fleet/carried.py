"""What a hub that is set aside had ended since the backup is ended in the restored one too. Promise 9 (Audit)."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fieldmesh.basics.errors import FieldmeshError
from hub.fleet.registry import Maker, revoke_device, revoke_gateway
from hub.storage import enrolments, nodes
from hub.storage.api_tokens import drop_tokens, token_ids
from hub.storage.changes import ChangeWriter
from hub.storage.database import HubDatabase, sqlite_url
from hub.storage.journal import entries
from hub.storage.rows import Connection, rows_where


@dataclass(frozen=True, slots=True)
class Ended:
    """What a hub knows to be over.

    Attributes:
        beginning: hash of its journal's first entry: another hub's rows are none of ours.
        gateways: that are revoked.
        devices: that are revoked → their signed order to erase themselves.
        serials: of revoked certificates.
        bus_keys: that a gateway had before, with the gateway and when that ended.
        tokens: API tokens that hold.
    """

    beginning: str
    gateways: frozenset[bytes]
    devices: Mapping[bytes, bytes]
    serials: frozenset[str]
    bus_keys: tuple[tuple[str, bytes, int], ...]
    tokens: frozenset[bytes]


async def ended_at(file: Path) -> Ended | None:
    """What the hub of that SQLite file knows to be over; None = there is none, or it can't be read."""
    database = HubDatabase(sqlite_url(file))
    try:
        if not await database.exists():
            return None
        async with database.read() as connection:
            return await _ended(connection)
    except FieldmeshError:
        return None
    finally:
        await database.close()


async def carry_over(writer: ChangeWriter, maker: Maker, ended: Ended) -> list[str]:
    """What was over there is over here. Returns the gateways and devices that it has revoked."""
    connection = writer.connection
    here = await _ended(connection)
    if here.beginning != ended.beginning:
        return []
    done: list[str] = []
    for gateway in await nodes.gateways(connection):
        if gateway.gateway_id in ended.gateways - here.gateways:
            await revoke_gateway(writer, maker, gateway)
            done.append(gateway.code)
    for device in await nodes.devices(connection):
        if device.device_id in ended.devices.keys() - here.devices.keys():
            order = ended.devices[device.device_id]
            await revoke_device(writer, maker, device, wipe_order=order)
            done.append(device.code)
    valid = {
        one.serial
        for one in await enrolments.all_certificates(connection)
        if one.revoked_at is None
    }
    await enrolments.end_certificates(connection, valid & ended.serials, maker.clock.now())
    for key, gateway_id, at in ended.bus_keys:
        await enrolments.end_bus_key(connection, gateway_id, key, at)
    await drop_tokens(connection, here.tokens - ended.tokens)
    return done


async def _ended(connection: Connection) -> Ended:
    gateways = await rows_where(connection, "gateway", ("id",), "status", ["revoked"])
    devices = await rows_where(connection, "device", ("id", "wipe_order"), "state", ["revoked"])
    certificates = await enrolments.all_certificates(connection)
    first = await entries(connection, after=0, most=1)
    return Ended(
        first[0].hash if first else "",
        frozenset(row[0] for row in gateways if isinstance(row[0], bytes)),
        {
            device: order if isinstance(order, bytes) else b""
            for device, order in devices
            if isinstance(device, bytes)
        },
        frozenset(one.serial for one in certificates if one.revoked_at is not None),
        await enrolments.ended_bus_keys(connection),
        await token_ids(connection),
    )
