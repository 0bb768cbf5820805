"""The line to head office that demo and fault tests cut, mend and slow down."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from deploy.demo.proxy import Line


@pytest.fixture
async def echo() -> AsyncIterator[int]:
    """The port of a service that sends back what it gets."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while piece := await reader.read(1024):
                writer.write(piece)
        except OSError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield int(server.sockets[0].getsockname()[1])
    server.close()


async def heard(port: int, text: bytes) -> bytes:
    """What comes back over a new connection; empty when it broke."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(text)
        async with asyncio.timeout(5):
            return await reader.read(1024)
    except OSError:
        return b""
    finally:
        writer.transport.abort()


async def test_a_whole_line_passes_everything_on(echo: int) -> None:
    """Without it the demo would test a line that is always broken."""
    async with Line(echo) as line:
        assert await heard(line.port, b"order") == b"order"


async def test_a_cut_breaks_what_is_open_and_lets_nothing_new_through(echo: int) -> None:
    """Without it "head office is away" would not be true."""
    async with Line(echo) as line:
        reader, writer = await asyncio.open_connection("127.0.0.1", line.port)
        writer.write(b"before")
        assert await reader.read(1024) == b"before"
        line.cut()
        with pytest.raises((OSError, asyncio.IncompleteReadError)):
            async with asyncio.timeout(5):
                await reader.readexactly(1)
        writer.transport.abort()
        assert await heard(line.port, b"during") == b""
        line.mend()
        assert await heard(line.port, b"after") == b"after"


async def test_a_slow_line_delays_each_piece(echo: int) -> None:
    """Without it nobody could see how the network behaves far from head office."""
    async with Line(echo, delay_s=0.1) as line:
        started = time.monotonic()
        assert await heard(line.port, b"slow") == b"slow"
        assert time.monotonic() - started >= 0.2


async def test_a_line_to_nobody_breaks_at_once() -> None:
    """Without it a client of a dead hub would hang instead of trying again."""
    async with Line(1) as line:
        assert await heard(line.port, b"hello") == b""
