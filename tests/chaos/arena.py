"""The network that faults befall: a hub with its broker, gateways behind lines, crews of devices; found by their names.

Nodes: `hub`, `broker`, `GW1` …, `crew1` …, `D01` …, and the lines `bus:GW1` … (gateway to hub) and `field:GW1` …
(device to gateway). Every gateway has both lines to itself, so that each can fail alone.
"""

import contextlib
import json
import os
import random
import signal
from dataclasses import dataclass, field
from pathlib import Path

from deploy.demo.network import Gateway, Hub, Network, free_port
from deploy.demo.processes import Service
from deploy.demo.proxy import Line
from tests.chaos.crew_line import Crew
from tests.chaos.history import Recorder
from tests.chaos.line import StormyLine
from tests.chaos.shape import Post, Shape

PASSWORD = "sample-password"


class FrontedGateway(Gateway):
    """A gateway that devices and people know by the address of the line before it."""

    __slots__ = ("front_port",)
    front_port: int

    @property
    def address(self) -> str:
        """host:port of its line."""
        return f"127.0.0.1:{self.front_port}"


@dataclass(slots=True)
class Arena:
    """Everything in one folder, and the conductor's own history."""

    folder: Path
    shape: Shape
    network: Network
    history: Recorder
    lines: dict[str, StormyLine] = field(default_factory=dict)
    crews: dict[str, Crew] = field(default_factory=dict)

    @property
    def hub(self) -> Hub:
        """Head office."""
        return self.network.hub

    @property
    def histories(self) -> Path:
        """The folder of all histories."""
        return self.folder / "history"

    def gateway(self, code: str) -> Gateway:
        """The gateway of that code."""
        return next(one for one in self.network.gateways if one.code == code)

    def post(self, device: str) -> Post:
        """Who works with that device."""
        return next(one for one in self.shape.posts if one.device == device)

    def home(self, device: str) -> Path:
        """The device's folder."""
        return self.folder / "devices" / device

    def service(self, node: str) -> Service:
        """The process of the hub or of a gateway."""
        return self.hub.service if node == "hub" else self.gateway(node).service

    def pids(self, node: str) -> list[int]:
        """The process of a node: `hub` is without its broker; empty = none runs."""
        if node == "broker":
            return _broker_of(self.hub.folder)
        pid = self.crews[node].pid if node in self.crews else self.service(node).pid
        return [pid] if pid else []

    def signal(self, node: str, number: signal.Signals) -> None:
        """The node's process has got the signal, if it runs."""
        for pid in self.pids(node):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def crew_of(self, device: str) -> Crew:
        """The crew that the device works in."""
        return self.crews[self.post(device).crew]

    async def put_down(self, device: str) -> None:
        """Nothing of the device is open until `take_up`: its folder may be copied or replaced."""
        await self.crew_of(device).ask("put_down", device=device)

    async def take_up(self, device: str) -> None:
        """The rep works with the device again."""
        await self.crew_of(device).ask("take_up", device=device)

    async def start_hub(self) -> None:
        """The hub serves, and lines lead to its broker."""
        await self.hub.start()

    async def close(self) -> None:
        """All processes have ended and all lines are gone."""
        for line in self.lines.values():
            await line.clear()
        for crew in self.crews.values():
            await crew.stop()
        await self.network.close()


async def add_gateway(arena: Arena, code: str, unit: str, seed: int) -> Gateway:
    """A gateway is enrolled and serves; its lines stand."""
    gateway = FrontedGateway(code, arena.network.folder / code)
    bus, front = (
        StormyLine(port, random.Random(f"{seed} {name} {code}"), port=free_port())
        for name, port in (("bus", arena.network.line.target_port), ("field", gateway.port))
    )
    arena.lines |= {f"bus:{code}": bus, f"field:{code}": front}
    for line in (bus, front):
        await line.__aenter__()
    gateway.front_port = front.port
    arena.network.gateways.append(gateway)
    await gateway.enroll(arena.hub, unit)
    _lead_over(gateway.folder / "identity" / "gateway.json", bus)
    await gateway.start()
    return gateway


def _lead_over(identity: Path, line: Line) -> None:
    """The gateway reaches the broker over its own line."""
    facts = json.loads(identity.read_text("utf-8"))
    facts["bus_url"] = f"tls://127.0.0.1:{line.port}"
    identity.write_text(json.dumps(facts), encoding="utf-8")


def _broker_of(hub: Path) -> list[int]:
    """Process ids of brokers whose configuration lies in the hub's folder."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                words = (entry / "cmdline").read_bytes().split(b"\0")
                if b"nats-server" in words[0] and any(os.fsencode(hub) in one for one in words[1:]):
                    found.append(int(entry.name))
    return found
