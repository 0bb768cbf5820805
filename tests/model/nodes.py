"""The three tiers as they are in production, opened on simulated transport and time."""
# ruff: noqa: D107 - a model: names say it

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from device_agent.app import DeviceAgent
from device_agent.config import DeviceSettings
from device_agent.link.channel import Identity
from device_agent.link.messages import HubKnown
from device_agent.modes import talk
from device_agent.storage.home import Home as DeviceHome
from fieldmesh.basics.clock import ManualClock
from fieldmesh.basics.epochs import SECOND_US
from fieldmesh.basics.errors import FieldmeshError, Retry
from fieldmesh.service.bus import Bus
from fieldmesh.service.metrics import Registry
from fieldmesh.session.transitions import Mode
from gateway.app.building import Gateway
from gateway.app.home import Home as GatewayHome
from gateway.app.running import prepare
from gateway.config import GatewayConfig
from gateway.replication import downlink, seeding, uplink
from gateway.serving.server import GatewayService
from gateway.storage import partitions
from gateway.storage.database import open_database
from gateway.storage.partitions import PartitionState
from gateway.trust import certificates
from hub.fleet.leases import lease
from hub.fleet.office import Office, open_office
from hub.fleet.registry import Maker
from hub.ingest.consume import Consumer
from hub.ingest.making import make_ingest
from hub.ingest.verify import Verifier
from hub.metrics import IngestFigures, RelayFigures
from hub.relay.blobs import Blobs
from hub.relay.publish import Relay
from hub.relay.requests import Desk, Responder
from hub.relay.seeds import Seeds
from hub.storage import down_outbox
from hub.trust.enrolment import enrol
from tests.model.broker import Broker, Line, Message
from tests.model.line import Weather, open_session

CONFIG = GatewayConfig(
    listen_host="127.0.0.1", announce=False, ready_wait_s=0.0, disk_floor_bytes=0
)
"""A gateway of the model never waits for what only another step can bring."""


class SimHub:
    """Head office: ingest, relay and answers, one step at a time."""

    def __init__(self, folder: Path, broker: Broker, clock: ManualClock) -> None:
        self.folder, self.clock = folder, clock
        self.line = Line(broker)
        self.broker = broker
        self.office: Office

    async def open(self) -> None:
        """The process has started."""
        office = await open_office(self.folder)
        self.office = replace(office, maker=Maker(self.clock, office.maker.identifiers))
        bus, registry = cast("Bus", self.line), Registry("hub")
        verifier = Verifier(self.office.trust.authority.chain)
        figures = IngestFigures(registry, self.clock)
        self.consumer = Consumer(bus, make_ingest(self.office, verifier), verifier, 0, figures)
        self.relay = Relay(
            self.office.database, bus, self.clock, RelayFigures(registry, self.clock)
        )
        seeds = Seeds(self.office.database, self.folder / "spool")
        seeds.clear()

        async def take_lease(gateway: bytes, device: bytes) -> Any:
            return await lease(self.office.database, self.office.maker, gateway, device)

        async def take_in(request: Any) -> Any:
            return await enrol(self.office.database, self.office.trust, request)

        responder = Responder(
            self.office.database,
            bus,
            self.clock,
            desk=Desk(
                enrol=take_in,
                renew=cast("Any", take_in),
                lease=take_lease,
                authority=self.office.trust.authority.chain,
            ),
            seeds=seeds,
            blobs=Blobs(self.office.home.blobs),
            shards=1,
        )
        self.broker.answer = responder.answer

    async def crash(self) -> None:
        """The process is gone; what it committed stands."""
        self.broker.answer = None
        await self.office.database.close()

    async def take(self, messages: list[Message]) -> None:
        """The messages are decided as one group."""
        with suppress(Retry):
            await self.consumer.take(cast("Any", messages))

    async def relay_once(self) -> None:
        """One portion goes out with its mark and a heartbeat, or part of it before the line broke."""
        with suppress(Retry):
            await self.relay._publish(await self.relay._next())
            await self.relay._beat()

    def backup(self, target: Path) -> None:
        """The database as it is between two transactions; the process is stopped meanwhile."""
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(self.folder / "data", target)

    async def restore(self, backup: Path) -> None:
        """The database is the backup's, in a new hub epoch; the process is stopped meanwhile."""
        shutil.rmtree(self.folder / "data")
        shutil.copytree(backup, self.folder / "data")
        office = await open_office(self.folder)
        async with office.database.write() as connection:
            await down_outbox.start_new_epoch(connection, self.clock.now())
        self.clock.advance(SECOND_US)
        await office.database.close()


class _Gateway(Gateway):
    """A gateway whose line to the hub is simulated."""

    line: Line

    def _bus(self) -> Bus:
        return cast("Bus", self.line)


class SimGateway:
    """A gateway: sessions with devices, and its loops one step at a time."""

    def __init__(self, folder: Path, broker: Broker, clock: ManualClock) -> None:
        self.home, self.clock = GatewayHome(folder), clock
        self.line = Line(broker)
        self.parts: _Gateway
        self.service: GatewayService

    async def open(self) -> None:
        """The process has started."""
        self.home.make()
        identity = certificates.load(self.home.identity)
        database = await open_database(self.home.database, identity.gateway_id, self.clock)
        made = type("_Here", (_Gateway,), {"line": self.line})
        self.parts = made(self.home, CONFIG, identity, database, self.clock)
        await prepare(self.parts)
        self.service = GatewayService(
            self.parts.serving, self.parts.facts, blobs=self.parts.blobs, desk=self.parts.desk
        )

    async def crash(self) -> None:
        """The process is gone; what it committed stands."""
        await self.parts.database.close()

    def lose_disk(self) -> None:
        """The database is gone; the process is stopped meanwhile."""
        shutil.rmtree(self.home.database.parent)

    async def send(self) -> None:
        """What waits is published, as far as the line holds."""
        await self.parts.journal.write_waiting()
        with suppress(Retry):
            await uplink.publish_waiting(self.parts.replication)

    async def hear(self) -> None:
        """Hello, then what the broker delivers until the line is quiet."""
        with suppress(Retry):
            await downlink.run_downlink(self.parts.replication)

    async def seed(self) -> None:
        """Areas that are wanted are fetched, areas that are not are let go, as far as that goes now."""
        rows = await self.parts.database.read(partitions.list_partitions)
        for row in rows:
            if row.state is PartitionState.LEAVING:
                await seeding._let_go(self.parts.replication, row.partition)
            elif row.state is not PartitionState.READY:
                with suppress(FieldmeshError):
                    await seeding.seed(self.parts.replication, row)


class SimDevice:
    """A device: the real agent; sessions go over the simulated line."""

    def __init__(self, folder: Path, key: bytes, clock: ManualClock) -> None:
        self.home, self.key, self.clock = DeviceHome(folder), key, clock
        self.agent: DeviceAgent

    async def open(self) -> None:
        """The program has started."""
        settings = DeviceSettings(discovery=False, patience_s=0.0)
        self.agent = await DeviceAgent.open_with_key(
            self.home, self.key, "model", settings=settings, clock=self.clock
        )

    async def crash(self) -> None:
        """The program is gone; what it committed stands."""
        await self.agent.close()


@asynccontextmanager
async def _channel(
    address: str, _authority: bytes, identity: Identity
) -> AsyncIterator[tuple[str, Identity]]:
    yield address, identity


def connect_devices(gateways: dict[str, SimGateway], weather: Weather) -> dict[str, Any]:
    """What `device_agent.modes.talk` must use instead of gRPC: an address is a gateway's name and a port."""

    def open_(channel: tuple[str, Identity], mode: Mode, *, hub: HubKnown, **_more: object) -> Any:
        address, identity = channel
        service = gateways[address.partition(":")[0]].service
        return open_session(service, identity.certificate_pem, weather, mode, hub)

    async def ask_gateway_id(channel: tuple[str, Identity], **_more: object) -> bytes:
        return gateways[channel[0].partition(":")[0]].service._parts.gateway_id

    assert hasattr(talk, "open_channel")
    assert hasattr(talk, "ask_gateway_id")
    assert hasattr(talk, "open_session")
    return {"open_channel": _channel, "open_session": open_, "ask_gateway_id": ask_gateway_id}
