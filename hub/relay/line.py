"""The hub's own line to the bus: for the running hub, and for commands beside it."""

import ipaddress
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from fieldmesh.basics.errors import Rejected
from fieldmesh.service.bus import Bus
from hub.config import BusSettings
from hub.fleet.office import Office
from hub.fleet.running import running_ports


def cluster_urls(bus: BusSettings) -> list[str]:
    """Where clients reach the servers of the cluster; empty when the hub runs its broker."""
    return [f"tls://{one}" for one in bus.servers]


def line_to_bus(office: Office, urls: Sequence[str]) -> Bus:
    """The hub's own line to the bus, not connected yet."""
    keys = office.trust.bus
    return Bus(
        urls,
        jwt=lambda: keys.hub_jwt(office.clock.now()),
        seed=keys.hub,
        authority=office.trust.authority.chain,
        name="hub",
        random=random.SystemRandom(),
    )


@asynccontextmanager
async def bus_of_running_hub(office: Office) -> AsyncIterator[Bus]:
    """A line to the bus of the hub that serves this home.

    Raises:
        Rejected: `hub_not_running`.
    """
    ports, settings = running_ports(office.home), office.settings.bus
    if ports is None:
        raise Rejected("hub_not_running", place=str(office.home.folder))
    own = f"tls://{_reachable(settings.host)}:{ports['bus']}"
    bus = line_to_bus(office, cluster_urls(settings) or [own])
    try:
        yield bus
    finally:
        await bus.close()


def _reachable(host: str) -> str:
    try:
        return "127.0.0.1" if ipaddress.ip_address(host).is_unspecified else host
    except ValueError:
        return host or "127.0.0.1"
