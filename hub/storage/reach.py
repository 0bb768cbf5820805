"""Where somebody sees: the union of what their positions reach. `visible` turns it into a condition on rows."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Everything:
    """The whole company."""


@dataclass(frozen=True, slots=True)
class Below:
    """Positions, with everything of theirs and of the positions below them.

    Subscriptions of a position hold what is below it already, so these are the person's own positions.
    """

    positions: frozenset[bytes]


@dataclass(frozen=True, slots=True)
class OfDistributor:
    """What belongs to a distributor."""

    distributor: bytes


Reach = Everything | Below | OfDistributor


@dataclass(frozen=True, slots=True)
class Scope:
    """Where: the union of reaches; without any, nothing but what everyone has."""

    reaches: frozenset[Reach] = frozenset()

    @property
    def is_everything(self) -> bool:
        """Whether the whole company is in it."""
        return Everything() in self.reaches

    @property
    def positions(self) -> frozenset[bytes]:
        """The positions of its reaches."""
        found = [one.positions for one in self.reaches if isinstance(one, Below)]
        return frozenset().union(*found)

    @property
    def distributors(self) -> frozenset[bytes]:
        """The distributors of its reaches."""
        return frozenset(one.distributor for one in self.reaches if isinstance(one, OfDistributor))

    def __or__(self, other: "Scope") -> "Scope":
        """Both together."""
        return Scope(self.reaches | other.reaches)


EVERYTHING = Scope(frozenset({Everything()}))
