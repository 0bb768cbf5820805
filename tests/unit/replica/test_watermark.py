"""Whose turn it is: one device's batches are applied in order (promise 3)."""

from dataclasses import dataclass

import pytest

from fieldmesh.replica.watermark import Turn, Watermark


@dataclass
class Place:
    """What a header says of its place."""

    device_epoch: int
    sequence: int
    previous_epoch: int = 0
    previous_sequence: int = 0


@pytest.mark.parametrize(
    ("mark", "batch", "turn"),
    [
        (Watermark(), Place(1, 1), Turn.APPLY),
        (Watermark(), Place(1, 2), Turn.WAIT),
        (Watermark(1, 4), Place(1, 4), Turn.PASSED),
        (Watermark(1, 4), Place(1, 3), Turn.PASSED),
        (Watermark(1, 4), Place(1, 5), Turn.APPLY),
        (Watermark(1, 4), Place(1, 6), Turn.WAIT),
        (Watermark(1, 4), Place(2, 1, 1, 4), Turn.APPLY),
        (Watermark(1, 4), Place(2, 1, 1, 6), Turn.WAIT),
        (Watermark(1, 4), Place(2, 1), Turn.APPLY),
        (Watermark(1, 4), Place(2, 2), Turn.WAIT),
        (Watermark(1, 4), Place(4, 1, 1, 2), Turn.APPLY),
        (Watermark(2, 1), Place(1, 9), Turn.PASSED),
        (Watermark(1, 4), Place(3, 1, 2, 1), Turn.WAIT),
    ],
)
def test_a_batch_waits_until_everything_before_it_was_decided(
    mark: Watermark, batch: Place, turn: Turn
) -> None:
    """An order's change must not come before the order, whatever gateways they came through."""
    assert mark.turn(batch) is turn


def test_the_mark_moves_to_what_was_decided() -> None:
    """The next one is next."""
    assert Watermark() == Watermark(0, 0)
    mark = Watermark().after(Place(1, 1))
    assert mark == Watermark(1, 1)
    assert mark.turn(Place(1, 2)) is Turn.APPLY
