"""Routes that are due, and targets that are split."""

import datetime

from hypothesis import given
from hypothesis import strategies as st

from hub.desk.operations.plans import is_due, split


def test_a_route_is_due_on_its_weekday_in_the_weeks_of_its_mask() -> None:
    """A rep who is sent to the other half of a two-week cycle finds closed doors."""
    monday = datetime.date(2024, 1, 1)
    weeks = [monday + datetime.timedelta(weeks=n) for n in range(4)]
    assert [is_due(day, 2, 0b01, 0) for day in weeks] == [True, False, True, False]
    assert [is_due(day, 2, 0b10, 0) for day in weeks] == [False, True, False, True]
    assert [is_due(day, 1, 1, 0) for day in weeks] == [True] * 4
    assert not is_due(monday + datetime.timedelta(days=1), 1, 1, 0)


@given(st.integers(0, 10**9), st.integers(1, 50))
def test_the_parts_of_a_target_add_up_to_it(value: int, parts: int) -> None:
    """A target that loses a unit at each level of the tree is missed by nobody's fault."""
    shares = split(value, parts)
    assert sum(shares) == value
    assert len(shares) == parts
    assert all(share >= 0 for share in shares)
