"""A hub, gateways and devices as real processes in one folder on this machine."""

import json
import os
import random
import shutil
import socket
from dataclasses import dataclass, field
from pathlib import Path

from deploy.demo.processes import Service, ask, wait_for
from deploy.demo.proxy import Line

LOCAL = "127.0.0.1"


_PORTS = range(20_000, 32_000)
"""Below those of outgoing connections, one of which could sit on a port that a service left for a moment."""
_WAYS = 16
_RANDOM = random.SystemRandom()
_GIVEN: set[int] = set()


def free_port() -> int:
    """A port of this machine that nobody uses now, and that was not given out before.

    A service takes its port seconds later. Of two processes that choose ports at once, each chooses among its own.
    """
    own = [port for port in _PORTS if port % _WAYS == os.getpid() % _WAYS and port not in _GIVEN]
    while True:
        with socket.socket() as probe:
            port = _RANDOM.choice(own or _PORTS)
            try:
                probe.bind((LOCAL, port))
            except OSError:
                continue
            _GIVEN.add(port)
            return port


@dataclass(slots=True)
class Hub:
    """The hub's process and its commands."""

    folder: Path
    line: Line
    service: Service = field(init=False)
    https_port: int = 0

    def __post_init__(self) -> None:
        """The service is known, not started."""
        words = ["serve", "--home", str(self.folder), "--log-level", "info"]
        self.service = Service("fieldmesh-hub", words, self.folder.parent / "hub.log")

    async def init(self, company: str) -> None:
        """A new hub stands in its folder; gateways will reach its bus over the line."""
        bus_port, self.https_port = free_port(), free_port()
        self.line.target_port = bus_port
        await self.ask(
            "init", "--company", company, "--https-port", str(self.https_port), "--bus-port", str(bus_port),
            "--bus-advertise", f"{LOCAL}:{self.line.port}",
        )  # fmt: skip

    async def start(self) -> None:
        """It serves."""
        ports = self.folder / "run" / "ports.json"
        ports.unlink(missing_ok=True)
        await self.service.start()
        await wait_for(ports, self.service)

    async def ask(self, *words: str, timeout_s: float = 180.0) -> dict[str, object]:
        """The answer to a command of the hub."""
        return await ask("fieldmesh-hub", *words, "--home", str(self.folder), timeout_s=timeout_s)


@dataclass(slots=True)
class Gateway:
    """A gateway's process and its commands."""

    code: str
    folder: Path
    port: int = field(default_factory=free_port)
    enrolment_port: int = field(default_factory=free_port)
    metrics_port: int = field(default_factory=free_port)
    service: Service = field(init=False)

    def __post_init__(self) -> None:
        """The service is known, not started."""
        words = [
            "serve", "--home", str(self.folder), "--listen-host", LOCAL, "--port", str(self.port),
            "--enrolment-port", str(self.enrolment_port), "--metrics-port", str(self.metrics_port),
            "--no-announce",
        ]  # fmt: skip
        self.service = Service("fieldmesh-gateway", words, self.folder.parent / f"{self.code}.log")

    @property
    def address(self) -> str:
        """host:port for enrolled devices."""
        return f"{LOCAL}:{self.port}"

    async def enroll(self, hub: Hub, unit: str) -> None:
        """The hub knows it, and it has its identity."""
        made = await hub.ask(
            "gateway", "add", self.code, "--unit", unit, "--name", f"Gateway {self.code}"
        )
        await self.enroll_with(str(made["code"]), hub)

    async def enroll_with(self, code: str, hub: Hub) -> None:
        """It has its identity, by a code that the hub has given."""
        await self.ask(
            "enroll", "--code", code, "--hub", f"https://{LOCAL}:{hub.https_port}",
            "--address", self.address,
            "--enrolment-address", f"{LOCAL}:{self.enrolment_port}",
        )  # fmt: skip

    async def start(self) -> None:
        """It serves."""
        ports = self.folder / "run" / "ports.json"
        ports.unlink(missing_ok=True)
        await self.service.start()
        await wait_for(ports, self.service)

    async def ask(self, *words: str, timeout_s: float = 120.0) -> dict[str, object]:
        """The answer to a command of the gateway."""
        return await ask(
            "fieldmesh-gateway", *words, "--home", str(self.folder), timeout_s=timeout_s
        )


@dataclass(slots=True)
class Device:
    """A device's commands; each one is a process."""

    code: str
    login: str
    folder: Path
    password_file: Path

    async def ask(self, *words: str, timeout_s: float = 120.0) -> dict[str, object]:
        """The answer to a command of the device."""
        return await ask(
            "fieldmesh-device", *words, "--home", str(self.folder), "--login", self.login,
            "--password-file", str(self.password_file), timeout_s=timeout_s,
        )  # fmt: skip

    async def enroll(self, code: str, gateway: Gateway) -> None:
        """It has its identity."""
        await self.ask("enroll", "--code", code, "--gateway", f"{LOCAL}:{gateway.enrolment_port}")

    async def sync(self, mode: str, *more: str) -> dict[str, object]:
        """It has run a sync mode."""
        return await self.ask("sync", mode, *more)

    async def rows(self, query: str) -> list[dict[str, object]]:
        """Rows of a query on its encrypted database."""
        found = (await self.ask("sql", query))["rows"]
        return found if isinstance(found, list) else []


@dataclass(slots=True)
class Network:
    """Everything in one folder. `close` ends all processes."""

    folder: Path
    line: Line
    password: str
    hub: Hub = field(init=False)
    gateways: list[Gateway] = field(default_factory=list)
    devices: list[Device] = field(default_factory=list)

    def __post_init__(self) -> None:
        """The hub is known, not made."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.hub = Hub(self.folder / "hub", self.line)
        self.password_file.write_text(self.password + "\n", encoding="utf-8")
        self.password_file.chmod(0o600)

    @property
    def password_file(self) -> Path:
        """File with everybody's password."""
        return self.folder / "password"

    async def add_gateway(self, code: str, unit: str) -> Gateway:
        """A gateway is enrolled and serves."""
        gateway = Gateway(code, self.folder / code)
        self.gateways.append(gateway)
        await gateway.enroll(self.hub, unit)
        await gateway.start()
        return gateway

    def device(self, code: str, login: str) -> Device:
        """A device's folder is known."""
        device = Device(code, login, self.folder / code, self.password_file)
        self.devices.append(device)
        return device

    async def add_device(self, code: str, position: str, gateway: Gateway) -> Device:
        """A device of the position is registered and enrolled."""
        device = self.device(code, position.lower())
        made = await self.hub.ask(
            "device", "add", code, "--position", position, "--gateway", gateway.code
        )
        await device.enroll(str(made["code"]), gateway)
        return device

    async def close(self) -> None:
        """All processes have ended."""
        for gateway in self.gateways:
            await gateway.service.stop()
        await self.hub.service.stop()

    def forget(self) -> None:
        """The folder is gone."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def describe(self) -> str:
        """What runs where, as JSON for people who want to look around."""
        return json.dumps(
            {
                "folder": str(self.folder),
                "hub": {"home": str(self.hub.folder), "https": self.hub.https_port},
                "gateways": {one.code: one.address for one in self.gateways},
                "devices": [one.code for one in self.devices],
            },
            indent=2,
        )
