"""A certificate that ends soon gets its successor, by itself, after a sync."""

import logging

from device_agent.link.enrolment import renew
from device_agent.modes.context import SyncContext, load_identity
from device_agent.storage.identity import load_private_key
from fieldmesh.basics.codes import authority_fingerprint
from fieldmesh.basics.errors import Rejected, Retry
from fieldmesh.service import tls
from fieldmesh.service.files import write_durably

_LOG = logging.getLogger(__name__)


async def renew_when_due(context: SyncContext, address: str) -> bool:
    """A certificate that ends soon, or is not of the newest authority, has its successor.

    Returns whether it was renewed now.

    The key stays the same, so batches signed before are still this device's. A failure is no
    failure of the sync: the next one tries again, long before the certificate ends.
    """
    left_us = tls.certificate_ends(context.certificate) - context.clock.now()
    is_newest = tls.is_issued_by(context.certificate, context.home.authority.read_bytes())
    if is_newest and left_us > context.settings.renew_before_s * 1_000_000:
        return False
    key = context.database.key
    try:
        csr = tls.make_csr(load_private_key(context.home, key), "fieldmesh-device")
        renewed = await renew(address, context.identity, csr)
        _check(context, renewed.certificate)
    except (Retry, Rejected) as error:
        _LOG.warning("certificate_renewal_failed", extra={"problem": error.code})
        return False
    write_durably(context.home.certificate, renewed.certificate)
    context.certificate = renewed.certificate
    context.identity = load_identity(context.home, key)
    return True


def _check(context: SyncContext, certificate: bytes) -> None:
    """The certificate serves this device, and longer: the device trusts no gateway with its own door.

    Raises:
        Rejected: `foreign_certificate`, `certificate_expired`.
    """
    authority, place = context.home.authority.read_bytes(), "renewed certificate"
    problem = tls.certificate_problem(certificate, authority, context.clock.now(), place)
    if problem is not None:
        raise problem
    new, old = tls.read_certificate(certificate), tls.read_certificate(context.certificate)
    if (new.node_kind, new.node_id, new.public_key) != (old.node_kind, old.node_id, old.public_key):
        raise Rejected("foreign_certificate", place=place)
    if tls.certificate_ends(certificate) < tls.certificate_ends(context.certificate):
        raise Rejected("certificate_expired", place=place)


def newest_authority(context: SyncContext) -> bytes:
    """Fingerprint of the newest authority that the device trusts."""
    return authority_fingerprint(tls.each_certificate(context.home.authority.read_bytes())[0])


def learn_authorities(context: SyncContext, shown: bytes) -> None:
    """New authorities that those which the device trusts vouch for are trusted too."""
    if not shown:
        return
    held = context.home.authority.read_bytes()
    learnt = tls.learn_authorities(held, shown)
    if learnt != held:
        write_durably(context.home.authority, learnt)
        context.identity = load_identity(context.home, context.database.key)
