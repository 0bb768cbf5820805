"""The organisation changes under people's hands: outlets go to others, homes change, a spare takes a rep's place."""

import asyncio
import random
from collections.abc import Sequence
from contextlib import suppress

from typing_extensions import override

from fieldmesh.basics.errors import FieldmeshError
from tests.chaos.arena import Arena
from tests.chaos.faults.fault import Fault, NothingStruckError, OfDevices, registered
from tests.chaos.shape import Shape
from tests.chaos.wish import Wish

_PAUSE_S = (0.05, 0.6)
_MOVES = 5
_UPSETS = (FieldmeshError, OSError)
"""What head office may answer while its database is busy or its machine stands still: then nothing moved."""


def _organisation(device: str) -> frozenset[str]:
    """What head office holds of the device: the device itself may be struck by others meanwhile."""
    return frozenset({f"organisation of {device}"})


@registered
class Reparent(OfDevices):
    """A rep's outlets go to another rep and back while both sync: some move in the middle of each mode."""

    name = "reparent"

    @property
    @override
    def holds(self) -> frozenset[str]:
        return _organisation(self.node)

    @override
    async def begin(self, network: Arena, choose: random.Random) -> str:
        shape, done = network.shape, 0
        rep = shape.devices.index(self.node)
        posts = [
            shape.posts[rep],
            choose.choice([one for one in shape.posts if one.device != self.node]),
        ]
        every = [f"O{rep + 1:04d}-{number:04d}" for number in range(1, shape.outlets_a_rep)]
        for number in range(_MOVES):
            some = choose.sample(every, choose.randint(1, len(every)))
            with suppress(*_UPSETS):
                await network.office.move(some, posts[(number + 1) % 2].position)
                done += 1
            await asyncio.sleep(choose.uniform(*_PAUSE_S))
        if not done:
            raise NothingStruckError(f"no outlet of {posts[0].position} moved")
        return f"outlets of {posts[0].position} moved {done} times to and from {posts[1].position}"

    @override
    async def heal(self, network: Arena) -> None:
        """Where outlets are now, they may stay."""


@registered
class ChangeHome(OfDevices):
    """A device belongs to another gateway for a while: its areas are seeded there, and taken away here."""

    name = "rehome"

    @property
    @override
    def holds(self) -> frozenset[str]:
        return _organisation(self.node)

    @override
    async def begin(self, network: Arena, choose: random.Random) -> str:
        home = network.post(self.node).home
        other = choose.choice([one for one in network.shape.gateways if one != home] or [home])
        try:
            await network.office.change_home(self.node, other)
        except _UPSETS as error:
            raise NothingStruckError(f"{self.node} stays: {type(error).__name__}") from error
        return f"{self.node} belongs to {other}"

    @override
    async def heal(self, network: Arena) -> None:
        with suppress(*_UPSETS):
            await network.office.change_home(self.node, network.post(self.node).home)


@registered
class SpareTakesOver(Fault):
    """A device is lost, a spare duplicates and works; then the first one is found again, and the spare hands over."""

    name = "spare_takeover"
    lasts_s = (5.0, 12.0)
    weight = 3

    @classmethod
    @override
    def nodes(cls, shape: Shape) -> Sequence[str]:
        return shape.replaceable

    @override
    async def begin(self, network: Arena, choose: random.Random) -> str:
        post = network.post(self.node)
        await network.put_down(self.node)
        with suppress(*_UPSETS):
            await network.office.authorise(post.spare, self.node)
        await network.wish(self.node, Wish.STAND_IN)
        return f"{self.node} is lost, {post.spare} takes its place"

    @override
    async def heal(self, network: Arena) -> None:
        await network.take_up(self.node)
        await network.wish(self.node, Wish.HAND_OVER)
