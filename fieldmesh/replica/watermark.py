"""How far a device's batches have come, contiguous over its epochs. Promise 3 (Order)."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Placed(Protocol):
    """What a batch header says of its place."""

    @property
    def device_epoch(self) -> int:
        """The device's epoch."""

    @property
    def sequence(self) -> int:
        """The number in that epoch."""

    @property
    def previous_epoch(self) -> int:
        """Batch 1 only: where the device stood before."""

    @property
    def previous_sequence(self) -> int:
        """Batch 1 only: where the device stood before."""


class Turn(StrEnum):
    """Whether it is a batch's turn."""

    APPLY = "apply"
    WAIT = "wait"
    PASSED = "passed"


@dataclass(frozen=True, slots=True, order=True)
class Watermark:
    """The highest batch up to which everything was decided; (0, 0) = nothing yet."""

    device_epoch: int = 0
    sequence: int = 0

    def turn(self, batch: Placed) -> Turn:
        """Whether the batch is next, must wait for earlier ones, or was passed already.

        The first batch of an epoch is next when everything that it names as coming before it was
        decided. One that names nothing is next at once: its epoch is higher, so a person has
        initialized the device by force, and it names what it last knew.
        """
        place = Watermark(batch.device_epoch, batch.sequence)
        if place <= self:
            return Turn.PASSED
        if batch.device_epoch == self.device_epoch:
            return Turn.APPLY if batch.sequence == self.sequence + 1 else Turn.WAIT
        if batch.sequence != 1:
            return Turn.WAIT
        before = Watermark(batch.previous_epoch, batch.previous_sequence)
        return Turn.APPLY if before <= self else Turn.WAIT

    def is_far_from(self, device_epoch: int, sequence: int) -> bool:
        """Whether a batch there must wait, whatever its header says of the one before it."""
        if Watermark(device_epoch, sequence) <= self:
            return False
        return sequence != (self.sequence + 1 if device_epoch == self.device_epoch else 1)

    def after(self, batch: Placed) -> "Watermark":
        """The watermark when the batch was decided."""
        return Watermark(batch.device_epoch, batch.sequence)
