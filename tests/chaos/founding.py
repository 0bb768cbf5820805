"""A campaign's network is founded: company, hub, gateways behind their lines, enrolled devices, crews."""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from pathlib import Path

from deploy.demo.network import Hub, Network
from deploy.demo.proxy import Line
from device_agent.app import enroll
from device_agent.modes.enrol import EnrolmentWish
from fieldmesh.basics.errors import Retry
from tests.chaos.arena import PASSWORD, Arena, add_gateway
from tests.chaos.ground import Ground, Need
from tests.chaos.history import Recorder
from tests.chaos.office import HeadOffice
from tests.chaos.shape import Shape

_ENROL_S = 60.0


@asynccontextmanager
async def founded(
    folder: Path, shape: Shape, seed: int, needs: Collection[Need] = ()
) -> AsyncIterator[Arena]:
    """Hub, gateways and enrolled devices stand; crews run, do not work yet, and have never synced."""
    history = Recorder(folder / "history" / "conductor.jsonl")
    async with Line(0) as line:
        network, ground = Network(folder / "net", line, PASSWORD), Ground(folder)
        network.hub = Hub(ground.place("hub") / "home", line)
        office = HeadOffice(network.hub.folder, shape, history, seed)
        arena = Arena(folder, shape, network, history, office, ground, seed=seed)
        try:
            await asyncio.to_thread(ground.lay, shape, needs)
            network.hub.service.log = folder / "hub.log"
            network.hub.service.environment = ground.environment("hub")
            await _company(arena)
            await office.note_scopes()
            await arena.hub.start()
            for number, code in enumerate(shape.gateways):
                await add_gateway(arena, code, f"OF{number + 1:02d}", seed)
            await _devices(arena)
            arena.add_crews()
            async with asyncio.TaskGroup() as group:
                for crew in arena.crews.values():
                    group.create_task(crew.start())
            yield arena
        finally:
            await office.close()
            await arena.close()
            history.close()


async def _company(arena: Arena) -> None:
    shape, hub = arena.shape, arena.hub
    if arena.ground.cluster:
        await arena.ground.cluster.make(hub, "Campaign")
    else:
        await hub.init("Campaign")
    await hub.ask(
        "sample", "--offices", str(len(shape.gateways)), "--reps", str(len(shape.posts)),
        "--outlets", str(shape.outlets_a_rep), "--products", str(shape.products),
    )  # fmt: skip


async def _devices(arena: Arena) -> None:
    """Every device and every spare has its identity."""
    for post in arena.shape.posts:
        code = await arena.office.add_device(post.device, post.position, post.home)
        await _enrol(arena, post.device, post.home, post.login, code)
        if spare := post.spare:
            code = await arena.office.add_spare(spare, post.device, post.home)
            await _enrol(arena, spare, post.home, post.login, code)


async def _enrol(arena: Arena, device: str, gateway: str, login: str, code: str) -> None:
    """The device is enrolled at its gateway; a gateway that does not know it yet is asked again."""
    address = f"127.0.0.1:{arena.gateway(gateway).enrolment_port}"
    async with asyncio.timeout(_ENROL_S):
        while True:
            try:
                await enroll(arena.home(device), EnrolmentWish(code, address, login, PASSWORD))
            except Retry as error:
                await asyncio.sleep(min(error.delay_s, 0.5))
            else:
                return
