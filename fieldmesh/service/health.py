"""What a node says about itself over HTTP: ``/health`` and ``/metrics``, and nothing else.

A tiny server of our own, for nodes that have no web server: it reads one request line, answers,
and closes. Bind it to a private address; it tells figures, no rows and no names.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from fieldmesh.service.listening import refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from fieldmesh.service.metrics import Registry

_MOST_REQUEST_BYTES: Final = 8 * 1024
_REQUEST_S: Final = 5.0
_MOST_OPEN: Final = 32
_TEXT: Final = "text/plain; version=0.0.4; charset=utf-8"
_JSON: Final = "application/json"


@dataclass(frozen=True, slots=True)
class Health:
    """How a node is.

    Attributes:
        ready: whether it can do its work now.
        checks: name of a part → "ok", or what is wrong with it in a few words.
        facts: what a person wants to see beside it.
    """

    ready: bool
    checks: dict[str, str] = field(default_factory=dict)
    facts: dict[str, str | int | float | bool] = field(default_factory=dict)

    def as_json(self) -> bytes:
        """One JSON object."""
        body = {
            "status": "ok" if self.ready else "unavailable",
            "checks": self.checks,
            "facts": self.facts,
        }
        return json.dumps(body, ensure_ascii=False).encode("utf-8")


class HealthServer:
    """Serves ``/health`` and ``/metrics`` on one address."""

    def __init__(self, health: Callable[[], Health], registry: Registry) -> None:
        """Answers come from ``health`` and ``registry`` at the time of the request."""
        self._health = health
        self._registry = registry
        self._server: asyncio.Server | None = None
        self._open = 0

    async def start(self, host: str, port: int) -> int:
        """It answers; returns the port (for port 0: the one that was free).

        Raises:
            Rejected: `port_in_use` or `address_unusable`.
        """
        try:
            self._server = await asyncio.start_server(
                self._answer, host, port, limit=_MOST_REQUEST_BYTES
            )
        except OSError as error:
            raise refusal(host, port, error) from error
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """It answers no more. Repeating it is harmless."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open += 1
        try:
            if self._open <= _MOST_OPEN:
                async with asyncio.timeout(_REQUEST_S):
                    head = await reader.readuntil(b"\r\n\r\n")
                    writer.write(self._response(head))
                    await writer.drain()
        except (
            TimeoutError,
            ConnectionError,
            asyncio.IncompleteReadError,
            asyncio.LimitOverrunError,
        ):
            # A stranger who sends no whole request gets no answer.
            pass
        finally:
            self._open -= 1
            writer.close()

    def _response(self, head: bytes) -> bytes:
        parts = head.split(b"\r\n", 1)[0].split(b" ")
        if len(parts) != 3 or parts[0] not in {b"GET", b"HEAD"}:  # noqa: PLR2004 - method, path, version
            return _framed("405 Method Not Allowed", _TEXT, b"")
        path = parts[1].split(b"?", 1)[0]
        if path == b"/health":
            health = self._health()
            status = "200 OK" if health.ready else "503 Service Unavailable"
            return _framed(status, _JSON, health.as_json())
        if path == b"/metrics":
            return _framed("200 OK", _TEXT, self._registry.exposition())
        return _framed("404 Not Found", _TEXT, b"")


def _framed(status: str, kind: str, body: bytes) -> bytes:
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
        "Cache-Control: no-store\r\nConnection: close\r\n\r\n"
    )
    return head.encode("ascii") + body
