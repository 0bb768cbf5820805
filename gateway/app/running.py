"""One gateway process: what runs, in which order it starts and stops.

Start: identity → database → parts → loops → ports. Stop: no new sessions → loops → bus → database.
A SIGKILL at any line is harmless: what was acknowledged is committed, the rest comes again.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import logging
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from fieldmesh.basics.clock import SystemClock
from fieldmesh.basics.errors import Rejected
from fieldmesh.basics.release import RELEASE
from fieldmesh.service.database import Database
from fieldmesh.service.grpc_server import (
    bind,
    make_server,
    server_credentials,
    set_serving,
)
from fieldmesh.service.health import Health, HealthServer
from fieldmesh.service.lifecycle import Shutdown
from fieldmesh.service.tasks import Supervisor
from gateway.app.building import Gateway
from gateway.app.home import Home
from gateway.replication import (
    blobs_up,
    commands,
    downlink,
    leases,
    renewal,
    seeding,
    upkeep,
    uplink,
)
from gateway.replication.persistence import keep_trying
from gateway.serving.admin import serve_admin
from gateway.serving.carrier import import_file, read_carrier
from gateway.serving.discovery import announce
from gateway.serving.server import (
    ENROLMENT_SERVICE,
    GATEWAY_SERVICE,
    EnrolmentService,
    GatewayService,
    add_enrolment_service,
    add_gateway_service,
)
from gateway.serving.spool import clear_litter
from gateway.storage import cursors, downloads, outbox, partitions
from gateway.storage.database import open_database, read_as_it_is
from gateway.trust import certificates

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    import grpc.aio

    from gateway.config import GatewayConfig
    from gateway.serving.admin import Handler
    from gateway.storage.transaction import Transaction

LOG = logging.getLogger(__name__)
_SPOOL_LOOK_S: Final = 600.0
_FIGURES_S: Final = 5.0
_GRACE_S: Final = 3.0

T = TypeVar("T")


async def prepare(gateway: Gateway) -> None:
    """What an earlier run left open is closed; what the gateway wants is known."""
    now = gateway.clock.now()
    gateway_id = gateway.identity.gateway_id

    def begin(connection: Any) -> tuple[int, set[str], cursors.State]:
        cut = gateway.journal.end_left_open(connection)
        wanted = partitions.wanted_partitions(connection, gateway_id)
        partitions.want(connection, wanted, now)
        return cut, downloads.all_paths(connection), cursors.read_state(connection)

    cut, kept, state = await gateway.database.write(begin)
    litter = await asyncio.to_thread(clear_litter, gateway.home.spool, kept)
    if state.bandwidth:
        gateway.set_bandwidth(state.bandwidth)
    await gateway.neighbours.refresh()
    problem = gateway.identity.problem(now)
    if problem is not None:
        LOG.error("certificate_refused_by_devices", extra={"problem": str(problem)})
    LOG.info("gateway_prepared", extra={"cut_sessions": cut, "litter": litter})


def start_loops(gateway: Gateway, loops: Supervisor) -> None:
    """Everything that goes on by itself."""
    parts = gateway.replication
    loops.run(
        "downlink",
        lambda: keep_trying(parts, partial(downlink.run_downlink, parts), needs_hello=False),
    )
    to_hub = {
        "uplink": partial(uplink.run_uplink, parts),
        "seeding": partial(seeding.run_seeding, parts),
        "leases": partial(leases.run_leases, parts),
        "blobs_up": partial(
            blobs_up.run_blobs_up, parts, gateway.blob_files, gateway.bandwidth.take
        ),
        "commands": partial(commands.answer_hub, parts, gateway.commands),
        "renewal": partial(
            renewal.run_renewal,
            parts,
            gateway.home.identity,
            lambda: gateway.identity,
            gateway.use_identity,
            int(gateway.config.renew_before_s * 1_000_000),
        ),
    }
    for name, loop in to_hub.items():
        loops.run(name, partial(keep_trying, parts, loop, needs_hello=True))
    loops.run("journal", gateway.journal.run)
    loops.run("showing", gateway.showing.run)
    loops.run("upkeep", partial(upkeep.run_upkeep, parts, gateway.blob_files))
    loops.run("disk", gateway.disk.watch)
    loops.run("neighbours", gateway.neighbours.watch)
    loops.run("spool", partial(_clear_spool, gateway))
    loops.run("figures", partial(_watch_figures, gateway))


async def _clear_spool(gateway: Gateway) -> None:
    while True:
        await asyncio.sleep(_SPOOL_LOOK_S)
        await gateway.downloads.clear_old()


async def _watch_figures(gateway: Gateway) -> None:
    while True:
        depth = await gateway.database.read(outbox.depth)
        gateway.metrics.looked(
            depth=depth,
            free_bytes=gateway.disk.free_bytes,
            reachable=gateway.signals.hub.reachable,
            certificate_ends_at=gateway.identity.ends_at(),
            pools=gateway.serving.pools.all(),
        )
        await asyncio.sleep(_FIGURES_S)


async def open_ports(gateway: Gateway, stack: AsyncExitStack) -> None:
    """Devices, new devices, the administrator and Prometheus can come in."""
    config = gateway.config
    gateway.ports["gateway"] = await _start_server(
        gateway,
        stack,
        f"{config.listen_host}:{config.port}",
        GATEWAY_SERVICE,
        lambda server: add_gateway_service(
            GatewayService(gateway.serving, gateway.facts, blobs=gateway.blobs, desk=gateway.desk),
            server,
        ),
        ask=True,
    )
    gateway.ports["enrolment"] = await _start_server(
        gateway,
        stack,
        f"{config.listen_host}:{config.enrolment_port}",
        ENROLMENT_SERVICE,
        lambda server: add_enrolment_service(EnrolmentService(gateway.facts, gateway.desk), server),
        ask=False,
    )
    admin = await serve_admin(gateway.home.admin_socket, _admin_handlers(gateway))
    stack.callback(admin.close)
    figures = HealthServer(partial(_health, gateway), gateway.metrics.registry)
    gateway.ports["metrics"] = await figures.start(config.metrics_host, config.metrics_port)
    stack.push_async_callback(figures.stop)
    if config.announce:
        await stack.enter_async_context(
            announce(
                gateway.identity.gateway_id,
                port=gateway.ports["gateway"],
                enrolment_port=gateway.ports["enrolment"],
            )
        )


async def _start_server(
    gateway: Gateway,
    stack: AsyncExitStack,
    address: str,
    service: str,
    add: Callable[[grpc.aio.Server], None],
    *,
    ask: bool,
) -> int:
    server, checks = make_server([service])
    add(server)
    credentials = server_credentials(
        lambda: gateway.identity.node_keys(),  # noqa: PLW0108 - a renewed identity must be seen
        ask_for_certificate=ask,
    )
    port = bind(server, address, credentials)
    await server.start()
    await set_serving(checks, [service], serving=True)
    stack.push_async_callback(server.stop, _GRACE_S)
    return port


def _health(gateway: Gateway) -> Health:
    line = gateway.signals.hub
    room = gateway.disk.has_room()
    problem = gateway.identity.problem(gateway.clock.now())
    return Health(
        ready=room and problem is None,
        checks={
            "disk": "ok" if room else "full",
            "hub": "ok" if line.reachable else "away, work goes on",
            "certificate": "ok" if problem is None else str(problem),
        },
        facts={"hub_lsn": line.hub_lsn, "version": RELEASE},
    )


def _admin_handlers(gateway: Gateway) -> dict[str, Handler]:
    async def status(_: dict[str, Any]) -> dict[str, object]:
        problem = gateway.identity.problem(gateway.clock.now())
        return {
            **await gateway.commands.status(),
            "disk": "ok" if gateway.disk.has_room() else "full",
            "certificate": "ok" if problem is None else str(problem),
            "ports": gateway.ports,
            "running": True,
        }

    async def verify(arguments: dict[str, Any]) -> dict[str, object]:
        return await gateway.commands.verify(
            deep=bool(arguments.get("deep")), repair=bool(arguments.get("repair"))
        )

    async def reseed(arguments: dict[str, Any]) -> dict[str, object]:
        return await gateway.commands.reseed([int(p) for p in arguments.get("partitions", [])])

    async def take_carrier(arguments: dict[str, Any]) -> dict[str, object]:
        data = await asyncio.to_thread(read_carrier, Path(str(arguments["path"])))
        return await import_file(
            data,
            database=gateway.database,
            signals=gateway.signals,
            clock=gateway.clock,
            authority=gateway.identity.authority,
        )

    async def bandwidth(arguments: dict[str, Any]) -> dict[str, object]:
        rules = [cursors.BandwidthRule(**rule) for rule in arguments.get("rules", [])]
        return await gateway.commands.bandwidth(rules)

    return {
        "bandwidth": bandwidth,
        "status": status,
        "verify": verify,
        "reseed": reseed,
        "import": take_carrier,
    }


@asynccontextmanager
async def running(home: Home, config: GatewayConfig) -> AsyncIterator[Gateway]:
    """A gateway that serves while the block runs.

    Raises:
        Rejected: ``gateway_not_enrolled``, ``gateway_runs_already``, ``port_in_use``,
            ``database_too_new``.
    """
    home.make()
    identity = certificates.load(home.identity)
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        stack.enter_context(_alone(home))
        database = await open_database(home.database, identity.gateway_id, clock)
        stack.push_async_callback(database.close)
        gateway = Gateway(home, config, identity, database)
        stack.push_async_callback(gateway.bus.close)
        stack.push_async_callback(gateway.journal.write_waiting)
        await prepare(gateway)
        loops = await stack.enter_async_context(Supervisor(clock, gateway.random))
        start_loops(gateway, loops)
        await open_ports(gateway, stack)
        write_ports(home, gateway.ports)
        LOG.info("gateway_serving", extra={"ports": str(gateway.ports)})
        yield gateway


async def serve(home: Home, config: GatewayConfig) -> None:
    """Serve until a signal asks for the end.

    Raises:
        Rejected: as :func:`running`.
    """
    async with Shutdown() as shutdown, running(home, config):
        await shutdown.wait()


@contextmanager
def _alone(home: Home) -> Iterator[None]:
    """No other process serves this home: it would close the running one's sessions as cut."""
    with (home.run / "serve.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Rejected("gateway_runs_already", place=str(home.path)) from None
        yield


def write_ports(home: Home, ports: dict[str, int]) -> None:
    """``run/ports.json`` tells the ports that are really open; written whole or not at all."""
    part = home.run / "ports.json.part"
    part.write_text(json.dumps(ports), "utf-8")
    part.replace(home.run / "ports.json")


async def read_stopped(home: Home, read: Callable[[Transaction], T]) -> T:
    """What a read says of the database, whether or not the gateway runs, maybe with an older program.

    Raises:
        Rejected: ``gateway_not_enrolled``, or as :func:`read_as_it_is`.
    """
    gateway_id = certificates.load(home.identity).gateway_id
    if home.database.exists():
        database = Database(home.database)
    else:
        database = await open_database(home.database, gateway_id, SystemClock())
    try:
        return await database.read(partial(read_as_it_is, gateway_id=gateway_id, read=read))
    finally:
        await database.close()
