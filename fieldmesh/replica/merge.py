"""Merging column by column: the last writer of each column wins, by hybrid logical clock.

Commutative, associative and idempotent: the outcome depends on the set of writes, not on their
order.
Ties are broken by the writer's id and then by the value, so every node decides alike.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from fieldmesh.data.types import Value


@dataclass(frozen=True, slots=True)
class Write:
    """One write of one column.

    Attributes:
        clock: hybrid logical clock, microseconds << 8 | counter.
        writer: device id, or 16 zero bytes for head office.
        value: in storage form.
    """

    clock: int
    writer: bytes
    value: Value

    def beats(self, other: "Write") -> bool:
        """Whether this write stands when both happened."""
        return self.rank > other.rank

    @property
    def rank(self) -> tuple[int, bytes, str, str]:
        """What decides between two writes."""
        return self.clock, self.writer, type(self.value).__name__, repr(self.value)


@dataclass(frozen=True, slots=True)
class Merged:
    """The outcome of a merge.

    Attributes:
        standing: every column's winning write.
        changed: columns whose value is now another.
        lost: incoming writes that did not win although they differ.
        overruled: held writes that incoming ones beat with another value.
    """

    standing: dict[str, Write]
    changed: frozenset[str]
    lost: dict[str, Write]
    overruled: dict[str, Write]


def merge_columns(held: Mapping[str, Write], incoming: Mapping[str, Write]) -> Merged:
    """Both sets of writes together.

    Args:
        held: the winning write of each column so far; a column that nobody wrote is absent.
        incoming: the columns that a row change sets.
    """
    standing = dict(held)
    changed: set[str] = set()
    lost: dict[str, Write] = {}
    overruled: dict[str, Write] = {}
    for column, write in incoming.items():
        before = standing.get(column)
        if before is None or write.beats(before):
            standing[column] = write
            if before is None or before.value != write.value:
                changed.add(column)
            if before is not None and before.value != write.value:
                overruled[column] = before
        elif before.value != write.value:
            lost[column] = write
    return Merged(standing, frozenset(changed), lost, overruled)
