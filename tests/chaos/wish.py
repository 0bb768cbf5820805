"""What people want of a spare device."""

from enum import StrEnum


class Wish(StrEnum):
    """What people want of a spare."""

    LIE = "lie"
    """It lies in the cupboard."""
    STAND_IN = "stand_in"
    HAND_OVER = "hand_over"
    """Everything that it made is to be at head office, and it is to be cleared."""
