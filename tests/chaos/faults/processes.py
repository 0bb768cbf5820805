"""Processes that are killed, and processes that stand still: hub, broker, gateways, crews of devices."""

import random
import signal
from collections.abc import Sequence

from typing_extensions import override

from tests.chaos.arena import Arena
from tests.chaos.faults.fault import Fault, registered
from tests.chaos.shape import Shape


@registered
class KillGateway(Fault):
    """A gateway's power fails; it is started again."""

    name = "kill_gateway"

    @classmethod
    @override
    def nodes(cls, shape: Shape) -> Sequence[str]:
        return shape.gateways

    @override
    async def begin(self, network: Arena, choose: random.Random) -> str:
        await network.service(self.node).kill()
        return f"{self.node} is killed"

    @override
    async def heal(self, network: Arena) -> None:
        await network.gateway(self.node).start()


@registered
class KillCrew(Fault):
    """The devices of a crew go dark in the middle of whatever they do, and are switched on again."""

    name = "kill_devices"
    lasts_s = (0.2, 2.0)

    @classmethod
    @override
    def nodes(cls, shape: Shape) -> Sequence[str]:
        return shape.crews

    @override
    async def begin(self, network: Arena, choose: random.Random) -> str:
        await network.crews[self.node].kill()
        return f"the devices of {self.node} are killed"

    @override
    async def heal(self, network: Arena) -> None:
        await network.crews[self.node].start()


class _Kept(Fault):
    """A node that stands still and goes on as if nothing had been."""

    @override
    async def begin(self, network: Arena, choose: random.Random) -> str:
        network.signal(self.node, signal.SIGSTOP)
        return f"{self.node} stands still"

    @override
    async def heal(self, network: Arena) -> None:
        network.signal(self.node, signal.SIGCONT)


@registered
class StopGateway(_Kept):
    """SIGSTOP of a gateway."""

    name = "stop_gateway"

    @classmethod
    @override
    def nodes(cls, shape: Shape) -> Sequence[str]:
        return shape.gateways
