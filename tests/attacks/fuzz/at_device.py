"""A device whose gateway says anything: every message of it may be spoilt, and every snapshot."""

import asyncio
import random
from contextlib import asynccontextmanager
from pathlib import Path

from google.protobuf.message import DecodeError

from device_agent.app import DeviceAgent, enroll
from device_agent.config import DeviceSettings
from device_agent.modes.enrol import EnrolmentWish
from device_agent.work.documents import NewVisit
from fieldmesh.session.transitions import Mode
from fieldmesh.wire.v1 import session_pb2
from tests.attacks.fuzz.mutation import mutated
from tests.attacks.fuzz.running import Prepared, Prepares
from tests.attacks.lying_gateway import LyingGateway
from tests.integration.device.company import Authority, identifier

SETTINGS = DeviceSettings(discovery=False, patience_s=0.0, stall_s=5.0)
MODES = (Mode.FAST, Mode.FULL, Mode.FULL, Mode.INITIALIZE)
_SEED_BYTES = 8


@asynccontextmanager
async def messages(folder: Path) -> Prepares:
    """An input is a seed: which mode, and how each message and the snapshot are spoilt."""
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    gateway = LyingGateway(Authority(), folder)
    for number in range(5):
        gateway.company.put("outlet", identifier(1000 + number), 11, code=f"O{number}", name="S")
    servers = await gateway.start()
    home = folder / "device"
    await enroll(home, EnrolmentWish(gateway.code, gateway.enrolment_address, "ana", "secret"))
    agent = await DeviceAgent.open(home, "ana", "secret", settings=SETTINGS)
    await agent.sync(Mode.INITIALIZE)
    await agent.record_visit(NewVisit(identifier(1001), 1_000, 2_000))
    visits = "SELECT count(*) FROM visit"

    async def feed(content: bytes) -> None:
        chance = random.Random(content)
        gateway.lie = lambda message: _spoil(message, chance)
        gateway.content = lambda plain: (
            mutated([plain], None, chance) if chance.random() < 0.5 else plain
        )
        try:
            await agent.sync(chance.choice(MODES), gateway=gateway.address)
        finally:
            assert (await agent.status()).standing.waiting_batches == 1
            assert (await agent.sql(visits)).rows == [(1,)]

    async def check() -> None:
        gateway.lie, gateway.content = lambda _message: None, bytes
        await agent.sync(Mode.INITIALIZE)
        await agent.sync(Mode.FAST)
        assert (await agent.verify()).wrong == {}

    try:
        yield Prepared(feed, lambda chance: chance.randbytes(_SEED_BYTES), check)
    finally:
        await agent.close()
        for server in servers:
            await server.stop(None)


def _spoil(message: session_pb2.GatewayMessage, chance: random.Random) -> None:
    """One message in three is another one."""
    if chance.random() < 0.66:
        return
    sample = message.SerializeToString()
    try:
        spoilt = session_pb2.GatewayMessage.FromString(
            mutated([sample], session_pb2.GatewayMessage, chance)
        )
    except DecodeError:
        return
    message.CopyFrom(spoilt)
