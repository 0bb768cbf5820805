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

_DAY_US: Final = 24 * 3_600 * 1_000_000
_RENEW_BEFORE_US: Final = 60 * _DAY_US
_LOOK_S: Final = 6 * 3_600.0


async def run_renewal(
    parts: ReplicationParts,
    folder: Path,
    identity: GatewayIdentity,
    use: Callable[[GatewayIdentity], None],
) -> None:
    """Keep the identity valid, for ever.

    Args:
        parts: the replication's parts.
        folder: the identity folder.
        identity: as loaded at the start.
        use: makes the new identity count for new connections.

    Raises:
        Retry: the hub is away; the supervisor begins anew later.
    """
    while True:
        if identity.ends_at() - parts.clock.now() < _RENEW_BEFORE_US:
            identity = await _renew(parts, folder, identity)
            use(identity)
        await asyncio.sleep(_LOOK_S)


async def _renew(
    parts: ReplicationParts, folder: Path, identity: GatewayIdentity
) -> GatewayIdentity:
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
    await asyncio.to_thread(certificates.save, folder, renewed)
    LOG.info("certificate_renewed", extra={"ends_at": renewed.ends_at()})
    return renewed
