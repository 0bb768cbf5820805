"""The tree of positions: a supervisor sees everything of the positions below."""

from collections import defaultdict
from collections.abc import Container, Iterable, Mapping

from fieldmesh.basics.errors import Rejected
from fieldmesh.basics.identifiers import to_text


class PositionTree:
    """Positions and who is below whom. A position whose parent is unknown is a top."""

    def __init__(self, parents: Mapping[bytes, bytes | None]) -> None:
        """The tree of ``parents``: position → the position above it, or None.

        Raises:
            Rejected: `position_cycle`, a position would be above itself.
        """
        self._parents = dict(parents)
        self._children: dict[bytes, list[bytes]] = defaultdict(list)
        for position, parent in self._parents.items():
            if parent is not None and parent in self._parents:
                self._children[parent].append(position)
        self._refuse_cycles()

    def __contains__(self, position: bytes) -> bool:
        """Whether the position exists."""
        return position in self._parents

    def positions(self) -> Iterable[bytes]:
        """All positions."""
        return self._parents.keys()

    def above(self, position: bytes) -> list[bytes]:
        """The positions above, nearest first."""
        path = []
        parent = self._parents.get(position)
        while parent is not None and parent in self._parents:
            path.append(parent)
            parent = self._parents.get(parent)
        return path

    def subtree(self, position: bytes) -> set[bytes]:
        """The position and everything below it; empty when the position does not exist."""
        return self.down_to(position, ())[0]

    def down_to(self, position: bytes, held: Container[bytes]) -> tuple[set[bytes], set[bytes]]:
        """The position and what is below it, as far as the held ones; and those of them that were met.

        Args:
            position: where to begin; one that does not exist has nothing below.
            held: are not looked below.
        """
        found: set[bytes] = set()
        met: set[bytes] = set()
        waiting = [position] if position in self._parents else []
        while waiting:
            current = waiting.pop()
            if current in held:
                met.add(current)
                continue
            found.add(current)
            waiting.extend(self._children.get(current, ()))
        return found, met

    def with_above(self, positions: Iterable[bytes]) -> set[bytes]:
        """The positions and all that are above one of them: whose scope a change there touches."""
        found: set[bytes] = set()
        for position in positions:
            if position in found or position not in self._parents:
                continue
            found.add(position)
            found.update(self.above(position))
        return found

    def _refuse_cycles(self) -> None:
        safe: set[bytes] = set()
        for start in self._parents:
            path: dict[bytes, None] = {}
            current: bytes | None = start
            while current is not None and current in self._parents and current not in safe:
                if current in path:
                    raise Rejected("position_cycle", place=f"position {to_text(current)}")
                path[current] = None
                current = self._parents[current]
            safe.update(path)
