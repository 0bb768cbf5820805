"""Digests and turns under anything that can happen."""

import random
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from fieldmesh.replica.digest import Digest, Sums, differing, sums_of
from fieldmesh.replica.partition import patch_id
from fieldmesh.replica.subscription import diff
from fieldmesh.replica.watermark import Turn, Watermark

HASHES = st.integers(0, (1 << 62) - 1)


@dataclass(frozen=True)
class Place:
    """What a header says of its place."""

    device_epoch: int
    sequence: int
    previous_epoch: int = 0
    previous_sequence: int = 0


@given(st.lists(HASHES), st.lists(HASHES))
def test_digests_add_up(one: list[int], other: list[int]) -> None:
    """Kept by each change, they equal what a count from scratch says."""
    assert sums_of(one) + sums_of(other) == sums_of(one + other)
    assert sums_of(one + other) - sums_of(other) == sums_of(one)


@given(st.lists(HASHES, unique=True, max_size=30), st.data())
def test_digests_are_equal_when_the_rows_are_and_differ_when_one_row_does(
    hashes: list[int], data: st.DataObject
) -> None:
    """In any order; and one row more, less or other is seen."""
    mixed = data.draw(st.permutations(hashes))
    assert sums_of(mixed) == sums_of(hashes)
    if hashes:
        place = data.draw(st.integers(0, len(hashes) - 1))
        other = data.draw(HASHES.filter(lambda value: value != hashes[place]))
        assert sums_of([*hashes[:place], *hashes[place + 1 :]]) != sums_of(hashes)
        assert sums_of([*hashes[:place], other, *hashes[place + 1 :]]) != sums_of(hashes)


DIGESTS = st.dictionaries(
    st.tuples(st.integers(1, 3), st.sampled_from(["", "contact"]), st.integers(0, 2)),
    st.builds(Sums, st.integers(0, 2), st.integers(0, 2), st.integers(0, 2)).filter(
        lambda sums: bool(sums.rows) or sums == Sums()
    ),
)


def _digests(held: dict[tuple[int, str, int], Sums]) -> list[Digest]:
    return [
        Digest(partition, sums.rows, sums.low, sums.high, table, bucket)
        for (partition, table, bucket), sums in held.items()
    ]


@given(DIGESTS, DIGESTS)
def test_every_difference_is_found_from_both_sides(
    ours: dict[tuple[int, str, int], Sums], theirs: dict[tuple[int, str, int], Sums]
) -> None:
    """A difference that only one side sees is never repaired."""
    found = {
        (d.partition, d.table, d.bucket) for d, _ in differing(_digests(ours), _digests(theirs))
    }
    back = {
        (d.partition, d.table, d.bucket) for d, _ in differing(_digests(theirs), _digests(ours))
    }
    wanted = {key for key in {*ours, *theirs} if ours.get(key, Sums()) != theirs.get(key, Sums())}
    assert found == back == wanted


@given(
    st.lists(st.integers(1, 5), min_size=1, max_size=5),
    st.integers(0, 1 << 30),
    st.integers(1, 3),
)
def test_batches_are_decided_in_order_once_whatever_way_they_come(
    sizes: list[int], seed: int, copies: int
) -> None:
    """Through any gateways, repeated and shuffled, over any number of epochs (promises 2 and 3)."""
    batches: list[Place] = []
    for epoch, size in enumerate(sizes, start=1):
        last = batches[-1] if batches else Place(0, 0)
        for sequence in range(1, size + 1):
            before = (last.device_epoch, last.sequence) if sequence == 1 else (0, 0)
            batches.append(Place(epoch, sequence, *before))
    arrived = batches * copies
    random.Random(seed).shuffle(arrived)
    mark, parked, decided = Watermark(), [], []
    for batch in arrived:
        parked.append(batch)
        moved = True
        while moved:
            ready = [one for one in parked if mark.turn(one) is Turn.APPLY]
            moved = bool(ready)
            if moved:
                decided.append(ready[0])
                mark = mark.after(ready[0])
            parked = [one for one in parked if mark.turn(one) is not Turn.PASSED]
    assert decided == batches
    assert parked == []


@given(st.sets(st.integers(1, 20)), st.sets(st.integers(1, 20)))
def test_a_subscription_is_reached_by_its_difference(held: set[int], wanted: set[int]) -> None:
    """No partition is left behind, none is sent twice (promise 6)."""
    found = diff(held, wanted)
    assert (held | found.gained) - found.lost == wanted
    assert not found.gained & held
    assert found.lost <= held


@given(st.lists(st.binary(min_size=16, max_size=16), max_size=5), st.data())
def test_a_patch_is_the_same_in_any_order(positions: list[bytes], data: st.DataObject) -> None:
    """Its name is its set of positions."""
    assert patch_id(data.draw(st.permutations(positions))) == patch_id(positions)
