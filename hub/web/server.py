"""The hub's HTTPS server.

It shows its whole chain, so that who holds a code can check the authority.
"""

import ssl
from collections.abc import Callable
from pathlib import Path

from aiohttp import web

from fieldmesh.service.health import Health
from fieldmesh.service.listening import refusal
from fieldmesh.service.metrics import Registry
from hub.web.enrolment import EnrolmentPage
from hub.web.guards import answers_are_kept_safe
from hub.web.workplace import Workplace

_MOST_BODY_BYTES = 64 * 1024
"""What a stranger may send; `guards` lets more in from who is signed in."""
_CLOSE_S = 3.0


class WebServer:
    """Serves enrolment, /health, /metrics and the workplace."""

    def __init__(
        self,
        enrolment: EnrolmentPage,
        workplace: Workplace,
        health: Callable[[], Health],
        registry: Registry,
    ) -> None:
        """Nothing is served yet."""
        self._health = health
        self._registry = registry
        self._patience_s = workplace.patience_s
        self._app = web.Application(
            middlewares=workplace.middlewares(), client_max_size=_MOST_BODY_BYTES
        )
        self._app.on_response_prepare.append(answers_are_kept_safe)
        self._app.add_routes(enrolment.routes())
        self._app.add_routes(workplace.routes())
        self._app.add_routes(
            [web.get("/health", self._show_health), web.get("/metrics", self._show_metrics)]
        )
        self._runner: web.AppRunner | None = None

    async def start(self, host: str, port: int, *, chain: Path, key: Path) -> int:
        """It answers; returns the port (for port 0: the one that was free).

        Args:
            host: address to listen on.
            port: 0 = any free one.
            chain: PEM of the server's certificate and the authority's.
            key: PEM of the server's key.

        Raises:
            Rejected: `port_in_use` or `address_unusable`.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(chain, key)
        # From a line's beginning, or its last answer, the next headers must have come in that time.
        self._runner = web.AppRunner(
            self._app,
            access_log=None,
            shutdown_timeout=_CLOSE_S,
            keepalive_timeout=self._patience_s,
        )  # fmt: skip
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port, ssl_context=context)
        try:
            await site.start()
        except OSError as error:
            raise refusal(host, port, error) from error
        return int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        """It answers no more. Repeating it is harmless."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _show_health(self, _request: web.Request) -> web.Response:
        health = self._health()
        status = 200 if health.ready else 503
        return web.Response(body=health.as_json(), status=status, content_type="application/json")

    async def _show_metrics(self, _request: web.Request) -> web.Response:
        return web.Response(
            body=self._registry.exposition(), content_type="text/plain", charset="utf-8"
        )
