"""Every part of one gateway, made in order; nothing runs yet."""

from __future__ import annotations

import logging
import random
import secrets
from typing import TYPE_CHECKING, Final, TypeVar

from fieldmesh.basics.clock import SystemClock
from fieldmesh.basics.identifiers import IdentifierMaker
from fieldmesh.basics.release import RELEASE
from fieldmesh.service.bus import Bus
from fieldmesh.service.nats_identity import gateway_inbox
from gateway.app.home import Home
from gateway.metrics import GatewayMetrics
from gateway.replication import (
    commands,
)
from gateway.replication.parts import ReplicationParts
from gateway.replication.requests import HubRequests
from gateway.serving.admission import Pool
from gateway.serving.bandwidth import Bandwidth, parse_hours
from gateway.serving.blobs import BlobStore
from gateway.serving.disk import DiskWatch
from gateway.serving.downloads import DownloadMaker
from gateway.serving.enrolment import EnrolmentDesk
from gateway.serving.journal import SessionJournal
from gateway.serving.neighbours import Neighbours
from gateway.serving.parts import Pools, ServingParts
from gateway.serving.server import ServerFacts
from gateway.serving.showing import Showing
from gateway.storage import cursors
from gateway.storage.blob_files import BlobFiles
from gateway.storage.signals import Signals

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fieldmesh.basics.clock import Clock
    from fieldmesh.service.database import Database
    from gateway.config import GatewayConfig
    from gateway.trust.certificates import GatewayIdentity

LOG = logging.getLogger(__name__)
_SPOOL_LOOK_S: Final = 600.0
_FIGURES_S: Final = 5.0
_GRACE_S: Final = 3.0

T = TypeVar("T")


class Gateway:
    """The parts of one running gateway."""

    def __init__(
        self,
        home: Home,
        config: GatewayConfig,
        identity: GatewayIdentity,
        database: Database,
        clock: Clock | None = None,
    ) -> None:
        """Build the parts; nothing runs yet. ``clock`` None = the machine's."""
        self.home = home
        self.config = config
        self.identity = identity
        self.database = database
        self.clock = clock or SystemClock()
        self.random = random.Random(secrets.randbits(64))  # noqa: S311 - for jitter and names, not for secrets
        self.signals = Signals()
        self.metrics = GatewayMetrics(identity.gateway_id.hex(), self.clock)
        self.bandwidth = Bandwidth(self.clock, parse_hours(config.bandwidth_hours))
        self.disk = DiskWatch(home.path, floor_bytes=config.disk_floor_bytes)
        self.bus = self._bus()
        self.hub = HubRequests(self.bus, self.signals.hub, identity.gateway_id)
        self.replication = ReplicationParts(
            gateway_id=identity.gateway_id,
            version=RELEASE,
            database=database,
            signals=self.signals,
            clock=self.clock,
            random=self.random,
            bus=self.bus,
            hub=self.hub,
            metrics=self.metrics,
            limits=config.replication_limits(),
        )
        self.commands = commands.Commands(self.replication, self.set_bandwidth)
        self.neighbours = Neighbours(database, self.signals, identity.gateway_id)
        self.journal = SessionJournal(database, self.signals, self.clock, identity.gateway_id)
        self.showing = Showing(database, self.signals)
        self.downloads = DownloadMaker(
            database,
            home.spool,
            clock=self.clock,
            identifiers=IdentifierMaker(self.clock, self.random),
            disk=self.disk,
            showing=self.showing,
            builders=config.snapshot_builders,
        )
        self.serving = self._serving_parts()
        self.blob_files = BlobFiles(home.blobs)
        self.blobs = BlobStore(
            database,
            self.blob_files,
            clock=self.clock,
            signals=self.signals,
            disk=self.disk,
            bandwidth=self.bandwidth,
        )
        self.desk = EnrolmentDesk(self.hub, self.clock)
        self.facts = ServerFacts(self.serving, name=identity.name, version=RELEASE)
        self.ports: dict[str, int] = {}

    def _bus(self) -> Bus:
        return Bus(
            self.identity.bus_url.split(","),
            jwt=lambda: self.identity.bus_jwt,
            seed=self.identity.bus_seed,
            authority=self.identity.authority,
            name=f"gateway {self.identity.name}",
            inbox_prefix=gateway_inbox(self.identity.gateway_id.hex()),
            random=self.random,
        )

    def _pool(self, name: str, places: int) -> Pool:
        return Pool(
            name,
            places=places,
            waiting=places * self.config.waiting_per_place,
            wait_s=self.config.pool_wait_s,
            clock=self.clock,
            random=self.random,
        )

    def _serving_parts(self) -> ServingParts:
        config = self.config
        return ServingParts(
            gateway_id=self.identity.gateway_id,
            hub_key=self.identity.hub_public_key,
            database=self.database,
            signals=self.signals,
            clock=self.clock,
            metrics=self.metrics,
            limits=config.serving_limits(),
            pools=Pools(
                fast=self._pool("fast", config.fast_sessions),
                full=self._pool("full", config.full_sessions),
                initialize=self._pool("initialize", config.initialize_sessions),
                blobs=self._pool("blobs", config.blob_transfers),
            ),
            bandwidth=self.bandwidth,
            disk=self.disk,
            downloads=self.downloads,
            journal=self.journal,
            gateways=self.neighbours,
            authorities=lambda: self.identity.authority,
        )

    def set_bandwidth(self, rules: Sequence[cursors.BandwidthRule]) -> None:
        """These hours count from now on."""
        self.bandwidth.rules = tuple(rules)

    def use_identity(self, identity: GatewayIdentity) -> None:
        """New connections show the new certificate, believe the authorities that it knows, and go where it says."""
        self.identity = identity
        self.bus.trust(identity.authority, identity.bus_url.split(","))
