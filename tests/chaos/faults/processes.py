"""Processes that are killed, and processes that stand still: hub, broker, gateways, crews of devices."""

import random
import signal
from typing import ClassVar

from typing_extensions import override

from tests.chaos.arena import Arena
from tests.chaos.faults.fault import Fault, OfCrews, OfGateways, OfHub, registered
from tests.chaos.ground import Need


@registered
class KillGateway(OfGateways):
    """A gateway's power fails; it is started again."""

    name = "kill_gateway"

    @override
    async def begin(self, network: Arena, choose: random.Random) -> str:
        await network.service(self.node).kill()
        return f"{self.node} is killed"

    @override
    async def heal(self, network: Arena) -> None:
        await network.gateway(self.node).start()


@registered
class KillDevices(OfCrews):
    """The devices of a crew go dark in the middle of whatever they do, and are switched on again."""

    name = "kill_devices"
    lasts_s = (0.5, 3.0)
    weight = 3

    @override
    async def begin(self, network: Arena, choose: random.Random) -> str:
        await network.crews[self.node].kill()
        return f"the devices of {self.node} are killed"

    @override
    async def heal(self, network: Arena) -> None:
        await network.crews[self.node].start()


@registered
class KillHub(OfHub):
    """Head office's machine fails, the broker with it."""

    name = "kill_hub"

    @override
    async def begin(self, network: Arena, choose: random.Random) -> str:
        await network.hub.service.kill()
        return "the hub and its broker are killed"

    @override
    async def heal(self, network: Arena) -> None:
        await network.hub.start()


@registered
class KillBroker(OfHub):
    """The broker alone is killed, between an acknowledgement and what it acknowledged; the hub starts another."""

    name = "kill_broker"
    needs = frozenset({Need.OWN_BROKER})
    lasts_s = (1.0, 4.0)

    @override
    async def begin(self, network: Arena, choose: random.Random) -> str:
        network.signal("broker", signal.SIGKILL)
        return "the broker is killed"

    @override
    async def heal(self, network: Arena) -> None:
        await network.switch_on("hub")


class _StandsStill(Fault):
    """A node that stands still, and goes on as if nothing had been: its connections are open all the while."""

    long_share = 0.25
    what: ClassVar[str] = ""
    """The process; empty = the node's."""

    @override
    async def begin(self, network: Arena, choose: random.Random) -> str:
        network.signal(self.what or self.node, signal.SIGSTOP)
        return f"{self.what or self.node} stands still"

    @override
    async def heal(self, network: Arena) -> None:
        network.signal(self.what or self.node, signal.SIGCONT)


@registered
class StopGateway(_StandsStill, OfGateways):
    """SIGSTOP of a gateway: devices wait for it, the broker keeps what it has not acknowledged."""

    name = "stop_gateway"


@registered
class StopDevices(_StandsStill, OfCrews):
    """SIGSTOP of a crew: sessions stand still on the gateways' side."""

    name = "stop_devices"


@registered
class StopHub(_StandsStill, OfHub):
    """SIGSTOP of the hub: its leases, locks and pulls stay as they are."""

    name = "stop_hub"


@registered
class StopBroker(_StandsStill, OfHub):
    """SIGSTOP of the broker: published, and no word about it."""

    name = "stop_broker"
    needs = frozenset({Need.OWN_BROKER})
    what = "broker"
