"""A gateway that lies, and a device of ours that syncs with it."""

from collections.abc import AsyncIterator
from pathlib import Path

import grpc.aio
import pytest_asyncio

from device_agent.app import DeviceAgent
from fieldmesh.session.transitions import Mode
from tests.attacks.lying_gateway import LyingGateway
from tests.integration.device.company import Authority, identifier
from tests.integration.device.conftest import enrolled, opened

OUTLETS = 5


async def _started(
    authority: Authority, folder: Path, gateway_id: bytes
) -> tuple[LyingGateway, list[grpc.aio.Server]]:
    folder.mkdir()  # noqa: ASYNC240 - a test's own folder
    gateway = LyingGateway(authority, folder)
    gateway.gateway_id = gateway_id
    for number in range(OUTLETS):
        gateway.company.put("outlet", identifier(1000 + number), 11, code=f"O{number}", name="Shop")
    return gateway, await gateway.start()


@pytest_asyncio.fixture
async def liar(tmp_path: Path) -> AsyncIterator[LyingGateway]:
    """A gateway with a good certificate, whose messages a test changes."""
    gateway, servers = await _started(Authority(), tmp_path / "liar", b"liar" * 4)
    yield gateway
    for server in servers:
        await server.stop(None)


@pytest_asyncio.fixture
async def honest(liar: LyingGateway, tmp_path: Path) -> AsyncIterator[LyingGateway]:
    """Another gateway of the same network, which tells the truth."""
    gateway, servers = await _started(liar.authority, tmp_path / "honest", b"good" * 4)
    yield gateway
    for server in servers:
        await server.stop(None)


@pytest_asyncio.fixture
async def device(liar: LyingGateway, tmp_path: Path) -> AsyncIterator[DeviceAgent]:
    """A device that has its working set, from before the gateway began to lie."""
    agent = await opened(await enrolled(liar, tmp_path / "device"))
    await agent.sync(Mode.INITIALIZE, gateway=liar.address)
    yield agent
    await agent.close()
