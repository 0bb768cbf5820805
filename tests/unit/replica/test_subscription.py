"""What comes and goes when a subscription changes."""

from fieldmesh.replica.subscription import diff


def test_what_is_wanted_comes_and_what_is_not_goes() -> None:
    """Nothing outside a subscription stays on a device (promise 6)."""
    found = diff({1, 2, 3}, {3, 4})
    assert found.gained == {4}
    assert found.lost == {1, 2}
    assert diff({1}, {1}) == diff(set(), set())
