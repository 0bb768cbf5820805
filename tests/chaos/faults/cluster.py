"""Three brokers: the one that decides is killed or stands still, or two of them are gone. `--cluster` only."""

import random
import signal
from collections.abc import Sequence
from typing import ClassVar

from typing_extensions import override

from hub.relay.streams import DOWN, UP
from tests.chaos.arena import Arena
from tests.chaos.faults.fault import Fault, registered
from tests.chaos.ground import Need
from tests.chaos.shape import Shape
from tests.kit.cluster import BusCluster, BusServer


class _OfCluster(Fault):
    """Some of its servers get a signal; later they go on, or are started again."""

    needs: ClassVar[frozenset[Need]] = frozenset({Need.CLUSTER})
    weight = 3
    number: ClassVar[signal.Signals] = signal.SIGKILL

    @classmethod
    @override
    def nodes(cls, shape: Shape) -> Sequence[str]:
        return ("broker",)

    @override
    async def begin(self, network: Arena, choose: random.Random) -> str:
        self.struck: list[BusServer] = []
        assert network.ground.cluster is not None
        words = await self._choose(network.ground.cluster, choose)
        for server in self.struck:
            server.signal(self.number)
        return f"{words}: {', '.join(one.name for one in self.struck)}"

    async def _choose(self, cluster: BusCluster, choose: random.Random) -> str:
        stream = choose.choice((UP, DOWN))
        self.struck = [await cluster.leader(stream)]
        return f"the leader of {stream} has got {self.number.name}"

    @override
    async def heal(self, network: Arena) -> None:
        for server in self.struck:
            if self.number is signal.SIGKILL:
                await server.kill()
                await server.start()
            else:
                server.signal(signal.SIGCONT)


@registered
class KillLeader(_OfCluster):
    """The server that decides on a stream is killed, in the middle of what it acknowledges."""

    name = "kill_leader"


@registered
class StopLeader(_OfCluster):
    """The server that decides on a stream stands still, and comes back believing that it leads."""

    name = "stop_leader"
    number = signal.SIGSTOP


@registered
class LoseMajority(_OfCluster):
    """Two of three are killed: the bus stands still until they are back."""

    name = "lose_majority"
    weight = 1

    @override
    async def _choose(self, cluster: BusCluster, choose: random.Random) -> str:
        self.struck = choose.sample(cluster.servers, 2)
        return "without a majority"
