"""Gateways on the local network, found by multicast DNS (`_fieldmesh._tcp.local.`).

A found address is only a place to try: the gateway there must show a certificate of our authority.
"""

import asyncio
import logging
from collections.abc import Callable

from zeroconf import DNSQuestionType, IPVersion, ServiceStateChange, Zeroconf
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

from device_agent.link.gateways import HEARD, Candidate

SERVICE_TYPE = "_fieldmesh._tcp.local."
MOST_FOUND = 32
MOST_ADDRESSES = 4
"""Ways to one gateway that are tried."""
_ASK = DNSQuestionType.QM
"""Answers come by multicast: an answer to this machine alone reaches one of those that listen on
port 5353, and that may be another program (avahi, or a gateway on the same machine)."""
_LOG = logging.getLogger(__name__)


async def discover(window_s: float) -> list[Candidate]:
    """Gateways that announced themselves within the window; at most 32. None found is no error."""
    names: set[str] = set()
    try:
        zeroconf = AsyncZeroconf(ip_version=IPVersion.V4Only)
    except OSError as error:
        _LOG.info("discovery_unavailable", extra={"why": str(error)})
        return []
    try:
        browser = AsyncServiceBrowser(
            zeroconf.zeroconf, SERVICE_TYPE, handlers=[_collector(names)], question_type=_ASK
        )
        await asyncio.sleep(window_s)
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(_resolve(zeroconf, name)) for name in sorted(names)[:MOST_FOUND]
            ]
        await browser.async_cancel()
    finally:
        await zeroconf.async_close()
    return [candidate for task in tasks for candidate in task.result()]


def _collector(names: set[str]) -> "Callable[..., None]":
    def collect(
        zeroconf: Zeroconf,  # noqa: ARG001  (names and order are zeroconf's)
        service_type: str,  # noqa: ARG001
        name: str,
        state_change: ServiceStateChange,
    ) -> None:
        if state_change is ServiceStateChange.Added:
            names.add(name)

    return collect


async def _resolve(zeroconf: AsyncZeroconf, name: str) -> list[Candidate]:
    """The ways to a gateway that announced itself: one for each of its addresses."""
    if not name.endswith(f".{SERVICE_TYPE}"):
        return []  # anybody in the network may answer, with whatever name
    info = AsyncServiceInfo(SERVICE_TYPE, name)
    if not await info.async_request(zeroconf.zeroconf, 500, _ASK) or not info.port:
        return []
    text = (info.properties or {}).get(b"id") or b""
    try:
        gateway_id = bytes.fromhex(text.decode("ascii").replace("-", ""))
    except ValueError:
        return []
    return [
        Candidate(
            gateway_id=gateway_id,
            name=name.removesuffix(f".{SERVICE_TYPE}"),
            address=f"{address}:{info.port}",
            source=HEARD,
        )
        for address in info.parsed_addresses(IPVersion.V4Only)[:MOST_ADDRESSES]
    ]
