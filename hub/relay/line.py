"""The hub's own line to the bus: for the running hub, and for commands beside it."""

import ipaddress
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fieldmesh.basics.errors import Rejected
from fieldmesh.service.bus import Bus
from hub.fleet.office import Office
from hub.fleet.running import running_ports


def line_to_bus(office: Office, url: str) -> Bus:
    """The hub's own line to the bus, not connected yet."""
    keys = office.trust.bus
    return Bus(
        [url],
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
    ports = running_ports(office.home)
    if ports is None:
        raise Rejected("hub_not_running", place=str(office.home.folder))
    bus = line_to_bus(office, f"tls://{_reachable(office.settings.bus.host)}:{ports['bus']}")
    try:
        yield bus
    finally:
        await bus.close()


def _reachable(host: str) -> str:
    try:
        return "127.0.0.1" if ipaddress.ip_address(host).is_unspecified else host
    except ValueError:
        return host or "127.0.0.1"
