"""What the nemesis does, in lanes: a pure function of the seed, the shape and the chosen faults."""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tests.chaos.faults.fault import LONG_S, Fault
from tests.chaos.shape import Shape

PAUSE_S = (0.3, 2.0)


@dataclass(frozen=True, slots=True)
class Planned:
    """One fault to come."""

    name: str
    node: str
    pause_s: float
    """Before it."""
    lasts_s: float
    seed: str
    """Of what it chooses itself."""


def lane(
    seed: int, number: int, shape: Shape, faults: Mapping[str, type[Fault]]
) -> Iterator[Planned]:
    """The faults of one lane, without end: every fault comes as often as its weight before one comes again."""
    choose = random.Random(f"{seed} lane {number}")
    bag: list[str] = []
    while True:
        if not bag:
            bag = [name for name, fault in sorted(faults.items()) for _ in range(fault.weight)]
            choose.shuffle(bag)
        name = bag.pop()
        fault = faults[name]
        yield Planned(
            name,
            choose.choice(list(fault.nodes(shape))),
            choose.uniform(*PAUSE_S),
            choose.uniform(*(LONG_S if choose.random() < fault.long_share else fault.lasts_s)),
            f"{seed} {number} {choose.random()}",
        )
