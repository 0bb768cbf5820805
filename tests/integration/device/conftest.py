"""A gateway double and enrolled devices, over real TLS."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from device_agent.app import DeviceAgent, enroll
from device_agent.config import DeviceSettings
from device_agent.modes.enrol import EnrolmentWish
from tests.integration.device.company import Authority, identifier
from tests.integration.device.gateway_double import GatewayDouble

SETTINGS = DeviceSettings(discovery=False, patience_s=3.0, stall_s=5.0)


@pytest_asyncio.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[GatewayDouble]:
    """A gateway that serves one position: 5 outlets in partition 11, 4,000 stock rows in 12."""
    double = GatewayDouble(Authority(), tmp_path)
    for number in range(5):
        double.company.put(
            "outlet",
            identifier(1000 + number),
            11,
            code=f"O{number}",
            name="Shop",
            status="active",
        )
    for number in range(4000):
        double.company.put(
            "stock",
            identifier(100_000 + number),
            12,
            warehouse_id=identifier(5),
            product_id=identifier(6000 + number),
            quantity=number,
        )
    servers = await double.start()
    yield double
    for server in servers:
        await server.stop(None)


async def enrolled(gateway: GatewayDouble, folder: Path) -> Path:
    """The folder of a device that has its identity."""
    wish = EnrolmentWish(gateway.code, gateway.enrolment_address, "ana", "secret")
    await enroll(folder, wish)
    return folder


async def opened(folder: Path) -> DeviceAgent:
    """The device, opened by its person."""
    return await DeviceAgent.open(folder, "ana", "secret", settings=SETTINGS)


@pytest_asyncio.fixture
async def device(gateway: GatewayDouble, tmp_path: Path) -> AsyncIterator[DeviceAgent]:
    """An enrolled, empty device."""
    agent = await opened(await enrolled(gateway, tmp_path / "device"))
    yield agent
    await agent.close()
