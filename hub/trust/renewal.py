"""A new certificate before the old one ends."""

from fieldmesh.basics.errors import Fenced, FieldmeshError, Rejected
from hub.storage import enrolments, nodes
from hub.storage.changes import ChangeWriter
from hub.storage.database import HubDatabase
from hub.storage.org_changes import head_office_write, update_rows
from hub.trust.authority import Certificate, NodeKind, NodeName, csr_key, public_key_der
from hub.trust.enrolment import EnrolmentGrant, Trust, gateway_places, record_certificate


async def renew(
    database: HubDatabase, trust: Trust, certificate: bytes, csr: bytes
) -> EnrolmentGrant:
    """The node that owns ``certificate`` has a new one for the same key, which has signed ``csr``.

    A gateway also a new bus identity.

    The old certificate holds until its end, so a lost answer harms nothing.

    Raises:
        Rejected: `foreign_certificate`, `certificate_expired`, `bad_csr`, `another_key`, or
            `key_replaced`.
        Fenced: `device_revoked`.
    """
    owner = trust.authority.check(certificate)
    if public_key_der(csr_key(csr)) != owner.public_key:
        # Certificates are no secret: only who holds the key behind this one may have its successor.
        raise Rejected("another_key", place="csr")
    about = {"node": f"{owner.kind.value} {owner.node_id.hex()}"}
    async with head_office_write(
        database, trust.clock, actor="renewal", kind="certificate_renewed", about=about
    ) as writer:
        known = await enrolments.certificates_of(writer.connection, owner.node_id)
        if any(one.certificate == certificate and one.revoked_at is not None for one in known):
            raise await _why_ended(writer, owner)
        issued = trust.authority.issue_node(csr, owner.kind, owner.node_id)
        await record_certificate(writer.connection, trust.clock, owner.kind, owner.node_id, issued)
        about["serial"] = issued.serial
        if owner.kind is NodeKind.GATEWAY:
            return await _renew_gateway(writer, trust, owner.node_id, issued)
        return await _renew_device(writer, trust, owner.node_id, issued)


async def _why_ended(writer: ChangeWriter, owner: NodeName) -> FieldmeshError:
    """A node may go on after its certificate has ended: with the key that it was enrolled with since."""
    if owner.kind is NodeKind.GATEWAY:
        gateway = await nodes.gateway(writer.connection, owner.node_id)
        is_replaced = gateway is not None and gateway.status != "revoked"
        code = "key_replaced" if is_replaced else "foreign_certificate"
        return Rejected(code, place="certificate")
    device = await nodes.device(writer.connection, owner.node_id)
    if device is None or device.state == "revoked":
        return Fenced("device_revoked", place="certificate")
    return Rejected("key_replaced", place="certificate")


async def _renew_gateway(
    writer: ChangeWriter, trust: Trust, gateway_id: bytes, issued: Certificate
) -> EnrolmentGrant:
    gateway = await nodes.gateway(writer.connection, gateway_id)
    if gateway is None or gateway.status == "revoked":
        raise Rejected("foreign_certificate", place="certificate")
    names = ("id", "certificate_fingerprint")
    await update_rows(writer, "gateway", names, [(gateway_id, issued.fingerprint)])
    return EnrolmentGrant(
        certificate=issued.der,
        authority=trust.authority.chain,
        node_id=gateway_id,
        hub_public_key=trust.signer.public_key,
        bus_url=trust.bus_url,
        bus_credentials=trust.bus.gateway_jwt(gateway_id, gateway.bus_key, trust.clock.now()),
    )


async def _renew_device(
    writer: ChangeWriter, trust: Trust, device_id: bytes, issued: Certificate
) -> EnrolmentGrant:
    device = await nodes.device(writer.connection, device_id)
    if device is None or device.state == "revoked":
        raise Fenced("device_revoked", place="certificate")
    names = ("id", "certificate_serial")
    await update_rows(writer, "device", names, [(device_id, issued.serial)])
    return EnrolmentGrant(
        certificate=issued.der,
        authority=trust.authority.chain,
        node_id=device_id,
        position_id=device.position_id or b"",
        document_prefix=device.document_prefix,
        gateways=await gateway_places(writer.connection, first=device.gateway_id),
        hub_public_key=trust.signer.public_key,
        spare=device.kind == "spare",
    )
