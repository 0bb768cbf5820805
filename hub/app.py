"""The running hub: one process that holds the broker, the web server, ingest and relay together.

Order of the start: keys → broker → streams → web server → ports.json → loops. Order of the end:
web server (intake)
→ loops → line to the bus → broker → database. Being killed at any line is harmless: what counts is
committed.
"""

import asyncio
import contextlib
import fcntl
import logging
import random
import shutil
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec

from fieldmesh.basics.errors import Rejected, Retry
from fieldmesh.service.bus import Bus
from fieldmesh.service.files import write_durably
from fieldmesh.service.health import Health
from fieldmesh.service.lifecycle import Shutdown
from fieldmesh.service.metrics import Registry
from fieldmesh.service.tasks import LoopFigures, Supervisor
from fieldmesh.service.tls import certificate_der, certificate_ends, certificate_pem, to_show
from hub.config import HubHome
from hub.desk.directory import DirectoryPeople
from hub.desk.hands import Hands
from hub.desk.reports.mailing import ReportMailing
from hub.desk.reports.running import analyst_of
from hub.fleet.jobs import Jobs
from hub.fleet.leases import lease
from hub.fleet.office import Office
from hub.fleet.running import kept_ports, last_backup, write_ports
from hub.ingest.consume import Consumer, consumer_name
from hub.ingest.making import by_hand, make_ingest
from hub.ingest.verify import Verifier
from hub.metrics import IngestFigures, RelayFigures, RequestFigures, StandingFigures
from hub.relay.blobs import Blobs
from hub.relay.broker import Broker, copies, make_broker, told_to_gateways
from hub.relay.hands import make_hands
from hub.relay.line import line_to_bus
from hub.relay.publish import Relay
from hub.relay.requests import Desk, Responder
from hub.relay.revocations import Revocations
from hub.relay.seeds import Seeds
from hub.relay.streams import Streams
from hub.trust.authority import key_to_pem, load_key
from hub.trust.enrolment import EnrolmentGrant, EnrolmentRequest, enrol
from hub.trust.pace import Pace
from hub.trust.renewal import renew
from hub.web.enrolment import EnrolmentPage
from hub.web.server import WebServer
from hub.web.workplace import Workplace

LOG = logging.getLogger(__name__)

_TRIES, _REFILL_S = 20, 3.0
_LOOK_S = 5.0
_BROKER_ROOM_BYTES = 4 << 20
"""With less room than this a broker whose disk was full would fail at once again."""


async def serve(office: Office) -> None:
    """The hub works until SIGTERM or SIGINT.

    Raises:
        Rejected: `hub_runs_already`, `port_in_use`, `nats_missing`.
        Retry: `nats_failed`.
    """
    home = office.home
    home.run.mkdir(parents=True, exist_ok=True)
    with _alone(home):
        chain, key = _server_certificate(office)
        revocations = Revocations(office)
        broker = await make_broker(office, revocations, chain, key)
        await broker.start()
        bus = line_to_bus(office, broker.urls)
        streams = _streams(office, bus)
        try:
            await _begin(streams)
            ends_at = certificate_ends(certificate_der(chain.read_bytes()))
            running = _Running(office, broker, bus, streams, revocations, ends_at=ends_at)
            await running.work(chain, key)
        finally:
            home.ports_file.unlink(missing_ok=True)
            await bus.close()
            await broker.stop()
            await office.database.close()


class _Running:
    """The parts of a hub that works."""

    def __init__(
        self,
        office: Office,
        broker: Broker,
        bus: Bus,
        streams: Streams,
        revocations: Revocations,
        *,
        ends_at: int,
    ) -> None:
        self._office = office
        self._broker = broker
        self._bus = bus
        self._registry = Registry("hub")
        self._loops = Supervisor(office.clock, random.SystemRandom())
        self._trust = replace(office.trust, bus_url=told_to_gateways(office, broker.port))
        self._analyst = analyst_of(office)
        self._streams = streams
        self._revocations = revocations
        self._consumers = self._ingest_consumers()
        self._short_of_disk = False
        self._began = office.clock.now()
        self._standing = StandingFigures(
            self._registry, self._trust.authority.roots[0].ends_at, ends_at
        )

    async def work(self, chain: Path, key: Path) -> None:
        """Everything runs until an end is asked for."""
        office = self._office
        https = office.settings.https
        pace = Pace(office.clock, tries=_TRIES, refill_s=_REFILL_S, code="too_many_enrolments")
        page = EnrolmentPage(self.enrol, self._trust.authority.chain, pace)
        workplace = Workplace(self._hands(), self._analyst, RequestFigures(self._registry))
        web = WebServer(page, workplace, self._health, self._registry)
        port = await _start_web(web, https.host, https.port, office.home, chain=chain, key=key)
        try:
            async with Shutdown() as shutdown, self._loops as loops:
                self._run_loops(loops)
                write_ports(office.home, https=port, bus=self._broker.port)
                LOG.info("hub_serves", extra={"https": port, "bus": self._broker.port})
                await shutdown.wait()
                await web.stop()
                await loops.stop()
        finally:
            await web.stop()
            await self._analyst.columns.close()

    def _run_loops(self, loops: Supervisor) -> None:
        office = self._office
        loops.run("nats", self._broker.watch)
        loops.run("streams", self._streams.keep)
        loops.run("revocations", partial(self._revocations.watch, self._broker))
        loops.run("disk", self._watch_disk)
        jobs = Jobs(office.database, office.maker)
        loops.run("jobs", jobs.run)
        directory = DirectoryPeople(office)
        if directory.is_set_up:
            loops.run("directory", directory.run)
        relay = Relay(
            office.database, self._bus, office.clock, RelayFigures(self._registry, office.clock)
        )
        loops.run("relay", relay.run)
        loops.run("answers", self._responder().run)
        loops.run("columns", self._analyst.columns.run)
        loops.run("report mail", ReportMailing(office, self._analyst).run)
        self._run_ingest(loops)

    def _run_ingest(self, loops: Supervisor) -> None:
        for name, consumer in self._consumers.items():
            loops.run(name, consumer.run)

    def _hands(self) -> Hands:
        """What people's acts reach beyond the database."""
        ingest = make_ingest(self._office)
        retry, release = by_hand(ingest.retry), by_hand(ingest.release)
        return make_hands(self._office, self._bus, retry=retry, release=release)

    def _responder(self) -> Responder:
        office = self._office
        seeds = Seeds(office.database, office.home.spool)
        seeds.clear()
        desk = Desk(
            enrol=self.enrol,
            renew=partial(renew, office.database, self._trust),
            lease=partial(lease, office.database, office.maker),
            authority=self._trust.authority.chain,
        )
        return Responder(
            office.database,
            self._bus,
            office.clock,
            desk=desk,
            seeds=seeds,
            blobs=Blobs(office.home.blobs),
            shards=office.settings.ingest.shards,
        )

    def _ingest_consumers(self) -> dict[str, Consumer]:
        office = self._office
        verifier = Verifier(self._trust.authority.chain)
        ingest = make_ingest(office, verifier)
        figures = IngestFigures(self._registry, office.clock)
        return {
            consumer_name(shard): Consumer(self._bus, ingest, verifier, shard, figures)
            for shard in range(office.settings.ingest.shards)
        }

    async def enrol(self, request: EnrolmentRequest) -> EnrolmentGrant:
        """A node is enrolled: for the web server and the responder."""
        return await enrol(self._office.database, self._trust, request)

    def _health(self) -> Health:
        checks = {
            "nats": self._broker.state(),
            "bus": "ok" if self._bus.is_connected else "not connected",
            "disk": "low" if self._short_of_disk else "ok",
        }
        checks = with_loops(checks, self._loops.loops)
        ready = all(state == "ok" for state in checks.values())
        return Health(ready, checks, {"bus_restarts": self._broker.restarts})

    def _backup_age(self) -> int:
        """Since when there is no newer backup, microseconds; 0 where the database is not backed up here."""
        if self._office.database.dialect != "sqlite":
            return 0
        return self._office.clock.now() - (last_backup(self._office.home) or self._began)

    async def _watch_disk(self) -> None:
        least = self._office.settings.least_free_bytes
        while True:
            free = shutil.disk_usage(self._office.home.folder).free
            self._standing.looked(free, backup_age_us=self._backup_age())
            if (free < least) != self._short_of_disk:
                self._short_of_disk = free < least
                level = logging.ERROR if self._short_of_disk else logging.INFO
                event = "disk_low" if self._short_of_disk else "disk_has_room_again"
                LOG.log(level, event, extra={"free_bytes": free, "least_bytes": least})
                if self._short_of_disk:
                    await self._loops.stop(*self._consumers)
                else:
                    self._run_ingest(self._loops)
            if self._broker.gave_up_a_stream() and free >= max(least, _BROKER_ROOM_BYTES):
                LOG.warning("nats_starts_again", extra={"free_bytes": free})
                self._broker.start_again()
            await asyncio.sleep(_LOOK_S)


def with_loops(parts: Mapping[str, str], loops: Mapping[str, LoopFigures]) -> dict[str, str]:
    """How parts and loops are, by name; a part that is not well is not outspoken by the loop that looks after it."""
    found = dict(parts)
    for name, loop in loops.items():
        if found.get(name, "ok") == "ok":
            found[name] = "ok" if loop.running else f"waits after {loop.last_problem}"
    return found


def _streams(office: Office, bus: Bus) -> Streams:
    settings = office.settings
    return Streams(
        bus,
        down_keep_s=settings.bus.down_keep_s,
        shards=settings.ingest.shards,
        replicas=copies(settings.bus),
    )


async def _begin(streams: Streams) -> None:
    """The streams stand; or the cluster is away, and people may work at the hub until it is back."""
    try:
        await streams.ensure()
    except Retry as problem:
        LOG.warning("streams_wait", extra={"problem": problem.code})


async def _start_web(
    web: WebServer, host: str, port: int, home: HubHome, *, chain: Path, key: Path
) -> int:
    kept = kept_ports(home).get("https", 0)
    if port == 0 and kept:
        with contextlib.suppress(Rejected):
            return await web.start(host, kept, chain=chain, key=key)
        await web.stop()
    return await web.start(host, port, chain=chain, key=key)


def _server_certificate(office: Office) -> tuple[Path, Path]:
    """A fresh certificate for the hub's servers, with the authority's behind it.

    The key stays the same.
    """
    folder, authority = office.home.trust, office.trust.authority
    key_file, chain_file = folder / "server_key.pem", folder / "server.pem"
    if not key_file.exists():
        write_durably(key_file, key_to_pem(ec.generate_private_key(ec.SECP256R1())))
    hosts = [*office.settings.https.names, socket.gethostname()]
    issued = authority.issue_server(load_key(key_file).public_key(), hosts)
    chain_file.write_bytes(certificate_pem(issued.der + to_show(authority.chain)))
    return chain_file, key_file


@contextmanager
def _alone(home: HubHome) -> Iterator[None]:
    with (home.run / "serve.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Rejected("hub_runs_already", place=str(home.folder)) from None
        yield
