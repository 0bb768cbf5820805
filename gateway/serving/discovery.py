"""The gateway announces itself on the local network (mDNS); devices find it without a name."""

from __future__ import annotations

import socket
from contextlib import asynccontextmanager
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
    """The machine's addresses; the one that leads out first."""
    found: list[str] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # a test network: nothing is sent
            found.append(str(probe.getsockname()[0]))
        except OSError:
            found.append("127.0.0.1")
    for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET):
        address = str(info[4][0])
        if address not in found:
            found.append(address)
    return found
