"""Carries out the plan: several lanes of faults at once, never two on one node; everything healed at the end."""

import asyncio
import contextlib
import random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from tests.chaos.arena import Arena
from tests.chaos.crew_line import CrewFailedError
from tests.chaos.faults.fault import Effect, Fault, NothingStruckError
from tests.chaos.plan import Planned, lane

_LOSSES = frozenset({Effect.GATEWAY_DISK_LOST, Effect.COPIES_SPOILT})
"""Faults with these take away a copy that head office needs when it is restored. From its backup on until gateways have
sent again what they hold, in the evening at the latest, both are more than anybody promises to survive."""
_COPIES = "copies"
"""Held meanwhile."""


def _holds(fault: Fault, devices: Iterable[str]) -> frozenset[str]:
    """Its nodes, and the copies that nobody else may take away meanwhile.

    A batch without its second tick stands on its device and at the gateways that took it: a device is not restored
    while one of those loses what it has got since the device's image was taken.
    """
    held = set(fault.holds)
    if fault.effects & (_LOSSES | {Effect.HUB_RESTORED}):
        held.add(_COPIES)
    if fault.effects & _LOSSES:
        held |= {f"{_COPIES} of {device}" for device in devices}
    if Effect.DEVICE_RESTORED in fault.effects:
        held.add(f"{_COPIES} of {fault.node}")
    return frozenset(held)


@dataclass(slots=True)
class Nemesis:
    """The faults of a campaign. Lanes go on where they were when `strike` is called again."""

    arena: Arena
    faults: Mapping[str, type[Fault]]
    at_once: int
    struck: int = 0
    restored: bool = False
    """Whether head office was restored today."""
    _lanes: list[Iterator[Planned]] = field(default_factory=list)
    _held: set[str] = field(default_factory=set)
    _freed: asyncio.Condition = field(default_factory=asyncio.Condition)

    def __post_init__(self) -> None:
        """The plan is known."""
        arena = self.arena
        self._lanes = [
            lane(arena.seed, number, arena.shape, self.faults) for number in range(self.at_once)
        ]

    async def strike(self, seconds: float) -> None:
        """Faults begin for so long; then each that is in force is healed, and this returns."""
        stopped = asyncio.Event()
        self.restored = False
        self.arena.forked_devices.clear()
        async with asyncio.TaskGroup() as group:
            for planned in self._lanes:
                group.create_task(self._follow(planned, stopped))
            await asyncio.sleep(seconds)
            stopped.set()

    async def _follow(self, planned: Iterator[Planned], stopped: asyncio.Event) -> None:
        for one in planned:
            await _pause(stopped, one.pause_s)
            if stopped.is_set():
                return
            fault = self.faults[one.name](one.node)
            if not await self._take(fault, stopped):
                return
            if self.restored and fault.effects & _LOSSES:
                await self._give_back(fault)
                continue
            self.restored |= Effect.HUB_RESTORED in fault.effects
            try:
                await self._one(fault, one, stopped)
            finally:
                await self._give_back(fault)

    async def _give_back(self, fault: Fault) -> None:
        async with self._freed:
            self._held -= _holds(fault, self.arena.shape.devices)
            self._freed.notify_all()

    async def _take(self, fault: Fault, stopped: asyncio.Event) -> bool:
        """Its nodes belong to it; false when the day ended first."""
        while not stopped.is_set():
            async with self._freed:
                if not self._held & _holds(fault, self.arena.shape.devices):
                    self._held |= _holds(fault, self.arena.shape.devices)
                    return True
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(0.5):
                        await self._freed.wait()
        return False

    async def _one(self, fault: Fault, planned: Planned, stopped: asyncio.Event) -> None:
        if not fault.can_begin(self.arena):
            return
        self.struck += 1
        number = self.struck
        about = {"number": number, "name": fault.name, "node": fault.node, "seed": planned.seed}
        note = self.arena.history.note
        note(
            "fault", at="begin", effects=sorted(fault.effects), explains=sorted(fault.explains), **about
        )  # fmt: skip
        struck, lasts_s = "in force", planned.lasts_s
        try:
            words = await fault.begin(self.arena, random.Random(planned.seed))
        except NothingStruckError as error:
            words, struck, lasts_s = str(error), "missed", 0.0
        except (CrewFailedError, TimeoutError) as error:
            words = f"did not begin: {error}"
        note("fault", at=struck, words=words, **about)
        try:
            await self._last(fault, planned, lasts_s, stopped)
        finally:
            await fault.heal(self.arena)
            note("fault", at="healed", **about)

    async def _last(
        self, fault: Fault, planned: Planned, seconds: float, stopped: asyncio.Event
    ) -> None:
        """The fault is in force for so long, or until the day ends."""
        again_s = fault.again_s or seconds
        while seconds > again_s and not stopped.is_set():
            await _pause(stopped, again_s)
            seconds -= again_s
            with contextlib.suppress(NothingStruckError):
                await fault.begin(self.arena, random.Random(planned.seed))
        await _pause(stopped, seconds)


async def _pause(stopped: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stopped.wait()
