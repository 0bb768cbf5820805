"""Three NATS servers as an administrator sets them up, from the files that `bus files` makes."""

import asyncio
import json
import os
import signal
import socket
import urllib.request
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deploy.demo.network import LOCAL, Hub, free_port
from fieldmesh.basics.clock import SystemClock
from fieldmesh.service.nats_config import MONITOR_ABOVE, ROUTES_ABOVE
from fieldmesh.service.nats_server import find_program

SERVERS = 3
_START_S = 30.0
_LOOK_S = 0.1


@dataclass(slots=True)
class BusServer:
    """One of them."""

    name: str
    folder: Path
    port: int
    process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """It runs; with the others it makes the cluster."""
        self.process = await asyncio.create_subprocess_exec(
            find_program(), "-c", "nats.conf", cwd=self.folder, stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip

    def signal(self, number: signal.Signals) -> None:
        """It has got the signal, if it runs."""
        if self.process is not None and self.process.returncode is None:
            with suppress(ProcessLookupError):
                os.kill(self.process.pid, number)

    async def kill(self) -> None:
        """Its power has failed."""
        self.signal(signal.SIGKILL)
        if self.process is not None:
            await self.process.wait()

    def told(self, page: str) -> dict[str, Any]:
        """A page of its monitor; empty when it does not answer."""
        url = f"http://{LOCAL}:{self.port + MONITOR_ABOVE}/{page}"
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:
                found: dict[str, Any] = json.load(answer)
        except OSError:
            return {}
        return found


@dataclass(slots=True)
class BusCluster:
    """All of them."""

    folder: Path
    ports: list[int] = field(default_factory=lambda: [_free_for_server() for _ in range(SERVERS)])
    servers: list[BusServer] = field(default_factory=list)

    async def make(self, hub: Hub, company: str) -> None:
        """A new hub stands in its folder, and its cluster runs."""
        words = [word for port in self.ports for word in ("--bus-server", f"{LOCAL}:{port}")]
        hub.https_port = free_port()
        await hub.ask("init", "--company", company, "--https-port", str(hub.https_port), *words)
        made = await hub.ask("bus", "files", str(self.folder))
        told = made["servers"]
        assert isinstance(told, list)
        self.servers = [
            BusServer(str(one["server"]), Path(one["folder"]), int(one["port"])) for one in told
        ]
        for server in self.servers:
            await server.start()

    async def leader(self, stream: str) -> BusServer:
        """The server that decides on the stream.

        Raises:
            TimeoutError: none was elected in time.
        """
        until = SystemClock().monotonic() + _START_S
        while SystemClock().monotonic() < until:
            for server in self.servers:
                found = await asyncio.to_thread(_leader, server, stream)
                for one in self.servers:
                    if one.name == found and one.process and one.process.returncode is None:
                        return one
            await asyncio.sleep(_LOOK_S)
        raise TimeoutError(f"nobody leads {stream}")

    async def close(self) -> None:
        """All have ended."""
        for server in self.servers:
            await server.kill()


def _leader(server: BusServer, stream: str) -> str:
    accounts = server.told("jsz?accounts=true&streams=true").get("account_details", [])
    streams = [one for account in accounts for one in account.get("stream_detail", [])]
    return next(
        (str(one["cluster"].get("leader", "")) for one in streams if one["name"] == stream), ""
    )


def _free_for_server() -> int:
    """A port that is free together with those that belong to it."""
    while True:
        port = free_port()
        try:
            others = [
                socket.create_server((LOCAL, port + more)) for more in (ROUTES_ABOVE, MONITOR_ABOVE)
            ]
        except OSError:
            continue
        for other in others:
            other.close()
        return port
