"""Rows that stand below rows of their own table: each below one that is there, none below itself."""

from collections import defaultdict
from collections.abc import Mapping
from collections.abc import Set as AbstractSet

Parents = Mapping[bytes, bytes | None]


def misplaced(standing: Parents, coming: Parents) -> tuple[set[bytes], set[bytes]]:
    """The rows that can't be loaded: those that would stand below nothing, and those in a ring.

    A row that can't be loaded keeps the place that it has; what would stand below a new one stands below nothing.
    A ring of rows that are not coming is left alone.

    Args:
        standing: row → the row above it, of every row that there is.
        coming: the same of the rows to be loaded.
    """
    below: dict[bytes | None, list[bytes]] = defaultdict(list)
    for row, parent in coming.items():
        below[parent].append(row)
    left = dict(coming)
    unknown = below.keys() - standing.keys() - coming.keys() - {None}
    nowhere = {row for parent in unknown for row in below[parent]}
    nowhere |= _without(left, nowhere, standing, below)
    in_ring: set[bytes] = set()
    while ring := _rings({**standing, **left}) & left.keys():
        in_ring |= ring
        nowhere |= _without(left, ring, standing, below)
    return nowhere, in_ring


def _without(
    left: dict[bytes, bytes | None],
    rows: AbstractSet[bytes],
    standing: Parents,
    below: Mapping[bytes | None, list[bytes]],
) -> set[bytes]:
    """The rows are left out; returns those that are left out because they would stand below one of them."""
    dropped: set[bytes] = set()
    waiting = list(rows)
    while waiting:
        row = waiting.pop()
        del left[row]
        if row not in standing:
            held = [one for one in below.get(row, ()) if one in left and one not in rows]
            dropped.update(held)
            waiting += held
    return dropped


def _rings(parents: Parents) -> set[bytes]:
    """The rows that stand below themselves."""
    seen: set[bytes] = set()
    found: set[bytes] = set()
    for start in parents:
        path: dict[bytes, None] = {}
        current: bytes | None = start
        while current is not None and current in parents and current not in seen:
            if current in path:
                way = list(path)
                found.update(way[way.index(current) :])
                break
            path[current] = None
            current = parents[current]
        seen.update(path)
    return found
