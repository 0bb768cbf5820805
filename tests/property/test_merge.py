"""Merging: the outcome is a matter of what was written, not of the order in which it arrived."""

from collections.abc import Mapping
from functools import reduce

from hypothesis import given
from hypothesis import strategies as st

from fieldmesh.replica.merge import Write, merge_columns

WRITES = st.dictionaries(
    st.sampled_from(["name", "phone", "state"]),
    st.builds(
        Write,
        clock=st.integers(0, 3),
        writer=st.sampled_from([bytes(16), b"a" * 16, b"b" * 16]),
        value=st.sampled_from([None, 0, 1, "", "1", "x", b"x"]),
    ),
)


def _merged(*sets: Mapping[str, Write]) -> dict[str, Write]:
    start: dict[str, Write] = {}
    return reduce(lambda held, incoming: merge_columns(held, incoming).standing, sets, start)


@given(WRITES, WRITES)
def test_merging_is_commutative(one: dict[str, Write], other: dict[str, Write]) -> None:
    """Two gateways may forward two people's work in either order."""
    assert _merged(one, other) == _merged(other, one)


@given(WRITES, WRITES, WRITES)
def test_merging_is_associative(
    one: dict[str, Write], other: dict[str, Write], third: dict[str, Write]
) -> None:
    """Or in any grouping."""
    assert _merged(_merged(one, other), third) == _merged(one, _merged(other, third))


@given(WRITES, WRITES)
def test_merging_is_idempotent(one: dict[str, Write], other: dict[str, Write]) -> None:
    """Redelivery has one effect (promise 2)."""
    once = merge_columns(one, other)
    again = merge_columns(once.standing, other)
    assert again.standing == once.standing
    assert not again.changed
    assert not again.overruled


@given(WRITES, WRITES)
def test_nothing_is_lost_in_silence(held: dict[str, Write], incoming: dict[str, Write]) -> None:
    """Every write that does not stand, and said something else, is told."""
    found = merge_columns(held, incoming)
    for column, write in {**held, **incoming}.items():
        assert found.standing[column].rank >= write.rank
    for column in held.keys() & incoming.keys():
        differ = held[column].value != incoming[column].value
        assert (column in found.lost or column in found.overruled) == differ
    for column in found.changed:
        assert column not in held or held[column].value != found.standing[column].value
