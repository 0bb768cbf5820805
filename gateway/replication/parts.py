"""What the loops of one gateway share, put together in ``gateway.app``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random

    from fieldmesh.basics.clock import Clock
    from fieldmesh.service.bus import Bus
    from fieldmesh.service.database import Database
    from gateway.config import ReplicationLimits
    from gateway.metrics import GatewayMetrics
    from gateway.replication.requests import HubRequests
    from gateway.storage.signals import Signals


@dataclass(frozen=True, slots=True)
class ReplicationParts:
    """Shared by all loops to the hub."""

    gateway_id: bytes
    version: str
    database: Database
    signals: Signals
    clock: Clock
    random: random.Random
    bus: Bus
    hub: HubRequests
    metrics: GatewayMetrics
    limits: ReplicationLimits
