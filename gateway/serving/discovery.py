"""The gateway announces itself on the local network (mDNS); devices find it without a name."""

from __future__ import annotations

import socket
from contextlib import asynccontextmanager, suppress
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final

from zeroconf import IPVersion
from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

SERVICE: Final = "_fieldmesh._tcp.local."


@asynccontextmanager
async def announce(gateway_id: bytes, *, port: int, enrolment_port: int) -> AsyncIterator[None]:
    """The gateway can be found while the block runs.

    The announcement names id and ports only; a device believes nobody without a certificate.
    """
    info = AsyncServiceInfo(
        SERVICE,
        f"{gateway_id.hex()}.{SERVICE}",
        port=port,
        properties={"id": gateway_id.hex(), "enrolment_port": str(enrolment_port)},
        parsed_addresses=_own_addresses(),
        server=f"{gateway_id.hex()}.local.",
    )
    zeroconf = AsyncZeroconf(ip_version=IPVersion.V4Only)
    try:
        await (await zeroconf.async_register_service(info))
        yield
        await (await zeroconf.async_unregister_service(info))
    finally:
        await zeroconf.async_close()


def _own_addresses() -> list[str]:
    """The machine's addresses; the one that leads out first. Loopback only when it has no other."""
    found: list[str] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe, suppress(OSError):
        probe.connect(("192.0.2.1", 9))  # a test network: nothing is sent
        found.append(str(probe.getsockname()[0]))
    with suppress(OSError):
        known = socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)
        found += [str(info[4][0]) for info in known]
    outward = [address for address in found if not ip_address(address).is_loopback]
    return list(dict.fromkeys(outward)) or ["127.0.0.1"]
