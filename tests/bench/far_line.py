"""A line to a far place: every byte arrives a set time later, however many are on their way."""

import asyncio
import contextlib
from types import TracebackType
from typing import Self

_PIECE = 64 * 1024


class FarLine:
    """Listens on a port of this machine and passes on to another, ``delay_s`` later in each direction."""

    def __init__(self, target_port: int, delay_s: float) -> None:
        """Connections go to ``target_port`` on this machine."""
        self.target_port = target_port
        self.delay_s = delay_s
        self.port = 0
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> Self:
        """The line listens; `port` tells where."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """The line is gone."""
        for writer in list(self._open):
            writer.transport.abort()
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target_port)
        self._open |= {writer, far_writer}
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pass_on(reader, far_writer))
                group.create_task(self._pass_on(far_reader, writer))
        finally:
            self._open -= {writer, far_writer}

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        with contextlib.suppress(OSError):
            while piece := await reader.read(_PIECE):
                loop.call_at(loop.time() + self.delay_s, writer.write, piece)
        loop.call_at(loop.time() + self.delay_s, writer.close)
