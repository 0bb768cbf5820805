"""Lines that are opened and then say little or nothing: the others are served as before."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from deploy.demo.network import Network
from fieldmesh.wire.v1 import session_pb2
from tests.kit.network import two_ticks
from tests.kit.raw_session import raw_device
from tests.kit.standing import Standing, standing_network

LINES = 60
HALF_A_HELLO = b"\x16\x03\x01\x02\x00\x01\x00"
HALF_A_REQUEST = b"POST /v1/enrol HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n{"


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standing]:
    """A small network."""
    with standing_network(tmp_path_factory.mktemp("slow")) as made:
        yield made


def test_idle_lines_on_every_port_keep_nobody_out(standing: Standing) -> None:
    """Promise 8: whoever holds lines open without a word must not stop a branch."""

    async def work(network: Network) -> None:
        gateway = network.gateways[0]
        ports = (gateway.port, gateway.enrolment_port, gateway.metrics_port, network.hub.https_port)
        async with contextlib.AsyncExitStack() as stack:
            for port in ports:
                for number in range(LINES):
                    said = b"" if number % 2 else HALF_A_HELLO
                    await stack.enter_async_context(_held(port, said))
            for _ in range(LINES):
                await stack.enter_async_context(
                    _held(network.hub.https_port, HALF_A_REQUEST, tls=True)
                )
            device = network.devices[0]
            await device.ask("order", "--lines", "2")
            await two_ticks(device)
            made = await network.hub.ask(
                "device", "spare", "S8", "--gateway", gateway.code, "--for", "D2"
            )
            fresh = network.device("S8", "rep0002")
            await fresh.enroll(str(made["code"]), gateway)
        gateway.service.check()
        network.hub.service.check()

    standing.run(work)


def test_one_device_with_many_silent_sessions_keeps_the_others_served(standing: Standing) -> None:
    """Promise 8: a stolen device that opens sessions and says nothing loses its oldest; colleagues sync."""

    async def work(network: Network) -> None:
        hostile = await raw_device(network, network.devices[1], network.gateways[0])
        async with asyncio.TaskGroup() as group:
            silent = [
                group.create_task(hostile.say(hostile.hello(mode=session_pb2.MODE_FAST), hold_s=15))
                for _ in range(12)
            ]
            await two_ticks(network.devices[0])
            for task in silent:
                task.cancel()

    standing.run(work)


@asynccontextmanager
async def _held(port: int, said: bytes, *, tls: bool = False) -> AsyncIterator[None]:
    """A line on which that was said, and which stays."""
    context = None
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    try:
        writer.write(said)
        await writer.drain()
        yield
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
