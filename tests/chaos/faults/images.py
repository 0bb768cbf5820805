"""Older images that come back: a gateway's, a device's."""

import asyncio
import os
import random
import shutil
from pathlib import Path

from typing_extensions import override

from tests.chaos.arena import Arena
from tests.chaos.faults.fault import Effect, Fault, OfDevices, OfGateways, registered

_SOCKETS = shutil.ignore_patterns("*.sock")
_LATER_S = (0.5, 3.0)
_TWO_PASTS = frozenset({"cloned_device", "late_batch"})
"""Two batches of one number, or one of an epoch that is over: only one is applied, the other is put aside."""
_OF_COPIES = 10**8
"""Numbers of steps from here on are a copy's."""


class _FromImage(Fault):
    """The node is copied when the fault begins, works on, and is what it was then when the fault ends."""

    lasts_s = (3.0, 9.0)

    def _image(self, network: Arena) -> Path:
        return network.folder / "images" / self.node

    async def _copy(self, network: Arena, home: Path) -> None:
        image = self._image(network)
        await asyncio.to_thread(shutil.rmtree, image, ignore_errors=True)
        await asyncio.to_thread(shutil.copytree, home, image, ignore=_SOCKETS)

    async def _put_back(self, network: Arena, home: Path) -> None:
        await asyncio.to_thread(shutil.rmtree, home)
        await asyncio.to_thread(shutil.copytree, self._image(network), home)
        await asyncio.to_thread(os.sync)  # whoever restores an image waits until it is on the disk


@registered
class RestoreGateway(_FromImage, OfGateways):
    """A gateway is restored from an image of seconds ago: what only it had got meanwhile is gone."""

    name = "restore_gateway"
    effects = frozenset({Effect.GATEWAY_DISK_LOST})

    @override
    async def begin(self, network: Arena, choose: random.Random) -> str:
        await network.switch_off(self.node)
        await self._copy(network, network.gateway(self.node).folder)
        await network.switch_on(self.node)
        return f"an image of {self.node} was taken, which comes back later"

    @override
    async def heal(self, network: Arena) -> None:
        await network.switch_off(self.node)
        await self._put_back(network, network.gateway(self.node).folder)
        await network.switch_on(self.node)


@registered
class RestoreDevice(_FromImage, OfDevices):
    """A device is restored from an image of seconds ago: it has told already what it does not know."""

    name = "restore_device"
    effects = frozenset({Effect.DEVICE_RESTORED})
    explains = _TWO_PASTS

    @override
    async def begin(self, network: Arena, choose: random.Random) -> str:
        await network.put_down(self.node)
        await self._copy(network, network.home(self.node))
        await network.take_up(self.node)
        return f"an image of {self.node} was taken, which comes back later"

    @override
    async def heal(self, network: Arena) -> None:
        await network.put_down(self.node)
        network.note_fork(self.node)
        await self._put_back(network, network.home(self.node))
        await network.take_up(self.node)


@registered
class CloneDevice(_FromImage, OfDevices):
    """A copy of a device takes an order and sends it under the same name, before the device goes on or after."""

    name = "clone_device"
    lasts_s = (1.0, 3.0)
    explains = _TWO_PASTS

    @override
    async def begin(self, network: Arena, choose: random.Random) -> str:
        comes_first = choose.random() < 0.5
        await network.put_down(self.node)
        network.note_fork(self.node)
        try:
            await self._copy(network, network.home(self.node))
            if comes_first:
                return await self._work(network, choose, "first")
        finally:
            await network.take_up(self.node)
        await asyncio.sleep(choose.uniform(*_LATER_S))
        return await self._work(network, choose, "later")

    async def _work(self, network: Arena, choose: random.Random, when: str) -> str:
        gateway = choose.choice(network.shape.gateways)
        told = await network.crew_of(self.node).ask(
            "clone",
            device=self.node,
            folder=str(self._image(network)),
            gateway=gateway,
            step_number=choose.randrange(_OF_COPIES, 10 * _OF_COPIES),
        )
        return f"a copy of {self.node} sent an order to {gateway}, {when}: {told['outcome']}"

    @override
    async def heal(self, network: Arena) -> None:
        """The copy is thrown away."""
