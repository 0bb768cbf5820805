"""What the handlers of one gateway share, put together in ``gateway.app``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fieldmesh.wire.v1 import enrol_pb2

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fieldmesh.basics.clock import Clock
    from fieldmesh.service.database import Database
    from gateway.config import ServingLimits
    from gateway.metrics import GatewayMetrics
    from gateway.serving.admission import Pool
    from gateway.serving.bandwidth import Bandwidth
    from gateway.serving.disk import DiskWatch
    from gateway.serving.downloads import DownloadMaker
    from gateway.serving.journal import SessionJournal
    from gateway.storage.signals import Signals


@dataclass(frozen=True, slots=True)
class Pools:
    """Places by kind of work."""

    fast: Pool
    full: Pool
    initialize: Pool
    blobs: Pool

    def all(self) -> tuple[Pool, ...]:
        """Every pool."""
        return (self.fast, self.full, self.initialize, self.blobs)


@dataclass(frozen=True, slots=True)
class ServingParts:
    """Shared by all sessions.

    ``hub_key`` is the hub's public key, DER. ``gateways`` tells where a device may sync whose home is that gateway,
    ``authorities`` whom the network believes, as of now.
    """

    gateway_id: bytes
    hub_key: bytes
    database: Database
    signals: Signals
    clock: Clock
    metrics: GatewayMetrics
    limits: ServingLimits
    pools: Pools
    bandwidth: Bandwidth
    disk: DiskWatch
    downloads: DownloadMaker
    journal: SessionJournal
    gateways: Callable[[bytes | None], Sequence[enrol_pb2.GatewayAddress]]
    authorities: Callable[[], bytes]
