"""The gateway's own certificate and bus login, renewed before they end."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from fieldmesh.service import tls
from fieldmesh.wire.v1 import enrol_pb2, replication_pb2
from gateway.trust import certificates

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gateway.replication.parts import ReplicationParts
    from gateway.trust.certificates import GatewayIdentity

LOG = logging.getLogger(__name__)

_LOOK_S: Final = 6 * 3_600.0


async def run_renewal(
    parts: ReplicationParts,
    folder: Path,
    current: Callable[[], GatewayIdentity],
    use: Callable[[GatewayIdentity], None],
    renew_before_us: int,
) -> None:
    """Keep the identity valid, for ever.

    Args:
        parts: the replication's parts.
        folder: the identity folder.
        current: the identity that counts now; the loop may begin anew long after the process did.
        use: makes the new identity count for new connections.
        renew_before_us: how long before its end the certificate is renewed.

    Raises:
        Retry: the hub is away; the supervisor begins anew later.
    """
    while True:
        count = parts.signals.line_up.count
        identity = current()
        learnt = _learn(identity, parts.signals.hub.authorities)
        if _is_due(learnt, parts.clock.now(), renew_before_us):
            learnt = await _renew(parts, learnt)
        if learnt is not identity:
            await asyncio.to_thread(certificates.save, folder, learnt)
            use(learnt)
        await parts.signals.line_up.after(count, timeout_s=_LOOK_S)


def _is_due(identity: GatewayIdentity, now: int, renew_before_us: int) -> bool:
    """Whether the certificate ends soon, is not of the newest authority, or does not hold yet.

    The hub's clock was ahead when it signed the last kind: no device would come in until that time.
    """
    ends_soon = identity.ends_at() - now < renew_before_us
    holds_later = tls.certificate_begins(identity.certificate) > now
    is_newest = tls.is_issued_by(identity.certificate, identity.authority)
    return ends_soon or holds_later or not is_newest


def _learn(identity: GatewayIdentity, shown: bytes) -> GatewayIdentity:
    """A new authority that an old one vouches for counts from now on."""
    if not shown or shown == identity.authority:
        return identity
    newest = tls.each_certificate(shown)[0]
    if newest not in tls.each_certificate(tls.learn_authorities(identity.authority, shown)):
        LOG.error("authority_not_believed")
        return identity
    LOG.info("authority_learnt", extra={"fingerprint": tls.fingerprint(newest)})
    return replace(identity, authority=shown)


async def _renew(parts: ReplicationParts, identity: GatewayIdentity) -> GatewayIdentity:
    csr = tls.make_csr(tls.load_key(identity.key_pem), identity.name)
    request = replication_pb2.ForwardedRenew(certificate=identity.certificate, csr=csr)
    payload = await parts.hub("renew", request.SerializeToString())
    reply = enrol_pb2.EnrolReply.FromString(payload)
    renewed = replace(
        identity,
        certificate=reply.certificate,
        bus_jwt=reply.bus_credentials or identity.bus_jwt,
        bus_url=reply.bus_url or identity.bus_url,
    )
    LOG.info("certificate_renewed", extra={"ends_at": renewed.ends_at()})
    return renewed
