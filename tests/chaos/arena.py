"""The network that faults befall: a hub with its broker, gateways behind lines, crews of devices; found by their names.

Nodes: `hub`, `broker`, `GW1` …, `crew1` …, `D01` …, and the lines `bus:GW1` … (gateway to hub) and `field:GW1` …
(device to gateway). Every gateway has both lines to itself, so that each can fail alone.
"""

import asyncio
import contextlib
import json
import os
import random
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from deploy.demo.network import Gateway, Hub, Network, free_port
from deploy.demo.processes import Service
from deploy.demo.proxy import Line
from device_agent.storage.home import Home
from fieldmesh.service.bus import Bus
from fieldmesh.service.files import write_durably
from hub.relay.line import line_to_bus
from tests.chaos.crew_line import Crew, CrewFailedError
from tests.chaos.ground import Ground
from tests.chaos.history import Recorder
from tests.chaos.line import StormyLine
from tests.chaos.office import HeadOffice
from tests.chaos.shape import Post, Shape
from tests.chaos.wish import Wish

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
    office: HeadOffice
    ground: Ground
    lines: dict[str, StormyLine] = field(default_factory=dict)
    crews: dict[str, Crew] = field(default_factory=dict)
    works: bool = False
    """Whether people work; what a crew that is started anew must know."""
    down: set[str] = field(default_factory=set)
    """Devices that nobody works with now."""
    forked_devices: set[bytes] = field(default_factory=set)
    """Ids of those that were restored or copied today: what they do not know themselves of what was sent in their name
    stands at gateways alone until head office has it, in the evening at the latest."""
    wishes: dict[str, Wish] = field(default_factory=dict)
    """What is wished of each spare."""
    seed: int = 0

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
        return self.ground.place(self._crew(device)) / device

    def note_fork(self, device: str) -> None:
        """The device has two pasts from now on."""
        told = json.loads(Home(self.home(device)).facts.read_text("utf-8"))
        self.forked_devices.add(bytes.fromhex(told["device_id"]))

    def _crew(self, device: str) -> str:
        """Of a device or a spare."""
        return next(one.crew for one in self.shape.posts if device in {one.device, one.spare})

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

    async def switch_off(self, node: str) -> None:
        """Hub, gateway or crew is killed, what it started with it."""
        if node in self.crews:
            await self.crews[node].kill()
        else:
            await self.service(node).kill()

    async def switch_on(self, node: str) -> None:
        """It runs again, if it does not; a crew works on where it was."""
        process = self.crews[node].process if node in self.crews else self.service(node).process
        if process is not None and process.returncode not in {None, -signal.SIGKILL}:
            self.history.note("ended_by_itself", node=node, code=process.returncode)
        if node in self.crews:
            if not self.crews[node].pid:
                await self.crews[node].start()
        elif not self.service(node).pid or self.service(node).has_ended:
            await (self.hub if node == "hub" else self.gateway(node)).start()

    @asynccontextmanager
    async def bus(self) -> AsyncIterator[Bus]:
        """A line to the broker with the rights of head office."""
        cluster = self.ground.cluster
        ports = cluster.ports if cluster else [self.network.line.target_port]
        urls = [f"tls://127.0.0.1:{port}" for port in ports]
        bus = line_to_bus(await self.office.opened(), urls)
        try:
            yield bus
        finally:
            await bus.close()

    @asynccontextmanager
    async def let_go_of(self, node: str) -> AsyncIterator[None]:
        """It is switched off, and nobody here has its files open: its disk may be taken away."""
        if node != "hub":
            await self.switch_off(node)
            yield
            return
        async with self.office.closed:
            await self.office.close()
            await self.switch_off(node)
            yield
            await self.office.close()

    async def put_down(self, device: str) -> None:
        """Nothing of the device is open until `take_up`: its folder may be copied or replaced."""
        self.down.add(device)
        await self._tell(self.crew_of(device), "put_down", device=device)

    async def take_up(self, device: str) -> None:
        """The rep works with the device again."""
        self.down.discard(device)
        await self._tell(self.crew_of(device), "take_up", device=device)

    async def wish(self, device: str, wish: Wish) -> None:
        """The spare of the device is to do that."""
        post = self.post(device)
        self.wishes[post.spare] = wish
        await self._tell(self.crews[post.crew], "wish", spare=post.spare, wish=wish.value)

    async def let_work(self, *, yes: bool) -> None:
        """Everybody works, or nobody, and no step is under way."""
        self.works = yes
        async with asyncio.TaskGroup() as group:
            for crew in self.crews.values():
                group.create_task(self._tell(crew, "go" if yes else "halt"))

    async def _tell(self, crew: Crew, what: str, **facts: str) -> None:
        """The crew does it, also if it has to be started again first."""
        self.write_plan(crew)
        if crew.pid:
            with contextlib.suppress(CrewFailedError):
                await crew.ask(what, **facts)

    def add_crews(self) -> None:
        """Every crew has its plan; none runs."""
        for name in self.shape.crews:
            plan, log = self.folder / f"{name}.json", self.folder / f"{name}.log"
            environment = self.ground.environment(name)
            self.crews[name] = Crew(name, plan, log, environment=environment)
            self.write_plan(self.crews[name])

    def write_plan(self, crew: Crew) -> None:
        """The crew's plan says what it must know to begin, or to go on after a kill."""
        shape = self.shape
        spares = {
            post.spare: {
                "position": post.position,
                "home": post.home,
                "wish": self.wishes.get(post.spare, Wish.LIE).value,
            }
            for post in shape.posts
            if post.spare and post.crew == crew.name
        }
        plan = {
            "name": crew.name,
            "seed": self.seed,
            "history": str(self.histories / f"{crew.name}.jsonl"),
            "homes": str(self.ground.place(crew.name)),
            "password": PASSWORD,
            "gateways": {one.code: one.address for one in self.network.gateways},
            "posts": [asdict(post) for post in shape.posts],
            "outlets_a_rep": shape.outlets_a_rep,
            "products": shape.products,
            "spares": spares,
            "down": sorted(self.down),
            "works": self.works,
        }
        part = crew.plan.with_suffix(".part")
        part.write_text(json.dumps(plan), encoding="utf-8")
        part.replace(crew.plan)

    async def close(self) -> None:
        """All processes have ended and all lines are gone."""
        for line in self.lines.values():
            await line.clear()
        for crew in self.crews.values():
            await crew.stop()
        await self.network.close()
        if self.ground.cluster:
            await self.ground.cluster.close()
        for line in self.lines.values():
            await line.__aexit__(None, None, None)
        self.ground.release()


async def add_gateway(arena: Arena, code: str, unit: str, seed: int) -> Gateway:
    """A gateway is enrolled and serves; its lines stand."""
    gateway = FrontedGateway(code, arena.ground.place(code) / "home")
    gateway.service.log = arena.folder / f"{code}.log"
    gateway.service.environment = arena.ground.environment(code)
    bus_port, cluster = arena.network.line.target_port, arena.ground.cluster
    if cluster:
        bus_port = cluster.ports[len(arena.network.gateways) % len(cluster.ports)]
    bus, front = (
        StormyLine(port, random.Random(f"{seed} {name} {code}"), port=free_port())
        for name, port in (("bus", bus_port), ("field", gateway.port))
    )
    arena.lines |= {f"bus:{code}": bus, f"field:{code}": front}
    for line in (bus, front):
        await line.__aenter__()
    gateway.front_port = front.port
    arena.network.gateways.append(gateway)
    await gateway.enroll(arena.hub, unit)
    lead_over(gateway, bus)
    await gateway.start()
    return gateway


def lead_over(gateway: Gateway, line: Line) -> None:
    """The gateway reaches the broker over its own line; what it was told at its enrolment does not say that."""
    identity = gateway.folder / "identity" / "gateway.json"
    facts = json.loads(identity.read_text("utf-8"))
    facts["bus_url"] = f"tls://127.0.0.1:{line.port}"
    write_durably(identity, json.dumps(facts).encode())


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
