"""Disks: they lose what was not synced when the power fails, are full, read-only, or stand still."""

import asyncio
import random
from collections.abc import Sequence
from typing import ClassVar

from typing_extensions import override

from tests.chaos.arena import Arena
from tests.chaos.faults.fault import Fault, registered
from tests.chaos.ground import Need
from tests.chaos.shape import Shape

_STANDS_S, _WORKS_S = (0.2, 1.5), (0.1, 0.8)


class _OfDisks(Fault):
    """The disk of the hub with its broker, of a gateway, or of a crew's devices."""

    needs: ClassVar[frozenset[Need]] = frozenset({Need.DISKS})
    weight = 3

    @classmethod
    @override
    def nodes(cls, shape: Shape) -> Sequence[str]:
        return ("hub", *shape.gateways, *shape.crews)

    @property
    @override
    def holds(self) -> frozenset[str]:
        return frozenset({self.node, "broker"} if self.node == "hub" else {self.node})

    @override
    async def heal(self, network: Arena) -> None:
        await network.switch_on(self.node)


@registered
class PowerCut(_OfDisks):
    """The power of a machine fails: of what it had not synced some is lost, and some is half there."""

    name = "power_cut"
    lasts_s = (0.5, 3.0)

    @override
    async def begin(self, network: Arena, choose: random.Random) -> str:
        async with network.let_go_of(self.node):
            words = await asyncio.to_thread(network.ground.disks[self.node].cut, choose)
        return f"{self.node} is without power: {words}"


@registered
class FullDisk(_OfDisks):
    """No byte is free for a while."""

    name = "full_disk"

    @override
    async def begin(self, network: Arena, choose: random.Random) -> str:
        await asyncio.to_thread(network.ground.disks[self.node].fill)
        return f"the disk of {self.node} is full"

    @override
    async def heal(self, network: Arena) -> None:
        await asyncio.to_thread(network.ground.disks[self.node].empty)
        await super().heal(network)


@registered
class ReadOnlyDisk(_OfDisks):
    """A machine comes up with a disk that it can only read; its service is started, and cannot work."""

    name = "read_only_disk"

    @classmethod
    @override
    def nodes(cls, shape: Shape) -> Sequence[str]:
        return ("hub", *shape.gateways)

    @override
    async def begin(self, network: Arena, choose: random.Random) -> str:
        async with network.let_go_of(self.node):
            disk = network.ground.disks[self.node]
            await asyncio.to_thread(disk.make_read_only, yes=True)
            await network.service(self.node).start()
        return f"the disk of {self.node} can only be read"

    @override
    async def heal(self, network: Arena) -> None:
        async with network.let_go_of(self.node):
            disk = network.ground.disks[self.node]
            await asyncio.to_thread(disk.make_read_only, yes=False)
        await super().heal(network)


@registered
class SlowDisk(_OfDisks):
    """Whoever writes or syncs waits for up to a second and a half, again and again."""

    name = "slow_disk"

    @override
    async def begin(self, network: Arena, choose: random.Random) -> str:
        stands_s, works_s = choose.uniform(*_STANDS_S), choose.uniform(*_WORKS_S)
        disk = network.ground.disks[self.node]
        await asyncio.to_thread(disk.begin_to_stall, stands_s=stands_s, works_s=works_s)
        return f"the disk of {self.node} stands still for {stands_s:.1f} s and works for {works_s:.1f} s"

    @override
    async def heal(self, network: Arena) -> None:
        await asyncio.to_thread(network.ground.disks[self.node].end_stalling)
        await super().heal(network)
