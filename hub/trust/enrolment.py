"""One-time codes, and what a node gets for one: a certificate and all it must know to begin."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

from fieldmesh.basics.clock import Clock
from fieldmesh.basics.codes import SECRET_BYTES, make_code, parse_code
from fieldmesh.basics.errors import Rejected
from fieldmesh.basics.limits import HARDWARE_ID_CHARACTERS
from fieldmesh.service.enrolled_key import enrolled_key
from fieldmesh.service.tls import read_certificate
from hub.storage import enrolments, nodes
from hub.storage.changes import ChangeWriter
from hub.storage.database import HubDatabase
from hub.storage.org_changes import head_office_write, update_rows
from hub.storage.rows import Connection
from hub.trust.authority import (
    Authority,
    Certificate,
    NodeKind,
    csr_key,
    public_key_der,
    public_key_digest,
)
from hub.trust.bus_identity import BusKeys
from hub.trust.signing import OrderSigner

CODE_HOURS = 72
_HOUR_US = 3_600_000_000
_MOST_NAME = 200
_MOST_ADDRESSES = 16
_MOST_VERSION = 64


@dataclass(frozen=True, slots=True)
class EnrolmentRequest:
    """What a new node sends.

    Attributes:
        code: as a person typed it.
        csr: PKCS #10, DER.
        hardware_id: serial number or the like.
        app_version: of the program.
        addresses: gateways: host:port where devices reach it, best first.
        enrolment_address: gateways: host:port where devices enrol.
        name: gateways: how people call it; empty: as head office has called it.
        bus_key: gateways: public nkey of its NATS user.
    """

    code: str
    csr: bytes
    hardware_id: str = ""
    app_version: str = ""
    addresses: tuple[str, ...] = ()
    enrolment_address: str = ""
    name: str = ""
    bus_key: str = ""


@dataclass(frozen=True, slots=True)
class GatewayPlace:
    """Where a gateway is reached."""

    gateway_id: bytes
    name: str
    addresses: tuple[str, ...]
    enrolment_address: str


@dataclass(frozen=True, slots=True)
class Person:
    """Who may sign in on a device; the verifier is argon2id."""

    user_id: bytes
    login: str
    person: str
    verifier: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class EnrolmentGrant:
    """What a new node gets: the fields of EnrolReply (enrol.proto); a gateway hears its name too."""

    certificate: bytes
    authority: bytes
    node_id: bytes
    name: str = ""
    position_id: bytes = b""
    document_prefix: str = ""
    gateways: tuple[GatewayPlace, ...] = ()
    sign_ins: tuple[Person, ...] = ()
    hub_public_key: bytes = b""
    bus_url: str = ""
    bus_credentials: str = field(default="", repr=False)
    spare: bool = False


@dataclass(frozen=True, slots=True)
class Trust:
    """What identity needs of the hub: its keys, its bus, its clock."""

    authority: Authority
    signer: OrderSigner
    bus: BusKeys
    bus_url: str
    clock: Clock


async def new_code(connection: Connection, trust: Trust, kind: NodeKind, node_id: bytes) -> str:
    """A code that lets the node enrol once within 72 hours. An earlier one stops working, used or not."""
    secret = secrets.token_bytes(SECRET_BYTES)
    expires_at = trust.clock.now() + CODE_HOURS * _HOUR_US
    stored = enrolments.StoredCode(_hash(secret), kind.value, node_id, expires_at)
    await enrolments.add_code(connection, stored)
    return make_code(secret, trust.authority.certificate)


async def enrol(database: HubDatabase, trust: Trust, request: EnrolmentRequest) -> EnrolmentGrant:
    """The node has a certificate and the code is used.

    Durability: committed before it returns. The same key may come again with the same code (its
    first answer was lost on the way) and gets a new certificate; another key may not. A node that
    enrols again with another key is no longer let in with the one before: a device by gateways, a
    gateway by the bus.

    Raises:
        Rejected: `bad_code`, `code_unknown`, `code_expired`, `code_used`, `authority_unknown`,
            `bad_csr`,
            `enrolment_refused` or `device_revoked`.
    """
    code = parse_code(request.code)
    if not any(code.matches(one.certificate) for one in trust.authority.roots):
        raise Rejected("authority_unknown", place="enrolment code")
    key = csr_key(request.csr)
    _check_sizes(request)
    about = {"hardware_id": request.hardware_id, "app_version": request.app_version}
    async with head_office_write(
        database, trust.clock, actor="enrolment", kind="node_enrolled", about=about
    ) as writer:
        stored = await _usable_code(writer.connection, trust, code.secret, public_key_digest(key))
        kind = NodeKind(stored.node_kind)
        certificate = trust.authority.issue_node(request.csr, kind, stored.node_id)
        await record_certificate(writer.connection, trust.clock, kind, stored.node_id, certificate)
        about["node"] = f"{kind.value} {stored.node_id.hex()}"
        about["serial"] = certificate.serial
        ended = await _end_other_keys(
            writer.connection, trust.clock, stored.node_id, public_key_der(key)
        )
        if ended:
            about["ended_serials"] = ", ".join(one.serial for one in ended)
        if kind is NodeKind.GATEWAY:
            return await _admit_gateway(writer, trust, stored.node_id, request, certificate)
        word = enrolled_key(certificate.der, [one.certificate for one in ended])
        return await _admit_device(writer, trust, stored.node_id, request, certificate, word=word)


async def record_certificate(
    connection: Connection,
    clock: Clock,
    kind: NodeKind,
    node_id: bytes,
    certificate: Certificate,
) -> None:
    """The issued certificate is on record."""
    stored = enrolments.StoredCertificate(
        serial=certificate.serial,
        node_kind=kind.value,
        node_id=node_id,
        fingerprint=certificate.fingerprint,
        certificate=certificate.der,
        issued_at=clock.now(),
        expires_at=certificate.expires_at,
    )
    await enrolments.add_certificate(connection, stored)


async def _end_other_keys(
    connection: Connection, clock: Clock, node_id: bytes, key: bytes
) -> list[enrolments.StoredCertificate]:
    """Certificates that the node had for another key get no successor. Returns those.

    What was signed with those keys still counts, and comes in by the certificate that it was sent with.
    """
    held = await enrolments.certificates_of(connection, node_id)
    ended = [one for one in held if read_certificate(one.certificate).public_key != key]
    serials = [one.serial for one in ended if one.revoked_at is None]
    await enrolments.end_certificates(connection, serials, clock.now())
    return ended


async def _usable_code(
    connection: Connection, trust: Trust, secret: bytes, key_digest: str
) -> enrolments.StoredCode:
    stored = await enrolments.find_code(connection, _hash(secret))
    if stored is None:
        raise Rejected("code_unknown", place="enrolment code")
    if stored.used_at is not None and stored.used_by_key != key_digest:
        raise Rejected("code_used", place="enrolment code")
    if stored.expires_at < trust.clock.now():
        raise Rejected("code_expired", place="enrolment code")
    if stored.used_at is None:
        await enrolments.use_code(
            connection, stored.secret_hash, used_at=trust.clock.now(), used_by_key=key_digest
        )
    return stored


async def _admit_gateway(
    writer: ChangeWriter,
    trust: Trust,
    gateway_id: bytes,
    request: EnrolmentRequest,
    certificate: Certificate,
) -> EnrolmentGrant:
    gateway = await nodes.gateway(writer.connection, gateway_id)
    if gateway is None or gateway.status == "revoked":
        raise Rejected("enrolment_refused", place="gateway", text="this gateway was revoked")
    if not request.bus_key:
        raise Rejected("enrolment_refused", place="bus_key", text="the key for the bus is missing")
    if gateway.bus_key and gateway.bus_key != request.bus_key:
        await enrolments.end_bus_key(
            writer.connection, gateway_id, gateway.bus_key, trust.clock.now()
        )
    credentials = trust.bus.gateway_jwt(gateway_id, request.bus_key, trust.clock.now())
    name = request.name or gateway.name
    names = (
        "id",
        "name",
        "addresses",
        "enrolment_address",
        "status",
        "certificate_fingerprint",
        "bus_key",
    )
    row = (
        gateway_id,
        name,
        ",".join(request.addresses),
        request.enrolment_address,
        "enrolled",
        certificate.fingerprint,
        request.bus_key,
    )
    await update_rows(writer, "gateway", names, [row])
    return EnrolmentGrant(
        certificate=certificate.der,
        authority=trust.authority.chain,
        node_id=gateway_id,
        name=name,
        hub_public_key=trust.signer.public_key,
        bus_url=trust.bus_url,
        bus_credentials=credentials,
    )


async def _admit_device(
    writer: ChangeWriter,
    trust: Trust,
    device_id: bytes,
    request: EnrolmentRequest,
    certificate: Certificate,
    *,
    word: str,
) -> EnrolmentGrant:
    device = await nodes.device(writer.connection, device_id)
    if device is None or device.state == "revoked":
        raise Rejected("enrolment_refused", place="device", text="this device was revoked")
    names = (
        "id",
        "hardware_id",
        "app_version",
        "certificate_fingerprint",
        "certificate_serial",
    )
    row = (
        device_id,
        request.hardware_id or None,
        request.app_version or None,
        word,
        certificate.serial,
    )
    await update_rows(writer, "device", names, [row])
    return EnrolmentGrant(
        certificate=certificate.der,
        authority=trust.authority.chain,
        node_id=device_id,
        position_id=device.position_id or b"",
        document_prefix=device.document_prefix,
        gateways=await gateway_places(writer.connection, first=device.gateway_id),
        sign_ins=await _sign_ins(writer.connection, device.position_id),
        hub_public_key=trust.signer.public_key,
        spare=device.kind == "spare",
    )


async def gateway_places(
    connection: Connection, *, first: bytes | None, most: int = 8
) -> tuple[GatewayPlace, ...]:
    """Enrolled gateways: the device's home first, then those of the same unit, then others."""
    home = await nodes.gateway(connection, first) if first else None
    found = [
        one for one in await nodes.gateways(connection) if one.addresses and one.status != "revoked"
    ]
    unit = home.org_unit_id if home else None

    def nearness(one: nodes.Gateway) -> tuple[bool, bool, str]:
        return (one.gateway_id != first, unit is None or one.org_unit_id != unit, one.code)

    return tuple(
        GatewayPlace(one.gateway_id, one.name, one.addresses, one.enrolment_address)
        for one in sorted(found, key=nearness)[:most]
    )


async def _sign_ins(connection: Connection, position_id: bytes | None) -> tuple[Person, ...]:
    if position_id is None:
        return ()
    people = await nodes.sign_ins(connection, position_id)
    return tuple(Person(*one) for one in people)


def _check_sizes(request: EnrolmentRequest) -> None:
    _at_most("hardware_id", request.hardware_id, HARDWARE_ID_CHARACTERS)
    _at_most("app_version", request.app_version, _MOST_VERSION)
    _at_most("name", request.name, _MOST_NAME)
    _at_most("enrolment_address", request.enrolment_address, _MOST_NAME)
    _at_most("bus_key", request.bus_key, _MOST_VERSION)
    _at_most("addresses", request.addresses, _MOST_ADDRESSES)
    for address in request.addresses:
        _at_most("addresses", address, _MOST_NAME)


def _at_most(name: str, value: str | Sequence[str], most: int) -> None:
    if len(value) > most:
        raise Rejected("enrolment_refused", place=name, text=f"{name} is longer than {most}")


def _hash(secret: bytes) -> str:
    return hashlib.sha256(secret).hexdigest()
