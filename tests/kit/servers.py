"""Servers of others that tests start: they listen on a free port of this machine and end with the test."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

_PATIENCE_S = 30.0
_LOOK_S = 0.05


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@asynccontextmanager
async def running(
    command: Sequence[str], port: int, log: Path, environment: Mapping[str, str] | None = None
) -> AsyncIterator[None]:
    """The server takes connections on the port; afterwards it has ended."""
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *command, stdout=output, stderr=output, env=environment
        )
        try:
            async with asyncio.timeout(_PATIENCE_S):
                while not await _answers(port):
                    assert process.returncode is None, _read(log)
                    await asyncio.sleep(_LOOK_S)
            yield
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            await process.wait()


async def done(
    command: Sequence[str], environment: Mapping[str, str] | None = None, given: bytes = b""
) -> bytes:
    """What the program says; it must succeed."""
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT, env=environment,
    )  # fmt: skip
    output, _ = await process.communicate(given)
    assert process.returncode == 0, (command, process.returncode, output.decode(errors="replace"))
    return output


async def _answers(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return True


def _read(log: Path) -> str:
    return log.read_text(errors="replace")
