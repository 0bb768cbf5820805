"""The tree of positions."""

import pytest

from fieldmesh.basics.errors import Rejected
from hub.rules.territory import PositionTree

A, B, C, D = (bytes([number]) * 16 for number in range(1, 5))


def test_a_supervisor_has_everything_below() -> None:
    """Without it a supervisor would not see the outlets of the reps."""
    tree = PositionTree({A: None, B: A, C: B, D: None})
    assert tree.subtree(A) == {A, B, C}
    assert tree.subtree(D) == {D}


def test_a_change_touches_all_who_stand_above() -> None:
    """Without it the scope of a supervisor would stay behind that of the reps."""
    tree = PositionTree({A: None, B: A, C: B, D: None})
    assert tree.with_above([C]) == {A, B, C}


def test_an_unknown_position_sees_nothing() -> None:
    """Without it a device of a deleted position would keep its scope."""
    assert PositionTree({A: None}).subtree(B) == set()


def test_a_position_above_itself_is_refused() -> None:
    """Without it a wrong file would hang the hub."""
    with pytest.raises(Rejected, match="above itself"):
        PositionTree({A: C, B: A, C: B})


def test_a_parent_that_is_not_there_makes_a_top() -> None:
    """Without it one missing line would hide a whole region."""
    assert PositionTree({B: A}).above(B) == []
