"""Gateways and devices as the hub's programs see them."""

from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa

from fieldmesh.basics.errors import Rejected
from fieldmesh.basics.identifiers import from_text
from fieldmesh.data.types import Value
from hub.storage.org_tables import ENDED_BUS_KEY
from hub.storage.rows import Connection, Row, all_rows, rows_where


@dataclass(frozen=True, slots=True)
class Gateway:
    """A gateway. `addresses` are host:port, best first."""

    gateway_id: bytes
    code: str
    name: str
    org_unit_id: bytes | None
    distributor_id: bytes | None
    status: str
    addresses: tuple[str, ...]
    enrolment_address: str
    bus_key: str


@dataclass(frozen=True, slots=True)
class Device:
    """A device."""

    device_id: bytes
    code: str
    position_id: bytes | None
    gateway_id: bytes | None
    kind: str
    stands_in_for: bytes | None
    state: str
    document_prefix: str
    certificate_serial: str
    hardware_id: str
    app_version: str
    must_full_sync: bool
    enrolled_key: str
    """Told to gateways, see `fieldmesh.service.enrolled_key`."""


_GATEWAY = (
    "id",
    "code",
    "name",
    "org_unit_id",
    "distributor_id",
    "status",
    "addresses",
    "enrolment_address",
    "bus_key",
)
_DEVICE = (
    "id",
    "code",
    "position_id",
    "gateway_id",
    "kind",
    "stands_in_for",
    "state",
    "document_prefix",
    "certificate_serial",
    "hardware_id",
    "app_version",
    "must_full_sync",
    "certificate_fingerprint",
)


async def gateways(connection: Connection) -> list[Gateway]:
    """All gateways by code."""
    rows = await all_rows(connection, "gateway", _GATEWAY)
    return sorted((_gateway(row) for row in rows), key=lambda one: one.code)


async def gateway(connection: Connection, gateway_id: bytes | None) -> Gateway | None:
    """The gateway with that id."""
    rows = await rows_where(connection, "gateway", _GATEWAY, "id", [gateway_id])
    return _gateway(rows[0]) if rows else None


async def named_gateway(connection: Connection, name: str) -> Gateway:
    """The gateway with that code or id.

    Raises:
        Rejected: `gateway_unknown`.
    """
    column, value = _code_or_id(name)
    rows = await rows_where(connection, "gateway", _GATEWAY, column, [value])
    if not rows:
        raise Rejected("gateway_unknown", place="gateway", gateway=name)
    return _gateway(rows[0])


async def devices(
    connection: Connection, *, positions: Iterable[bytes] | None = None
) -> list[Device]:
    """All devices by code, or those of some positions."""
    if positions is None:
        rows = await all_rows(connection, "device", _DEVICE)
    else:
        rows = await rows_where(connection, "device", _DEVICE, "position_id", positions)
    return sorted((_device(row) for row in rows), key=lambda one: one.code)


async def device(connection: Connection, device_id: bytes) -> Device | None:
    """The device with that id."""
    rows = await rows_where(connection, "device", _DEVICE, "id", [device_id])
    return _device(rows[0]) if rows else None


async def named_device(connection: Connection, name: str) -> Device:
    """The device with that code or id.

    Raises:
        Rejected: `device_unknown`.
    """
    column, value = _code_or_id(name)
    rows = await rows_where(connection, "device", _DEVICE, column, [value])
    if not rows:
        raise Rejected("device_unknown", place="device", device=name)
    return _device(rows[0])


async def sign_ins(connection: Connection, position_id: bytes) -> list[tuple[bytes, str, str, str]]:
    """(user, login, person, verifier) of the people of a position."""
    names = ("user_id", "login", "person", "verifier")
    rows = await rows_where(connection, "sign_in", names, "position_id", [position_id])
    return [(_id(row[0]) or b"", _text(row[1]), _text(row[2]), _text(row[3])) for row in rows]


async def revoked_bus_keys(connection: Connection) -> set[str]:
    """Keys of the bus users of revoked gateways, and keys that a gateway had before; none that is in use."""
    held = [
        (_text(status), _text(key))
        for status, key in await all_rows(connection, "gateway", ("status", "bus_key"))
    ]
    ended = (await connection.execute(sa.select(ENDED_BUS_KEY.c.bus_key))).scalars()
    revoked = {key for status, key in held if status == "revoked" and key}
    return revoked | (set(ended) - {key for _, key in held})


def _code_or_id(name: str) -> tuple[str, Value]:
    try:
        return "id", from_text(name)
    except ValueError:
        return "code", name


def _gateway(row: Row) -> Gateway:
    return Gateway(
        gateway_id=_id(row[0]) or b"",
        code=_text(row[1]),
        name=_text(row[2]),
        org_unit_id=_id(row[3]),
        distributor_id=_id(row[4]),
        status=_text(row[5]),
        addresses=tuple(one for one in _text(row[6]).split(",") if one),
        enrolment_address=_text(row[7]),
        bus_key=_text(row[8]),
    )


def _device(row: Row) -> Device:
    return Device(
        device_id=_id(row[0]) or b"",
        code=_text(row[1]),
        position_id=_id(row[2]),
        gateway_id=_id(row[3]),
        kind=_text(row[4]),
        stands_in_for=_id(row[5]),
        state=_text(row[6]),
        document_prefix=_text(row[7]),
        certificate_serial=_text(row[8]),
        hardware_id=_text(row[9]),
        app_version=_text(row[10]),
        must_full_sync=bool(row[11]),
        enrolled_key=_text(row[12]),
    )


def _id(value: Value) -> bytes | None:
    return value if isinstance(value, bytes) else None


def _text(value: Value) -> str:
    return value if isinstance(value, str) else ""
