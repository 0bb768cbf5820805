"""The one interface of everything that can go wrong, and the list of what there is."""

import importlib
import pkgutil
import random
from abc import ABC, abstractmethod
from collections.abc import Sequence
from enum import StrEnum
from typing import ClassVar, TypeVar

from typing_extensions import override

import tests.chaos.faults as package
from tests.chaos.arena import Arena
from tests.chaos.ground import Need
from tests.chaos.shape import Shape

LONG_S = (11.0, 16.0)


class Effect(StrEnum):
    """What a fault takes away for good, so that the checker asks less of that node from then on."""

    GATEWAY_DISK_LOST = "gateway_disk_lost"
    """What only this gateway had is gone, or as old as its image: its first ticks no longer bind."""
    DEVICE_RESTORED = "device_restored"
    """The device stands as it did earlier; work without any tick since then is gone, and its order has two pasts."""
    HUB_RESTORED = "hub_restored"
    """Head office stands as it did earlier, in a new hub epoch: LSNs and cursors may go back once."""
    COPIES_SPOILT = "copies_spoilt"
    """What waited in this gateway's outbox is no use any more; devices still hold what has no second tick."""
    BROKER_STORE_LOST = "broker_store_lost"
    """Streams are empty; nothing is lost by it, because outboxes keep until a receipt."""


class NothingStruckError(Exception):
    """What the fault would have taken away or repeated was not there: it counts as no fault. Healed all the same."""


class Fault(ABC):
    """One fault of one node, from `begin` to `heal`; an instance is used once.

    The plan decides the node, the time and the seed of `choose` before anything runs, so that a campaign can be
    replayed. Faults that overlap in time never hold a node in common. `begin` returns when the fault is in force,
    `heal` when its cause is gone and the node works or starts to work again; neither waits for the network to recover.
    What raises in either is a failure of the campaign, not a violation.
    """

    name: ClassVar[str]
    """As `--faults` names it: `kill`, `cut`, `full_disk` … with the kind of node, such as `kill_gateway`."""
    lasts_s: ClassVar[tuple[float, float]] = (2.0, 6.0)
    """Shortest and longest time between begin and heal."""
    long_share: ClassVar[float] = 0.0
    """Of its strikes, how many last for `LONG_S`, longer than what waits for an answer waits."""
    again_s: ClassVar[float] = 0.0
    """While it is in force it begins again after so long; 0 = once is enough."""
    weight: ClassVar[int] = 2
    """How often it is planned against the others; 1 for what takes long."""
    effects: ClassVar[frozenset[Effect]] = frozenset()
    """What the checker must know of it."""
    needs: ClassVar[frozenset[Need]] = frozenset()
    """What the network must stand on for it."""
    explains: ClassVar[frozenset[str]] = frozenset()
    """Problem codes of quarantined batches and rejects that this fault may cause on the devices that it holds."""

    def __init__(self, node: str) -> None:
        """The fault of that node."""
        self.node = node

    @classmethod
    @abstractmethod
    def nodes(cls, shape: Shape) -> Sequence[str]:
        """The nodes that it can befall, by the names that `Arena` knows."""

    @property
    def holds(self) -> frozenset[str]:
        """Every node that no other fault may touch meanwhile."""
        return frozenset({self.node})

    def can_begin(self, network: Arena) -> bool:
        """Whether this machine and the network as it stands now allow it; else the plan goes on without it."""
        return network.ground.offers(self.needs)

    @abstractmethod
    async def begin(self, network: Arena, choose: random.Random) -> str:
        """The fault is in force. Returns what was done, in words."""

    @abstractmethod
    async def heal(self, network: Arena) -> None:
        """Its cause is gone."""


F = TypeVar("F", bound=type[Fault])
_REGISTRY: dict[str, type[Fault]] = {}


def registered(fault: F) -> F:
    """The class is known by its name; for use as a decorator.

    Raises:
        ValueError: another fault has that name.
    """
    if fault.name in _REGISTRY:
        raise ValueError(f"two faults are called {fault.name}")
    _REGISTRY[fault.name] = fault
    return fault


def find(chosen: Sequence[str] = ()) -> dict[str, type[Fault]]:
    """Faults by name, sorted; all, or those whose name is, or begins with, one of ``chosen`` and an underscore.

    Raises:
        ValueError: a word fits no fault.
    """
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{module.name}")
    every = dict(sorted(_REGISTRY.items()))
    for word in chosen:
        if not any(_fits(name, word) for name in every):
            raise ValueError(f"there is no fault {word}; there are {', '.join(every)}")
    return {
        name: fault
        for name, fault in every.items()
        if not chosen or any(_fits(name, word) for word in chosen)
    }


def _fits(name: str, word: str) -> bool:
    return name == word or name.startswith(f"{word}_")


class OfGateways(Fault):
    """It strikes a gateway."""

    @classmethod
    @override
    def nodes(cls, shape: Shape) -> Sequence[str]:
        return shape.gateways


class OfCrews(Fault):
    """It strikes a crew of devices."""

    @classmethod
    @override
    def nodes(cls, shape: Shape) -> Sequence[str]:
        return shape.crews


class OfDevices(Fault):
    """It strikes a device."""

    @classmethod
    @override
    def nodes(cls, shape: Shape) -> Sequence[str]:
        return shape.devices


class OfHub(Fault):
    """It strikes head office, whose own broker goes down with it."""

    @classmethod
    @override
    def nodes(cls, shape: Shape) -> Sequence[str]:
        return ("hub",)

    @property
    @override
    def holds(self) -> frozenset[str]:
        return frozenset({"hub", "broker"})
